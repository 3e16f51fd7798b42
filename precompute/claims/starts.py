"""The starts of two fits of one target, as claims of Figure 3 speak of them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from precompute.claims.claim import INCOMPARABLE, Fault, label
from wsr.fields.registry import named
from wsr.stats import Difference

INDEPENDENT = 0.4  # the largest cosine of two starts that still counts as independent
LITERAL, OWN, POSITIVE = "normal", "own", "lognormal"  # series of starts, as reports call them
OTHER = Fault(INCOMPARABLE, "the paper's starts are N(0, I), and these are others")


class Pair(NamedTuple):
    """The rows of two representations at λ = 1 in one series of starts."""

    first: Mapping
    second: Mapping

    @property
    def reports(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row["report"] for row in self))

    @property
    def drawn_alike(self) -> list[str]:
        """The representations whose two starts differ and draw the same picture nevertheless."""
        return [row["representation"] for row in self if row["series"] == OWN and _additive(row["representation"])]

    @property
    def cosines(self) -> list[float]:
        return [round(row["start_cosine"], 4) for row in self]

    @property
    def independent(self) -> bool:
        return max(map(abs, self.cosines)) <= INDEPENDENT and not self.drawn_alike


def _additive(name: str) -> bool:
    return named(name).needs_base and not named(name).centred


def series_of(row: Mapping) -> str:
    """The name of the series of a row, with σ where there are several."""
    return row["series"] if row["series"] in (LITERAL, OWN) else f"{row['series']} {row['sigma']:g}"


def begun(series: str) -> str:
    """The starts of a series, as the end of a claim: the same may be claimed of several."""
    if not series:
        return ""
    told = {LITERAL: "those of the paper", OWN: "each one's usual starts"}
    return f" ({told.get(series, 'positive starts' if series.startswith(POSITIVE) else f'starts of {series}')})"


def dependent(pair: Pair, names: Sequence[str], series: str) -> Fault:
    """The fault of a pair whose starts are not independent."""
    cosines = dict(zip(names, pair.cosines, strict=True))
    if pair.drawn_alike:
        whose = " and ".join(map(label, pair.drawn_alike))
        return Fault(INCOMPARABLE, f"B starts at 0 in both fits of {whose}, so that the two starts draw one picture")
    near = [f"{label(name)}'s {cosine:.4f}" for name, cosine in cosines.items() if abs(cosine) > INDEPENDENT]
    return Fault(
        INCOMPARABLE,
        f"no series has independent starts of both: in `{series}` the cosine of the two starts is {' and '.join(near)}",
    )


def unlike(pair: Pair, names: Sequence[str], series: str) -> list[Fault]:
    """The faults of starts that are not the paper's: they are others, or not independent. An MLP's own are N(0, I) at
    the scale of each layer."""
    faults = [] if pair.independent else [dependent(pair, names, series)]
    alike = series == LITERAL or (series == OWN and not any(named(name).needs_base for name in names))
    return faults if alike else [OTHER, *faults]


def told_of(found: Difference, digits: int) -> str:
    """A difference and its interval as reasons state them."""
    mean, low, high = (f"{value:.{digits}f}" for value in (found.mean, found.low, found.high))
    return f"{mean} ({low} to {high})".replace("-", "−")
