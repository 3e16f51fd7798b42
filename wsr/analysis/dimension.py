"""The intrinsic dimension of a set of points, estimated from distances to nearest neighbours."""

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError


def intrinsic_dimension(
    points: Float[Tensor, "n d"], neighbours: tuple[int, ...] = (3, 5, 10, 20)
) -> dict[int, float]:
    """Returns the maximum-likelihood estimate of Levina and Bickel from the distances to the k nearest neighbours, for
    each k; estimates of points are averaged by their inverses (MacKay and Ghahramani). Points that coincide count once.
    WsrError for k below 2, or not below the number of different points."""
    points = torch.unique(points.double(), dim=0)
    most = max(neighbours)
    if min(neighbours) < 2 or len(points) <= most:
        raise WsrError(f"k must be at least 2 and below the number of different points {len(points)}: {neighbours}.")
    distance = torch.cdist(points, points).topk(most + 1, largest=False).values[:, 1:]  # (n, k)
    logs = distance.log()
    return {k: float(1 / (logs[:, k - 1 : k] - logs[:, : k - 1]).mean(1).mean()) for k in neighbours}
