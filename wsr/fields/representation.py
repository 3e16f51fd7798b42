"""The interface of all representations: what the weights of an instance are, and how they become a field (sections 3.1,
3.2 and 3.4).

Each representation is a class in its own file. It has one parameter layout and turns a batch of stored vectors (n, p)
into the values of n fields. `wsr.fields.registry` holds what is known about it without weights.
"""

import math
from abc import ABC, abstractmethod
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError, unknown_name
from wsr.fields.base import BaseField
from wsr.fields.layout import ParameterLayout
from wsr.fields.masks import KAPPA, asymmetric_mask
from wsr.fields.registry import RepresentationKind, named
from wsr.modalities import Modality, find
from wsr.presets import FieldConfig, preset

if TYPE_CHECKING:
    from wsr.fields.portable import Plan

INITS: tuple[str, ...] = ("centered", "normal", "lognormal", "spread")
CENTRE_SEED = 2**33  # seed of the fixed start around which "spread" starts lie


@dataclass(frozen=True)
class TensorSpec:
    """One tensor of an instance. frozen: number of entries that the mask freezes in each row of a matrix."""

    name: str
    shape: tuple[int, ...]
    frozen: int = 0

    @property
    def stored(self) -> int:
        """Number of trained entries."""
        return math.prod(self.shape) - self.shape[0] * self.frozen


class Representation(ABC):
    """What all representations share. A subclass defines the tensors of an instance (`tensors`), the start of a fit
    (`start`) and the values of the field (`evaluate`), and, if its masks freeze entries at values other than 0, those
    values (`frozen_values`).

    `kind` is its entry in the registry; `base` the frozen field it adapts, or None; `layout` maps stored vectors to
    tensors; `rank` is that of the adapters, 0 for others; `kappa` the standard deviation of frozen entries, in units of
    the layer's own. WsrError if it needs a base and none is given.
    """

    layout: ParameterLayout

    def __init__(
        self, kind: RepresentationKind, config: FieldConfig, base: BaseField | None = None, rank: int = 0,
        mask_seed: int = 0,
    ):  # fmt: skip
        self.kind, self.config, self.base, self.rank, self.mask_seed = kind, config, base, rank, mask_seed
        self.kappa = KAPPA
        self.layout = self._layout()

    @classmethod
    @abstractmethod
    def tensors(cls, kind: RepresentationKind, config: FieldConfig, rank: int) -> list[TensorSpec]:
        """Returns the tensors of an instance, in their order in the stored vector."""

    @classmethod
    def stored_size(cls, kind: RepresentationKind, config: FieldConfig, rank: int) -> int:
        """Returns `size`, the number of trained scalars of an instance, without building the representation. Readers
        compare it with the length of the vectors in a file before they allocate anything."""
        return sum(tensor.stored for tensor in cls.tensors(kind, config, rank))

    def frozen_values(self, tensor: TensorSpec, layer: int) -> Float[Tensor, "count"]:
        """Returns the values that frozen entries of a tensor have, as a flat tensor with a value for every entry.
        layer: the number of this tensor among those that have frozen entries."""
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
        """As in the registry."""
        return self.kind.name

    @property
    def masked(self) -> bool:
        """Whether it has a mask."""
        return self.kind.masked

    @property
    def dim(self) -> int:
        """Dimension of the domain."""
        return self.config.dim

    @property
    def modality(self) -> Modality:
        """What the field's values are."""
        return find(self.config.modality)

    @property
    def size(self) -> int:
        """Number p of trained scalars of an instance, without frozen entries."""
        return self.layout.size

    @abstractmethod
    def start(self, noise: Float[Tensor, "total"], init: str, sigma: float) -> Float[Tensor, "total"]:
        """Returns the initial values of all tensors as one flat vector, frozen entries included, given standard normal
        draws."""

    @abstractmethod
    def evaluate(
        self, weights: Float[Tensor, "n p"], points: Float[Tensor, "m p d"], dtype: torch.dtype = torch.float32
    ) -> Float[Tensor, "n p v"]:
        """Evaluates n fields at points in [-1, 1]: the same points for all fields (m = 1) or a set for each (m = n).
        Returns RGB in [-1, 1] for images, or an occupancy logit for shapes (positive inside). Differentiable in the
        weights. dtype: of the matrix products; everything else stays in fp32 (fp64 if the products are in fp64)."""

    def lr_multipliers(self, a_rate: float) -> Float[Tensor, "p"]:
        """Returns the learning rate of each stored entry in units of the fit's learning rate: `a_rate` for the entries
        of an adapter's A, 1 for all others."""
        return torch.ones(self.size, device=self.device)

    def plan(self) -> "Plan | None":
        """Describes what `evaluate` computes as plain data, for programs without PyTorch; None if nobody has written
        that down for this representation."""
        return None

    def with_kappa(self, kappa: float) -> "Representation":
        """Returns the same representation with another standard deviation of its frozen entries, to compare readings of
        N(0, κI). Where they are frozen at 0, as in mLoRA, it changes nothing. No file states κ, so weights of such a
        representation cannot be saved."""
        other = copy(self)
        other.kappa = kappa
        other.layout = other._layout().to(self.device)
        return other

    def unmasked(self) -> "Representation":
        """Returns the same representation without a mask. Its stored vectors are what `layout.fill` returns, so it can
        decode weights that the mask forbids, such as those that a symmetry has transformed."""
        twin = copy(self)
        twin.kind, twin.layout = self.kind.unmasked, self.layout.unmasked()
        return twin

    @property
    def device(self) -> torch.device:
        """The device on which it evaluates; weights and points must be there too. (`wsr.render.decode` takes them from
        any device.)"""
        return self.layout.trained.device

    def to(self, device: torch.device | str) -> "Representation":
        """Returns a copy on the device, with its own copies of the base and of all tensors that are its attributes, or
        the representation itself if it is there already."""
        layout = self.layout.to(device)
        if layout is self.layout:
            return self
        moved = copy(self)
        moved.layout = layout
        for name, value in vars(self).items():
            if isinstance(value, (torch.Tensor, BaseField)):
                setattr(moved, name, value.to(device))
        return moved

    def initial(
        self, init: str = "centered", sigma: float = 0.02, init_seed: int = 0, perturb: float = 0.0
    ) -> Float[Tensor, "p"]:
        """Returns the start that all instances share.

        `init`: "centered", "normal" and "lognormal" are defined by each representation (`start`); "spread" takes one
        fixed start and adds noise σ ε that is equally large, relative to the weights, for all representations.
        `perturb` is λ of figure 3: the noise becomes √(1−λ²) ε₁ + λ ε₂. WsrError for an unknown init, a negative sigma,
        or λ outside [0, 1].
        """
        _check_init(init, sigma)
        if not 0 <= perturb <= 1:
            raise WsrError(f"perturb is λ of a variance-preserving mix and must lie in [0, 1], not {perturb!r}.")
        first, second = (self._noise(seed) for seed in (init_seed, init_seed + 2**31))
        return self._stored_start(math.sqrt(1 - perturb**2) * first + perturb * second, init, sigma)

    def initial_mean(self, init: str = "centered") -> Float[Tensor, "p"]:
        """Returns the mean of the starts of this kind: the centre of `centered` multiplicative adapters and of all
        `spread` starts, 0 otherwise."""
        _check_init(init, 0.0)
        return self._stored_start(torch.zeros(self.layout.total), init, 0.0)

    def _noise(self, seed: int) -> Float[Tensor, "total"]:
        return torch.randn(self.layout.total, generator=torch.Generator().manual_seed(seed))

    def _stored_start(self, noise: Float[Tensor, "total"], init: str, sigma: float) -> Float[Tensor, "p"]:
        full = self._spread(noise, sigma) if init == "spread" else self.start(noise, init, sigma)
        return self.layout.strip(full[None].to(self.device))[0]

    def _spread(self, noise: Float[Tensor, "total"], sigma: float) -> Float[Tensor, "total"]:
        """Returns one fixed `centered` start plus σ ε, scaled by the root mean square of each tensor."""
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
    """Builds the representation of this name. Adapters need a base and take their sizes from it; the others take them
    from `config`. rank: by default the configuration's. WsrError for an unknown name, or if a base is needed and
    missing."""
    kind = named(name)
    rank = config.rank if rank is None else rank
    if not kind.needs_base:
        return kind.cls(kind, config, None, rank, mask_seed)
    if base is None:
        raise WsrError(f'{name!r} adapts a base field and none was given: name one, as in base="emoji".')
    return kind.cls(kind, base.config, base, rank, mask_seed)


def count_parameters(representation: str, preset_name: str = "cpu", dim: int = 2) -> int:
    """Returns the number of trained scalars of an instance, without frozen entries. With the paper's preset the MLPs
    have exactly the numbers of table 1: 27,357 / 24,537 (2D) and 30,196 / 27,226 (3D). dim: 2 or 3."""
    return _parameters(representation, preset(preset_name, dim).field, named(representation).home)


@lru_cache(maxsize=100)  # the claims on Table 1 ask for the same again and again
def _parameters(representation: str, config: FieldConfig, _home: object) -> int:
    with torch.device("cpu"):
        return make_representation(representation, BaseField(config), config).size
