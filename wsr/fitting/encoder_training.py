"""Trains an encoder of starts through the frozen base: its loss is that of a fit at the predicted start."""

import math
from functools import cached_property

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from wsr.captured import CapturedStep, capturable, set_rate
from wsr.devices import upload
from wsr.fields.description import FieldDescription
from wsr.fields.representation import Representation
from wsr.fitting.encoder import EncoderConfig, StartEncoder, loss_of
from wsr.fitting.resumable import ResumableTraining
from wsr.fitting.settings import Start
from wsr.identity import Identity
from wsr.modalities.targets import Batch, Targets

VERSION = 1  # to be incremented when a code change makes the same settings train a different encoder
# An instance is known if its loss at the predicted start, relative to that at the plain start, is at most KNOWN_MARGIN
# times what KNOWN_SHARE of unseen instances like the training set's have. At a first look, 200 unseen faces had
# 0.11 at this share and 0.23 at most, and 95 % of 200 emoji more than 0.22. `python -m precompute run encoded_starts`
# measures the share that is known.
KNOWN_SHARE, KNOWN_MARGIN = 0.95, 2.0
PART = 64  # instances encoded together


class EncoderTraining(ResumableTraining):
    """The training of an encoder. targets: of the base's own training set."""

    parts = ("encoder", "average", "optimizer")

    def __init__(
        self, targets: Targets, model: Representation, config: EncoderConfig, seed: int = 0,
        device: torch.device | str = "cpu",
    ):  # fmt: skip
        self.targets, self.config, self.seed, self.device = targets, config, seed, torch.device(device)
        self.model = model.to(self.device)
        self.plain = Start().of(self.model)
        self._begin()

    def _begin(self) -> None:
        self.encoder = StartEncoder.new(self.model, self.config, self.seed).to(self.device)
        self.average = AveragedModel(self.encoder, multi_avg_fn=self._averaged)
        rate = capturable(self.config.lr, self.device)
        self.optimizer = torch.optim.Adam(self.encoder.parameters(), fused=True, **rate)
        self._learn, self._loss = CapturedStep(self._learnt), loss_of(self.model, self.targets)
        self.step, self.seconds = 0, 0.0

    @torch.no_grad()
    def _averaged(self, average: list[Tensor], now: list[Tensor], count: Tensor | int) -> None:
        """Moves the averages towards the current parameters, faster at first: in a short run they would still hold the
        untrained ones."""
        decay = min(self.config.ema, (1 + count) / (10 + count))
        torch._foreach_lerp_(average, now, 1 - float(decay))

    @cached_property
    def identity(self) -> Identity:
        """Identifies the run by everything that the trained network depends on."""
        decoder = FieldDescription.of(self.model).record()
        decoder.pop("base")  # its hash identifies it, wherever its file is
        data = self.targets.content_hash()
        return Identity.of("encoder", VERSION, decoder=decoder, config=self.config, seed=self.seed, data=data)

    @property
    def steps(self) -> int:
        return self.config.steps

    def _train_step(self) -> Tensor:
        warm = min(1.0, (self.step + 1) / max(self.config.warmup, 1))
        set_rate(self.optimizer, self.config.lr * warm * 0.5 * (1 + math.cos(math.pi * self.step / self.steps)))
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.step)
        rows = torch.randperm(len(self.targets), generator=generator)[: self.config.instances]
        rows = upload(rows, self.device)
        batch = self.targets.batch(self.step, self.config.points, rows)
        loss = self._learn(self.targets.seen(rows, self.step), batch.points, batch.values)
        self.average.update_parameters(self.encoder)
        self.step += 1
        return loss

    def _learnt(self, seen: Tensor, points: Tensor, values: Tensor) -> Tensor:
        """Learns from a batch, and returns its loss."""
        loss = self._loss(self.plain + self.encoder(seen), Batch(points, values)).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    @torch.no_grad()
    def finish(self, unseen: Targets) -> StartEncoder:
        """Returns the averaged encoder on the CPU. unseen: instances like the training set's, by which it is set what
        the encoder counts as known."""
        encoder: StartEncoder = self.average.module.eval().requires_grad_(False)
        ratios = []
        for rows in torch.arange(len(unseen), device=self.device).split(PART):
            predicted = self.plain + encoder(unseen.seen(rows))
            ratios.append(encoder.ratios(unseen, predicted, self.plain, rows))
        encoder.known = min(KNOWN_MARGIN * float(torch.cat(ratios).quantile(KNOWN_SHARE)), 1.0)
        return encoder.on("cpu")
