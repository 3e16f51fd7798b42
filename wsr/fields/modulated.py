"""Functa: a SIREN that all instances share, and a small vector for each that shifts its neurons.

The shared network is a file of its own beside the zoo, which the sizes of the field name with its hash.
"""

import hashlib
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.caching import cached_by_file
from wsr.errors import WsrError
from wsr.fields.base import wide_dtype
from wsr.fields.networks import NetworkConfig, bias_name, encoded, valued, weight_name
from wsr.fields.representation import Representation, TensorSpec
from wsr.formats.files import refuse_stand_in, shown
from wsr.formats.tensors import open_tensors, save_tensors

WHAT = "the network that modulated instances share"
MAP, OFFSET = "map.weight", "map.bias"  # of the linear map from a vector to all shifts
LATENT = "latent"


@dataclass(frozen=True)
class Shared:
    """What instances share. path: of its file, of which two copies are the same thing; sha256: the file's hash; size:
    of an instance's vector."""

    path: str = field(default="", compare=False)
    sha256: str = ""
    size: int = 1


@dataclass(frozen=True)
class ModulatedConfig(NetworkConfig):
    """The sizes of a field whose instances share a network."""

    shared: Shared = field(default_factory=Shared)


def save_shared(path: Path, tensors: dict[str, Tensor]) -> str:
    """Writes the shared network (its layers as in an imported network's layout, `map.weight` (shifts, size) and
    `map.bias`), and returns the file's hash."""
    save_tensors(path, tensors, {"format": "wsr-shared-1"})
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_shared(config: ModulatedConfig) -> dict[str, Tensor]:
    """Reads the network that a field names. WsrError if it is missing, or is another one."""
    path, wanted = config.shared.path, config.shared.sha256
    refuse_stand_in(path, WHAT)
    tensors, sha256 = _load(Path(path))
    if sha256 != wanted:
        raise WsrError(
            f"{shown(path)} is another network than the one that these vectors modulate: put theirs in its place (its "
            f"SHA-256 begins with {wanted[:12]}, that of the one here with {sha256[:12]})."
        )
    for name, shape in shared_shapes(config).items():
        if name not in tensors or tuple(tensors[name].shape) != shape:
            raise WsrError(f"{shown(path)} is not {WHAT}: its {name!r} should have the shape {shape}.")
    return tensors


@cached_by_file(lambda path: [path], maxsize=4)
def _load(path: Path) -> tuple[dict[str, Tensor], str]:
    with open_tensors(path, WHAT) as file:
        tensors = {name: file.tensor(name).float() for name in file.shapes}
    return tensors, hashlib.sha256(path.read_bytes()).hexdigest()


def shared_shapes(config: ModulatedConfig) -> dict[str, tuple[int, ...]]:
    """Returns the shape of each tensor of the shared network."""
    net = config.network
    sizes = [net.inputs(), *net.widths, net.raw]
    shapes = {MAP: (sum(net.widths), config.shared.size), OFFSET: (sum(net.widths),)}
    for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:], strict=False)):
        shapes |= {weight_name(layer): (outputs, inputs), bias_name(layer): (outputs,)}
    return shapes


class ModulatedNetwork(Representation):
    """A vector φ for each instance: hidden layer l of the shared SIREN is sin(ω (W x + b + s_l)), where all shifts s
    are a linear map of φ (functa, section 3)."""

    def __init__(self, kind, config, base=None, rank=0, mask_seed=0):
        if not isinstance(config, ModulatedConfig):
            raise WsrError(
                f"Vectors of {kind.label!r} come from other programs, by `wsr import`: the network that they modulate "
                "is part of a zoo, and no preset has it."
            )
        self.shared = load_shared(config)
        super().__init__(kind, config, None, 0, mask_seed)

    def at(self, path: str | Path) -> "ModulatedNetwork":
        """Returns a copy whose sizes name another place of the shared network's file."""
        moved = copy(self)
        moved.config = replace(self.config, shared=replace(self.config.shared, path=str(path)))
        return moved

    @classmethod
    def tensors(cls, kind, config, rank):
        return [TensorSpec(LATENT, (config.shared.size,))]

    def start(self, noise, init="centered", sigma=0.0):
        """Returns the start of a fit: the zero vector, which is the shared network itself."""
        return torch.zeros_like(noise)

    def evaluate(self, weights, points, dtype=torch.float32):
        wide = wide_dtype(dtype)
        shifts = self._shifts(weights.to(wide)).split(list(self.config.network.widths), dim=1)
        return self._shifted(list(shifts), points.to(wide))

    def _shifts(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n s"]:
        return torch.addmm(self.shared[OFFSET].to(weights), weights, self.shared[MAP].to(weights).mT)

    def _shifted(
        self, shifts: Sequence[Float[Tensor, "n _"]], points: Float[Tensor, "m p d"]
    ) -> Float[Tensor, "n p v"]:
        net = self.config.network
        h = encoded(net, points)
        for layer, shift in enumerate(shifts):
            weight, bias = (self.shared[name(layer)].to(h) for name in (weight_name, bias_name))
            h = torch.sin(net.omegas[layer] * (h @ weight.mT + (bias + shift)[:, None]))  # (n, p, c)
        last = len(shifts)
        raw = h @ self.shared[weight_name(last)].to(h).mT + self.shared[bias_name(last)].to(h)
        return valued(net, raw)
