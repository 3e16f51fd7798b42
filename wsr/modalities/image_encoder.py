"""The network that looks at an image to predict where its fit starts."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

SEEN = 64  # pixels along an edge of what it sees
WIDTHS = (32, 64, 128, 192)  # channels of its layers, each of which halves the resolution
GROUPS = 8


class ImageEncoder(nn.Module):
    """Four convolutions and a linear layer. The last feature map keeps its 4 × 4 places: an adapter says what is
    where, so a mean over the places would lose what it needs."""

    def __init__(self, features: int):
        super().__init__()
        sizes = (3, *WIDTHS)
        pairs = list(zip(sizes, sizes[1:], strict=False))
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairs)
        self.norms = nn.ModuleList(nn.GroupNorm(GROUPS, width) for width in WIDTHS)
        self.out = nn.Linear(WIDTHS[-1] * (SEEN // 2 ** len(WIDTHS)) ** 2, features)

    def forward(self, seen: Float[Tensor, "n 3 s s"]) -> Float[Tensor, "n f"]:
        """Takes images in [-1, 1] of SEEN × SEEN pixels."""
        h = seen
        for layer, norm in zip(self.layers, self.norms, strict=True):
            h = F.silu(norm(layer(h)))
        return self.out(h.flatten(1))
