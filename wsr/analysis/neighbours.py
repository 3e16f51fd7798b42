"""Nearest neighbours in weight space."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsr.errors import WsrError, unknown_name


def nearest(
    queries: Float[Tensor, "m q"],
    weights: Float[Tensor, "n p"],
    k: int,
    metric: str = "cosine",
    centre: Float[Tensor, "p"] | None = None,
) -> tuple[Int[Tensor, "m k"], Float[Tensor, "m k"]]:
    """The k rows of `weights` nearest to each query, nearest first, and their distances: 1 − cosine, or L2.

    `centre` is taken from both first: all fits share one start, and without it every cosine is close to 1.
    """
    if metric not in ("cosine", "l2"):
        raise unknown_name("metric", metric, ("cosine", "l2"))
    if queries.shape[1] != weights.shape[1]:
        raise WsrError(
            f"The query has {queries.shape[1]} numbers and the weights have {weights.shape[1]}: they are of "
            "different representations."
        )
    if centre is not None:
        queries, weights = queries - centre, weights - centre
    if metric == "cosine":
        distance = 1 - torch.nn.functional.normalize(queries) @ torch.nn.functional.normalize(weights).T
    else:
        # the quick way through products loses the digits of small distances
        distance = torch.cdist(queries, weights, compute_mode="donot_use_mm_for_euclid_dist")
    found = distance.topk(min(k, len(weights)), largest=False)
    return found.indices, found.values
