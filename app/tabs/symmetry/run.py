"""What the Symmetry tab computes: a fitted field, what was done to its weights, and what that changed."""

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
    """A fit of a collection, opened up: its full weights (1, total), frozen entries in place."""

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
    """What an action did. picture: what the weights are now; difference: the largest of any decoded value; distance: L2
    between the weight vectors, and `size`, their norm before; broken: frozen entries that lost their value."""

    full: "Tensor"
    picture: np.ndarray
    difference: float
    distance: float
    size: float
    broken: int


@cached_by_file(library.files_of, maxsize=64)
def subject(name: str, item: str) -> Subject:
    """An item of a collection; both come from the page and are looked up. WsrError for what is not there."""
    model = networks.zoo(name).representation
    return Subject(name, item, model, model.layout.fill(networks.vector(name, item)))


def names_of(dataset: str) -> dict[str, str]:
    """The collections of a data set by representation."""
    found = [library.collection(name) for name in library.collection_names()]
    return {one.representation: one.name for one in found if one.dataset == dataset}


def act(of: Subject, kind: str, seed: int, strength: float) -> Moved:
    """A random element of a group acts on the weights."""
    from wsr import symmetry

    return changed(of, symmetry.act(of.model, of.full, kind, seed, strength))


def remasked(of: Subject, moved: Moved) -> Moved:
    """The mask put back onto weights that left it."""
    from wsr.symmetry import remask

    return changed(of, remask(of.model, moved.full))


def changed(of: Subject, full: "Tensor") -> Moved:
    """What these weights are, beside the subject's own."""
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
    """The field at fixed places: all pixels of an image in [0, 1], or 20,000 points for the logits of a shape."""
    return looking.SEEN.get((model, "values", looking.digest(full)), lambda: _values(model, full))


def _values(model: "Representation", full: "Tensor") -> Float[np.ndarray, "q v"]:
    from wsr.render.decode import evaluate_in_chunks

    points = model.modality.places(model.modality.resolutions.judged)
    found = evaluate_in_chunks(model.unmasked(), full, points)[0].numpy()
    return model.modality.shown(found)


def picture(model: "Representation", full: "Tensor") -> np.ndarray:
    """What full weights decode to, allowed by the mask or not: an image, or a surface as it is drawn from one side."""
    return looking.SEEN.get((model, "picture", looking.digest(full)), lambda: _picture(model, full))


def _picture(model: "Representation", full: "Tensor") -> np.ndarray:
    from wsr.render.decode import decode

    modality = model.modality
    shown = decode(model.unmasked(), full, modality.resolutions.judged)[0]
    if modality.empty(shown):
        return np.full((VIEW, VIEW, 3), 255, np.uint8)
    return modality.picture(shown, VIEW)


def jump(of: Subject, moved: Moved, method: str, dims: int) -> list[float]:
    """Where the moved weights belong on the collection's map."""
    library.collection(of.name).points(method, dims)
    _, places = networks.places(of.name, of.model.layout.strip(moved.full))
    return places[method, dims]


@dataclass(frozen=True)
class Terms:
    """Theorem 2 in one layer: W̄ (c, c), the rank-one terms b_i ⊗ a_i that scale its entries, (r, c, c) each, and the
    field with only the chosen terms, in all layers."""

    base: Float[np.ndarray, "c c"]
    terms: Float[np.ndarray, "r c c"]
    picture: np.ndarray


def terms(of: Subject, layer: int, chosen: list[int]) -> Terms:
    """W' as a sum of diag(b_i) W̄ diag(a_i), and what remains of the field with the chosen terms only. WsrError for
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
