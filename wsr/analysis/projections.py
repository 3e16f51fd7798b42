"""Maps of weight space: PCA, t-SNE and UMAP in two and three dimensions, and placing new weights on them."""

import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from wsr.analysis.neighbours import nearest
from wsr.errors import WsrError, unknown_name

METHODS = ("umap", "tsne", "pca")
PCA_FIRST = 50  # t-SNE and UMAP see the leading components: the rest is noise of the fit, and 150 times as many numbers


@dataclass(frozen=True)
class ProjectionConfig:
    """How a map is made."""

    method: str = "umap"
    dims: int = 2
    neighbours: int = 15
    """How far UMAP looks around a point; t-SNE's perplexity is twice that."""
    min_dist: float = 0.1
    """How close UMAP may put two points."""
    metric: str = "cosine"
    """Between weights, of UMAP: cosine or euclidean."""
    seed: int = 0

    def __post_init__(self):
        if self.method not in METHODS:
            raise unknown_name("projection", self.method, METHODS)
        if self.metric not in ("cosine", "euclidean"):
            raise unknown_name("metric", self.metric, ("cosine", "euclidean"))
        if self.dims not in (2, 3) or self.neighbours < 2 or not 0 <= self.min_dist <= 1:
            raise WsrError(
                f"A map has 2 or 3 dimensions, 2 neighbours or more, and a distance between 0 and 1, not {self.dims}, "
                f"{self.neighbours} and {self.min_dist}."
            )


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
    weight space; overlap in [0, 1]: the share of a weight's nearest neighbours that are its nearest on the map."""

    trustworthiness: float
    overlap: float


def project(weights: Float[np.ndarray, "n p"], config: ProjectionConfig) -> Projection:
    """One map. Weights are centred and keep their scale, so that parameters that move more count more."""
    from sklearn.decomposition import PCA

    dims, seed = config.dims, config.seed
    centred = weights - weights.mean(0)
    leading = PCA(min(PCA_FIRST, *weights.shape), random_state=seed).fit_transform(centred)
    if config.method == "pca":
        found = leading[:, :dims]
    elif config.method == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(2 * config.neighbours, (len(weights) - 1) / 3)
        found = TSNE(dims, perplexity=perplexity, random_state=seed, init="pca").fit_transform(leading)
    else:
        import umap

        found = umap.UMAP(
            n_components=dims,
            n_neighbors=min(config.neighbours, len(weights) - 1),
            min_dist=config.min_dist,
            metric=config.metric,
            random_state=seed,
            n_jobs=1,
        ).fit_transform(leading)
    found = found - (found.max(0) + found.min(0)) / 2
    return Projection(config.method, dims, (found / np.abs(found).max()).astype(np.float32))


def project_stream(
    weights: Float[np.ndarray, "n p"], config: ProjectionConfig, every: float = 0.5
) -> Iterator[ProjectionRecord]:
    """`project` in a process of its own, which ends at once when this generator is closed: t-SNE and UMAP cannot be
    interrupted. Yields every so many seconds, and at last what was found."""
    context, begun = multiprocessing.get_context("spawn"), time.monotonic()
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_project_into, args=(sending, weights, config), daemon=True)
    process.start()
    sending.close()
    try:
        while not receiving.poll(every):
            yield ProjectionRecord(time.monotonic() - begun)
        try:
            found = receiving.recv()
        except EOFError:
            raise WsrError("The projection ended without a result: most likely it ran out of memory.") from None
        yield ProjectionRecord(time.monotonic() - begun, found)
    finally:
        process.kill()
        process.join()


def _project_into(connection, weights: np.ndarray, config: ProjectionConfig) -> None:
    connection.send(project(weights, config))


def faithfulness(
    weights: Float[np.ndarray, "n p"], coordinates: Float[np.ndarray, "n d"], k: int = 10
) -> Faithfulness:
    """By k nearest neighbours, Euclidean on both sides, on at most 2,000 of the points."""
    from sklearn.manifold import trustworthiness
    from sklearn.neighbors import NearestNeighbors

    step = -(-len(weights) // 2000)
    weights, coordinates = weights[::step], coordinates[::step]
    k = min(k, (len(weights) - 1) // 2)
    near = [NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False) for x in (weights, coordinates)]
    overlap = np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(*near, strict=True)])
    return Faithfulness(float(trustworthiness(weights, coordinates, n_neighbors=k)), float(overlap))


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
    ones counting more. An approximation that holds for any projection, and exact for a weight that is on the map."""
    import torch

    everything = torch.from_numpy(np.ascontiguousarray(weights))
    queries = torch.from_numpy(np.ascontiguousarray(new, np.float32))
    centre = everything.mean(0, dtype=torch.float32)
    index, distance = nearest(queries, everything, k, "cosine", centre)
    pull = 1 / (distance.numpy().clip(0) + 1e-6)  # (m, k)
    pull /= pull.sum(1, keepdims=True)
    return np.einsum("mk,mkd->md", pull, coordinates[index.numpy()])
