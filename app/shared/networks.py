"""The networks in assets/: their weights, nearest neighbours, and decoded pictures. The engine is imported at the first
call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Float

from app.figures.weights import layer_arrays
from app.shared.library import CLUSTER, collection, files_of
from wsr.caching import cached_by_file
from wsr.errors import WsrError
from wsr.paths import assets_dir

if TYPE_CHECKING:
    from torch import Tensor

    from wsr import Zoo


@cached_by_file(files_of, maxsize=24)
def zoo(name: str) -> Zoo:
    """Opens the zoo of a collection. Imports torch."""
    from wsr import Zoo

    return Zoo.open(assets_dir() / "zoos" / collection(name).name)


@cached_by_file(files_of, maxsize=24)
def weights(name: str) -> Float[Tensor, "n p"]:
    """Stored weights of a collection, in its order and in the type on disk: in fp16 about 16 MB for a thousand."""
    from wsr import Zoo

    once = Zoo.open(zoo(name).path)  # which keeps what it has read: `zoo(name)` would keep it beside this for ever
    return once.weights(collection(name).ids, dtype=None)


@cached_by_file(files_of, maxsize=4)
def canonical_weights(name: str) -> Float[Tensor, "n p"]:
    """The weights of a collection in their canonical form."""
    from wsr.symmetry import canonical

    return canonical(zoo(name).representation, weights(name).float())


@cached_by_file(files_of, maxsize=8192)
def neighbours(
    name: str, item: str, count: int = 6, metric: str = "cosine", form: str = "raw"
) -> list[tuple[str, float]]:
    """The nearest items in weight space and their distances, nearest first. metric: "cosine" (1 − cosine about the
    zoo's mean) or "l2"; form: of the weights as they are ("raw") or in their canonical form."""
    from wsr.analysis import nearest

    found, vectors = collection(name), canonical_weights(name) if form == "canonical" else weights(name)
    at = found.position(item)
    centre = _mean(name, form) if metric == "cosine" else None
    index, distance = nearest(vectors[at : at + 1], vectors, count + 1, metric, centre)  # 100,000 rows: a second
    near = [(i, d) for i, d in zip(index[0].tolist(), distance[0].tolist(), strict=True) if i != at][:count]
    return [(found.ids[i], d) for i, d in near]


@cached_by_file(files_of, maxsize=8)
def _mean(name: str, form: str) -> Float[Tensor, " p"]:
    import torch

    return (canonical_weights(name) if form == "canonical" else weights(name)).mean(0, dtype=torch.float32)


def column(name: str, key: str) -> np.ndarray:
    """Values of a column, in the collection's order: numbers, or names of groups."""
    if key == CLUSTER:
        return clusters(name)
    values = collection(name).index[key]
    return values.to_numpy() if pd.api.types.is_numeric_dtype(values) else values.fillna("").astype(str).to_numpy()


@cached_by_file(files_of, maxsize=8)
def clusters(name: str) -> np.ndarray:
    """Names of k-means clusters, as many as there are classes, the largest first. Takes a few seconds."""
    from sklearn.cluster import KMeans

    count = len(set(collection(name).classes))
    found = KMeans(count, n_init=4, random_state=0).fit_predict(weights(name).float().numpy())
    order = np.argsort(-np.bincount(found))
    rank = np.argsort(order)
    return np.array([f"cluster {rank[i] + 1}" for i in found])


def weight_layers(name: str, item: str) -> list[tuple[str, np.ndarray]]:
    """An item's named tensors, frozen entries NaN."""
    collection(name).position(item)
    return layer_arrays(zoo(name).weights([item])[0].numpy(), collection(name).layout)


@cached_by_file(files_of, maxsize=4)
def start_layers(name: str) -> list[tuple[str, np.ndarray]]:
    """The named tensors all fits of a collection start around: the init without its random part, or, where the first
    fit starts the others, that one."""
    from wsr.zoo.build import FIRST, zoo_start

    kept = zoo(name)
    init = kept.meta["init"]
    begun = zoo_start(kept) if init == FIRST else kept.representation.initial(init=init, sigma=0.0)
    return layer_arrays(begun.cpu().numpy(), collection(name).layout)


def picture(name: str, item: str, resolution: int) -> Float[np.ndarray, "h w 3"]:
    """What an image's weights decode to, at any resolution, in [0, 1]."""
    found = collection(name)
    return np.asarray(zoo(name).decode([found.ids[found.position(item)]], resolution)[0])


@cached_by_file(files_of, maxsize=64)
def surface_glb(name: str, item: str, resolution: int) -> bytes:
    """What a shape's weights decode to, as a GLB file. WsrError where the field has no inside."""
    from wsr.render.surfaces import to_glb

    found = collection(name)
    mesh = zoo(name).decode([found.ids[found.position(item)]], resolution)[0]
    if not len(mesh.faces):
        raise WsrError(f"The weights of {item!r} decode to nothing: the field is outside everywhere.")
    return to_glb(mesh, None)
