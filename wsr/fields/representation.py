"""The six representations: an instance's weights, and how they become a field (sections 3.1, 3.2, 3.4).

A closed set of types over one parameter layout. Each turns a batch of stored vectors (n, p) into the values of n
fields.
"""

import math
from abc import ABC, abstractmethod
from copy import copy

import torch
from jaxtyping import Float
from torch import Tensor

from wsr import representations
from wsr.errors import WsrError, unknown_name
from wsr.fields.base import BaseField, wide_dtype
from wsr.fields.layout import ParameterLayout
from wsr.fields.masks import asymmetric_mask, frozen_count, frozen_draws
from wsr.fields.synthesis import Modulation
from wsr.modalities import Modality, find
from wsr.presets import FieldConfig, preset

INITS: tuple[str, ...] = ("centered", "normal", "spread")
CENTRE_SEED = 2**33  # of the draw that "spread" starts lie around
REPRESENTATIONS: tuple[str, ...] = representations


class Representation(ABC):
    """What all six share. `name` is one of `REPRESENTATIONS`; `layout` maps stored vectors to tensors; `dim` is the
    dimension of the domain; `rank` is 0 for a standalone MLP."""

    layout: ParameterLayout

    def __init__(self, name: str, config: FieldConfig, mask_seed: int, rank: int):
        self.name, self.config, self.mask_seed, self.rank = name, config, mask_seed, rank
        self.masked = name.endswith("-asym")

    @property
    def dim(self) -> int:
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

    def relative_rates(self, a_rate: float) -> Float[Tensor, "p"]:
        """How far each stored entry moves in a step of a fit, in units of the others: `a_rate` for an adapter's A."""
        return torch.ones(self.size, device=self.device)

    def unmasked(self) -> "Representation":
        """The same with nothing frozen: what `layout.fill` returns are its stored vectors. It evaluates and decodes
        weights that the mask forbids, as those that a symmetry has moved."""
        twin = copy(self)
        twin.name, twin.masked, twin.layout = self.name.removesuffix("-asym"), False, self.layout.unmasked()
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
        return moved

    def initial(
        self, init: str = "centered", sigma: float = 0.02, init_seed: int = 0, perturb: float = 0.0
    ) -> Float[Tensor, "p"]:
        """The start that all instances share.

        `init`: "centered" and "normal" are each representation's own (`start`); "spread" gives all six the same
        relative spread, one fixed start with σ ε around it. `perturb` is λ of figure 3: the random part becomes
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


class StandaloneMLP(Representation):
    """A Fourier layer, three hidden ReLU layers and a linear output, all trained (section 8.1, figure 7a)."""

    def __init__(self, name: str, config: FieldConfig, mask_seed: int = 0):
        super().__init__(name, config, mask_seed, rank=0)
        n, d = (config.mlp_asym_width if self.masked else 0) or config.mlp_width, config.dim
        self.width = n
        self.hidden_scale = math.sqrt(2 / n)
        tensors = [("fourier.weight", (n, d), ()), ("fourier.phase", (n,), ())]
        values = [torch.zeros(n * d + n)]
        for layer in range(3):
            frozen = asymmetric_mask(n, n, frozen_count(n), mask_seed, layer) if self.masked else ()
            tensors += [(f"hidden.{layer}.weight", (n, n), frozen), (f"hidden.{layer}.bias", (n,), ())]
            values += [frozen_draws(n * n, self.hidden_scale, mask_seed, layer), torch.zeros(n)]
        tensors += [("output.weight", (config.outputs, n), ()), ("output.bias", (config.outputs,), ())]
        values += [torch.zeros(config.outputs * n + config.outputs)]
        self.layout = ParameterLayout(tensors, torch.cat(values))

    def start(self, noise, init="centered", sigma=0.0):
        """Fourier frequencies N(0, 1), He-normal hidden layers, zero biases. An MLP has no centre to start from, so
        `init` and `sigma` change nothing."""
        n, d, out = self.width, self.config.dim, self.config.outputs
        frequencies, hidden, output = noise.split([n * d + n, 3 * (n * n + n), out * n + out])
        phases = torch.erf(frequencies[n * d :] / math.sqrt(2)) * (math.pi / self.config.omega)  # uniform over a period
        layers = hidden.view(3, n * n + n) * self.hidden_scale
        layers[:, n * n :] = 0
        output = output / math.sqrt(n)
        output[out * n :] = 0
        return torch.cat([frequencies[: n * d], phases, layers.flatten(), output])

    def evaluate(self, weights, points, dtype=torch.float32):
        wide = wide_dtype(dtype)
        t, points = self.layout.unflatten(weights.to(wide)), points.to(wide)
        omega, n = self.config.omega, weights.shape[0]
        phase = t["fourier.phase"][:, None] * omega
        h = torch.sin(torch.baddbmm(phase, points.expand(n, -1, -1), t["fourier.weight"].mT * omega))  # (n, p, N)
        h = h.to(dtype)
        for layer in range(3):
            weight, bias = t[f"hidden.{layer}.weight"].to(dtype), t[f"hidden.{layer}.bias"].to(dtype)
            h = torch.relu(torch.baddbmm(bias[:, None], h, weight.mT))
        return torch.baddbmm(t["output.bias"][:, None], h.to(wide), t["output.weight"].mT)  # (n, p, v)


class Adapter(Representation):
    """Low-rank pairs {A (r, c), B (c, r)} of every synthesis layer of a frozen base (equation 2)."""

    additive: bool

    def __init__(self, name: str, base: BaseField, rank: int, mask_seed: int = 0):
        super().__init__(name, base.config, mask_seed, rank)
        c, self.layers = base.config.channels, base.config.layers
        if not 1 <= rank <= c:
            raise WsrError(f"The rank must lie between 1 and the layers' width {c}, not {rank!r}.")
        self.base = base
        self.folded = base.folded().detach()  # (l, c, c)
        tensors, values = [], []
        for layer in range(self.layers):
            frozen = asymmetric_mask(rank, c, frozen_count(c), mask_seed, layer) if self.masked else ()
            tensors += [(f"layers.{layer}.A", (rank, c), frozen), (f"layers.{layer}.B", (c, rank), ())]
            values += [self.frozen_values(rank * c, layer), torch.zeros(c * rank)]
        self.layout = ParameterLayout(tensors, torch.cat(values))

    def frozen_values(self, count: int, layer: int) -> Float[Tensor, "count"]:
        raise NotImplementedError

    def pairs(self, full: Float[Tensor, "n total"]) -> tuple[Float[Tensor, "l n r c"], Float[Tensor, "l n c r"]]:
        """A and B of all layers, from vectors with their frozen entries in place."""
        n, c, r = full.shape[0], self.config.channels, self.rank
        layers = full.view(n, self.layers, 2, r * c).permute(1, 2, 0, 3)  # (l, 2, n, r·c)
        return layers[:, 0].reshape(self.layers, n, r, c), layers[:, 1].reshape(self.layers, n, c, r)

    def joined(self, a: Float[Tensor, "l n r c"], b: Float[Tensor, "l n c r"]) -> Float[Tensor, "n total"]:
        """The inverse of `pairs`."""
        return torch.stack([a.flatten(2), b.flatten(2)], dim=1).permute(2, 0, 1, 3).flatten(1)

    def relative_rates(self, a_rate):
        a, b = self.pairs(torch.ones(1, self.layout.total, device=self.device))
        return self.layout.strip(self.joined(a * a_rate, b))[0]

    def adapt(self, a: Float[Tensor, "l n r c"], b: Float[Tensor, "l n c r"]) -> Modulation:
        """W' of every layer, before demodulation."""
        return Modulation(self.folded, a, b, self.additive)

    def evaluate(self, weights, points, dtype=torch.float32):
        return self.base(points, self.adapt(*self.pairs(self.layout.fill(weights.to(wide_dtype(dtype))))), dtype)

    def to(self, device):
        moved = super().to(device)
        if moved is not self:
            moved.base, moved.folded = self.base.to(device), self.folded.to(device)
        return moved


class MultiplicativeLoRA(Adapter):
    """mLoRA: W' = W̄ ⊙ (B A), equation 3. Frozen entries of A are 0."""

    additive = False

    def frozen_values(self, count, layer):
        return torch.zeros(count)

    def start(self, noise, init="centered", sigma=0.02):
        """`centered`: A = 1 + σ ε, B = (1 + σ ε)/r, with the free entries of A scaled so that B A averages 1 in every
        column: fitting starts at the mean of the base. `normal`: A and B ~ N(0, 1), each pair's sign left open."""
        a, b = self.pairs(noise[None])  # (l, 1, r, c), (l, 1, c, r)
        if init == "normal":
            return noise
        a, b = 1 + sigma * a, (1 + sigma * b) / self.rank
        a = a * self.pairs(self.layout.free[None].float())[0]
        column = b.mean(-2, keepdim=True) @ a  # (l, 1, 1, c): the mean over outputs of B A
        return self.joined(a / column, b)[0]


class AdditiveLoRA(Adapter):
    """LoRA: W' = W̄ + B A. A ~ N(0, 1/d_in) and B = 0, so fitting starts at the mean of the base. Frozen entries of A
    are draws of κ times that scale."""

    additive = True

    def frozen_values(self, count, layer):
        return frozen_draws(count, 1 / math.sqrt(self.config.channels), self.mask_seed, layer)

    def start(self, noise, init="centered", sigma=0.0):
        """`init` and `sigma` change nothing: B = 0 is the mean of the base whatever A is."""
        a, b = self.pairs(noise[None])
        return self.joined(a / math.sqrt(self.config.channels), torch.zeros_like(b))[0]


def check_representation(name: str) -> str:
    if name not in REPRESENTATIONS:
        raise unknown_name("representation", name, REPRESENTATIONS)
    return name


def make_representation(
    name: str, base: BaseField | None, config: FieldConfig, rank: int | None = None, mask_seed: int = 0
) -> Representation:
    """One of the six, over a base for the adapters (the MLPs need none)."""
    check_representation(name)
    if name.startswith("mlp"):
        return StandaloneMLP(name, config, mask_seed)
    if base is None:
        raise WsrError(f'{name!r} adapts a base field and none was given: name one, as in base="emoji".')
    kind = MultiplicativeLoRA if name.startswith("mlora") else AdditiveLoRA
    return kind(name, base, config.rank if rank is None else rank, mask_seed)


def stored_size(name: str, config: FieldConfig, rank: int) -> int:
    """Trainable scalars of an instance, `Representation.size`, known without making the representation: what a file
    states is compared with what it holds before anything of that size is allocated."""
    masked = check_representation(name).endswith("-asym")
    if name.startswith("mlp"):
        n, out = (config.mlp_asym_width if masked else 0) or config.mlp_width, config.outputs
        frozen = 3 * n * frozen_count(n) if masked else 0
        return n * config.dim + n + 3 * (n * n + n) + out * n + out - frozen
    c = config.channels
    return config.layers * rank * (2 * c - (frozen_count(c) if masked else 0))


def count_parameters(representation: str, preset_name: str = "cpu", dim: int = 2) -> int:
    """Trainable scalars of an instance, frozen entries not counted. At the paper's preset the MLPs have exactly
    table 1's 27,357 / 24,537 (2D) and 30,196 / 27,226 (3D)."""
    config = preset(preset_name, dim).field
    with torch.device("cpu"):
        return make_representation(representation, BaseField(config), config).size
