"""Asymmetric masks (section 3.4) freeze entries at different positions in each row of a weight matrix. The rows can
then be told apart: permuting them yields weights that the mask does not allow."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

# Standard deviation of frozen entries in units of the layer's own. The paper writes N(0, κI) with κ = 6 (section 4.1);
# we read κ as a standard deviation. `Representation.with_kappa` takes another.
KAPPA = 6.0


def asymmetric_mask(rows: int, columns: int, frozen: int, seed: int, layer: int) -> tuple[int, ...]:
    """Draws the flat positions of the frozen entries of a (rows, columns) matrix: `frozen` in every row, and no column
    frozen in all rows, since that would cut off an input. The positions depend on the seed and the layer only, so they
    are the same for all instances."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + layer)
    while True:
        chosen = torch.rand(rows, columns, generator=generator).argsort(1)[:, :frozen]
        count = torch.bincount(chosen.flatten(), minlength=columns)
        if rows == 1 or int(count.max()) < rows:
            return tuple((chosen + torch.arange(rows)[:, None] * columns).flatten().sort().values.tolist())


def frozen_draws(total: int, std: float, seed: int, layer: int) -> Float[Tensor, "total"]:
    """Draws the values of frozen entries of additive adapters and standalone MLPs: N(0, std²), where std is κ times
    that of the layer's start."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + layer + 500_009)
    return torch.randn(total, generator=generator) * std


def frozen_count(d_out: int) -> int:
    """Returns the number of frozen entries per row, √d_out rounded (section 3.4)."""
    return round(math.sqrt(d_out))
