"""Claims of Figure 3 from fits of airplanes in several draws of mask, starts and points (`figure3_draws`).

Every draw has the paper's starts N(0, I). What differs by a mask alone is compared at one learning rate: at the masked
one's own, and where the two were fitted at another rate too, that has to decide alike.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from precompute.claims.claim import OPEN, RATES, Evidence, Fault, Value, loud_mask, one_mask
from precompute.claims.starts import LITERAL, told_of
from precompute.draws import over_draws
from wsr.stats import Difference

REPORT = "figure3-draws-shapes10-airplane"
COMMAND = "python -m precompute run figure3_draws"
BARRIER = "barrier halfway, IoU"
LIKENESS = "cosine of the two fits, above that of fits of different targets"

Rows = Sequence[Mapping[str, Any]]
Values = Callable[[Mapping[str, Any]], Float[np.ndarray, "k n"]]  # of a row: by draw and target


def barrier(report: Mapping[str, Any], pair: tuple[str, str]) -> Evidence:
    """By how much the second one's barrier is higher. Where the Chamfer distance halfway, the paper's own measure, does
    not say the same, it decides nothing."""
    return _compared(report, pair, BARRIER, _drops, sign=-1, also=_rises)


def likeness(report: Mapping[str, Any], pair: tuple[str, str]) -> Evidence:
    """By how much two fits of the first one are more alike."""
    return _compared(report, pair, LIKENESS, _likeness)


def steady(report: Mapping[str, Any], name: str, margin: float) -> Evidence:
    """Whether independent starts cost less than a margin more than other points from one start do."""
    far, near = (next(row for row in _rows(report, name, value)) for value in (1, 0))
    rise = over_draws(_drops(far) - _drops(near))
    kept = Difference(margin - rise.mean, margin - rise.high, margin - rise.low, rise.count, rise.level, rise.freedom)
    of = f"{margin} IoU, a margin of ours, less what independent starts lose more halfway than one start"
    sides = {f"{name}, λ = 1": over_draws(_drops(far)), f"{name}, λ = 0": over_draws(_drops(near))}
    return Evidence(difference=kept, measure=of, **_about(report, (name, name)), ours=_values(sides),
                    more={"series": LITERAL, "start cosine": _cosine(far)})  # fmt: skip


def _compared(
    report: Mapping[str, Any], pair: tuple[str, str], of: str, values: Values, *,
    sign: int = 1, also: Values | None = None,
) -> Evidence:  # fmt: skip
    first, *others = _at_rates(report, pair)
    gain = _gain(first, values, sign)
    faults = [*loud_mask(pair, gain, report)]
    more: dict[str, Any] = {"series": LITERAL, "start cosines": [_cosine(row) for row in first]}
    if also is not None and "rises" in first[0]:
        by_distance = _gain(first, also, sign)
        more |= {"rise of the Chamfer distance halfway": [round(one, 3) for one in _parts(by_distance)]}
        faults += disagreeing(gain, by_distance)
    for rows in others:
        again, rate = _gain(rows, values, sign), rows[0]["lr"]
        more |= {f"at a learning rate of {rate:g}": [round(one, 4) for one in _parts(again)]}
        if again.verdict != gain.verdict:
            faults.append(Fault(OPEN, f"at a learning rate of {rate:g} it does not come out alike: the difference is "
                                f"{told_of(again, 3)}"))  # fmt: skip
    sides = {name: over_draws(values(row)) for name, row in zip(pair, first, strict=True)}
    about = _about(report, pair) | {"faults": tuple(faults), "more": more}
    return Evidence(difference=gain, measure=of, **about, ours=_values(sides))


def _at_rates(report: Mapping[str, Any], pair: tuple[str, str]) -> list[tuple[Mapping, Mapping]]:
    """The rows of both sides: each at its own rate; of twins at every rate that both have, the masked one's first."""
    found = [_rows(report, name, 1) for name in pair]
    if not one_mask(pair):
        return [(found[0][0], found[1][0])]
    by_rate = [{row["lr"]: row for row in rows} for rows in found]
    return [(by_rate[0][rate], by_rate[1][rate]) for rate in by_rate[0] if rate in by_rate[1]]


def has(report: Mapping[str, Any] | None, pair: Sequence[str], value: float = 1) -> bool:
    """Whether a report has rows of all these representations at this λ."""
    return report is not None and all(_rows(report, name, value) for name in pair)


def _rows(report: Mapping[str, Any], name: str, value: float) -> Rows:
    """The rows of a representation at this λ, its own rate first."""
    return [row for row in report["of targets"] if row["representation"] == name and row["lambda"] == value]


def _gain(rows: tuple[Mapping, Mapping], values: Values, sign: int) -> Difference:
    return over_draws(sign * (values(rows[0]) - values(rows[1])))


def _drops(row: Mapping[str, Any]) -> Float[np.ndarray, "k n"]:
    return np.array(row["drops"])


def _rises(row: Mapping[str, Any]) -> Float[np.ndarray, "k n"]:
    return np.array(row["rises"])


def _likeness(row: Mapping[str, Any]) -> Float[np.ndarray, "k n"]:
    return np.array(row["cosines"]) - np.array(row["floor"])[:, None]


def _cosine(row: Mapping[str, Any]) -> float:
    """The cosine of two starts that is largest in size, of all draws."""
    return round(max(row["start cosine"], key=abs), 4)


def disagreeing(by_iou: Difference, by_distance: Difference) -> list[Fault]:
    """The fault of a barrier about which the two measures do not say the same."""
    if by_iou.verdict in ("open", by_distance.verdict):
        return []
    told = f"the difference is {told_of(by_distance, 1)}"
    return [Fault(OPEN, f"by the Chamfer distance halfway (×10²), the paper's own measure, {told}")]


def _parts(found: Difference) -> tuple[float, float, float]:
    return float(found.mean), float(found.low), float(found.high)


def _values(sides: Mapping[str, Difference]) -> tuple[Value, ...]:
    return tuple(Value(name, one.mean, one.half, one.count) for name, one in sides.items())


def _about(report: Mapping[str, Any], pair: tuple[str, str]) -> dict[str, Any]:
    notes = [f"{report['draws']} draws of mask, starts and points; intervals are for other targets and other draws"]
    if pair[0] != pair[1] and not one_mask(pair):
        notes.append(RATES)
    return {"data": report["dataset"], "seeds": report["draws"], "preset": report["preset"], "split": "held out",
            "reports": (REPORT,), "notes": tuple(notes)}  # fmt: skip
