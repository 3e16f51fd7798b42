"""All weights of a network as a picture, before and after a change: two strips of one scale."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8
from markupsafe import Markup

from app.figures.matrices import matrix_picture
from app.figures.weights import layer_arrays
from app.shared.palette import DIVERGING
from app.shell import snippets
from app.tabs.symmetry.run import Subject

if TYPE_CHECKING:
    from torch import Tensor

GAP = 2  # pixels between matrices
SCALE = 0.99  # the quantile of the absolute values that has the strongest colour
_STRIP = Markup(
    '<figure class="wsr-stripes"><img src="{src}" alt="{alt}"><figcaption{mark}>{title}</figcaption></figure>'
)


def stripes(of: Subject, moved: "Tensor", field: dict[str, Any] | None = None) -> str:
    """Draws the weights of a network before and after a change, given all its weights (1, total) after it. Each row of
    pixels is a neuron or a rank component, and its colours say how far numbers lie from the mean of their matrix before
    the change. field: by which the page changes them and draws the second strip itself (page/stripes.js)."""
    layout = of.model.unmasked().layout.to_json()
    before, after = (layer_arrays(full[0].numpy(), layout) for full in (of.full, moved))
    scales = {name: _scale(array) for name, array in before}
    all_of_them = f"{of.full.shape[1]:,}"
    count = snippets.told("changed", f"{changed(of, moved):,}")
    titles = f"its {all_of_them} weights", Markup("shuffled: {} of {} numbers have changed").format(count, all_of_them)
    said = field and json.dumps({**field, "part": "stripes", "colours": DIVERGING})
    mark = Markup(' data-moves="{}"').format(said) if said else ""
    strips = (_strip([(name, _drawn(array, *scales[name])) for name, array in layers]) for layers in (before, after))
    parts = zip(strips, titles, ("", mark), strict=True)
    drawn = (_STRIP.format(src=snippets.data_uri(strip), title=title, alt=Markup(title).striptags(), mark=mark)
             for strip, title, mark in parts)  # fmt: skip
    return str(Markup("").join(drawn))


def changed(of: Subject, moved: "Tensor") -> int:
    """The number of weights that have another value than before."""
    return int((of.full != moved).sum())


def _scale(array: Float[np.ndarray, "..."]) -> tuple[float, float]:
    """The value in the middle of the scale of a matrix, and how far its strongest colours are from it."""
    middle = float(array.mean())
    return middle, max(float(np.quantile(np.abs(array - middle), SCALE)), 1e-6)


def _drawn(array: Float[np.ndarray, "..."], middle: float, span: float) -> UInt8[np.ndarray, "h w 3"]:
    """Draws a matrix so that it is wider than high: B of an adapter (d, r) lies, as A (r, d) does."""
    matrix = np.atleast_2d(array)
    return matrix_picture((matrix.T if len(matrix) > matrix.shape[1] else matrix) - middle, span)


def _strip(drawn: list[tuple[str, UInt8[np.ndarray, "h w 3"]]]) -> UInt8[np.ndarray, "h w 3"]:
    """Arranges the matrices: layers below each other, or upright and beside each other if they would be a tower."""
    layers: dict[str, list[np.ndarray]] = {}
    for name, picture in drawn:
        layers.setdefault(name.rpartition(".")[0], []).append(picture)
    stacked = _joined([_joined(row, 1) for row in layers.values()], 0)
    return stacked if stacked.shape[1] > len(stacked) else _joined([one.swapaxes(0, 1) for _, one in drawn], 1)


def _joined(pictures: list[UInt8[np.ndarray, "h w 3"]], axis: int) -> UInt8[np.ndarray, "h w 3"]:
    """Puts pictures below (axis 0) or beside (1) each other, with white between them."""
    across = max(picture.shape[1 - axis] for picture in pictures)
    padded = []
    for picture in pictures:
        room = [(0, 0), (0, 0), (0, 0)]
        room[axis], room[1 - axis] = (0, GAP), (0, across - picture.shape[1 - axis])
        padded.append(np.pad(picture, room, constant_values=255))
    whole = np.concatenate(padded, axis)
    return whole[:-GAP] if axis == 0 else whole[:, :-GAP]
