"""The intrinsic dimension of a set of points, from distances to nearest neighbours."""

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError


def intrinsic_dimension(
    points: Float[Tensor, "n d"], neighbours: tuple[int, ...] = (3, 5, 10, 20)
) -> dict[int, float]:
    """The maximum-likelihood estimate from the distances to the k nearest neighbours, for each k (Levina and Bickel,
    with MacKay and Ghahramani's mean of the inverses). Points that coincide are counted once."""
    points = torch.unique(points.double(), dim=0)
    most = max(neighbours)
    if min(neighbours) < 2 or len(points) <= most:
        raise WsrError(f"k must be at least 2 and below the number of different points {len(points)}: {neighbours}.")
    distance = torch.cdist(points, points).topk(most + 1, largest=False).values[:, 1:]  # (n, k)
    logs = distance.log()
    return {k: float(1 / (logs[:, k - 1 : k] - logs[:, : k - 1]).mean(1).mean()) for k in neighbours}
