"""Coordinates: pixel centres in [-1, 1], x right, y down."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor


def pixel_grid(height: int, width: int, device: torch.device | str = "cpu") -> Float[Tensor, "p 2"]:
    """Returns the (x, y) of all pixel centres of an image, row by row. The longer side spans [-1, 1] and pixels are
    square, so that a wide picture is not squeezed: its y stays within ±height/width."""
    longest = max(height, width)
    y = (torch.arange(height, device=device) * 2 + 1 - height) / longest
    x = (torch.arange(width, device=device) * 2 + 1 - width) / longest
    return torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1).reshape(-1, 2).float()


def morton_order(height: int, width: int) -> Int64[Tensor, "p"]:
    """Returns the flat pixel indices (height · width,) in the order of a Z-shaped curve (Morton order), so that
    neighbours along the curve are neighbours in the image."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    code = torch.zeros_like(x)
    for bit in range(16):
        code |= ((x >> bit) & 1) << (2 * bit) | ((y >> bit) & 1) << (2 * bit + 1)
    return code.flatten().argsort()
