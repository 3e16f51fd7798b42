"""Heat map of an instance's weights: each layer is a strip with its matrices side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.figures.arrays import binary
from app.shared.palette import DIVERGING

Layers = Sequence[tuple[str, np.ndarray]]


def layer_arrays(weights: np.ndarray, layout: Sequence[Mapping[str, Any]]) -> list[tuple[str, np.ndarray]]:
    """Returns the names and tensors of one stored vector (p,). layout: that of zoo.json. Frozen entries are NaN."""
    arrays = []
    for entry in layout:
        flat = np.full(int(np.prod(entry["shape"])), np.nan, np.float32)
        trained = np.ones(flat.size, bool)
        trained[list(entry["frozen"])] = False
        flat[trained] = weights[entry["offset"] : entry["offset"] + int(trained.sum())]
        arrays.append((entry["name"], flat.reshape(entry["shape"])))
    return arrays


def weights_figure(layers: Layers, centres: Layers | None = None) -> dict[str, Any]:
    """Chart of all matrices as heat maps. Each layer (the name up to its last dot) is a row of blocks, and each kind
    (the rest of the name: A and B of an adapter, weight and bias of an MLP) is a column.

    Tall matrices are transposed, so that rows are rank components: A is (r, d_in), and B is drawn as (r, d_out).
    Colours show the difference from `centres` (arrays of the same names; by default 0). Each kind has its own scale,
    which is stated above its column. Frozen entries (NaN) stay empty.
    """
    start = dict(centres or ())
    blocks: dict[str, dict[str, np.ndarray]] = {}
    for name, array in layers:
        layer, _, kind = name.rpartition(".")
        blocks.setdefault(layer, {})[kind] = _lying(array - start.get(name, 0.0))
    tops, rows = _stack([max(len(a) for a in kinds.values()) for kinds in blocks.values()], gap=1)
    kinds = list(dict.fromkeys(kind for row in blocks.values() for kind in row))
    widths = [max(row[kind].shape[1] for row in blocks.values() if kind in row) for kind in kinds]
    lefts, columns = _stack(widths, gap=4)
    traces, headings = [], []
    for kind, left, width in zip(kinds, lefts, widths, strict=True):
        z = np.full((rows, width), np.nan, np.float32)
        for top, row in zip(tops, blocks.values(), strict=True):
            if kind in row:
                z[top : top + len(row[kind]), : row[kind].shape[1]] = row[kind]
        span = _span(z)
        traces.append({
            "type": "heatmap", "z": binary(z), "x0": left, "y0": 0, "dx": 1, "dy": 1, "zmin": -span, "zmax": span,
            "colorscale": DIVERGING, "showscale": False, "hoverongaps": False, "name": kind,
            "hovertemplate": f"{kind}: %{{z:+.3g}}{' from the start' if start else ''}<extra></extra>",
        })  # fmt: skip
        headings.append(f"{'Bᵀ' if kind == 'B' else kind} (±{span:.2g})")
    quiet = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True}
    return {
        "data": traces,
        "layout": {
            "xaxis": {
                **quiet, "side": "top", "range": [-0.5, columns - 0.5],
                "tickvals": [x + (w - 1) / 2 for x, w in zip(lefts, widths, strict=True)], "ticktext": headings,
            },
            "yaxis": {
                **quiet, "range": [rows - 0.5, -0.5], "title": {"text": "Layer", "standoff": 4}, "automargin": True,
                "tickvals": [(top + bottom - 1) / 2 for top, bottom in zip(tops, [*tops[1:], rows + 1], strict=True)],
                "ticktext": [_short(layer) for layer in blocks],
            },
            "margin": {"l": 36, "r": 4, "t": 24, "b": 4},
            "uirevision": "weights",
        },
    }  # fmt: skip


def _lying(array: np.ndarray) -> np.ndarray:
    array = np.atleast_2d(np.asarray(array, np.float32))
    return array.T if array.shape[0] > array.shape[1] else array


def _stack(sizes: Sequence[int], gap: int) -> tuple[list[int], int]:
    """Returns where blocks of these sizes begin when they follow each other with a gap, and where the last one ends."""
    starts = np.cumsum([0, *(size + gap for size in sizes)])
    return starts[:-1].tolist(), int(starts[-1] - gap) if len(sizes) else 0


def _span(z: np.ndarray) -> float:
    """Returns the value of the strongest colour: the 99th percentile of the absolute values, so that an outlier does
    not make all others pale."""
    known = np.abs(z[np.isfinite(z)])
    return max(float(np.quantile(known, 0.99)), 1e-6) if known.size else 1.0


def _short(layer: str) -> str:
    head, _, number = layer.rpartition(".")
    return str(int(number) + 1) if head == "layers" and number.isdigit() else layer
