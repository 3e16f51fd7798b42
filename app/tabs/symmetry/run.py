"""Content of the Symmetry tab: a fitted field, an action on its weights, and what the action changes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

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
    """A fit of a collection with its full weights (1, total), frozen entries included."""

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
    """Result of an action. picture: decoded from the new weights; difference: the largest of any decoded value;
    distance: L2 distance between old and new weights; size: norm of the old weights; broken: number of frozen entries
    that have lost their value."""

    full: "Tensor"
    picture: np.ndarray
    difference: float
    distance: float
    size: float
    broken: int


@cached_by_file(library.files_of, maxsize=64)
def subject(name: str, item: str) -> Subject:
    """Opens an item of a collection; both names may come from the page. WsrError for an unknown one."""
    library.collection(name).position(item)
    model = networks.zoo(name).representation
    return Subject(name, item, model, model.layout.fill(networks.vector(name, item)))


def names_of(dataset: str) -> dict[str, str]:
    """Names of a data set's collections, by representation."""
    found = [library.collection(name) for name in library.collection_names()]
    return {one.representation: one.name for one in found if one.dataset == dataset}


def act(of: Subject, kind: str, seed: int, strength: float) -> Moved:
    """Lets a random element of a group act on the weights."""
    from wsr import symmetry

    return changed(of, symmetry.act(of.model, of.full, kind, seed, strength))


def remasked(of: Subject, moved: Moved) -> Moved:
    """Restores the masked entries of weights that left their mask."""
    from wsr.symmetry import remask

    return changed(of, remask(of.model, moved.full))


def changed(of: Subject, full: "Tensor") -> Moved:
    """Compares these weights with the subject's own."""
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
    """Picture of full weights, whether the mask allows them or not: an image, or a surface drawn from one side."""
    return looking.SEEN.get((model, "picture", looking.digest(full)), lambda: _picture(model, full))


def _picture(model: "Representation", full: "Tensor") -> np.ndarray:
    from wsr.render.decode import decode

    modality = model.modality
    shown = decode(model.unmasked(), full, modality.resolutions.judged)[0]
    if modality.empty(shown):
        return np.full((VIEW, VIEW, 3), 255, np.uint8)
    return modality.picture(shown, VIEW)


def jump(of: Subject, moved: Moved, method: str, dims: int) -> list[float]:
    """Coordinates of the new weights on the collection's map."""
    library.collection(of.name).points(method, dims)
    _, places = networks.places(of.name, of.model.layout.strip(moved.full))
    return places[method, dims]


@dataclass(frozen=True)
class Terms:
    """Theorem 2 in one layer: the base's matrix W̄ (c, c), its r terms (r, c, c), and the picture of the field with
    only the chosen terms in all layers."""

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
