"""Networks of other people's zoos: fully connected layers with sines or ReLUs, with or without positional encoding.

What another program computes is stated as data, a `Network`, which a zoo.json carries in the sizes of its field: the
layers, how our points become its inputs, and how its outputs become our values.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError
from wsr.fields.base import wide_dtype
from wsr.fields.neurons import NeuronChain, NeuronLayer
from wsr.fields.representation import TensorSpec
from wsr.modalities import Modality
from wsr.presets import FieldConfig

Activation = Literal["sine", "relu"]
SINE, RELU = "sine", "relu"
_UNUSED = {"blocks": 1, "latent": 1, "mapping_layers": 1, "mapping_width": 1, "rank": 1}  # sizes of a base


@dataclass(frozen=True)
class Network:
    """A network of somebody else's.

    Input j is axis_scale · p[axes[j]] + axis_shift, where p is a point in [-1, 1]^dim. With `bands`, the first layer
    reads the inputs followed by sin(f x) and cos(f x) for each f of `bands`. Hidden layer i has widths[i] neurons,
    act(omegas[i] (W x + b)) with activations[i]; a linear layer with `raw` outputs follows, and tanh if `final` says
    so. Value k of the field is scale[k] · output + shift[k], of output k, or of the only one if `raw` is 1.
    """

    widths: tuple[int, ...] = ()
    activations: tuple[Activation, ...] = ()
    omegas: tuple[float, ...] = ()
    raw: int = 1
    bands: tuple[float, ...] = ()
    axes: tuple[int, ...] = ()
    axis_scale: float = 1.0
    axis_shift: float = 0.0
    final: Literal["", "tanh"] = ""
    scale: tuple[float, ...] = ()
    shift: tuple[float, ...] = ()

    def inputs(self) -> int:
        """Number of numbers that the first layer reads."""
        return len(self.axes) * (1 + 2 * len(self.bands))

    def kind(self) -> str:
        """Returns the name of the representation that the network belongs to, by the symmetries of its layers."""
        one = {frozenset({SINE}): "siren", frozenset({RELU}): "relu-mlp"}
        return one.get(frozenset(self.activations), "fourier-mlp")

    def check(self, dim: int, outputs: int) -> None:
        """Raises a ValueError if the network's numbers contradict each other, or do not fit a field with this dimension
        and number of values."""
        layers = len(self.widths)
        if not layers or not len(self.activations) == len(self.omegas) == layers:
            raise ValueError(f"an activation and an omega for each of its {layers} hidden layers are needed")
        if sorted(self.axes) != list(range(dim)):
            raise ValueError(f"axes that name each of {dim} coordinates once are needed, not {list(self.axes)}")
        if self.raw not in (1, outputs) or not len(self.scale) == len(self.shift) == outputs:
            raise ValueError(f"a scale and a shift for each of {outputs} values are needed, and 1 or {outputs} outputs")


@dataclass(frozen=True)
class NetworkConfig(FieldConfig):
    """The sizes of a field of which each instance is a network of somebody else's. The sizes of a base are unused."""

    network: Network = field(default_factory=Network)

    @classmethod
    def of(cls, modality: Modality, network: Network) -> "NetworkConfig":
        """Returns the sizes of a network's field. WsrError if the network cannot give values of this modality."""
        try:
            network.check(modality.dim, modality.channels)
        except ValueError as error:
            raise WsrError(f"A network of {modality.plural} is not described by these numbers: {error}.") from None
        width = max(4, *network.widths)
        return cls(
            modality.dim, channels=width, omega=max(network.omegas), mlp_width=width, modality=modality.name,
            network=network, **_UNUSED,
        )  # fmt: skip


def weight_name(layer: int) -> str:
    """Returns the name of a layer's matrix in the layout; the last layer is the linear one."""
    return f"layers.{layer}.weight"


def bias_name(layer: int) -> str:
    """Returns the name of a layer's bias in the layout."""
    return f"layers.{layer}.bias"


class ImportedNetwork(NeuronChain):
    """A network as its `NetworkConfig` describes it, all of whose weights belong to the instance."""

    def __init__(self, kind, config, base=None, rank=0, mask_seed=0):
        if not isinstance(config, NetworkConfig):
            raise WsrError(
                f"The networks of {kind.label!r} come from other programs, by `wsr import`: their sizes are part of a "
                "zoo, and no preset has them."
            )
        self.network = config.network
        super().__init__(kind, config, None, 0, mask_seed)

    @classmethod
    def tensors(cls, kind, config, rank):
        net = config.network
        sizes = [net.inputs(), *net.widths, net.raw]
        return [
            tensor
            for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:], strict=False))
            for tensor in (
                TensorSpec(weight_name(layer), (outputs, inputs)), TensorSpec(bias_name(layer), (outputs,))
            )
        ]  # fmt: skip

    def neurons(self):
        return [
            NeuronLayer(weight_name(i), bias_name(i), weight_name(i + 1), width, activation == SINE)
            for i, (width, activation) in enumerate(zip(self.network.widths, self.network.activations, strict=True))
        ]

    def start(self, noise, init="centered", sigma=0.0):
        """Returns the start of a fit: weights ~ N(0, gain²/inputs) with zero biases, where the gain keeps activations
        of one size: 1 in the first layer of sines, √2/ω0 in later ones, and √2 for ReLUs. `init` and `sigma` have no
        effect."""
        parts, net, found = noise.split(self.layout.numels), self.network, []
        for layer, (weight, bias) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
            inputs = len(weight) // len(bias)
            hidden = layer < len(net.widths)
            sine = net.activations[min(layer, len(net.widths) - 1)] == SINE
            gain = 1.0 if not (hidden and layer) and sine else math.sqrt(2) / (net.omegas[layer] if hidden else 1.0)
            found += [weight * gain / math.sqrt(inputs), torch.zeros_like(bias)]
        return torch.cat(found)

    def evaluate(self, weights, points, dtype=torch.float32):
        t = self.layout.unflatten(weights.to(wide_dtype(dtype)))
        return evaluate_network(self.network, t, points.to(wide_dtype(dtype)), dtype)


def evaluate_network(
    net: Network, tensors: dict[str, Float[Tensor, "n ..."]], points: Float[Tensor, "m p d"], dtype: torch.dtype
) -> Float[Tensor, "n p v"]:
    """Evaluates n networks of one architecture, whose tensors are named as in the layout. dtype: of the matrix products
    of hidden layers after the first, whose inputs may be large."""
    n, wide = len(tensors[bias_name(0)]), points.dtype
    h = encoded(net, points).expand(n, -1, -1)  # (n, p, c)
    for layer in range(len(net.widths)):
        low = dtype if layer else wide
        weight, bias = tensors[weight_name(layer)].to(low), tensors[bias_name(layer)].to(low)
        h = torch.baddbmm(bias[:, None], h.to(low), weight.mT)
        h = torch.sin(net.omegas[layer] * h) if net.activations[layer] == SINE else torch.relu(h * net.omegas[layer])
    last = len(net.widths)
    return valued(net, torch.baddbmm(tensors[bias_name(last)][:, None], h.to(wide), tensors[weight_name(last)].mT))


def valued(net: Network, raw: Float[Tensor, "n p o"]) -> Float[Tensor, "n p v"]:
    """Returns the field's values, given the outputs of the last layer."""
    raw = torch.tanh(raw) if net.final == "tanh" else raw
    return raw * torch.tensor(net.scale).to(raw) + torch.tensor(net.shift).to(raw)


def encoded(net: Network, points: Float[Tensor, "m p d"]) -> Float[Tensor, "m p c"]:
    """Returns what the first layer reads at points in [-1, 1]."""
    x = points[..., list(net.axes)] * net.axis_scale + net.axis_shift
    waves = (wave(x * band) for band in net.bands for wave in (torch.sin, torch.cos))
    return torch.cat([x, *waves], dim=-1)
