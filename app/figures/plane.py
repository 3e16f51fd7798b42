"""Charts of the audit: quality against novelty, distances to the nearest training network, and a heat map of
weights."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from app.figures.arrays import binary
from app.shared.palette import DIVERGING, OTHER_COLOUR, REPRESENTATION_COLOURS

# Our generator, and what a visitor brings, have the colour of their representation. Other generators and real fits have
# colours of their own, and baselines are grey with different markers.
DIFFUSION, YOURS = "diffusion", "your samples"
COLOURS = {"G.pt": "#B3A100", "Hyper-Representations": "#8C6D5A", "p-diff": "#E0457B", "held out": "#7A5FC0"}
PLAIN = "#0072B2"  # of what a visitor brings where its representation has no colour: baselines are grey
MARKERS = {"noise": "x-thin-open", "average": "circle-open", "Gaussian": "triangle-up-open"}
# Because traces belong to groups, Plotly lets their names follow each other like words. Otherwise it puts names into
# columns as wide as the longest name, which on a phone is one column that fills the chart.
LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "tracegroupgap": 0}
# Above a chart with buttons in its corner, they would cover each other where it is narrow. Below it, the axis needs 44
# pixels and three rows of names 70. Where there is less, plotly moves the axis title up, over the axis's numbers; what
# five rows need, on a phone, is added by the chart.
BELOW = {**LEGEND, "yref": "container", "y": 0, "yanchor": "bottom"}
LARGEST = 6.0  # end of both axes: points beyond it are drawn there


def colours(representation: str) -> dict[str, str]:
    """Colours of the generators and of real fits, by the name of the generator."""
    own = REPRESENTATION_COLOURS[representation]
    return {DIFFUSION: own, YOURS: PLAIN if own == OTHER_COLOUR else own, **COLOURS}


def called(generator: str, sample: int) -> str:
    """Returns what one sample of a generator is called."""
    return f"{'your sample' if generator == YOURS else generator} no. {int(sample) + 1}"


def plane_figure(rows: pd.DataFrame, colour: Mapping[str, str]) -> dict[str, Any]:
    """Scatter chart of quality over novelty with a point for each sample. rows: columns `generator`, `sample`,
    `novelty`, `quality`, `verdict`; colour: see `colours`."""
    traces = []
    for generator, part in rows.groupby("generator", sort=False):
        ids = [point_id(generator, sample) for sample in part["sample"]]
        told = [f"{called(generator, i)}: {word}" for i, word in zip(part["sample"], part["verdict"], strict=True)]
        x, y = (part[name].clip(upper=LARGEST).round(4).tolist() for name in ("novelty", "quality"))
        traces.append({
            "type": "scattergl", "mode": "markers", "name": generator, "legendgroup": generator,
            "x": x, "y": y, "customdata": ids,
            "marker": _marker(generator, colour.get(generator, OTHER_COLOUR)),
            "text": told,
            "hovertemplate": "%{text}<br>novelty %{x:.2f}, unlike real %{y:.2f}<extra></extra>",
        })  # fmt: skip
    line = {"type": "line", "line": {"width": 1, "dash": "dot"}}
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": "Novelty (1: a new fit)"},
                      "rangemode": "tozero"},
            "yaxis": {"title": {"text": "Unlike real (1: a new fit)"}, "rangemode": "tozero",
                      "automargin": True},
            "shapes": [{**line, "x0": 1, "x1": 1, "yref": "paper", "y0": 0, "y1": 1},
                       {**line, "y0": 1, "y1": 1, "xref": "paper", "x0": 0, "x1": 1}],
            "margin": {"l": 48, "r": 12, "t": 36, "b": 116},
            "legend": BELOW,
            "uirevision": "plane",
        },
    }  # fmt: skip


def point_id(generator: str, sample: int) -> str:
    return f"{generator}:{sample}"


def _marker(generator: str, colour: str) -> dict[str, Any]:
    symbol = next((symbol for name, symbol in MARKERS.items() if generator.startswith(name)), "circle")
    fine = {"width": 1, "color": colour}
    return {"size": 6, "color": colour, "symbol": symbol, "opacity": 0.75, "line": fine if "open" in symbol else {}}


def distances_figure(
    sets: Mapping[str, Sequence[float]], colour: Mapping[str, str], bins: int = 40
) -> dict[str, Any]:  # fmt: skip
    """Histograms of the distances to the nearest training network, with a line for each set. sets: distances, by
    name."""
    most = max(float(np.quantile(values, 0.99)) for values in sets.values())
    edges = np.linspace(0, 1.05 * most, bins + 1)
    traces = []
    for name, values in sets.items():
        share = np.histogram(np.clip(values, 0, edges[-1]), edges)[0] / len(values)
        traces.append({
            "type": "scatter", "mode": "lines", "name": name, "legendgroup": name,
            "x": ((edges[:-1] + edges[1:]) / 2).round(4).tolist(),
            "y": share.round(4).tolist(), "line": {"shape": "hvh", "width": 2, "color": colour.get(name, OTHER_COLOUR)},
            "hovertemplate": f"{name}: %{{y:.0%}} near %{{x:.2f}}<extra></extra>",
        })  # fmt: skip
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": "Distance, in standard deviations of the weights"},
                      "rangemode": "tozero"},
            "yaxis": {"title": {"text": "Share"}, "tickformat": ".0%", "rangemode": "tozero", "automargin": True},
            "margin": {"l": 48, "r": 12, "t": 52, "b": 44},
            "legend": LEGEND,
            "uirevision": "distances",
        },
    }  # fmt: skip


def rows_figure(rows: Sequence[tuple[str, np.ndarray]], count: int = 160) -> dict[str, Any]:
    """Heat map of a few networks, one in each row. rows: names and standardised weights (p,). Of all networks the same
    `count` evenly spaced parameters are drawn."""
    size = len(rows[0][1])
    chosen = np.linspace(0, size - 1, min(count, size)).round().astype(int)
    z = np.stack([np.asarray(values, np.float32)[chosen] for _, values in rows])
    trace = {
        "type": "heatmap", "z": binary(z), "zmin": -2.5, "zmax": 2.5, "colorscale": DIVERGING, "showscale": False,
        "ygap": 3, "hovertemplate": "%{z:+.2f} standard deviations<extra></extra>",
    }  # fmt: skip
    quiet = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True}
    names = {"tickvals": list(range(len(rows))), "ticktext": [name for name, _ in rows]}
    return {
        "data": [trace],
        "layout": {
            "xaxis": {**quiet, "showticklabels": False},
            "yaxis": {**quiet, **names, "autorange": "reversed", "automargin": True},
            "margin": {"l": 8, "r": 4, "t": 4, "b": 4},
            "uirevision": "rows",
        },
    }
