"""Maps of weight space: PCA, t-SNE and UMAP in two and three dimensions, and placing new weights on them."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from wsr.analysis.neighbours import nearest
from wsr.errors import WsrError
from wsr.isolation import Children, Limits, cores
from wsr.map_layouts import METHODS, NAMES, ProjectionConfig, layout

LEAST_JUDGED = 3  # points that have nearer and farther neighbours

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
    """A projection on its way: seconds so far, and at the end what was found."""

    seconds: float
    found: Projection | None = None


@dataclass(frozen=True)
class Faithfulness:
    """How far a map may be believed. trustworthiness in [0, 1]: whether points that are near on the map are near in
    weight space; overlap in [0, 1]: the share of a weight's nearest neighbours that are its nearest on the map; k: how
    many neighbours were looked at."""

    trustworthiness: float
    overlap: float
    k: int = 10


def project(
    weights: Float[np.ndarray, "n p"], config: ProjectionConfig, *, seconds: float | None = None
) -> Projection:
    """One map of one weight vector or more. Weights are centred and keep their scale, so that parameters that move more
    count more. Equal rows are at one place; up to dims + 1 different ones are laid out by PCA whatever the method, for
    then their distances fit into the map exactly.

    t-SNE and UMAP run in a child process, at most `seconds` long (None: as long as they take). WsrError for weights
    that are not (n, p) or hold NaN or infinite numbers, and if the method fails or its process ends.
    """
    weights = _checked(weights)
    if config.method == "pca":
        return Projection(config.method, config.dims, layout(weights, config))
    return _project_in_child(weights, config, Limits(seconds=seconds, what=_what(config)))


def project_stream(
    weights: Float[np.ndarray, "n p"], config: ProjectionConfig, every: float = 0.5, *, seconds: float | None = None
) -> Iterator[ProjectionRecord]:
    """`project` in a child process, which ends at once when this generator is closed: t-SNE and UMAP cannot be
    interrupted. Yields every so many seconds, and at last what was found."""
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
    """Finite float32 or float64, or a WsrError."""
    weights = np.asarray(weights)
    if weights.ndim != 2 or not weights.size or weights.dtype.kind not in "fiu":
        raise WsrError(
            f"A map is of one weight vector or more, numbers of shape (n, p), not of {weights.dtype} {weights.shape}."
        )
    if weights.dtype not in (np.float32, np.float64):
        weights = weights.astype(np.float32)
    wrong = np.flatnonzero(~np.isfinite(weights).all(1)).tolist()
    if wrong:
        rows = ", ".join(map(str, wrong[:5])) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        raise WsrError(
            f"{len(wrong)} of {len(weights)} weight vectors hold NaN or infinite numbers (rows {rows}): leave them out."
        )
    return weights


def faithfulness(
    weights: Float[np.ndarray, "n p"], coordinates: Float[np.ndarray, "n d"], k: int = 10
) -> Faithfulness:
    """By k nearest neighbours (fewer where there are not 2k + 1 points), Euclidean on both sides, on at most 2,000 of
    the points. WsrError for fewer than three points and for NaN or infinite numbers."""
    from sklearn.manifold import trustworthiness
    from sklearn.neighbors import NearestNeighbors

    if len(weights) < LEAST_JUDGED or len(weights) != len(coordinates):
        raise WsrError(
            f"A map is judged by {LEAST_JUDGED} points or more, as many as there are weights: here are {len(weights)} "
            f"weights and {len(coordinates)} points."
        )
    step = -(-len(weights) // 2000)
    weights, coordinates = _checked(weights[::step]), _checked(coordinates[::step])
    k = max(1, min(k, (len(weights) - 1) // 2))
    near = [NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False) for x in (weights, coordinates)]
    overlap = np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(*near, strict=True)])
    return Faithfulness(float(trustworthiness(weights, coordinates, n_neighbors=k)), float(overlap), k)


def project_all(weights: Float[np.ndarray, "n p"], seed: int = 0) -> Iterator[Projection]:
    """All methods, in 2D and 3D."""
    for method in METHODS:
        for dims in (2, 3):
            yield project(weights, ProjectionConfig(method, dims, seed=seed))


def to_table(ids: list[str], projections: list[Projection]) -> pd.DataFrame:
    """The columns of assets/maps: id, method, dims, x, y, z (z is 0 in 2D)."""
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
    """Where new weights belong on a map that is already drawn: the mean of their k nearest neighbours' places, nearer
    ones counting more. An approximation that holds for any projection, and exact for a weight that is on the map.
    WsrError for an empty map, and for NaN or infinite numbers."""
    import torch

    if not len(weights) or len(weights) != len(coordinates):
        raise WsrError(f"Weights are placed among one point or more: here are {len(weights)} and {len(coordinates)}.")

    everything = torch.from_numpy(np.ascontiguousarray(weights))
    queries = torch.from_numpy(np.ascontiguousarray(new, np.float32))
    centre = everything.mean(0, dtype=torch.float32)
    index, distance = nearest(queries, everything, k, "cosine", centre)
    pull = 1 / (distance.numpy().clip(0) + 1e-6)  # (m, k)
    pull /= pull.sum(1, keepdims=True)
    found = np.einsum("mk,mkd->md", pull, coordinates[index.numpy()])
    if not np.isfinite(found).all():
        raise WsrError("Weights that hold NaN or infinite numbers have no place on a map.")
    return found
