"""Trains the base field as a variational autodecoder (section 3.3, equation 4): one latent code per instance is learnt
together with the network, with the progressive schedule and the moving average of section 8.3.

Several processes that `accelerate launch` has started train one base together: each takes its share of every batch, all
take the same step, and the first one writes.
"""

import os
from functools import cached_property

import torch
from accelerate import PartialState
from accelerate.utils import gather, reduce
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from wsr.devices import upload
from wsr.errors import WsrError, counted
from wsr.fields.base import BaseField, compute_dtype
from wsr.fitting.resumable import ResumableTraining
from wsr.identity import Identity
from wsr.modalities.targets import Targets
from wsr.presets import BaseTrainingConfig, FieldConfig
from wsr.randomness import drawing_from

# Learning rate of the latent codes in units of the network's. A code is updated only in the steps whose batch holds its
# instance, the network in every step.
LATENT_LR = 5.0
LATENT_SPREAD = 0.1  # standard deviation of the initial latent codes
VERSION = 1  # to be incremented when a code change makes the same settings train a different base


class BaseTraining(ResumableTraining):
    """The training of a base, with the whole state that a checkpoint needs: network, latent codes, both optimizers and
    the moving average. The loss of a record is equation 4's reconstruction term."""

    parts = ("base", "average", "latents", "optimizer", "latent_optimizer")

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
        # the state is one for the whole process, and a later training of a lone process may want its GPU
        self.processes = PartialState(cpu=self.device.type == "cpu") if "WORLD_SIZE" in os.environ else PartialState()
        fewest, world = min(stage.instances for stage in config.stages), self.processes.num_processes
        if min(fewest, len(targets)) < world:
            shared = counted(world, "process", "processes")
            raise WsrError(f"A batch of {min(fewest, len(targets))} instances cannot be shared by {shared}.")
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
        world = self.processes.num_processes
        own = rows[self.processes.process_index : count - count % world : world]
        batch = self.targets.batch(self.step, stage.points, own)
        latents = self.latents.weight.detach()[own].requires_grad_()
        values = self.base(batch.points, self.base.modulated(self.base.styles(latents)), compute_dtype(self.device))
        loss = self.targets.loss(values, batch).mean()
        total = loss + self.config.latent_penalty * latents.square().sum(1).mean()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        self._share(own, latents.grad)
        self.optimizer.step()
        self.latent_optimizer.step()
        self.average.update_parameters(self.base)
        self.step += 1
        return reduce(loss.detach(), "mean") if world > 1 else loss.detach()

    def _share(self, rows: Int[Tensor, "n"], grad: Float[Tensor, "n z"]) -> None:
        """Gives all processes the gradients of the whole batch: of the network, and of the latent codes of all rows.
        rows, grad: of this process."""
        world = self.processes.num_processes
        if world > 1:
            rows, grad = gather(rows.contiguous()), gather(grad) / world  # the loss is the mean over the whole batch
            learnt = [part for part in self.base.parameters() if part.grad is not None]
            mean = reduce(torch.cat([part.grad.flatten() for part in learnt]), "mean")
            for part, found in zip(learnt, mean.split([part.numel() for part in learnt]), strict=True):
                part.grad.copy_(found.view_as(part))
        self.latents.weight.grad = torch.sparse_coo_tensor(
            rows[None], grad, self.latents.weight.shape, check_invariants=False
        )

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
