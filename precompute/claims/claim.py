"""What a claim is: the paper's statement, and the values of our reports that decide about it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from precompute.claims.reports import Reports
from wsr.fields.registry import named, names
from wsr.stats import Difference

OPEN, INCOMPARABLE = "open", "not comparable"
KAPPA = "kappa std"  # the standard deviation of the mask's frozen entries, in the scale of the start


@dataclass(frozen=True)
class Fault:
    """A reason why what was measured does not decide about a claim. verdict: what the claim is therefore. "open": it is
    the paper's experiment, but one side had an advantage or there is too little of it. "not comparable": it is another
    experiment."""

    verdict: Literal["open", "not comparable"]
    reason: str


@dataclass(frozen=True)
class Value:
    """One side of a comparison. half: half of the 95 % interval of its mean, if it has one. count: values behind it."""

    name: str
    mean: float
    half: float | None = None
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What our reports say about a claim.

    difference: by how much the paper's order holds in our values, positive if it does; None if that was not measured.
    faults: what keeps it from deciding. notes: what a reader should know beside it, which changes no verdict.
    """

    difference: Difference | None = None
    ours: tuple[Value, ...] = ()
    measure: str = ""
    data: str = ""
    seeds: int | None = None
    preset: str | None = None
    features: str | None = None
    split: str | None = None
    reports: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further numbers that the faults and notes rest on, such as the cosine of two starts."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of the paper. where: where it stands there. paper: its own numbers. command: what makes our numbers.
    parts: the ids of claims that it consists of; it has no evidence of its own then. headline: whether it is one of the
    few that a reader wants to know first."""

    id: str
    says: str
    where: str
    paper: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    evidence: Evidence = Evidence()
    parts: tuple[str, ...] = ()
    headline: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell of one of the paper's tables beside ours. half: half of our 95 % interval; count and seeds: of ours."""

    row: str
    column: str
    paper: float
    ours: float | None = None
    half: float | None = None
    count: int | None = None
    seeds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Group:
    """The claims of one table, figure or section, which are judged together (`wsr.stats.holm`).

    reports: the reports of assets/reports that it reads, without ".json", if they exist. further: reports that only
    runs with `--data` make, and other files of assets/. claims: the claims, from these reports. cells: the paper's
    table beside ours, if it is one.
    """

    name: str
    title: str
    place: int
    claims: Callable[[Reports], Sequence[Claim]]
    reports: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    cells: Callable[[Reports], Sequence[Cell]] = lambda reports: ()
    intro: str = ""
    """What to know about the paper's experiment and ours."""


LOUD = Fault(
    OPEN,
    "the frozen weights of the one behind were drawn κ = 6 times as wide as its start, where the paper's N(0, κI) says "
    "√6 times: it may be behind for that",
)
RATES = (
    "each representation is fitted at its own learning rate, by one rule that costs them unequally (Table 1); what "
    "other rates would change on these data was not measured"
)
ONE_MASK = Fault(
    OPEN,
    "the two differ by a mask, and one mask was drawn: what another one would change was not measured",
)


def label(representation: str) -> str:
    """The name of a representation as people read it, with what follows it; other names as they are."""
    head, space, rest = representation.partition(" ")
    return named(head).label + space + rest if head in names() else representation


def best_against_others(values: Mapping[str, float], higher: bool) -> list[tuple[str, str]]:
    """The orders of a column of the paper's table: its best cell against each other one, (better, worse)."""
    order = list(values)
    best = (max if higher else min)(order, key=values.__getitem__)
    return [(best, other) for other in order if values[other] != values[best]]


def not_measured(what: str = "no report has both values") -> Fault:
    return Fault(OPEN, f"not measured: {what}")


def one_mask(pair: tuple[str, str]) -> tuple[Fault, ...]:
    """The fault of a comparison of a representation with its own masked twin: a claim about a mask needs several."""
    twins = [(named(name).twin, name) for name in pair if name in names() and named(name).twin]
    return (ONE_MASK,) if any(set(one) == set(pair) for one in twins) else ()


def loud_mask(pair: tuple[str, str], difference: Difference | None, report: Mapping[str, Any]) -> tuple[Fault, ...]:
    """The fault of a claim whose worse side has frozen entries that are larger than the paper writes, and is behind:
    the difference may come from them. A report that draws them as the paper writes says so (`KAPPA`)."""
    larger = report.get(KAPPA, 6.0) > math.sqrt(6) + 1e-3
    handicapped = [bool(named(name).twin) and not named(name).centred for name in pair if name in names()]
    behind = difference is None or difference.mean > 0
    return (LOUD,) if larger and behind and handicapped == [False, True] else ()
