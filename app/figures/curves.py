"""Charts of the quality of fits against steps."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.shared.palette import NAMES, representation_line
from wsr.modalities import Modality

USUAL = 40  # the top of an axis of dB before there is a curve


def quality_curve(
    steps: Sequence[float], quality: Sequence[float], *, of: Modality, representation: str, total: int | None = None
) -> dict[str, Any]:
    """`quality_curves` of one representation."""
    return quality_curves({representation: (steps, quality)}, of=of, total=total)


def quality_curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, of: Modality, total: int | None = None
) -> dict[str, Any]:
    """Quality, in the modality's unit, after each step, on a logarithmic axis of steps: a line for each representation,
    in its own colour. `series` are its steps and qualities.

    Step 0 has no logarithm and is left out. `total` fixes the axis from the first step on, so that a live curve grows
    into its frame instead of rescaling it.
    """
    traces = [_trace(name, *lines, of) for name, lines in series.items()]
    most = max([total or 1, 2, *(s for trace in traces for s in trace["x"])])
    # IoU has an end; PSNR has none, and its frame follows the curve once there is one
    fixed = {"range": [0, 1.02 * of.best if of.best else USUAL]}
    begun = any(trace["x"] for trace in traces)
    frame = fixed if of.best or not begun else {"rangemode": "tozero"}
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": "Step (log scale)"}, "type": "log", "dtick": 1, "range": [0, math.log10(most)]},
            "yaxis": {
                "title": {"text": of.title},
                "automargin": True,
                "tickformat": ".1f" if of.best else "d",
                **frame,
            },
            "margin": {"l": 48, "r": 12, "t": 12 if len(traces) <= 1 else 52, "b": 44},
            "showlegend": len(traces) > 1,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "uirevision": "curve",
        },
    }


def empty_curve(of: Modality, total: int) -> dict[str, Any]:
    """The empty frame of a chart before its fit."""
    return quality_curves({}, of=of, total=total)


def _trace(name: str, steps: Sequence[float], quality: Sequence[float], of: Modality) -> dict[str, Any]:
    shown = [(s, q) for s, q in zip(steps, quality, strict=True) if s >= 1]
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(shown) < 3 else "lines",
        "name": NAMES.get(name, name),
        "x": [s for s, _ in shown],
        "y": [round(float(q), 4) for _, q in shown],
        "line": {**representation_line(name), "width": 2.5},
        "hovertemplate": f"step %{{x:,d}}: %{{y:.{of.decimals}f}}<extra></extra>",
    }
