"""What fields are fitted to and what judges the fits: the two interfaces that a modality implements, as tensors."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.fields.representation import Representation
from wsr.modalities.base import Modality


@dataclass
class Batch:
    """points (m, p, d), m = 1 where all instances share them, and the values (n, p, v) of each instance there, as the
    field should have them (RGB in [-1, 1], or occupancy 0 or 1)."""

    points: Float[Tensor, "m p d"]
    values: Float[Tensor, "n p v"]


class Targets(ABC):
    """The values of n signals at points that are drawn step by step.

    The points of a step depend on the step and on the signal alone, never on the other signals of the batch, so an
    instance fitted alone and in a batch sees the same points.
    """

    modality: Modality

    @property
    def dim(self) -> int:
        return self.modality.dim

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def device(self) -> torch.device: ...

    @abstractmethod
    def batch(self, step: int, count: int, rows: Tensor | slice = slice(None)) -> Batch:
        """The points of a step, about `count` for each instance, of all instances or of some."""

    @abstractmethod
    def draw(self, i: int, count: int, generator: torch.Generator) -> tuple[Float[Tensor, "q d"], Float[Tensor, "q v"]]:
        """About `count` points of one instance, and the values there, at random with replacement: the plain way, for
        comparison."""

    @abstractmethod
    def loss(self, values: Float[Tensor, "n p v"], batch: Batch) -> Float[Tensor, "n"]:
        """The loss of each instance where its field has these values at the batch's points."""

    @abstractmethod
    def content_hash(self) -> str:
        """Of all that is held, on whatever device: the part that data have in the identity of a run."""


class Evaluator(ABC):
    """What judges fits of n signals. aspect: their height and width; filled: the share of the domain that lies inside,
    for each signal that has an inside."""

    aspect: tuple[int, int] = (1, 1)
    filled: list[float] | None = None

    @abstractmethod
    def quality(
        self, representation: Representation, weights: Float[Tensor, "n p"], quick: bool = False
    ) -> Float[np.ndarray, "n"]:
        """The quality of n fits, in the modality's unit. `quick`: of a fixed part of the points, for records on the
        way."""
