"""The networks in assets/: their weights, nearest neighbours, and decoded pictures. The engine is imported at the first
call.

The walk from a zoo to a picture begins here. `library.collection` reads the description, the index and the map without
the engine. `zoo` opens the zoo and, at the first decode, builds the one model of its weights on the base that
`load_base` keeps for all zoos. `vector` reads the row of an item and converts it once from the stored type to float32:
the picture, the surface and the heat map are made from this tensor, which each of them turns into an array as it leaves
torch (`decode`, `layer_arrays`). `weights` reads all rows once and keeps them in the stored type; `nearest` and
`places` convert a block of rows at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Float, UInt8

from app.components.field.files import field_of
from app.figures.weights import layer_arrays
from app.shared.library import CLUSTER, collection, collection_names, files_of, meta_of, zoo_dir
from wsr.caching import cached_by_file
from wsr.errors import WsrError

if TYPE_CHECKING:
    from torch import Tensor

    from app.shared.fitted import Fitted
    from wsr import Zoo

NEIGHBOURS = 5  # among which weights are placed on a map


@cached_by_file(files_of, maxsize=24)
def zoo(name: str) -> Zoo:
    """Opens the zoo of a collection. Imports torch."""
    from wsr import Zoo

    return Zoo.open(zoo_dir(collection(name).name))


@cached_by_file(files_of, maxsize=24)
def weights(name: str) -> Float[Tensor, "n p"]:
    """Stored weights of a collection, in its order and in the type on disk: in fp16 about 16 MB for a thousand."""
    from wsr import Zoo

    once = Zoo.open(zoo(name).path)  # which keeps what it has read: `zoo(name)` would keep it beside this for ever
    return once.weights(collection(name).ids, dtype=None)


@cached_by_file(files_of, maxsize=256)
def vector(name: str, item: str) -> Float[Tensor, "1 p"]:
    """Returns an item's stored vector in float32, from which it is decoded and drawn."""
    return zoo(name).weights([collection(name).ids[collection(name).position(item)]])


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


def places(name: str, one: Float[Tensor, "1 p"]) -> tuple[str, dict[tuple[str, int], list[float]]]:
    """Places weights of this collection's kind: returns the nearest item, and coordinates on each of its maps by
    (method, dims). The collection is searched once, and once more for maps that leave items out."""
    from wsr.analysis import interpolated, nearest

    found, vectors = collection(name), weights(name)
    searched = {None: nearest(one, vectors, NEIGHBOURS, centre=_mean(name, "raw"))}
    points = {}
    for key, coordinates in found.maps.items():
        known = np.isfinite(coordinates).all(axis=1)
        which = None if known.all() else known.tobytes()
        if which not in searched:
            rows = vectors[known]
            searched[which] = nearest(one, rows, NEIGHBOURS, centre=rows.float().mean(0))
        points[key] = [float(x) for x in interpolated(*searched[which], coordinates[known])[0]]
    return found.ids[int(searched[None][0][0, 0])], points


def alike(fitted: Fitted) -> list[str]:
    """The collections whose weights decode as a visitor's own do: on the same base, with the same layout and mask."""
    from wsr.fields.description import FieldDescription

    own = FieldDescription.of(fitted.model)

    def decodes_alike(name: str) -> bool:
        meta = meta_of(zoo_dir(name))
        return (meta["base_sha256"] or None, meta["mask_seed"]) == (own.base_sha256, own.mask_seed)

    return [
        found.name
        for found in map(collection, collection_names())
        if (found.modality, found.representation) == (fitted.modality, fitted.model.name)
        and found.layout == fitted.model.layout.to_json()
        and decodes_alike(found.name)
    ]


def nearest_item(name: str, one: Float[Tensor, "1 p"]) -> str:
    """The item of a collection that is nearest to weights of its kind."""
    from wsr.analysis import nearest

    return collection(name).ids[int(nearest(one, weights(name), 1, centre=_mean(name, "raw"))[0][0, 0])]


def column(name: str, key: str) -> np.ndarray:
    """Returns the values of a column, in the collection's order: numbers, or names of groups."""
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
    return layer_arrays(vector(name, item)[0].numpy(), collection(name).layout)


@cached_by_file(files_of, maxsize=4)
def start_layers(name: str) -> list[tuple[str, np.ndarray]]:
    """Returns the named tensors around which all fits of a collection start: the init without its random part, or,
    where all fits start at the first fit, the tensors of that fit. None of what was fitted elsewhere: nobody says where
    it began."""
    from wsr.zoo.recipe import FIRST, zoo_start

    kept = zoo(name)
    if not kept.representation.kind.fitted:
        return []
    init = kept.meta["init"]
    begun = zoo_start(kept) if init == FIRST else kept.representation.initial(init=init, sigma=0.0)
    return layer_arrays(begun.cpu().numpy(), collection(name).layout)


def picture(name: str, item: str, resolution: int, size: int | None = None) -> UInt8[np.ndarray, "h w 3"]:
    """Decodes an item's weights at any resolution, as a picture. size: its pixels along an edge, by default as many."""
    return collection(name).modality.picture(_decoded(name, item, resolution), size or resolution)


def field(name: str, item: str) -> dict[str, str] | None:
    """What the page needs to zoom into an item's picture, if it can."""
    return field_of(zoo(name).representation, {"a": vector(name, item)[0]})


def _decoded(name: str, item: str, resolution: int) -> Any:
    from wsr.render.decode import decode

    return decode(zoo(name).representation, vector(name, item), resolution)[0]


@cached_by_file(files_of, maxsize=64)
def surface_glb(name: str, item: str, resolution: int) -> bytes:
    """Decodes a shape's weights to a surface, as a GLB file. WsrError if the field has no inside."""
    from wsr.render.surfaces import to_glb

    mesh = _decoded(name, item, resolution)
    if not len(mesh.faces):
        raise WsrError(f"The weights of {item!r} decode to an empty shape: the field says that all points are outside.")
    return to_glb(mesh, None)
