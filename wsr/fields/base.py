"""The base field: a coordinate network whose layers are modulated by a style (sections 3.3 and 8.2, figure 7b)."""

import math
import os
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wsr.errors import WsrError
from wsr.fields.synthesis import Modulation, synthesize
from wsr.modalities import Modality, find
from wsr.presets import FieldConfig

if TYPE_CHECKING:
    from wsr.fields.checkpoint import BaseInfo


def fourier_init(width: int, dim: int, omega: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Frequencies (width, dim) ~ N(0, 1) and phases (width,) uniform over a period, of sin(ω0 (W p + b)).

    With ω0 = 32 the frequencies have a spread of 32 rad a unit: ten periods across an image, as in Tancik et al.
    """
    weight = torch.randn(width, dim, generator=generator)
    phase = (torch.rand(width, generator=generator) * 2 - 1) * math.pi / omega
    return weight, phase


def fourier(
    points: Float[Tensor, "*n p d"], weight: Float[Tensor, "c d"], phase: Float[Tensor, "c"], omega: float
) -> Float[Tensor, "*n p c"]:
    """sin(ω0 (W p + b)) in the type of W, never in bf16: a phase of 100 rad has no digits left there."""
    return torch.sin(F.linear(points.to(weight.dtype), weight * omega, phase * omega))


class BaseField(nn.Module):
    """Mapping network z → s, an affine map of s to a style per layer, a Fourier layer, `blocks` × two modulated fully
    connected layers with a residual around each block, and a linear output.

    All synthesis layers are square and kept in one tensor, so that their adapted matrices are built in one operation.
    `mean_style` (layers, c) is the mean of the styles of the training set: adapters start from W̄ = W diag(s̄).
    """

    mean_style: Tensor

    def __init__(self, config: FieldConfig, seed: int = 0):
        super().__init__()
        self.config = config
        c, layers, width = config.channels, config.layers, config.mapping_width
        generator = torch.Generator().manual_seed(seed)
        frequencies, phases = fourier_init(c, config.dim, config.omega, generator)
        self.fourier_weight = nn.Parameter(frequencies)
        self.fourier_phase = nn.Parameter(phases)
        self.weight = nn.Parameter(torch.randn(layers, c, c, generator=generator) / math.sqrt(c))
        self.bias = nn.Parameter(torch.zeros(layers, c))
        self.out_weight = nn.Parameter(torch.randn(config.outputs, c, generator=generator) / math.sqrt(c))
        self.out_bias = nn.Parameter(torch.zeros(config.outputs))
        sizes = [config.latent] + [width] * config.mapping_layers
        self.mapping = nn.ParameterList(
            torch.randn(o, i, generator=generator) * math.sqrt(2 / i) for i, o in zip(sizes, sizes[1:], strict=False)
        )
        self.mapping_bias = nn.ParameterList(torch.zeros(o) for o in sizes[1:])
        # styles start at 1 with a small spread, so that the untrained base is a plain network
        self.affine = nn.Parameter(torch.randn(layers, c, width, generator=generator) * (0.5 / math.sqrt(width)))
        self.affine_bias = nn.Parameter(torch.ones(layers, c))
        self.register_buffer("mean_style", torch.ones(layers, c))
        self.info: BaseInfo | None = None  # set where it was read from a file

    @property
    def modality(self) -> Modality:
        return find(self.config.modality)

    def to(self, *args, **kwargs) -> "BaseField":
        """A copy on that device or of that type; itself where nothing changes. A loaded base is shared by all that
        was adapted to it, so it never moves. Arguments as in `torch.nn.Module.to`."""
        if self.weight.to(*args, **kwargs) is self.weight:
            return self
        return super(BaseField, deepcopy(self)).to(*args, **kwargs)

    def cpu(self) -> "BaseField":
        """`to("cpu")`."""
        return self.to("cpu")

    def cuda(self, device: int | torch.device | None = None) -> "BaseField":
        """`to("cuda")`."""
        return self.to("cuda" if device is None else torch.device("cuda", device) if type(device) is int else device)

    def styles(self, latents: Float[Tensor, "n z"]) -> Float[Tensor, "n l c"]:
        """z → s → a style per layer. Latents are scaled to unit second moment at the start of training."""
        h = latents
        for weight, bias in zip(self.mapping, self.mapping_bias, strict=True):
            h = F.leaky_relu(F.linear(h, weight, bias), 0.2)
        return torch.einsum("nw,lcw->nlc", h, self.affine) + self.affine_bias

    def modulated(self, styles: Float[Tensor, "n l c"]) -> Modulation:
        """W diag(s)."""
        a = styles.transpose(0, 1)[:, :, None, :].contiguous()  # (l, n, 1, c)
        return Modulation(self.weight, a, a.new_ones(a.shape).mT)

    def folded(self) -> Float[Tensor, "l c c"]:
        """W̄ = W diag(s̄): what adapters adapt."""
        return self.weight * self.mean_style[:, None, :]

    def features(
        self, points: Float[Tensor, "n p d"], dtype: torch.dtype = torch.float32
    ) -> Float[Tensor, "n p c"]:
        return fourier(points, self.fourier_weight.to(dtype), self.fourier_phase.to(dtype), self.config.omega)

    def forward(
        self, points: Float[Tensor, "m p d"], modulation: Modulation, dtype: torch.dtype = torch.float32
    ) -> Float[Tensor, "n p v"]:
        """Values at `points` of n fields. The points are the same for all (m = 1) or each field's own (m = n); in
        [-1, 1]. Values: RGB in [-1, 1], or a logit.

        dtype: of the matrix products. Fits and base training pass `compute_dtype`; what is looked at or measured is
        decoded in fp32, so that it is the same on every machine."""
        wide = wide_dtype(dtype)
        features = self.features(points, wide).to(dtype)
        h = synthesize(features.expand(modulation.a.shape[1], -1, -1), modulation, self.bias)  # (n, p, c)
        # the output is never in bf16: its rounding would be the picture's
        return F.linear(h.to(wide), self.out_weight.to(wide), self.out_bias.to(wide))  # (n, p, v)


def wide_dtype(dtype: torch.dtype) -> torch.dtype:
    """The type of everything but the matrix products, whose type is `dtype`: fp32, or fp64 where they are in fp64."""
    return torch.promote_types(dtype, torch.float32)


DTYPE_VARIABLE = "WSR_COMPUTE_DTYPE"
_CHOICES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_SET: dict[str, torch.dtype] = {}


def compute_dtype(device: torch.device | str) -> torch.dtype:
    """The type of the matrix products on a device: what `set_compute_dtype` has set, else what the environment variable
    WSR_COMPUTE_DTYPE names (float32 or bfloat16), else bf16 where the device multiplies it in hardware, else fp32.

    On CPUs without AVX-512 BF16 or AMX a bf16 product is some fifty times slower than an fp32 one, so the CPU's flags
    decide, not a preference. ATEN_CPU_CAPABILITY=avx2 makes PyTorch such a CPU, and the type is fp32 there. WsrError
    where the variable names another type.
    """
    kind = torch.device(device).type
    if kind in _SET:
        return _SET[kind]
    named = os.environ.get(DTYPE_VARIABLE, "").strip().lower()
    if named and named not in _CHOICES:
        raise WsrError(f"{DTYPE_VARIABLE} is {named[:20]!r}, which is no type of products: say float32 or bfloat16.")
    return _CHOICES[named] if named else (torch.bfloat16 if multiplies_bf16(kind) else torch.float32)


@cache
def multiplies_bf16(kind: str) -> bool:
    """Whether a kind of device (`cpu`, `cuda`) multiplies bf16 in hardware, as far as PyTorch uses it."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind != "cpu" or "AVX512" not in torch.backends.cpu.get_cpu_capability():
        return False
    return bool(torch.cpu._is_avx512_bf16_supported())


def set_compute_dtype(device: str, dtype: torch.dtype | None) -> None:
    """Fixes the type of the matrix products on a kind of device (`cpu`, `cuda`), fp64 included, for this process; None
    goes back to the default."""
    _SET.pop(device, None)
    if dtype is not None:
        _SET[device] = dtype
