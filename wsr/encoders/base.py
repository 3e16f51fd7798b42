"""The interface of all encoders of weights: fit, predict, embed."""

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from wsr.encoders.settings import TrainingSettings
from wsr.encoders.targets import Target, column_of
from wsr.errors import WsrError
from wsr.fields.representation import Representation
from wsr.zoo.zoo import Zoo

if TYPE_CHECKING:
    from wsr.encoders.registry import EncoderKind


class Encoder(ABC):
    """A trained function of stored vectors. A subclass defines `learn`, `scores`, `features` and `parameters`, and
    `refusal` if it does not read the weights of every representation.

    kind: its entry in the registry; model: the representation of the weights that it reads; target: what it predicts;
    cpu_seconds: what its training took, of all cores together.
    """

    def __init__(self, kind: "EncoderKind", model: Representation, target: Target, settings: TrainingSettings):
        self.kind, self.model, self.target, self.settings = kind, model, target, settings
        self.cpu_seconds = 0.0

    @classmethod
    def refusal(cls, model: Representation) -> str:
        """Returns why it cannot read weights of this representation, in a sentence; "" if it can."""
        return ""

    @classmethod
    def fit(
        cls, kind: "EncoderKind", zoo: Zoo, column: str, settings: TrainingSettings | None = None
    ) -> "Encoder":  # fmt: skip
        """Does the work of `EncoderKind.fit`."""
        model = zoo.representation.to("cpu")
        if refusal := cls.refusal(model):
            raise WsrError(f"The encoder {kind.name!r} cannot read the zoo {zoo.path.name}. {refusal}")
        values = column_of(zoo, "train", column)
        encoder = cls(kind, model, Target.of(column, values), settings or TrainingSettings())
        weights, begun = zoo.weights(values.index.tolist()), time.process_time()
        encoder.learn(weights, encoder.target.encoded(values))
        encoder.cpu_seconds = time.process_time() - begun
        return encoder

    @abstractmethod
    def learn(self, weights: Float[Tensor, "n p"], wanted: Shaped[Tensor, "n"]) -> None:
        """Trains on stored vectors and what the target makes of their values."""

    @abstractmethod
    def scores(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n k"]:
        """Returns the scores of the categories, or a standardised number."""

    @abstractmethod
    def features(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n e"]:
        """Does the work of `embed`."""

    @property
    @abstractmethod
    def parameters(self) -> int:
        """How many numbers it has learned."""

    def predict(self, weights: Float[Tensor, "n p"]) -> Shaped[np.ndarray, "n"]:
        """Returns the category or the number of each instance. WsrError for weights of another length or not finite."""
        return self.target.decoded(self.scores(self._checked(weights)))

    def embed(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n e"]:
        """Returns the features of each instance: what the last, linear layer sees of it. Errors as for `predict`."""
        return self.features(self._checked(weights))

    def score(self, zoo: Zoo, split: str = "heldout") -> float:
        """Returns how well it predicts the good fits of a split: the share of right categories, or R² of a number
        (`target.measure`). WsrError if no instance of the split has a value."""
        values = column_of(zoo, split, self.target.column)
        if not len(values):
            raise WsrError(f"No good fit in the split {split!r} of {zoo.path.name} has a {self.target.column!r}.")
        return self.target.score(self.predict(zoo.weights(values.index.tolist())), values)

    def _checked(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
        self.model.layout.fill(weights)  # refuses vectors of another length
        finite = torch.isfinite(weights).all(1)
        if not finite.all():
            first = int((~finite).nonzero()[0])
            raise WsrError(f"The weights in row {first} are not finite: no encoder can read them. Leave them out.")
        return weights
