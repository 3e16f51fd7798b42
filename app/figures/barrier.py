"""Chart of the barrier: quality along the straight line between the weights of two fits."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.shared.palette import NAMES, representation_line
from wsr.modalities import Modality


def barrier_figure(
    alphas: Sequence[float],
    curves: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    of: Modality,
    at: float | None = None,
) -> dict[str, Any]:
    """Chart of the quality, in the modality's unit, over α in [0, 1], with lines for each representation.

    curves: {"raw": …, "aligned": …} by the representation's name, each with a quality for each of `alphas`; lines of
    aligned pairs are thin. at: the slider's α, which is marked.
    """
    value, traces = f"%{{y:.{of.decimals}f}}<extra></extra>", []
    for name, kinds in curves.items():
        for kind, values in kinds.items():
            aligned = kind == "aligned"
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": NAMES[name],
                    "legendgroup": name,
                    "showlegend": not aligned,
                    "x": list(alphas),
                    "y": [round(float(one), 4) for one in values],
                    "line": {**representation_line(name), "width": 1 if aligned else 2.5},
                    "hovertemplate": f"{NAMES[name]}{', aligned' if aligned else ''}: {value}",
                }
            )
    marker = {
        "type": "line",
        "name": "at",
        "x0": at,
        "x1": at,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"width": 1, "dash": "dot"},
    }
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": "α, from one fit to the other"}, "range": [0, 1]},
            "yaxis": {"title": {"text": of.title}, "automargin": True, "rangemode": "tozero"},
            "margin": {"l": 48, "r": 12, "t": 52, "b": 44},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "shapes": [] if at is None else [marker],
            "uirevision": "barrier",
        },
    }
