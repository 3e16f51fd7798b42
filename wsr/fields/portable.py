"""Networks as plain data, for programs that evaluate fields without PyTorch, such as a browser.

Such a program reads three safetensors files: the base (`base_file`, the same for all that adapt it), the network
(`network_file`: its plan, and what the mask froze) and instances (`vectors_file`). It puts the frozen entries into an
instance's vector, splits the vector into the plan's tensors, and computes the layers as `Plan` says.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from safetensors.torch import save
from torch import Tensor

from wsr.fields.synthesis import EPS, GAIN, HALF

if TYPE_CHECKING:
    from wsr.fields.base import BaseField
    from wsr.fields.representation import Representation

FORMAT = "wsr-network-1"
KEY = "network"  # of the plan in a network file's metadata


@dataclass(frozen=True)
class PlannedLayer:
    """One hidden layer, y = relu(M x + bias), by the names of its tensors.

    M is `weight`; with a pair, M = weight ⊙ (b a), or weight + b a if `additive`. gain: if given, each row of M is then
    scaled to this norm: M ← gain · M / √(|M|² + epsilon). residual: the layer's result is √½ (y + x′) instead of y,
    where x′ is the input of the layer before it.
    """

    weight: str
    bias: str
    a: str | None = None
    b: str | None = None
    additive: bool = False
    gain: float | None = None
    residual: bool = False


@dataclass(frozen=True)
class Plan:
    """What is computed: sin(omega (fourier p + phase)), the layers in order, and a linear output layer.

    Tensors are named as in the instance's layout; those of the base begin with "base."."""

    omega: float
    fourier: str
    phase: str
    layers: list[PlannedLayer]
    output: str
    output_bias: str


def base_plan(base: "BaseField", pairs: list[tuple[str, str]], additive: bool) -> Plan:
    """Returns the plan of an adapter of the base. pairs: names of a and b for each layer."""
    layers = [
        PlannedLayer(f"base.layers.{k}.weight", f"base.layers.{k}.bias", a, b, additive, GAIN, residual=bool(k % 2))
        for k, (a, b) in enumerate(pairs)
    ]
    names = (f"base.{name}" for name in ("fourier.weight", "fourier.phase", "output.weight", "output.bias"))
    fourier, phase, output, output_bias = names
    return Plan(base.config.omega, fourier, phase, layers, output, output_bias)


def base_file(base: "BaseField") -> bytes:
    """Returns the base with its mean style folded in, W̄ = W diag(s̄), as a safetensors file. The matrices are in fp16,
    which changes decoded pictures by less than 1/255. Everything else stays in fp32: in fp16 the phase of a Fourier
    feature would be off by up to ω0/1000 rad."""
    layers = enumerate(zip(base.folded(), base.bias, strict=True))
    tensors = {
        "base.fourier.weight": base.fourier_weight,
        "base.fourier.phase": base.fourier_phase,
        "base.output.weight": base.out_weight,
        "base.output.bias": base.out_bias,
    }
    for k, (weight, bias) in layers:
        tensors |= {f"base.layers.{k}.weight": weight.half(), f"base.layers.{k}.bias": bias}
    return _saved(tensors)


def network_file(model: "Representation", base: str | None = None) -> bytes | None:
    """Returns the plan of a representation, and the positions and values of its frozen entries, as a safetensors file;
    None if the representation has no plan. base: where its base's file is found, as its reader understands it."""
    plan = model.plan()
    if plan is None:
        return None
    layout = model.layout
    frozen = (~layout.free).nonzero().flatten()
    about = {
        "format": FORMAT,
        "representation": model.name,
        "modality": model.config.modality,
        "dim": model.config.dim,
        "outputs": model.config.outputs,
        "base": base if model.base is not None else None,
        "epsilon": EPS,
        "half": HALF,
        "size": layout.size,
        "tensors": [{"name": entry.name, "shape": list(entry.shape)} for entry in layout.entries],
        **asdict(plan),
    }
    tensors = {"frozen": frozen.int(), "frozen_values": layout.template.cpu()[frozen]}
    return _saved(tensors, {KEY: json.dumps(about)})


def vectors_file(vectors: Mapping[str, Float[Tensor, "p"]]) -> bytes:
    """Returns stored vectors by name as a safetensors file: in fp16 where that is exact, as for zoos that are stored in
    fp16, else in fp32."""
    halves = {name: vector.half() for name, vector in vectors.items()}
    exact = {name: torch.equal(halves[name].float(), vector.float()) for name, vector in vectors.items()}
    return _saved({name: halves[name] if exact[name] else vector.float() for name, vector in vectors.items()})


def operations(model: "Representation") -> int:
    """Returns the number of multiplications and additions for the value at one point: two for each entry of a
    matrix."""
    plan, config = model.plan(), model.config
    if plan is None:
        return 0
    shapes = {entry.name: entry.shape for entry in model.layout.entries}
    square = config.channels**2
    hidden = sum(math.prod(shapes.get(layer.weight, (square,))) for layer in plan.layers)
    width = shapes[plan.fourier][0] if plan.fourier in shapes else config.channels
    return 2 * (hidden + width * (config.dim + config.outputs))


def _saved(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(plain, dict(metadata) if metadata else None)
