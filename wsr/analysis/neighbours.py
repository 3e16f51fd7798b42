"""Nearest neighbours in weight space."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsr.errors import WsrError, counted, unknown_name

BLOCK = 256  # rows at a time, about 8 MB, which fit into the processor's cache


def nearest(
    queries: Float[Tensor, "m q"],
    weights: Float[Tensor, "n p"],
    k: int,
    metric: str = "cosine",
    centre: Float[Tensor, "p"] | None = None,
) -> tuple[Int[Tensor, "m k"], Float[Tensor, "m k"]]:
    """Returns the k rows of `weights` nearest to each query, nearest first, and their distances: 1 − cosine, or L2.

    `centre` is subtracted from both first: since all fits share one start, every cosine would be close to 1 otherwise.
    `weights` may have any floating dtype, as zoos do on disk; blocks of rows are converted to float32. WsrError for an
    unknown metric, and for vectors of different lengths.
    """
    if metric not in ("cosine", "l2"):
        raise unknown_name("metric", metric, ("cosine", "l2"))
    if queries.shape[1] != weights.shape[1]:
        raise WsrError(
            f"The query has {counted(queries.shape[1], 'number')} and the weights have {weights.shape[1]}: they are of "
            "different representations."
        )
    queries = queries.float()
    if centre is not None:
        queries = queries - centre
    distance = torch.cat([_distances(queries, rows, metric, centre) for rows in weights.split(BLOCK)], 1)  # (m, n)
    found = distance.topk(min(k, len(weights)), largest=False)
    return found.indices, found.values


def _distances(queries: Tensor, rows: Tensor, metric: str, centre: Tensor | None) -> Float[Tensor, "m b"]:
    rows = rows.float() if centre is None else rows.float() - centre
    if metric == "cosine":
        return 1 - torch.nn.functional.normalize(queries) @ torch.nn.functional.normalize(rows).T
    # the faster method through matrix products loses precision for small distances
    return torch.cdist(queries, rows, compute_mode="donot_use_mm_for_euclid_dist")
