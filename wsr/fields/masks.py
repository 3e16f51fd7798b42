"""Asymmetric masks (section 3.4): positions of a weight matrix that are frozen, so that its rows are told apart and can
no longer be permuted without leaving the set of allowed weights."""

import math

import torch
from torch import Tensor

KAPPA = 6.0  # of the frozen draws' scale, against the layer's own; we read the paper's N(0, κI) as a standard deviation


def asymmetric_mask(rows: int, columns: int, frozen: int, seed: int, layer: int) -> tuple[int, ...]:
    """Flat positions of the frozen entries: `frozen` in every row of a (rows, columns) matrix, no column frozen in all
    rows (its input would be cut off). Drawn from the seed and the layer: the same for all instances, different per
    layer.
    """
    generator = torch.Generator().manual_seed(seed * 1_000_003 + layer)
    while True:
        chosen = torch.rand(rows, columns, generator=generator).argsort(1)[:, :frozen]
        count = torch.bincount(chosen.flatten(), minlength=columns)
        if rows == 1 or int(count.max()) < rows:
            return tuple((chosen + torch.arange(rows)[:, None] * columns).flatten().sort().values.tolist())


def frozen_draws(total: int, scale: float, seed: int, layer: int) -> Tensor:
    """Values for frozen entries of additive weights and of the standalone MLP: N(0, (κ · scale)²)."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + layer + 500_009)
    return torch.randn(total, generator=generator) * (KAPPA * scale)


def frozen_count(d_out: int) -> int:
    """round(√d_out) entries a row."""
    return round(math.sqrt(d_out))
