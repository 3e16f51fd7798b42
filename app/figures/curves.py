"""How a fit comes closer: quality against steps."""

import math
from collections.abc import Sequence
from typing import Any

from app.palette import representation_line

# What a measure is called on an axis, and how many digits of it mean something.
MEASURES = {"psnr": ("PSNR (dB)", ".1f"), "iou": ("IoU", ".3f")}


def quality_curve(
    steps: Sequence[float], quality: Sequence[float], *, measure: str, representation: str, total: int | None = None
) -> dict[str, Any]:
    """Quality (PSNR in dB or IoU) after each step, on a logarithmic axis of steps, coloured by representation.

    Step 0 has no logarithm and is left out. `total` fixes the axis from the first step on, so that a live curve grows
    into its frame instead of rescaling it.
    """
    title, digits = MEASURES[measure]
    shown = [(s, q) for s, q in zip(steps, quality, strict=True) if s >= 1]
    most = max([total or 1, *(s for s, _ in shown), 2])
    # IoU has an end; PSNR has none, and its frame follows the curve once there is one
    fixed = {"range": [0, 1.02 if measure == "iou" else 40]}
    frame = fixed if measure == "iou" or not shown else {"rangemode": "tozero"}
    trace = {
        "type": "scatter",
        "mode": "lines+markers" if len(shown) < 3 else "lines",
        "name": representation,
        "x": [s for s, _ in shown],
        "y": [round(float(q), 4) for _, q in shown],
        "line": {**representation_line(representation), "width": 2.5},
        "hovertemplate": f"step %{{x:,d}}: %{{y:{digits}}}<extra></extra>",
    }
    return {
        "data": [trace],
        "layout": {
            "xaxis": {"title": {"text": "Step (log scale)"}, "type": "log", "dtick": 1, "range": [0, math.log10(most)]},
            "yaxis": {
                "title": {"text": title},
                "automargin": True,
                "tickformat": ".1f" if measure == "iou" else "d",
                **frame,
            },
            "margin": {"l": 48, "r": 12, "t": 12, "b": 44},
            "showlegend": False,
            "uirevision": "curve",
        },
    }
