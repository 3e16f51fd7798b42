"""The chart of the map: each fit is a point, and each class has a colour."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from app.figures.arrays import binary
from app.shared.palette import OTHER_COLOUR, class_colours

# So far away, and looking so far below the middle of the points, that the titles of the axes are on the chart at every
# width, those of the lower two axes as well.
CAMERA = {"eye": {"x": 1.45, "y": 1.45, "z": 1.0}, "center": {"x": 0, "y": 0, "z": -0.15}}


@dataclass(frozen=True)
class Points:
    """n points in 2 or 3 dimensions. labels: texts for the visitor. ids: what the page sends when a point is clicked.
    cells: the number of each point's thumbnail on the sprite sheet."""

    places: Float[np.ndarray, "n d"]
    classes: Sequence[str]
    labels: Sequence[str]
    ids: Sequence[str]
    cells: Sequence[int] | None = None


def atlas_figure(
    points: Points,
    *,
    method: str = "",
    colour: tuple[str, np.ndarray] | None = None,
    only: Sequence[str] = (),
    view: str = "map",
    title: str = "",
    named: bool = False,
) -> dict[str, Any]:
    """A scatter chart of n points in 2 or 3 dimensions.

    colour: a name, and a value for each point, by default its class. Points with equal texts form a trace with an entry
    in the legend; numbers are drawn on a colour scale. only: the classes to look at; all others become faint. view: a
    chart that is drawn again with the same view keeps its zoom and camera. title: stands above the map. named: whether
    each text of a flat chart stands at the median of its points. All axes have the same scale and no ticks, because in
    a projection only distances have a meaning.
    """
    classes = np.asarray(points.classes, dtype=object)
    points = replace(points, places=np.asarray(points.places, np.float32), classes=classes)
    dims = points.places.shape[1]
    told, values = colour if colour is not None else ("class", classes)
    wanted = np.isin(classes, list(only)) if only else np.ones(len(classes), bool)
    faint = [_trace("others", np.flatnonzero(~wanted), points, OTHER_COLOUR, opacity=0.15)] if only else []
    if np.issubdtype(np.asarray(values).dtype, np.number):
        traces = [_scaled(told, np.flatnonzero(wanted), points, np.asarray(values, np.float32))]
    else:
        values = np.asarray(values, dtype=object)
        colours = class_colours(list(values))
        traces = [_trace(name, np.flatnonzero((values == name) & wanted), points, colours[name]) for name in colours]
        for name, trace in zip(colours, traces, strict=True):
            if named and name and dims == 2 and trace["customdata"]:
                trace["meta"]["middle"] = _middle(points.places[(values == name) & wanted])
    traces = [trace for trace in [*faint, *traces] if trace["customdata"]]
    layout = _layout(f"{method} " if method else "", dims, view, len(traces) > 1)
    # plotly would hide the trace of the same number, of which no name may be there to bring it back
    layout["legend"]["uirevision"] = "/".join([told, *(trace["name"] for trace in traces)])
    if title:
        layout["title"] = {"text": title, "x": 0.01, "y": 0.99, "yanchor": "top", "font": {"size": 13}}
        layout["margin"]["t"] = 28
    return {"data": traces, "layout": layout}


def _middle(places: Float[np.ndarray, "n d"]) -> list[float]:
    return [round(float(one), 4) for one in np.median(places, axis=0)]


def _layout(title: str, dims: int, view: str, legend: bool) -> dict[str, Any]:
    if dims == 3:
        axes = {f"{a}axis": _axis(f"{title}{i}", 3) for i, a in enumerate("xyz", 1)}
        layout = {"scene": {**axes, "aspectmode": "data", "camera": CAMERA}}
    else:
        layout = {"xaxis": _axis(f"{title}1", 2), "yaxis": {**_axis(f"{title}2", 2), "scaleanchor": "x"}}
    return {
        **layout,
        "uirevision": view,
        "margin": {"l": 24, "r": 8, "t": 8, "b": 24} if dims == 2 else {"l": 0, "r": 0, "t": 0, "b": 0},
        "legend": {"orientation": "h", "itemsizing": "constant", "y": -0.06, "yanchor": "top"},
        "showlegend": legend,
        "hovermode": "closest",
    }


def _scaled(title: str, members: np.ndarray, points: Points, values: np.ndarray) -> dict[str, Any]:
    """A trace of the points with these indices, coloured by numbers."""
    trace = _trace(title, members, points, OTHER_COLOUR)
    trace["marker"] |= {
        "color": binary(values[members]),
        "colorscale": "Viridis",
        # below the map, as legends are: beside it, it would take width, of which a phone has little
        "colorbar": {
            "title": {"text": title, "side": "top"}, "orientation": "h", "thickness": 12, "len": 0.6, "outlinewidth": 0,
            "y": -0.02 if points.places.shape[1] == 3 else -0.08, "yanchor": "top",
        },  # fmt: skip
    }
    return trace


def _trace(name: str, members: np.ndarray, points: Points, colour: str, opacity: float = 0.9) -> dict[str, Any]:
    """A trace of the points with these indices, in one colour."""
    dims = points.places.shape[1]
    solid = dims == 3
    meta = {} if points.cells is None else {"cells": [int(points.cells[i]) for i in members]}
    if (points.classes[members] != name).any():
        # the tip names the class even if the colours show something else
        meta["names"] = [str(points.classes[i]) for i in members]
    return {
        "type": "scatter3d" if solid else "scattergl",
        "mode": "markers",
        "name": name or "no class",
        "customdata": [str(points.ids[i]) for i in members],
        "text": [str(points.labels[i]) for i in members],
        "hoverinfo": "none",  # the component draws its own tip, with a thumbnail
        "marker": {"size": 4 if solid else 7, "color": colour or OTHER_COLOUR, "opacity": opacity},
        "meta": meta,
        **{axis: binary(points.places[members, k]) for k, axis in enumerate("xyz"[:dims])},
    }


def _axis(title: str, dims: int) -> dict[str, Any]:
    return {"title": {"text": title, "standoff": 4}, "showticklabels": False, "zeroline": False, "showgrid": dims == 3}
