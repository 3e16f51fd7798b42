"""Charts of the quality of fits over the steps of fitting."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.shared.palette import NAMES, representation_line
from wsr.modalities import Modality

USUAL = 40  # upper end of an axis in dB before there is a curve


def quality_curve(
    steps: Sequence[float], quality: Sequence[float], *, of: Modality, representation: str, total: int | None = None,
    from_zero: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Chart of `quality_curves` for one representation."""
    return quality_curves({representation: (steps, quality)}, of=of, total=total, from_zero=from_zero)


def quality_curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, of: Modality, total: int | None = None,
    from_zero: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Chart of the quality, in the modality's unit, over the steps on a logarithmic axis, with a line for each
    representation.

    series: steps and qualities, by the representation's name. Step 0 has no logarithm and is left out. total: the last
    step of a fit that is still running; the axis ends there, so that the chart is not rescaled at each update.
    from_zero: shows step 0 too, on a linear axis, for short fits whose start is worth seeing.
    """
    traces = [_trace(name, *lines, of, first=0 if from_zero else 1) for name, lines in series.items()]
    most = max([total or 1, 2, *(s for trace in traces for s in trace["x"])])
    # IoU has an upper bound. PSNR has none, so its axis follows the curve once there is one.
    # Each has a revision of its own: with the same one, an axis that follows would stay as fixed as the one before.
    fixed = {"range": [0, 1.02 * of.best if of.best else USUAL], "uirevision": "fixed"}
    begun = any(trace["x"] for trace in traces)
    frame = fixed if of.best or not begun else {"rangemode": "tozero", "uirevision": "follows"}
    return {
        "data": traces,
        "layout": {
            "xaxis": _axis(most, from_zero),
            "yaxis": {
                "title": {"text": of.title},
                "automargin": True,
                "tickformat": ".1f" if of.best else "d",
                **frame,
            },
            "margin": {"l": 48, "r": 12, "t": 12 if len(traces) <= 1 else 52, "b": 44},
            "showlegend": len(traces) > 1,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "uirevision": "curve from 0" if from_zero else "curve",
        },
    }


def _axis(most: float, from_zero: bool) -> dict[str, Any]:
    if from_zero:
        return {"title": {"text": "Step"}, "type": "linear", "range": [0, most]}
    return {"title": {"text": "Step (log scale)"}, "type": "log", "dtick": 1, "range": [0, math.log10(most)]}


def empty_curve(of: Modality, total: int) -> dict[str, Any]:
    """Chart without a curve, shown before a fit begins."""
    return quality_curves({}, of=of, total=total)


def _trace(name: str, steps: Sequence[float], quality: Sequence[float], of: Modality, first: int) -> dict[str, Any]:
    shown = [(s, q) for s, q in zip(steps, quality, strict=True) if s >= first]
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(shown) < 3 else "lines",
        "name": NAMES.get(name, name),
        "x": [s for s, _ in shown],
        # of a fit that has diverged nothing is known, and JSON has no word for that number
        "y": [round(float(q), 4) if math.isfinite(q) else None for _, q in shown],
        "line": {**representation_line(name), "width": 2.5},
        "hovertemplate": f"step %{{x:,d}}: %{{y:.{of.decimals}f}}<extra></extra>",
    }
