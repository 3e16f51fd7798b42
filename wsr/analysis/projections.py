"""Maps of weight space: PCA, t-SNE and UMAP in two and three dimensions, and placing new weights on them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from wsr.analysis.neighbours import nearest
from wsr.errors import unknown_name

METHODS = ("umap", "tsne", "pca")
PCA_FIRST = 50  # t-SNE and UMAP see the leading components: the rest is noise of the fit, and 150 times as many numbers


@dataclass
class Projection:
    """Coordinates (n, dims) of n weights, centred, in [-1, 1]."""

    method: str
    dims: int
    coordinates: Float[np.ndarray, "n d"]


def project(weights: Float[np.ndarray, "n p"], method: str, dims: int, seed: int = 0) -> Projection:
    """One map. Weights are standardised together (one mean a parameter, one scale for all), so that parameters that
    move more count more."""
    from sklearn.decomposition import PCA

    if method not in METHODS:
        raise unknown_name("projection", method, METHODS)
    centred = weights - weights.mean(0)
    leading = PCA(min(PCA_FIRST, *weights.shape), random_state=seed).fit_transform(centred)
    if method == "pca":
        found = leading[:, :dims]
    elif method == "tsne":
        from sklearn.manifold import TSNE

        found = TSNE(dims, perplexity=min(30, (len(weights) - 1) / 3), random_state=seed, init="pca").fit_transform(
            leading
        )
    else:
        import umap

        found = umap.UMAP(
            n_components=dims,
            n_neighbors=min(15, len(weights) - 1),
            min_dist=0.1,
            metric="cosine",
            random_state=seed,
            n_jobs=1,
        ).fit_transform(leading)
    found = found - (found.max(0) + found.min(0)) / 2
    return Projection(method, dims, (found / np.abs(found).max()).astype(np.float32))


def project_all(weights: Float[np.ndarray, "n p"], seed: int = 0) -> Iterator[Projection]:
    """All methods, in 2D and 3D."""
    for method in METHODS:
        for dims in (2, 3):
            yield project(weights, method, dims, seed)


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

    everything = torch.from_numpy(np.ascontiguousarray(weights, np.float32))
    queries = torch.from_numpy(np.ascontiguousarray(new, np.float32))
    index, distance = nearest(queries, everything, k, "cosine", centre=everything.mean(0))
    pull = 1 / (distance.numpy().clip(0) + 1e-6)  # (m, k)
    pull /= pull.sum(1, keepdims=True)
    return np.einsum("mk,mkd->md", pull, coordinates[index.numpy()])
