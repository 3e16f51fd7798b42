"""The interface of all representations: an instance's weights, and how they become a field (sections 3.1, 3.2, 3.4).

Each is a class over one parameter layout, in a file of its own, and turns a batch of stored vectors (n, p) into the
values of n fields. `wsr.fields.registry` holds what is known of it without its weights.
"""

import math
from abc import ABC, abstractmethod
from copy import copy
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError, unknown_name
from wsr.fields.base import BaseField
from wsr.fields.layout import ParameterLayout
from wsr.fields.masks import asymmetric_mask
from wsr.fields.registry import RepresentationKind, named
from wsr.modalities import Modality, find
from wsr.presets import FieldConfig, preset

INITS: tuple[str, ...] = ("centered", "normal", "spread")
CENTRE_SEED = 2**33  # of the draw that "spread" starts lie around


@dataclass(frozen=True)
class TensorSpec:
    """A tensor of an instance. frozen: of how many entries in each row of a matrix a mask takes the training away."""

    name: str
    shape: tuple[int, ...]
    frozen: int = 0

    @property
    def stored(self) -> int:
        """Its trained entries."""
        return math.prod(self.shape) - self.shape[0] * self.frozen


class Representation(ABC):
    """What all representations share. A class says which tensors an instance has (`tensors`), where a fit starts
    (`start`) and what the field is (`evaluate`); where masks freeze entries at other values than 0, `frozen_values`.

    `kind` is its entry in the registry; `base` the frozen field it adapts, or None; `layout` maps stored vectors to
    tensors; `rank` is 0 where it has none. WsrError where a base is needed and there is none.
    """

    layout: ParameterLayout

    def __init__(
        self, kind: RepresentationKind, config: FieldConfig, base: BaseField | None = None, rank: int = 0,
        mask_seed: int = 0,
    ):  # fmt: skip
        self.kind, self.config, self.base, self.rank, self.mask_seed = kind, config, base, rank, mask_seed
        self.layout = self._layout()

    @classmethod
    @abstractmethod
    def tensors(cls, kind: RepresentationKind, config: FieldConfig, rank: int) -> list[TensorSpec]:
        """The tensors of an instance, in their order in the stored vector."""

    @classmethod
    def stored_size(cls, kind: RepresentationKind, config: FieldConfig, rank: int) -> int:
        """Trainable scalars of an instance, `size`, known without making the representation: what a file states is
        compared with what it holds before anything of that size is allocated."""
        return sum(tensor.stored for tensor in cls.tensors(kind, config, rank))

    def frozen_values(self, tensor: TensorSpec, layer: int) -> Float[Tensor, "count"]:
        """What stands at the frozen entries of a tensor, a value for every entry. layer: its number among the tensors
        that have frozen entries."""
        return torch.zeros(math.prod(tensor.shape))

    def _layout(self) -> ParameterLayout:
        entries, values, layer = [], [], 0
        for tensor in self.tensors(self.kind, self.config, self.rank):
            mask, value = (), torch.zeros(math.prod(tensor.shape))
            if tensor.frozen:
                mask = asymmetric_mask(*tensor.shape, tensor.frozen, self.mask_seed, layer)
                value, layer = self.frozen_values(tensor, layer), layer + 1
            entries.append((tensor.name, tensor.shape, mask))
            values.append(value)
        return ParameterLayout(entries, torch.cat(values))

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def masked(self) -> bool:
        return self.kind.masked

    @property
    def dim(self) -> int:
        """Dimension of the domain."""
        return self.config.dim

    @property
    def modality(self) -> Modality:
        return find(self.config.modality)

    @property
    def size(self) -> int:
        """Trainable scalars p of an instance, frozen entries not counted."""
        return self.layout.size

    @abstractmethod
    def start(self, noise: Float[Tensor, "total"], init: str, sigma: float) -> Float[Tensor, "total"]:
        """The full initial tensors, flat, from standard normal draws."""

    @abstractmethod
    def evaluate(
        self, weights: Float[Tensor, "n p"], points: Float[Tensor, "m p d"], dtype: torch.dtype = torch.float32
    ) -> Float[Tensor, "n p v"]:
        """Values of n fields at points in [-1, 1] (m = 1: the same for all; m = n: each field's own): RGB in [-1, 1]
        for images, an occupancy logit for shapes (positive inside). Differentiable in the weights. dtype: of the
        matrix products; the Fourier layer, the output and the weights stay in fp32 (in fp64 where the products are)."""

    def lr_multipliers(self, a_rate: float) -> Float[Tensor, "p"]:
        """How far each stored entry moves in a step of a fit, in units of the others: `a_rate` for an adapter's A."""
        return torch.ones(self.size, device=self.device)

    def unmasked(self) -> "Representation":
        """The same with nothing frozen: what `layout.fill` returns are its stored vectors. It evaluates and decodes
        weights that the mask forbids, as those that a symmetry has moved."""
        twin = copy(self)
        twin.kind, twin.layout = self.kind.unmasked, self.layout.unmasked()
        return twin

    @property
    def device(self) -> torch.device:
        """Where it evaluates: weights and points must be there too (`wsr.render.decode` takes them from anywhere)."""
        return self.layout.trained.device

    def to(self, device: torch.device | str) -> "Representation":
        """A copy on the device, with a base of its own; itself where it is there already."""
        layout = self.layout.to(device)
        if layout is self.layout:
            return self
        moved = copy(self)
        moved.layout = layout
        if self.base is not None:
            moved.base = self.base.to(device)
        return moved

    def initial(
        self, init: str = "centered", sigma: float = 0.02, init_seed: int = 0, perturb: float = 0.0
    ) -> Float[Tensor, "p"]:
        """The start that all instances share.

        `init`: "centered" and "normal" are each representation's own (`start`); "spread" gives all representations the
        same relative spread, one fixed start with σ ε around it. `perturb` is λ of figure 3: the random part becomes
        √(1−λ²) ε₁ + λ ε₂. WsrError for an unknown init, a negative sigma, or λ outside [0, 1].
        """
        _check_init(init, sigma)
        if not 0 <= perturb <= 1:
            raise WsrError(f"perturb is λ of a variance-preserving mix and must lie in [0, 1], not {perturb!r}.")
        first, second = (self._noise(seed) for seed in (init_seed, init_seed + 2**31))
        return self._stored_start(math.sqrt(1 - perturb**2) * first + perturb * second, init, sigma)

    def initial_mean(self, init: str = "centered") -> Float[Tensor, "p"]:
        """What starts of this kind vary around: the centre of `centered` multiplicative adapters and of `spread`
        starts; 0 for all others."""
        _check_init(init, 0.0)
        return self._stored_start(torch.zeros(self.layout.total), init, 0.0)

    def _noise(self, seed: int) -> Float[Tensor, "total"]:
        return torch.randn(self.layout.total, generator=torch.Generator().manual_seed(seed))

    def _stored_start(self, noise: Float[Tensor, "total"], init: str, sigma: float) -> Float[Tensor, "p"]:
        full = self._spread(noise, sigma) if init == "spread" else self.start(noise, init, sigma)
        return self.layout.strip(full[None].to(self.device))[0]

    def _spread(self, noise: Float[Tensor, "total"], sigma: float) -> Float[Tensor, "total"]:
        """One fixed start of the representation's own kind, and around it σ ε, in units of each tensor's own size."""
        centre = self.start(self._noise(CENTRE_SEED), "centered", 0.0)
        sizes = [part.square().mean().sqrt().expand(part.shape) for part in centre.split(self.layout.numels)]
        return centre + sigma * torch.cat(sizes) * noise


def _check_init(init: str, sigma: float) -> None:
    if init not in INITS:
        raise unknown_name("init", init, INITS)
    if not (math.isfinite(sigma) and sigma >= 0):
        raise WsrError(f"sigma is a standard deviation and must not be negative, but it is {sigma!r}.")


def make_representation(
    name: str, base: BaseField | None, config: FieldConfig, rank: int | None = None, mask_seed: int = 0
) -> Representation:
    """The representation of this name; adapters over a base, whose sizes they have (others need none). rank: by default
    the configuration's. WsrError for a name that there is not, and where a base is needed and missing."""
    kind = named(name)
    rank = config.rank if rank is None else rank
    if not kind.needs_base:
        return kind.cls(kind, config, None, rank, mask_seed)
    if base is None:
        raise WsrError(f'{name!r} adapts a base field and none was given: name one, as in base="emoji".')
    return kind.cls(kind, base.config, base, rank, mask_seed)


def count_parameters(representation: str, preset_name: str = "cpu", dim: int = 2) -> int:
    """Trainable scalars of an instance, frozen entries not counted. At the paper's preset the MLPs have exactly
    table 1's 27,357 / 24,537 (2D) and 30,196 / 27,226 (3D)."""
    config = preset(preset_name, dim).field
    with torch.device("cpu"):
        return make_representation(representation, BaseField(config), config).size
