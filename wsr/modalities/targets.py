"""Training targets and evaluators: the two interfaces that a modality implements with tensors."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError
from wsr.fields.representation import Representation
from wsr.modalities.base import Modality


@dataclass
class Batch:
    """points (m, p, d) of a training step, with m = 1 if all instances share them, and the target values (n, p, v) of
    each instance there: RGB in [-1, 1], or occupancy 0 or 1."""

    points: Float[Tensor, "m p d"]
    values: Float[Tensor, "n p v"]


class Targets(ABC):
    """Samples the values of n signals at points that are drawn in each step.

    The points depend on the step and the signal only, never on the other signals of the batch, so that an instance sees
    the same points whether it is fitted alone or in a batch.
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
        """Draws the batch of a step: about `count` points for each instance, for all instances or for some."""

    @abstractmethod
    def draw(self, i: int, count: int, generator: torch.Generator) -> tuple[Float[Tensor, "q d"], Float[Tensor, "q v"]]:
        """Draws about `count` points of one instance at random with replacement, and the values there: a simple method,
        for comparison."""

    @abstractmethod
    def loss(self, values: Float[Tensor, "n p v"], batch: Batch) -> Float[Tensor, "n"]:
        """Returns the loss of each instance, given the values of its field at the batch's points."""

    def seen(self, rows: Tensor | slice = slice(None), step: int = 0) -> Float[Tensor, "n ..."]:
        """Returns what an encoder of starts sees of the instances, of all or of some (`Modality.encoder`). step: where
        points are drawn, each step shows others, so that an encoder in training does not learn one draw by heart; fits
        use step 0. WsrError if the modality has no encoder."""
        raise WsrError(f"There is no encoder of starts for {self.modality.plural}.")

    @abstractmethod
    def content_hash(self) -> str:
        """Returns a hash of all data, independent of the device, for the identity of a run."""


class Evaluator(ABC):
    """Judges fits of n signals. aspect: height and width of the images; filled: for signals with an inside, the share
    of the domain that lies inside."""

    aspect: tuple[int, int] = (1, 1)
    filled: list[float] | None = None

    @abstractmethod
    def quality(
        self, representation: Representation, weights: Float[Tensor, "n p"], quick: bool = False
    ) -> Float[np.ndarray, "n"]:
        """Returns the quality of n fits, in the modality's unit. `quick`: measures on a fixed subset of the points, for
        records during a fit."""
