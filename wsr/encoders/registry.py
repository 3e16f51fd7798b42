"""The registry of encoders of weights: each has a line here, or calls `register` from anywhere.

Importing this module does not load torch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsr.registry import Registry, imported

if TYPE_CHECKING:
    from wsr.encoders.base import Encoder
    from wsr.encoders.settings import TrainingSettings
    from wsr.fields.representation import Representation
    from wsr.zoo import Zoo


@dataclass(frozen=True)
class EncoderKind:
    """A kind of encoder of weights.

    title: its name in tables; home: its class (a `wsr.encoders.base.Encoder`), or "module:Class", which is imported on
    first use; symmetries: how it treats symmetries, in words.
    """

    name: str
    title: str
    home: str | type
    symmetries: str

    @property
    def encoder(self) -> "type[Encoder]":
        """Its class. Loads torch."""
        return imported(self.home)

    def refusal(self, model: "Representation") -> str:
        """Returns why it cannot read weights of this representation, in a sentence; "" if it can."""
        return self.encoder.refusal(model)

    def fit(self, zoo: "Zoo", column: str = "class", settings: "TrainingSettings | None" = None) -> "Encoder":
        """Trains an encoder on the good training fits of a zoo. column: what it learns to predict, the class or an
        attribute of the instances. WsrError if it does not read weights of this representation, if nothing is known
        under this name, or if the training fits all have the same value."""
        return self.encoder.fit(self, zoo, column, settings)


_KINDS = Registry[EncoderKind]("encoder of weights")


def register(kind: EncoderKind) -> EncoderKind:
    """Registers a kind, which experiments then compare with the others. WsrError if its name is taken."""
    return _KINDS.register(kind)


def named(name: str) -> EncoderKind:
    """Returns the kind of this name. WsrError, with the nearest name, if there is none."""
    return _KINDS.named(name)


def names() -> tuple[str, ...]:
    """Returns all names in order of registration."""
    return _KINDS.names()


def kinds() -> tuple[EncoderKind, ...]:
    """Returns all kinds in order of registration."""
    return _KINDS.everything()


@contextmanager
def registered(*added: EncoderKind) -> Iterator[None]:
    """Registers kinds for the duration of the context."""
    with _KINDS.restored():
        for kind in added:
            register(kind)
        yield


register(EncoderKind("logistic", "logistic regression", "wsr.encoders.linear:Linear", "ignores them"))
register(EncoderKind(
    "logistic-canonical", "logistic regression, canonical weights", "wsr.encoders.linear:CanonicalLinear",
    "removes those that the canonical form removes",
))  # fmt: skip
register(EncoderKind("flat-mlp", "MLP on flat weights", "wsr.encoders.flat:FlatMLP", "ignores them"))
register(EncoderKind(
    "transformer", "transformer over layer tokens", "wsr.encoders.transformer:TokenTransformer", "ignores them",
))  # fmt: skip
register(EncoderKind(
    "probing", "probing at learned points", "wsr.encoders.probing:Probing", "invariant to all of them",
))  # fmt: skip
register(EncoderKind("product", "bilinear forms of B A", "wsr.encoders.product:Product", "invariant to GL(r)"))
register(EncoderKind(
    "nfn", "neural functional network", "wsr.encoders.nfn:NeuralFunctional", "invariant to permutations of neurons",
))  # fmt: skip
register(EncoderKind(
    "graph", "graph metanetwork", "wsr.encoders.graph:GraphMetanetwork",
    "invariant to permutations of neurons or rank components",
))  # fmt: skip
