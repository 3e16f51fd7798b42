"""Trains the base field as a variational autodecoder (section 3.3, equation 4): one latent code per instance is learnt
together with the network, with the progressive schedule and the moving average of section 8.3."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from wsr.devices import upload
from wsr.fields.base import BaseField, compute_dtype
from wsr.identity import Identity
from wsr.modalities.targets import Targets
from wsr.paths import atomic_path
from wsr.presets import BaseTrainingConfig, FieldConfig
from wsr.randomness import drawing_from

# Learning rate of the latent codes in units of the network's. A code is updated only in the steps whose batch holds its
# instance, the network in every step.
LATENT_LR = 5.0
LATENT_SPREAD = 0.1  # standard deviation of the initial latent codes
VERSION = 1  # to be incremented when a code change makes the same settings train a different base

log = logging.getLogger("wsr")


@dataclass
class BaseRecord:
    """A progress record of base training. loss: mean of equation 4's reconstruction term since the last record; kept:
    True if nothing was trained because the same run has already written its base."""

    step: int
    steps: int
    loss: float
    seconds: float
    done: bool = False
    kept: bool = False


class BaseTraining:
    """The training of a base, with the whole state that a checkpoint needs: network, latent codes, both optimizers and
    the moving average."""

    def __init__(
        self,
        targets: Targets,
        field: FieldConfig,
        config: BaseTrainingConfig,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ):
        self.targets, self.config, self.seed, self.device = targets, config, seed, torch.device(device)
        self.field = field
        self._begin()

    def _begin(self) -> None:
        config = self.config
        self.base = BaseField(self.field, self.seed).to(self.device)
        self.average = AveragedModel(self.base, multi_avg_fn=get_ema_multi_avg_fn(config.ema))
        with drawing_from(self.seed):
            self.latents = nn.Embedding(len(self.targets), self.field.latent, sparse=True)
            nn.init.normal_(self.latents.weight, std=LATENT_SPREAD)
        self.latents.to(self.device)
        self.optimizer = torch.optim.Adam(self.base.parameters(), lr=config.stages[0].lr, fused=True)
        self.latent_optimizer = torch.optim.SparseAdam(list(self.latents.parameters()), lr=config.stages[0].lr)
        self.step, self.seconds = 0, 0.0

    @cached_property
    def identity(self) -> Identity:
        """Identifies the run by everything that the trained network depends on."""
        data = self.targets.content_hash()
        return Identity.of("base", VERSION, field=self.field, schedule=self.config, seed=self.seed, data=data)

    @property
    def steps(self) -> int:
        """Total number of steps of all stages."""
        return sum(stage.steps for stage in self.config.stages)

    def run(
        self, record_every: int = 50, checkpoint: Path | None = None, checkpoint_every: float = 60.0
    ) -> Iterator[BaseRecord]:
        """Trains to the end, starting from `checkpoint` if it exists. Closing the generator between two records saves a
        checkpoint; a killed process loses at most about `checkpoint_every` seconds. WsrError for the checkpoint of a
        different run. A checkpoint that cannot be read is ignored with a warning, and training starts from the
        beginning."""
        if checkpoint is not None and checkpoint.exists():
            self.load(checkpoint)
        try:
            yield from self._steps(record_every, checkpoint, checkpoint_every)
        except GeneratorExit:
            if checkpoint is not None:
                self.save(checkpoint)
            raise

    def _steps(self, record_every: int, checkpoint: Path | None, checkpoint_every: float) -> Iterator[BaseRecord]:
        losses, saved = [], time.monotonic()
        while self.step < self.steps:
            start = time.monotonic()
            losses.append(self._train_step())
            self.seconds += time.monotonic() - start
            if self.step % record_every == 0 or self.step == self.steps:
                mean = float(torch.stack(losses).mean())
                losses = []
                done = self.step == self.steps
                if checkpoint is not None and (done or time.monotonic() - saved > checkpoint_every):
                    self.save(checkpoint)
                    saved = time.monotonic()
                yield BaseRecord(self.step, self.steps, mean, self.seconds, done)

    def _train_step(self) -> Tensor:
        stage, within, next_lr = self._stage()
        # within a stage the learning rate decays geometrically to that of the next stage
        lr = stage.lr * (next_lr / stage.lr) ** (within / stage.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        for group in self.latent_optimizer.param_groups:
            group["lr"] = lr * LATENT_LR
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.step)
        count = min(stage.instances, len(self.targets))
        rows = torch.randperm(len(self.targets), generator=generator)[:count]
        rows = upload(rows, self.device)
        batch = self.targets.batch(self.step, stage.points, rows)
        latents = self.latents(rows)
        values = self.base(batch.points, self.base.modulated(self.base.styles(latents)), compute_dtype(self.device))
        loss = self.targets.loss(values, batch).mean()
        total = loss + self.config.latent_penalty * latents.square().sum(1).mean()
        self.optimizer.zero_grad(set_to_none=True)
        self.latent_optimizer.zero_grad(set_to_none=True)
        total.backward()
        self.optimizer.step()
        self.latent_optimizer.step()
        self.average.update_parameters(self.base)
        self.step += 1
        return loss.detach()

    def _stage(self):
        within = self.step
        for i, stage in enumerate(self.config.stages):
            if within < stage.steps:
                last = i + 1 == len(self.config.stages)
                return stage, within, stage.lr * 0.1 if last else self.config.stages[i + 1].lr
            within -= stage.steps
        raise AssertionError("a step after the last stage")

    @torch.no_grad()
    def finish(self) -> tuple[BaseField, Float[Tensor, "n z"]]:
        """Returns the averaged network, with the training set's mean style stored in it, and the latent codes (n, z),
        both on the CPU."""
        base: BaseField = self.average.module
        styles = [base.styles(part) for part in self.latents.weight.split(1024)]
        base.mean_style.copy_(torch.cat(styles).mean(0))
        return base.eval().requires_grad_(False).to("cpu"), self.latents.weight.detach().clone().cpu()

    def save(self, path: Path) -> None:
        """Writes a checkpoint."""
        with atomic_path(path) as temporary:
            torch.save(
                {
                    "base": self.base.state_dict(),
                    "average": self.average.state_dict(),
                    "latents": self.latents.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "latent_optimizer": self.latent_optimizer.state_dict(),
                    "step": self.step,
                    "seconds": self.seconds,
                    "identity": self.identity.record(),
                },
                temporary,
            )

    def load(self, path: Path) -> None:
        """Restores a checkpoint. WsrError if it belongs to a different run. If it is damaged or is not a checkpoint, it
        logs a warning and leaves the training at its beginning."""
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            begun = Identity.read(state.get("identity"))
        except Exception as error:  # torch.load raises many types for a damaged file
            self._warn(path, error)
            return
        self.identity.require_same(begun, path, "remove it to begin afresh")
        try:
            for name in ("base", "average", "latents", "optimizer", "latent_optimizer"):
                getattr(self, name).load_state_dict(state[name])
            self.step, self.seconds = int(state["step"]), float(state["seconds"])
        except Exception as error:
            self._begin()  # part of the state may have been loaded
            self._warn(path, error)

    @staticmethod
    def _warn(path: Path, error: Exception) -> None:
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        log.warning("The checkpoint %r cannot be read (%s): training begins afresh.", str(path), reason)
