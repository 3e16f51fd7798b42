"""Draws that do not depend on how many are asked for at once."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

BLOCK = 128  # rows that one generator draws together
SEEDS = 1_000_003  # a block's seed is that of the samples, plus its number times this


def rows_of_blocks(
    draw: Callable[[int, torch.Generator], Float[Tensor, "b k"]], count: int, seed: int, first: int
) -> Float[Tensor, "n k"]:
    """Rows number `first` to `first + count` of what `draw` gives for the seed. `draw` is asked for whole blocks, so
    that a row is the same whichever rows are asked for beside it."""
    blocks = range(first // BLOCK, (first + count - 1) // BLOCK + 1)
    rows = [draw(BLOCK, torch.Generator().manual_seed(seed + block * SEEDS)) for block in blocks]
    start = first - blocks.start * BLOCK
    return torch.cat(rows)[start : start + count]
