"""The random parts of a training's steps: which weights a step learns from, and with which times and noise."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wsr.generators.diffusion.config import DiffusionConfig
from wsr.generators.diffusion.process import Process

SEEDS = 1_000_003  # a step's seed is the run's times this, plus the step


class Drawn(NamedTuple):
    """A process's share of a step's batch of b weights, on the CPU."""

    rows: Int[Tensor, " b"]
    """Rows of the data."""
    times: Tensor
    """Times of the diffusion process, (b,)."""
    noise: Float[Tensor, "b p"]
    dropped: Bool[Tensor, " b"]
    """Which of them are learnt without their class."""


class Draws:
    """Draws the batches of a training of n weights of p numbers. A batch depends on the seed and the step alone, so
    that a killed run continues exactly. own: this process's share of a batch."""

    def __init__(self, process: Process, config: DiffusionConfig, shape: tuple[int, int], seed: int, own: slice):
        self.process, self.config, self.seed, self.own = process, config, seed, own
        self.count, self.size = shape
        self.batch = min(config.batch, self.count)

    def __call__(self, step: int) -> Drawn:
        epoch, at = divmod(step, max(1, self.count // self.batch))
        order = torch.randperm(self.count, generator=torch.Generator().manual_seed(-1 - self.seed * SEEDS - epoch))
        generator = torch.Generator().manual_seed(self.seed * SEEDS + step)
        rows = order[at * self.batch : (at + 1) * self.batch]
        times = self.process.times(self.batch, generator)
        noise = torch.randn(self.batch, self.size, generator=generator)
        dropped = torch.rand(self.batch, generator=generator) < self.config.label_drop
        return Drawn(*(part[self.own] for part in (rows, times, noise, dropped)))


class Ahead:
    """Draws each step's batch one step ahead in a thread, while a GPU computes: drawing takes longer than a captured
    step there."""

    def __init__(self, draw: Callable[[int], Drawn]):
        self.draw = draw
        self._thread: ThreadPoolExecutor | None = None
        self._next: tuple[int, Future[Drawn]] | None = None

    def __call__(self, step: int) -> Drawn:
        self._thread = self._thread or ThreadPoolExecutor(1)
        found = self._next[1].result() if self._next and self._next[0] == step else self.draw(step)
        self._next = step + 1, self._thread.submit(self.draw, step + 1)
        return found
