"""The network that looks at points of a shape to predict where its fit starts."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

SEEN = 1024  # points that it sees of a shape
OCTAVES = 4  # of the sines of a point's coordinates, from half a period across the cube on
WIDTHS = (64, 128, 256)  # of the layers that see one point each


class PointEncoder(nn.Module):
    """A PointNet: the same small network for every point, then the maximum and the mean over all points, and a linear
    layer. Sines of the coordinates let it tell near points apart."""

    def __init__(self, features: int):
        super().__init__()
        sizes = (4 + 6 * OCTAVES, *WIDTHS)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False))
        self.hidden = nn.Linear(2 * WIDTHS[-1], features)
        self.out = nn.Linear(features, features)

    def forward(self, seen: Float[Tensor, "n p 4"]) -> Float[Tensor, "n f"]:
        """Takes points in [-1, 1]^3, each with 1 if it lies inside and -1 if not."""
        phases = [seen[..., :3] * (math.pi / 2 * 2**octave) for octave in range(OCTAVES)]
        h = torch.cat([seen, *map(torch.sin, phases), *map(torch.cos, phases)], -1)
        for layer in self.layers:
            h = F.silu(layer(h))  # (n, p, width)
        return self.out(F.silu(self.hidden(torch.cat([h.amax(1), h.mean(1)], -1))))
