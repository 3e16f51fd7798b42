"""The map: every point a fit, every colour a class."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from app.figures.arrays import binary
from app.palette import OTHER_COLOUR, class_colours


def atlas_figure(
    points: Float[np.ndarray, "n d"],
    classes: Sequence[str],
    labels: Sequence[str],
    ids: Sequence[str],
    *,
    method: str = "",
    cells: Sequence[int] | None = None,
    view: str = "map",
) -> dict[str, Any]:
    """A scatter chart of n points in 2 or 3 dimensions, one trace for each class.

    `labels` and `ids` are what a visitor reads and what a click sends back; `cells` says where each point's thumbnail
    is on the sprite sheet. A chart drawn again with the same `view` keeps its zoom and camera. Both axes have one
    scale: in a projection only distances mean something, so ticks are left out.
    """
    points = np.asarray(points, np.float32)  # (n, d)
    dims = points.shape[1]
    classes = np.asarray(classes, dtype=object)
    colours = class_colours(list(classes))
    traces = [
        _trace(name, np.flatnonzero(classes == name), points, labels, ids, cells, colours[name]) for name in colours
    ]
    title = f"{method} " if method else ""
    if dims == 3:
        axes = {f"{a}axis": _axis(f"{title}{i}", 3) for i, a in enumerate("xyz", 1)}
        layout = {"scene": {**axes, "aspectmode": "data", "camera": {"eye": {"x": 1.1, "y": 1.1, "z": 0.8}}}}
    else:
        layout = {"xaxis": _axis(f"{title}1", 2), "yaxis": {**_axis(f"{title}2", 2), "scaleanchor": "x"}}
    return {
        "data": traces,
        "layout": {
            **layout,
            "uirevision": view,
            "margin": {"l": 24, "r": 8, "t": 8, "b": 24} if dims == 2 else {"l": 0, "r": 0, "t": 0, "b": 0},
            "legend": {"orientation": "h", "itemsizing": "constant", "y": -0.06, "yanchor": "top"},
            "showlegend": len(traces) > 1,
            "hovermode": "closest",
        },
    }


def _trace(name, members, points, labels, ids, cells, colour) -> dict[str, Any]:
    solid = points.shape[1] == 3
    trace = {
        "type": "scatter3d" if solid else "scattergl",
        "mode": "markers",
        "name": name or "no class",
        "customdata": [str(ids[i]) for i in members],
        "text": [str(labels[i]) for i in members],
        "hoverinfo": "none",  # the component draws its own, with a thumbnail
        "marker": {"size": 4 if solid else 7, "color": colour or OTHER_COLOUR, "opacity": 0.9},
        **{axis: binary(points[members, k]) for k, axis in enumerate("xyz"[: points.shape[1]])},
    }
    if cells is not None:
        trace["meta"] = {"cells": [int(cells[i]) for i in members]}
    return trace


def _axis(title: str, dims: int) -> dict[str, Any]:
    return {"title": {"text": title, "standoff": 4}, "showticklabels": False, "zeroline": False, "showgrid": dims == 3}
