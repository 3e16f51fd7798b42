"""Content of the Symmetry tab: a fitted field, an action on its weights, and what the action changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from app.components.field.files import Shape, field_of
from app.shared import library, networks
from app.shell import looking
from wsr.caching import cached_by_file
from wsr.errors import WsrError

if TYPE_CHECKING:
    from torch import Tensor

    from wsr.fields.representation import Representation

VIEW = 256  # pixels of a drawn surface


@dataclass(frozen=True)
class Subject:
    """A fit of a collection. full: all its weights (1, total), frozen entries included."""

    name: str
    item: str
    model: "Representation"
    full: "Tensor"

    @property
    def label(self) -> str:
        found = library.collection(self.name)
        return found.labels[found.position(self.item)]


@dataclass(frozen=True)
class Moved:
    """Result of an action on weights. full: the new weights (1, total). picture: decoded from them. difference: the
    largest difference between old and new decoded values. distance: L2 distance between old and new weights. size: L2
    norm of the old weights. broken: number of frozen entries that no longer have their value."""

    full: "Tensor"
    picture: np.ndarray
    difference: float
    distance: float
    size: float
    broken: int


@cached_by_file(library.files_of, maxsize=64)
def subject(name: str, item: str) -> Subject:
    """Opens an item of a collection. Both names may come from the page: WsrError for an unknown one."""
    library.collection(name).position(item)
    model = networks.zoo(name).representation
    return Subject(name, item, model, model.layout.fill(networks.vector(name, item)))


def names_of(dataset: str) -> dict[str, str]:
    """Names of a data set's collections, by representation."""
    return {found.representation: found.name for found in library.collections_of(dataset)}


def act(of: Subject, kind: str, seed: int, strength: float) -> Moved:
    """Applies a random element of a symmetry group to the weights. kind: the group. strength: how far from the identity
    the element is."""
    from wsr import symmetry

    return changed(of, symmetry.act(of.model, of.full, kind, seed, strength))


def in_page(of: Subject, kind: str | None = None, seeds: Sequence[int] = ()) -> dict[str, Any] | None:
    """What the page needs to draw the field of changed weights without the server: by actions, which are given as in
    `act` and named by their seeds, or by fewer terms. None where it cannot."""
    from wsr import symmetry

    own = {"a": of.model.layout.strip(of.full)[0]}
    for seed in seeds:
        parts = symmetry.element(of.model, kind, seed)
        if not parts:
            return None
        own |= {f"{seed}.{name}": part for name, part in parts.items()}
    return field_of(of.model, own, Shape(of.model.modality.resolutions.judged, VIEW))


def shuffled(of: Subject, seed: int) -> "Tensor":
    """All weights (1, total) after a permutation."""
    from wsr import symmetry

    return symmetry.act(of.model, of.full, "permutation", seed, 1.0)


def remasked(of: Subject, moved: Moved) -> Moved:
    """Sets the frozen entries of the moved weights back to the values of the mask."""
    from wsr.symmetry import remask

    return changed(of, remask(of.model, moved.full))


def changed(of: Subject, full: "Tensor") -> Moved:
    """Compares full weights (1, total) with those of the subject."""
    from wsr.symmetry import violations

    now, before = values(of.model, full), values(of.model, of.full)
    return Moved(
        full,
        picture(of.model, full),
        float(np.abs(now - before).max()),
        float((full - of.full).norm()),
        float(of.full.norm()),
        int(violations(of.model, full).sum()),
    )


def values(model: "Representation", full: "Tensor") -> Float[np.ndarray, "q v"]:
    """Values of the field at fixed places: all pixels of an image, in [0, 1], or the logits of a shape at 20,000
    points."""
    return looking.SEEN.get((model, "values", looking.digest(full)), lambda: _values(model, full))


def _values(model: "Representation", full: "Tensor") -> Float[np.ndarray, "q v"]:
    from wsr.render.decode import evaluate_in_chunks

    points = model.modality.places(model.modality.resolutions.judged)
    found = evaluate_in_chunks(model.unmasked(), full, points)[0].numpy()
    return model.modality.shown(found)


def picture(model: "Representation", full: "Tensor") -> np.ndarray:
    """Picture of full weights (1, total), which need not satisfy the mask: an image, or a surface from one side."""
    return looking.SEEN.get((model, "picture", looking.digest(full)), lambda: _picture(model, full))


def _picture(model: "Representation", full: "Tensor") -> np.ndarray:
    from wsr.render.decode import decode

    modality = model.modality
    shown = decode(model.unmasked(), full, modality.resolutions.judged)[0]
    if modality.empty(shown):
        return np.full((VIEW, VIEW, 3), 255, np.uint8)
    return modality.picture(shown, VIEW)


def jump(of: Subject, moved: "Tensor", method: str, dims: int) -> list[float]:
    """Coordinates of new weights (1, total) on the collection's map."""
    library.collection(of.name).points(method, dims)
    _, places = networks.places(of.name, of.model.layout.strip(moved))
    return places[method, dims]


@cached_by_file(lambda name, *_: library.files_of(name), maxsize=16)
def furthest(name: str, items: tuple[str, ...], kind: str, seed: int, method: str, dims: int) -> str:
    """Returns the item whose point moves furthest on the collection's map when an action changes its weights: by it a
    visitor sees at once that the weights have moved. Two hundred items take a second."""
    from wsr import symmetry
    from wsr.analysis import interpolated, nearest

    found, model, vectors = library.collection(name), networks.zoo(name).representation, networks.weights(name)
    points, rows = found.points(method, dims), [found.position(item) for item in items]
    known = np.isfinite(points).all(axis=1)
    moved = symmetry.act(model, model.layout.fill(vectors[rows].float()), kind, seed, 1.0)
    others = vectors[known]
    near = nearest(model.layout.strip(moved), others, networks.NEIGHBOURS, centre=others.float().mean(0))
    away = np.linalg.norm(np.asarray(interpolated(*near, points[known])) - points[rows], axis=1)
    return items[int(np.nanargmax(away))] if np.isfinite(away).any() else items[0]


@dataclass(frozen=True)
class Terms:
    """Theorem 2 in one layer. base: the base's matrix W̄. terms: the r terms of the adapted matrix. picture: the field
    decoded with only the chosen terms, in all layers."""

    base: Float[np.ndarray, "c c"]
    terms: Float[np.ndarray, "r c c"]
    picture: np.ndarray


def terms(of: Subject, layer: int, chosen: list[int]) -> Terms:
    """Splits W' into its terms diag(b_i) W̄ diag(a_i), and decodes the field with the chosen terms only. WsrError for
    anything but an adapter."""
    from wsr.fields.lora import Adapter

    model = of.model
    if not isinstance(model, Adapter):
        raise WsrError("A standalone MLP has no terms: choose LoRA or mLoRA.")
    if not all(isinstance(i, int) and 0 <= i < model.rank for i in chosen):
        raise WsrError(f"The terms are numbered 1 to {model.rank}.")
    a, b = model.pairs(of.full)  # (l, 1, r, c), (l, 1, c, r)
    layer = max(0, min(int(layer), model.layers - 1))
    outer = b[layer, 0].T[:, :, None] * a[layer, 0][:, None, :]  # (r, c, c)
    kept = b.clone()
    kept[..., [i for i in range(model.rank) if i not in chosen]] = 0
    scaled = outer if model.additive else outer * model.folded[layer]
    return Terms(model.folded[layer].numpy(), scaled.numpy(), picture(model, model.joined(a, kept)))
