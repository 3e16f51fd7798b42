"""Whether a fit came out as it should, and why it may not have."""

import math

import numpy as np
from jaxtyping import Float

POOR = {2: 15.0, 3: 0.5}  # PSNR in dB, IoU: below, a fit does not show its target
_FEW_STEPS = 200
_SMALL = 0.01  # of the cube


def verdict(dim: int, quality: float, finite: bool, steps: int, filled: float | None = None) -> str:
    """The status of a fit: "ok"; "diverged: …"; or "poor: …" with what may be the reason, below 15 dB (dim 2) or an IoU
    of 0.5 (dim 3). filled: share of the cube that lies inside a shape."""
    if not (finite and math.isfinite(quality)):
        return "diverged: weights are not finite"
    if quality >= POOR[dim]:
        return "ok"
    found = f"{quality:.2f} dB is below 15 dB" if dim == 2 else f"an IoU of {quality:.3f} is below 0.5"
    return f"poor: {found}; {_reason(dim, steps, filled)}"


def verdicts(
    dim: int, quality: Float[np.ndarray, "n"], finite: list[bool], steps: int, filled: list[float] | None
) -> list[str]:
    """`verdict` of each instance of a batch."""
    shares = [None] * len(quality) if filled is None else filled
    return [verdict(dim, float(q), good, steps, share) for q, good, share in zip(quality, finite, shares, strict=True)]


def is_poor(status: str) -> bool:
    return status.startswith("poor")


def _reason(dim: int, steps: int, filled: float | None) -> str:
    if filled == 0:
        return "the shape is empty: its surface closes nothing off"
    if filled is not None and filled < _SMALL:
        return f"only {filled:.2%} of the cube lies inside: the shape is thin against the grid, or its surface is open"
    if steps < _FEW_STEPS:
        return f"{steps:,} steps may be too few"
    return "it may have " + ("more detail" if dim == 2 else "thinner walls") + " than these weights can hold"
