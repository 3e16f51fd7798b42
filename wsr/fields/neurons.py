"""Networks whose neurons can be exchanged: what symmetries and alignment need to know of a chain of layers."""

from abc import abstractmethod
from dataclasses import dataclass

from wsr.fields.representation import Representation


@dataclass(frozen=True)
class NeuronLayer:
    """A layer of `width` neurons, by the names of its tensors: `weight` and `bias`, whose rows are the neurons, and
    `after`, the next layer's weight, whose columns read them. odd: whether the activation is an odd function, so that a
    neuron may change its sign (a sine); otherwise a neuron may be scaled by any c > 0 (a ReLU)."""

    weight: str
    bias: str
    after: str
    width: int
    odd: bool


class NeuronChain(Representation):
    """A representation whose instances are whole networks: fully connected layers, each with neurons in any order."""

    @abstractmethod
    def neurons(self) -> list[NeuronLayer]:
        """Returns the layers of neurons from the input to the output."""
