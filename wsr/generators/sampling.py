"""Random draws that do not depend on how many are requested at once."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

BLOCK = 128  # rows that are drawn together
SEEDS = 1_000_003  # the seed of a block is that of the samples plus this times its number


def rows_of_blocks(
    draw: Callable[[int, torch.Generator], Float[Tensor, "b k"]], count: int, seed: int, first: int
) -> Float[Tensor, "n k"]:
    """Returns the rows number `first` to `first + count` of the sequence that `draw` yields for a seed. `draw` is
    always called for whole blocks, so that a row does not depend on which other rows are requested."""
    blocks = range(first // BLOCK, (first + count - 1) // BLOCK + 1)
    rows = [draw(BLOCK, torch.Generator().manual_seed(seed + block * SEEDS)) for block in blocks]
    start = first - blocks.start * BLOCK
    return torch.cat(rows)[start : start + count]
