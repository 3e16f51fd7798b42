"""Judges whether a fit succeeded, and names a possible reason if not."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError, counted
from wsr.modalities import Modality

_FEW_STEPS = 200


def verdict(modality: Modality, quality: float, finite: bool, steps: int, filled: float | None = None) -> str:
    """Returns the status of a fit: "ok"; "diverged: …"; or, if the quality is worse than the modality's threshold,
    "poor: …" with a possible reason. filled: share of the domain inside the target, for shapes."""
    if not (finite and math.isfinite(quality)):
        return "diverged: weights are not finite"
    if (quality >= modality.poor) if modality.higher_is_better else (quality <= modality.poor):
        return "ok"
    side = "below" if modality.higher_is_better else "above"
    found = f"{modality.in_words(quality)} is {side} {modality.bound}"
    return f"poor: {found}; {_reason(modality, steps, filled)}"


def verdicts(
    modality: Modality, quality: Float[np.ndarray, "n"], finite: list[bool], steps: int, filled: list[float] | None
) -> list[str]:
    """Returns the `verdict` of each instance of a batch."""
    shares = [None] * len(quality) if filled is None else filled
    return [
        verdict(modality, float(q), good, steps, share) for q, good, share in zip(quality, finite, shares, strict=True)
    ]


def is_poor(status: str) -> bool:
    """Tells whether a status is that of a poor fit."""
    return status.startswith("poor")


def _reason(modality: Modality, steps: int, filled: float | None) -> str:
    if fault := modality.fault(filled):
        return fault
    if steps < _FEW_STEPS:
        return f"{counted(steps, 'step')} may be too few"
    return f"it may have {modality.too_fine} than these weights can hold"


def require_finite(ids: Sequence[str], weights: Float[Tensor, "n p"]) -> None:
    """WsrError, with the first of the ids, for weights that are not finite."""
    for item, good in zip(ids, weights.isfinite().all(1).tolist(), strict=True):
        if not good:
            raise WsrError(f"The weights of {item!r} are not finite and cannot be decoded: its fit diverged.")
