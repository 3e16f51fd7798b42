"""Maps of weight space: PCA, t-SNE and UMAP in two and three dimensions, and placing new weights on them."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsr.analysis.neighbours import nearest
from wsr.errors import WsrError, counted
from wsr.isolation import Children, Limits, cores
from wsr.map_layouts import METHODS, NAMES, ProjectionConfig, layout

LEAST_JUDGED = 3  # the smallest number of points with nearer and farther neighbours

# t-SNE and UMAP are other people's compiled code: a crash in it ends a child and not the caller.
_children = Children(preload=("wsr.map_layouts",), most=8, nice=5, threads=max(1, cores() // 2))


@dataclass
class Projection:
    """Coordinates (n, dims) of n weights, centred, in [-1, 1]."""

    method: str
    dims: int
    coordinates: Float[np.ndarray, "n d"]


@dataclass
class ProjectionRecord:
    """Progress of a projection: seconds so far, and the result at the end."""

    seconds: float
    found: Projection | None = None


@dataclass(frozen=True)
class Faithfulness:
    """How faithful a map is to weight space. trustworthiness in [0, 1]: to what degree points that are near on the map
    are near in weight space. overlap in [0, 1]: share of a weight's k nearest neighbours that are also among its k
    nearest on the map."""

    trustworthiness: float
    overlap: float
    k: int = 10


def project(
    weights: Float[np.ndarray, "n p"], config: ProjectionConfig, *, seconds: float | None = None
) -> Projection:
    """Projects weight vectors (at least one) to a map. Weights are centred but not rescaled, so that parameters with a
    larger variance count more. Equal rows get the same coordinates. Up to dims + 1 different rows are laid out by PCA
    whatever the method, because a map then holds their distances exactly.

    t-SNE and UMAP run in a child process, for at most `seconds` (None: without a limit). WsrError if weights are not of
    shape (n, p), hold NaN or infinite numbers, or if the method fails or its process ends.
    """
    weights = _checked(weights)
    if config.method == "pca":
        return Projection(config.method, config.dims, layout(weights, config))
    return _project_in_child(weights, config, Limits(seconds=seconds, what=_what(config)))


def project_stream(
    weights: Float[np.ndarray, "n p"], config: ProjectionConfig, every: float = 0.5, *, seconds: float | None = None
) -> Iterator[ProjectionRecord]:
    """Yields the progress of `project` every `every` seconds, and at last its result. Closing the generator ends the
    child process at once; t-SNE and UMAP themselves cannot be interrupted."""
    weights, begun, stopped = _checked(weights), time.monotonic(), threading.Event()
    limits = Limits(seconds=seconds, what=_what(config), stopped=stopped.is_set)
    with ThreadPoolExecutor(1) as waiting:
        found = waiting.submit(_project_in_child, weights, config, limits)
        try:
            while not found.done():
                try:
                    found.result(every)
                except TimeoutError:
                    yield ProjectionRecord(time.monotonic() - begun)
            yield ProjectionRecord(time.monotonic() - begun, found.result())
        finally:
            stopped.set()


def _what(config: ProjectionConfig) -> str:
    return f"The map by {NAMES[config.method]}"


def _project_in_child(weights: np.ndarray, config: ProjectionConfig, limits: Limits) -> Projection:
    return Projection(config.method, config.dims, _children.call(layout, weights, config, limits=limits))


def _checked(weights: Float[np.ndarray, "n p"]) -> Float[np.ndarray, "n p"]:
    """Returns the weights as finite float32 or float64, or raises a WsrError."""
    weights = np.asarray(weights)
    if weights.ndim != 2 or not weights.size or weights.dtype.kind not in "fiu":
        raise WsrError(
            f"A map takes one weight vector or more, as numbers of shape (n, p), not {weights.dtype} {weights.shape}."
        )
    if weights.dtype not in (np.float32, np.float64):
        weights = weights.astype(np.float32)
    wrong = np.flatnonzero(~np.isfinite(weights).all(1)).tolist()
    if wrong:
        rows = ", ".join(map(str, wrong[:5])) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        raise WsrError(
            f"NaN or infinite numbers are in {len(wrong)} of {counted(len(weights), 'weight vector')} (rows {rows}): "
            "leave them out."
        )
    return weights


def faithfulness(
    weights: Float[np.ndarray, "n p"], coordinates: Float[np.ndarray, "n d"], k: int = 10
) -> Faithfulness:
    """Measures how faithful a map is, by the k nearest Euclidean neighbours in weight space and on the map (fewer than
    k if there are less than 2k + 1 points), on at most 2,000 points. WsrError for fewer than three points and for NaN
    or infinite numbers."""
    from sklearn.manifold import trustworthiness
    from sklearn.neighbors import NearestNeighbors

    if len(weights) < LEAST_JUDGED or len(weights) != len(coordinates):
        raise WsrError(
            f"Judging a map takes {LEAST_JUDGED} points or more, one for each weight vector: here are "
            f"{counted(len(weights), 'weight')} and {counted(len(coordinates), 'point')}."
        )
    step = -(-len(weights) // 2000)
    weights, coordinates = _checked(weights[::step]), _checked(coordinates[::step])
    k = max(1, min(k, (len(weights) - 1) // 2))
    near = [NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False) for x in (weights, coordinates)]
    overlap = np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(*near, strict=True)])
    return Faithfulness(float(trustworthiness(weights, coordinates, n_neighbors=k)), float(overlap), k)


def project_all(weights: Float[np.ndarray, "n p"], seed: int = 0) -> Iterator[Projection]:
    """Yields the maps of all methods, in 2D and 3D."""
    for method in METHODS:
        for dims in (2, 3):
            yield project(weights, ProjectionConfig(method, dims, seed=seed))


def to_table(ids: list[str], projections: list[Projection]) -> pd.DataFrame:
    """Returns maps as the table in assets/maps, with columns id, method, dims, x, y, z (z is 0 in 2D)."""
    parts = []
    for projection in projections:
        xyz = np.zeros((len(ids), 3), np.float32)
        xyz[:, : projection.dims] = projection.coordinates
        parts.append(
            pd.DataFrame(
                {
                    "id": ids,
                    "method": projection.method,
                    "dims": projection.dims,
                    "x": xyz[:, 0],
                    "y": xyz[:, 1],
                    "z": xyz[:, 2],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def place(
    new: Float[np.ndarray, "m p"], weights: Float[np.ndarray, "n p"], coordinates: Float[np.ndarray, "n d"], k: int = 5
) -> Float[np.ndarray, "m d"]:
    """Places new weights on an existing map, at the mean of the coordinates of their k nearest neighbours, weighted by
    inverse distance. This approximation works for any projection, and is exact for a weight that is on the map.
    WsrError for an empty map, and for NaN or infinite numbers."""
    if not len(weights) or len(weights) != len(coordinates):
        raise WsrError(
            "Placing weights takes a map of one point or more, one for each of its weight vectors: here are "
            f"{counted(len(weights), 'weight vector')} and {counted(len(coordinates), 'point')}."
        )

    everything = torch.from_numpy(np.ascontiguousarray(weights))
    queries = torch.from_numpy(np.ascontiguousarray(new, np.float32))
    centre = everything.mean(0, dtype=torch.float32)
    return interpolated(*nearest(queries, everything, k, "cosine", centre), coordinates)


def interpolated(
    index: Int[Tensor, "m k"], distance: Float[Tensor, "m k"], coordinates: Float[np.ndarray, "n d"]
) -> Float[np.ndarray, "m d"]:
    """The mean of the coordinates of each weight's neighbours, weighted by inverse distance: the rows and distances
    that `nearest` finds. WsrError for distances that are not finite."""
    pull = 1 / (distance.numpy().clip(0) + 1e-6)  # (m, k)
    pull /= pull.sum(1, keepdims=True)
    found = np.einsum("mk,mkd->md", pull, coordinates[index.numpy()])
    if not np.isfinite(found).all():
        raise WsrError("Weights that hold NaN or infinite numbers have no place on a map.")
    return found
