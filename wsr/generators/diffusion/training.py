"""Trains a diffusion model on the weights of a zoo (sections 3.5 and 8.2).

`accelerate` runs it on one CPU, one GPU or many. The random numbers of a step depend on the seed and the step alone;
each process takes its share of them. So a killed run continues exactly, on any number of processes, up to rounding.
"""

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from jaxtyping import Float, Int
from torch import Tensor

from wsr.captured import CapturedStep, capturable, set_rate
from wsr.devices import upload
from wsr.errors import WsrError, counted
from wsr.fields.description import FieldDescription
from wsr.generators.base import Monitor, TrainRecord
from wsr.generators.diffusion.checkpoint import Best, Checkpoint, CheckpointFile
from wsr.generators.diffusion.draws import Ahead, Draws
from wsr.generators.diffusion.model import WeightDiffusion
from wsr.generators.diffusion.monitor import compared
from wsr.generators.diffusion.process import make_process
from wsr.identity import Identity, content_hash
from wsr.run_files import CheckpointPace

MIN_DELTA = 1e-3  # the relative decrease of the validation loss that counts as an improvement
VERSION = 1  # to be incremented when a code change makes the same settings train a different model
REPEATS = 4  # times and noises with which the loss of each validation weight is computed

log = logging.getLogger("wsr")


class Training:
    """The training of a diffusion model, with the whole state that a checkpoint needs. The model belongs to this run:
    it is moved to the accelerator's device and changed in place.

    dtype: of the matrix products, by default float32; bfloat16 takes three quarters of the time on two cores that
    support it. validation: weights (m, p) that are not trained on, and their classes; with `DiffusionConfig.patience`
    they decide when training ends.
    """

    def __init__(
        self,
        model: WeightDiffusion,
        weights: Float[Tensor, "n p"],
        classes: list[str],
        seed: int = 0,
        accelerator: Accelerator | None = None,
    ):
        from diffusers.training_utils import EMAModel

        if len(weights) != len(classes) or len(weights) < 2:
            raise WsrError(f"Training takes two weights or more, each with its class, not {len(weights)}.")
        self.model, self.seed, self.config = model, seed, model.config
        self.accelerator = accelerator or Accelerator()
        kind = FieldDescription.of(model.representation).record() if model.representation else {}
        kind.pop("base", None)  # its hash identifies it, wherever its file is
        self._known = {"seed": seed, "decoder": kind}
        self._known |= {"classes": content_hash(classes), "weights": content_hash(weights)}
        constants = len(model.mean) - len(model.varying)
        self._known |= {"constants": constants} if constants else {}  # an earlier version learnt them too
        self.steps = self.config.steps_for(len(weights))
        world = self.accelerator.num_processes
        batch = min(self.config.batch, len(weights))
        if batch < world:
            raise WsrError(f"A batch of {batch} cannot be shared by {counted(world, 'process', 'processes')}.")
        device = self.accelerator.device
        model.to_(device)
        self.data = model.standardise(weights.float().to(device))
        model.about["counts"] = [classes.count(cls) for cls in model.classes]
        self.labels = torch.tensor([model.label(cls) for cls in classes], device=device)
        rate = capturable(self.config.lr, device)
        optimizer = torch.optim.AdamW(model.network.parameters(), weight_decay=0.0, fused=True, **rate)
        self.average = EMAModel(model.network.parameters(), decay=self.config.ema, foreach=True)
        self.network, self.optimizer = self.accelerator.prepare(model.network, optimizer)
        self.process = make_process(self.config)
        own = slice(self.accelerator.process_index, batch - batch % world, world)
        draw = Draws(self.process, self.config, tuple(self.data.shape), seed, own)
        self._draw = Ahead(draw) if device.type == "cuda" else draw
        # processes that share a batch wait for each other within a step, which cannot be captured
        self._learn = CapturedStep(self._learnt) if world == 1 else self._learnt
        self.dtype = torch.float32  # of the matrix products
        self.validation: tuple[Tensor, list[str]] | None = None
        self.best: Best | None = None
        self._scored: tuple[Tensor, tuple[Tensor, ...]] | None = None  # weights, and how they are noised
        self.step, self.seconds, self.losses, self.monitors = 0, 0.0, [], []
        self.evaluations: list[tuple[int, float]] = []  # step and validation loss

    @property
    def identity(self) -> Identity:
        """Identifies the run by everything that the trained network depends on. This includes the validation weights,
        which must be set first."""
        unseen = None if self.validation is None else content_hash(*self.validation)
        return Identity.of("diffusion", VERSION, config=self.config, validation=unseen, **self._known)

    def run(
        self,
        record_every: int = 50,
        monitor_every: int = 250,
        checkpoint: Path | None = None,
        pace: CheckpointPace | None = None,
    ) -> Iterator[TrainRecord]:
        """Trains to the end, starting from `checkpoint` if it exists, and writes it when `pace` says. Closing the
        generator between two records saves a checkpoint. Afterwards the model's network is the moving average of the
        run so far, the best one if there are validation weights. WsrError, with the step and the last good checkpoint,
        if the loss is not finite."""
        if checkpoint is not None and checkpoint.exists():
            self.load(checkpoint)
        try:
            yield from self._steps(record_every, monitor_every, checkpoint, pace or CheckpointPace())
        except GeneratorExit:
            if checkpoint is not None:
                self.save(checkpoint)
            raise
        finally:
            self._settle()

    def _steps(
        self, record_every: int, monitor_every: int, checkpoint: Path | None, pace: CheckpointPace
    ) -> Iterator[TrainRecord]:
        recent, good = [], self.step
        if self.done:  # it was ended after its last checkpoint, before its result was written
            yield TrainRecord(self.step, self.steps, self.losses[-1], self._rate(self.step), self.seconds, done=True)
        while not self.done:
            begun = time.monotonic()
            recent.append(self._train_step())
            if self.validation is not None and (self.step % self.config.eval_every == 0 or self.step == self.steps):
                self._evaluate()
            self.seconds += time.monotonic() - begun
            if self.step % record_every and not self.done:
                continue
            self._check(recent, checkpoint, good)
            loss, recent = float(torch.stack(recent).mean()), []
            self.losses.append(loss)
            watch = self.monitor() if monitor_every and (self.done or not self.step % monitor_every) else None
            self.monitors += [{"step": self.step, **asdict(watch)}] if watch else []
            if checkpoint is not None and (self.done or pace.due):
                with pace.writing():
                    self.save(checkpoint)
                    good = self.step
            yield TrainRecord(
                self.step, self.steps, loss, self._rate(self.step - 1), self.seconds,
                watch, self.evaluations[-1][1] if self.evaluations else None, self.done,
            )  # fmt: skip

    @torch.no_grad()
    def _settle(self) -> None:
        """Replaces the parameters of the model's network by their moving average, and records in `about` how it was
        trained."""
        kept = self.average.shadow_params if self.best is None else self.best.parameters
        for parameter, value in zip(self.model.network.parameters(), kept, strict=True):
            parameter.copy_(value)
        self.model.about |= {"losses": self.losses, "seconds": self.seconds, "steps": self.step}
        self.model.about |= {"evaluations": self.evaluations, "monitors": self.monitors}
        self.model.about["identity"] = self.identity.record()
        if self.best is not None:
            self.model.about["best"] = self.best.step

    @property
    def done(self) -> bool:
        """Whether all steps are made, or patience is exhausted. A rate that decays is followed to its end."""
        patience = 0 if self.config.decay_steps else self.config.patience
        return self.step >= self.steps or bool(self.best and patience and self.best.waited >= patience)

    def _evaluate(self) -> None:
        """Computes the validation loss of the averaged network, and keeps the network if it is the best one so far."""
        with self._averaged():
            loss = self.score(*self.validation)
        # all processes must use the same number: a rounding error must not stop one of them earlier
        loss = float(self.accelerator.reduce(torch.tensor(loss, device=self.accelerator.device), "mean"))
        self.evaluations.append((self.step, loss))
        if self.best is None or loss < (1 - MIN_DELTA) * self.best.loss:
            self.best = Best(loss, self.step, [value.detach().clone() for value in self.average.shadow_params])
        else:
            self.best.waited += 1

    def _train_step(self) -> Tensor:
        """Makes a step and returns its loss over all processes."""
        set_rate(self.optimizer, self._rate(self.step))
        self.network.train()
        loss = self._learn(*(upload(part, self.data.device) for part in self._draw(self.step)))
        self.average.step(self.model.network.parameters())
        self.step += 1
        return self.accelerator.reduce(loss, "mean")

    def _learnt(self, rows: Int[Tensor, " b"], times: Tensor, noise: Float[Tensor, "b p"], dropped: Tensor) -> Tensor:
        """Learns from this process's share of a batch, as `Draws` draws it, and returns its loss."""
        labels, kind = torch.where(dropped, len(self.model.classes), self.labels[rows]), self.data.device.type
        # a captured step would keep the copies that autocast caches
        with torch.autocast(kind, self.dtype, enabled=self.dtype != torch.float32, cache_enabled=kind != "cuda"):
            loss = self.process.loss(
                lambda x, time: self.network(x, time, labels).float(), self.data[rows], noise, times
            ).mean()
        self.optimizer.zero_grad(set_to_none=True)
        self.accelerator.backward(loss)
        norm = self.accelerator.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        # a gradient that is not finite has spoilt the network even if the loss was finite: reported as a loss of NaN
        return loss.detach() + 0.0 * norm

    def _rate(self, step: int) -> float:
        """Returns the learning rate of a step, with warm-up and decay. It depends on the step only, so that a
        checkpoint need not store a scheduler of `torch.optim.lr_scheduler`."""
        rate = self.config.lr * min(1.0, (step + 1) / max(1, self.config.warmup))
        return rate if self.config.decay_steps is None else rate * (1 + math.cos(math.pi * step / self.steps)) / 2

    def _check(self, recent: list[Tensor], checkpoint: Path | None, good: int) -> None:
        wrong = (~torch.stack(recent).isfinite()).nonzero()
        if not len(wrong):
            return
        step = self.step - len(recent) + int(wrong[0]) + 1
        there = checkpoint is not None and checkpoint.exists()
        kept = f"the last good checkpoint is {str(checkpoint)!r}, of step {good}" if there else "no checkpoint was kept"
        raise WsrError(
            f"The loss is {float(recent[int(wrong[0])])} at step {step} of {self.steps}, at a learning rate of "
            f"{self._rate(step - 1):.2g}: {kept}. A lower rate would be next (`wsr diffuse --lr`)."
        )

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """Within this context, the network has the averaged parameters."""
        parameters = list(self.model.network.parameters())
        self.average.store(parameters)
        self.average.copy_to(parameters)
        try:
            yield
        finally:
            self.average.restore(parameters)

    @torch.no_grad()
    def monitor(self, samples: int = 32, steps: int = 10) -> Monitor:
        """Compares samples of the averaged network with the training weights. The samples take a few steps only: this
        is a warning, not a measurement."""
        with self._averaged():
            return compared(self.model.standardise(self.model.sample(samples, steps=steps)), self.data)

    @torch.no_grad()
    def score(self, weights: Float[Tensor, "m p"], classes: list[str]) -> float:
        """Returns the network's loss on these weights (m, p), with the same times and noise at every call."""
        if self._scored is None or self._scored[0] is not weights:
            self._scored = weights, self._noised(weights, classes)
        data, labels, times, noise = self._scored[1]
        self.network.eval()
        return float(self.process.loss(lambda x, time: self.network(x, time, labels), data, noise, times).mean())

    def _noised(self, weights: Float[Tensor, "m p"], classes: list[str]) -> tuple[Tensor, ...]:
        """Returns these weights REPEATS times, standardised, with their labels, times and noise."""
        device, generator = self.accelerator.device, torch.Generator().manual_seed(0)
        data = self.model.standardise(weights.float().to(device)).repeat(REPEATS, 1)
        labels = torch.tensor([self.model.label(cls) for cls in classes], device=device).repeat(REPEATS)
        times = self.process.times(len(data), generator).to(device)
        return data, labels, times, torch.randn(data.shape, generator=generator).to(device)

    def save(self, path: Path) -> None:
        """Writes a checkpoint of the current state, for `load`."""
        if not self.accelerator.is_main_process:
            return
        Checkpoint(
            self.step, self.seconds, self.model.network.state_dict(), list(self.average.shadow_params),
            self.optimizer.state_dict()["state"], self.losses, self.evaluations, self.monitors, self.best,
        ).write(path, self.identity)  # fmt: skip

    def load(self, path: Path) -> None:
        """Restores a checkpoint. WsrError if it belongs to another run. If it is damaged or is not a checkpoint, it
        logs a warning and leaves the training at its beginning."""
        try:
            file = CheckpointFile.open(path)
        except Exception as error:  # readers raise many types for a damaged file
            self._warn(path, error)
            return
        self.identity.require_same(file.begun, path, "it is not a checkpoint of this run, remove it to begin afresh")
        network = {key: tuple(one.shape) for key, one in self.model.network.state_dict().items()}
        parameters = [tuple(one.shape) for one in self.model.network.parameters()]
        try:
            found = Checkpoint.read(file.state, file.meta, network, parameters)
        except Exception as error:
            self._warn(path, error)
            return
        self.model.network.load_state_dict(found.network)
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": found.slots})
        self.average.shadow_params, self.average.optimization_step = self._here(found.average), found.step
        if found.best is not None:
            self.best = replace(found.best, parameters=self._here(found.best.parameters))
        self.step, self.seconds, self.losses = found.step, found.seconds, found.losses
        self.evaluations, self.monitors = found.evaluations, found.monitors

    def _here(self, found: list[Tensor]) -> list[Tensor]:
        return [one.to(self.accelerator.device) for one in found]

    @staticmethod
    def _warn(path: Path, error: Exception) -> None:
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        log.warning("The checkpoint %r cannot be read (%s): training begins afresh.", str(path), reason)
