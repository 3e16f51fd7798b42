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


def fourier_init(
    width: int, dim: int, omega: float, generator: torch.Generator
) -> tuple[Float[Tensor, "c d"], Float[Tensor, "c"]]:
    """Draws frequencies (width, dim) ~ N(0, 1) and phases (width,), uniform over a period, for sin(ω0 (W p + b)).

    With ω0 = 32 the frequencies have a standard deviation of 32 rad per unit, about ten periods across an image, whose
    coordinates span [-1, 1]. This follows Tancik et al.
    """
    weight = torch.randn(width, dim, generator=generator)
    phase = (torch.rand(width, generator=generator) * 2 - 1) * math.pi / omega
    return weight, phase


def fourier(
    points: Float[Tensor, "*n p d"], weight: Float[Tensor, "c d"], phase: Float[Tensor, "c"], omega: float
) -> Float[Tensor, "*n p c"]:
    """Evaluates sin(ω0 (W p + b)) in the dtype of W, which is never bf16: bf16 rounds a phase of 100 rad to a multiple
    of 0.5."""
    return torch.sin(F.linear(points.to(weight.dtype), weight * omega, phase * omega))


class BaseField(nn.Module):
    """The paper's base model (figure 7b): a mapping network z → s, an affine map from s to one style per layer, a
    Fourier layer, `blocks` blocks of two modulated fully connected layers with a residual connection around each block,
    and a linear output layer.

    All synthesis layers are square; their weights are stacked in one tensor (layers, c, c), so that adapters of all
    layers are handled together. `mean_style` (layers, c) is the mean of the training set's styles s̄: adapters start
    from W̄ = W diag(s̄).
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
        # styles start near 1, so that the untrained base is close to a network without modulation
        self.affine = nn.Parameter(torch.randn(layers, c, width, generator=generator) * (0.5 / math.sqrt(width)))
        self.affine_bias = nn.Parameter(torch.ones(layers, c))
        self.register_buffer("mean_style", torch.ones(layers, c))
        self.info: BaseInfo | None = None  # set by `load_base`

    @property
    def modality(self) -> Modality:
        """What the field's values are."""
        return find(self.config.modality)

    def to(self, *args, **kwargs) -> "BaseField":
        """Returns a copy on that device or of that dtype, or the base itself if nothing changes. All representations
        that adapt a loaded base share it, so it is never moved in place. Takes the arguments of `torch.nn.Module.to`.
        """
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
        """Maps latent codes z to style vectors s, and these to one style per synthesis layer (section 8.2)."""
        h = latents
        for weight, bias in zip(self.mapping, self.mapping_bias, strict=True):
            h = F.leaky_relu(F.linear(h, weight, bias), 0.2)
        return torch.einsum("nw,lcw->nlc", h, self.affine) + self.affine_bias

    def modulated(self, styles: Float[Tensor, "n l c"]) -> Modulation:
        """Returns the modulated weights W diag(s) of every layer (section 8.2), not yet demodulated."""
        a = styles.transpose(0, 1)[:, :, None, :].contiguous()  # (l, n, 1, c)
        return Modulation(self.weight, a, a.new_ones(a.shape).mT)

    def folded(self) -> Float[Tensor, "l c c"]:
        """Returns W̄ = W diag(s̄), the matrices that adapters modify."""
        return self.weight * self.mean_style[:, None, :]

    def features(
        self, points: Float[Tensor, "n p d"], dtype: torch.dtype = torch.float32
    ) -> Float[Tensor, "n p c"]:
        """Returns the Fourier features of the points, in `dtype`."""
        return fourier(points, self.fourier_weight.to(dtype), self.fourier_phase.to(dtype), self.config.omega)

    def forward(
        self, points: Float[Tensor, "m p d"], modulation: Modulation, dtype: torch.dtype = torch.float32
    ) -> Float[Tensor, "n p v"]:
        """Evaluates n fields at points in [-1, 1]: the same points for all fields (m = 1) or a set for each (m = n).
        Returns RGB in [-1, 1] for images, or an occupancy logit for shapes (positive inside).

        dtype: the dtype of the matrix products. Fits and base training pass `compute_dtype`. Everything that is shown
        or measured is decoded in fp32, so that it is the same on every machine.
        """
        wide = wide_dtype(dtype)
        features = self.features(points, wide).to(dtype)
        h = synthesize(features.expand(modulation.a.shape[1], -1, -1), modulation, self.bias)  # (n, p, c)
        # the output is never in bf16, whose rounding errors would be visible in the picture
        return F.linear(h.to(wide), self.out_weight.to(wide), self.out_bias.to(wide))  # (n, p, v)


def wide_dtype(dtype: torch.dtype) -> torch.dtype:
    """Returns the dtype of everything except the matrix products, whose dtype is `dtype`: fp32, or fp64 if the products
    are in fp64."""
    return torch.promote_types(dtype, torch.float32)


DTYPE_VARIABLE = "WSR_COMPUTE_DTYPE"
_CHOICES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_SET: dict[str, torch.dtype] = {}


def compute_dtype(device: torch.device | str) -> torch.dtype:
    """Returns the dtype of the matrix products on a device: the one given to `set_compute_dtype`; else the one in the
    environment variable WSR_COMPUTE_DTYPE (float32 or bfloat16); else bf16 if the device multiplies it in hardware;
    else fp32.

    On CPUs without AVX-512 BF16 or AMX a bf16 product is some fifty times slower than an fp32 one, so the default
    depends on what the CPU supports. With ATEN_CPU_CAPABILITY=avx2 PyTorch does not use these instructions, and the
    default is fp32. WsrError if the variable holds anything else.
    """
    kind = torch.device(device).type
    if kind in _SET:
        return _SET[kind]
    named = os.environ.get(DTYPE_VARIABLE, "").strip().lower()
    if named and named not in _CHOICES:
        raise WsrError(f"{DTYPE_VARIABLE} is {named[:20]!r}: it must be float32 or bfloat16.")
    return _CHOICES[named] if named else (torch.bfloat16 if multiplies_bf16(kind) else torch.float32)


@cache
def multiplies_bf16(kind: str) -> bool:
    """Tells whether PyTorch multiplies bf16 in hardware on a kind of device (`cpu`, `cuda`)."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind != "cpu" or "AVX512" not in torch.backends.cpu.get_cpu_capability():
        return False
    return bool(torch.cpu._is_avx512_bf16_supported())


def set_compute_dtype(device: str, dtype: torch.dtype | None) -> None:
    """Sets the dtype of the matrix products on a kind of device (`cpu`, `cuda`) for this process; fp64 is allowed. None
    restores the default."""
    _SET.pop(device, None)
    if dtype is not None:
        _SET[device] = dtype
