"""Figure 3 and section 4.2: how alike independent fits of one target are, and what lies between them.

The paper's starts are drawn from N(0, I), and at λ = 1 independently. A row of ours counts as that experiment if its
two starts are independent too: their cosine, which every row states, is at most `INDEPENDENT`, and they draw two
pictures. The usual starts of additive adapters have B = 0, so that they draw one. Of the series of starts in the
reports the one is taken in which both representations have such starts, the paper's literal one (`LITERAL`) before all
others. A standalone MLP starts from independent zero-mean draws in any case, so that its own start is the literal one.
Multiplicative adapters also have log-normal starts (`wide_starts`), which are independent and keep all signs.

Barriers are judged by the IoU that is lost halfway. Where the paper's own measure, the Chamfer distance halfway, does
not decide in the same way, a claim stays open.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from precompute.claims import drawn
from precompute.claims.claim import (
    OPEN,
    RATES,
    Claim,
    Evidence,
    Fault,
    Group,
    Value,
    label,
    loud_mask,
    not_measured,
    one_mask,
)
from precompute.claims.reports import Reports
from precompute.claims.starts import LITERAL, OWN, POSITIVE, Pair, begun, series_of, told_of, unlike
from precompute.tables import PAPER
from wsr.fields.registry import named
from wsr.stats import Difference, mean_interval, paired, summarised

REPORTS = ("figure3-shapes10-airplane", "figure3-shapes10")  # the paper's airplanes first, else all categories
WIDE = "wide-starts"  # the report of the log-normal starts
ZERO = "zero-starts"  # the report of the paper's starts of adapters
RATES_REPORT = "learning-rates-shapes10"  # of the rates at which targets are fitted
DATA = "shapes10"
NAMES = PAPER["representations"]
MLP, MLP_MASKED, *ADAPTERS = NAMES
BEST = NAMES[-1]
MASKED = [name for name in NAMES if named(name).twin]


class Compared(NamedTuple):
    """A measure of a pair of rows: the difference, both values, what is measured, and what it tells besides and has
    against it."""

    difference: Difference
    values: list[Difference]
    of: str
    more: Mapping[str, Any] = {}
    faults: Sequence[Fault] = ()


Measure = Callable[[Pair, int], Compared]  # of a pair of rows and the number of targets
Drawn = Callable[[Mapping[str, Any], tuple[str, str]], Evidence]  # of the report on several draws, and a pair


def claims(reports: Reports) -> list[Claim]:
    return [*_barriers(reports), *_cosines(reports), *_steady(reports)]


def _barriers(reports: Reports) -> Iterator[Claim]:
    best = [(BEST, name, f"{label(BEST)}'s barrier is lower than {label(name)}'s") for name in NAMES if name != BEST]
    twins = [(name, named(name).twin) for name in MASKED if name != BEST]
    masks = [(name, twin, f"the mask lowers the barrier of {label(twin)}") for name, twin in twins]
    for better, worse, says in [*best, *masks]:
        yield from _compared(reports, "barrier", (better, worse), says, _drops, drawn.barrier)


def _cosines(reports: Reports) -> Iterator[Claim]:
    plain = [name for name in ADAPTERS if named(name).twin is None]
    above = [(name, MLP, f"two fits of {label(name)} are more alike than those of MLPs") for name in plain]
    twins = [(name, named(name).twin) for name in MASKED]
    masks = [(name, twin, f"the mask makes two fits of {label(twin)} more alike") for name, twin in twins]
    for better, worse, says in [*above, *masks]:
        yield from _compared(reports, "cosine", (better, worse), says, _likeness, drawn.likeness)


def _compared(
    reports: Reports, what: str, pair: tuple[str, str], says: str, measure: Measure, in_draws: Drawn
) -> Iterator[Claim]:  # fmt: skip
    """A claim about two representations at λ = 1, and the same for each further series of independent starts."""
    head, draws = _report(reports), reports(drawn.REPORT)
    found = _pairs(head["rows"], pair) if head else {}
    usable = [series for series, one in found.items() if one.independent]
    name, first = f"{what}.{pair[0]}>{pair[1]}", drawn.has(draws, pair)
    if first:
        yield _claim(name, f"{says}, at λ = 1{begun(LITERAL)}", in_draws(draws, pair))
    for place, series in enumerate(_told(usable, list(found), first), start=int(first)):
        evidence = Evidence(data=DATA, faults=(not_measured(),))
        if series:
            evidence = _evidence(head, pair, (series, found), measure)
        further = f".{series.replace(' ', '-')}" if place else ""
        yield _claim(f"{name}{further}", f"{says}, at λ = 1{begun(series)}", evidence)


def _told(usable: Sequence[str], found: Sequence[str], in_draws: bool) -> Sequence[str]:
    """The series of which claims tell: the independent ones, or else the first; "" if there is none. in_draws: whether
    the paper's own starts have been told of in several draws."""
    if in_draws:
        return [series for series in usable if series.startswith(POSITIVE)]
    return usable or found[:1] or [""]


def _claim(name: str, says: str, evidence: Evidence) -> Claim:
    return Claim(
        id=f"figure3.{name}",
        says=says,
        where="Figure 3, section 4.2",
        paper={"figure": "no numbers are printed"},
        command=drawn.COMMAND if evidence.reports == (drawn.REPORT,) else "wsr reproduce figure3",
        evidence=evidence,
    )


def _report(reports: Reports) -> dict | None:
    """The content of the report, with the rows of the other starts before its own; each row names its report."""
    name = next((name for name in REPORTS if reports(name)), "")
    if not name:
        return None
    rows = []
    for one in (name.replace("figure3", ZERO), name, name.replace("figure3", WIDE)):
        rows += [{**row, "report": one} for row in (reports(one) or {"rows": []})["rows"]]
    chosen = (reports(RATES_REPORT) or {"chosen": {}})["chosen"]
    return {**reports(name), "name": name, "rows": rows, "rates": {name: one["lr"] for name, one in chosen.items()}}


def _evidence(
    head: dict, names: tuple[str, str], chosen: tuple[str, dict[str, Pair]], measure: Measure
) -> Evidence:  # fmt: skip
    series, found = chosen
    pair = found[series]
    made = measure(pair, len(head["ids"]))
    faults = [*unlike(pair, names, series), *one_mask(names), *_not_again(head, pair, series, made, measure)]
    return Evidence(
        difference=made.difference, measure=made.of, **_about(head), reports=pair.reports,
        ours=tuple(Value(name, one.mean, one.half, one.count) for name, one in zip(names, made.values, strict=True)),
        faults=(*faults, *made.faults, *_rates(head, names), *loud_mask(names, made.difference, head)),
        more={"series": series, "start cosines": pair.cosines,
              "start cosines of all series": {name: one.cosines for name, one in found.items()}, **made.more},
    )  # fmt: skip


def _not_again(head: dict, pair: Pair, series: str, made: Compared, measure: Measure) -> list[Fault]:
    """The faults of a result that does not come out again where another report has a row of either side from starts of
    the same series."""
    faults = []
    rows = [row for row in head["rows"] if row["lambda"] == 1 and series_of(row) == series]
    for report in dict.fromkeys(row["report"] for row in rows):
        there = {row["representation"]: row for row in rows if row["report"] == report}
        other = Pair(*(there.get(row["representation"], row) for row in pair))
        if all(one["report"] == row["report"] for one, row in zip(other, pair, strict=True)):
            continue
        again = measure(other, len(head["ids"]))
        if (again.difference.verdict, bool(again.faults)) != (made.difference.verdict, bool(made.faults)):
            told = [f"the difference is {told_of(again.difference, 3)}", *(fault.reason for fault in again.faults)]
            said = f"a second run from the same starts (`{report}`) does not decide alike"
            faults.append(Fault(OPEN, f"{said}: {'; '.join(told)}"))
    return faults


def _rates(head: dict, names: tuple[str, str]) -> list[Fault]:
    """The fault of a comparison that is to tell what a mask does, where learning rates differ as well."""
    rates = [head["rates"].get(name) for name in names]
    if not one_mask(names) or None in rates or rates[0] == rates[1]:
        return []
    told = " and ".join(f"{label(name)}'s at {rate:g}" for name, rate in zip(names, rates, strict=True))
    return [Fault(OPEN, f"the fits differ in their learning rates, too, which move the barrier: {told}")]


def _rises(pair: Pair, count: int) -> Difference | None:
    """By how much the Chamfer distance rises more halfway between the second's fits: on the same targets, where both
    reports have it of each target. None of pictures."""
    parts = [row["raw"] for row in pair]
    if not all("rise" in part for part in parts):
        return None
    if all("rises" in part for part in parts):
        return paired(*(np.array(part["rises"]) for part in reversed(parts)))
    return summarised(*(_side(part["rise"], count) for part in reversed(parts)), count)


def _side(spread: Mapping[str, float], count: int, less: float = 0.0) -> tuple[float, float]:
    """The mean, less a number that is taken as known, and the standard deviation of a sample. Reports divide by n."""
    return spread["mean"] - less, (count / (count - 1)) ** 0.5 * spread["sd"]


def _about(head: dict) -> dict[str, Any]:
    notes = (RATES,) if head["name"] == REPORTS[0] else (CATEGORIES, RATES)
    return {"data": head["dataset"], "seeds": 1, "preset": head["preset"], "split": "held out", "notes": notes}


def _pairs(rows: list[Mapping], names: tuple[str, str]) -> dict[str, Pair]:
    """The pair of rows of every series in which both representations are, the literal one first."""
    found: dict[str, dict[str, Mapping]] = {}
    for row in rows:
        if row["lambda"] == 1:
            found.setdefault(series_of(row), {}).setdefault(row["representation"], row)
    # the literal start of an MLP is its own: independent draws, at the scale of each layer
    alone = [name for name in names if not named(name).needs_base and name in found.get(OWN, {})]
    if len(alone) == 1:
        for series in (LITERAL, *(one for one in found if one.startswith(POSITIVE))):
            found.setdefault(series, {}).setdefault(alone[0], found[OWN][alone[0]])
    whole = {series: Pair(*(by[name] for name in names)) for series, by in found.items() if set(names) <= set(by)}
    order = sorted(whole, key=lambda series: (series != LITERAL, max(map(abs, whole[series].cosines)), series))
    return {series: whole[series] for series in order}


def _drops(pair: Pair, count: int) -> Compared:
    """By how much the second barrier is higher, on the same targets."""
    drops = [np.array(row["raw"]["drops"]) for row in pair]
    made = Compared(paired(drops[1], drops[0]), [mean_interval(one) for one in drops], "barrier halfway, IoU")
    rises = _rises(pair, count)
    if rises is None:
        return made
    told = [round(float(one), 3) for one in (rises.mean, rises.low, rises.high)]
    more = {"rise of the Chamfer distance halfway": told}
    return made._replace(more=more, faults=drawn.disagreeing(made.difference, rises))


def _likeness(pair: Pair, count: int) -> Compared:
    """By how much the first pair of fits is more alike, beyond what fits of different targets are. The report has only
    means and standard deviations."""
    sides = [_side(row["cosine"], count, less=row["cosine_floor"]) for row in pair]
    values = [summarised(side, (0.0, 0.0), count) for side in sides]
    return Compared(
        summarised(*sides, count), values, "cosine of the two fits, above that of fits of different targets"
    )  # fmt: skip


def _steady(reports: Reports) -> Iterator[Claim]:
    """Whether independent starts cost mLoRA-Asym much more than other points from one start of the same kind do."""
    head = _report(reports)
    rows = [row for row in (head["rows"] if head else ()) if row["representation"] == BEST]
    far = {series_of(row): Pair(row, row) for row in reversed(rows) if row["lambda"] == 1}
    near = {series_of(row): row for row in rows if row["lambda"] == 0}
    order = sorted(far, key=lambda series: (series != LITERAL, abs(far[series].cosines[0]), series))
    usable = [series for series in order if far[series].independent]
    draws, says = reports(drawn.REPORT), f"{label(BEST)}'s barrier stays low from very different starts"
    in_draws = all(drawn.has(draws, [BEST], value) for value in (1, 0))
    if in_draws:
        yield _claim(f"steady.{BEST}", f"{says}{begun(LITERAL)}", drawn.steady(draws, BEST, MARGIN))
    for place, series in enumerate(_told(usable, order, in_draws), start=int(in_draws)):
        evidence = Evidence(data=DATA, faults=(not_measured(),))
        if series and near:
            control = near.get(series) or near.get(OWN) or next(iter(near.values()))
            evidence = _rise(head, (far[series], series), control)
        further = f".{series.replace(' ', '-')}" if place else ""
        yield _claim(f"steady.{BEST}{further}", f"{says}{begun(series)}", evidence)


def _rise(head: dict, chosen: tuple[Pair, str], control: Mapping) -> Evidence:
    pair, series = chosen

    def measure(pair: Pair, count: int) -> Compared:
        drops = [np.array(row["raw"]["drops"]) for row in (pair.first, control)]
        kept = paired(np.full(len(drops[0]), MARGIN), drops[0] - drops[1])
        of = f"{MARGIN} IoU, a margin of ours, less what independent starts lose more halfway than one start"
        return Compared(kept, [mean_interval(one) for one in drops], of)

    made = measure(pair, len(head["ids"]))
    faults = unlike(pair, (BEST, BEST), series)
    faults += [] if series_of(control) == series else [OTHER_CONTROL]
    titles = (f"{BEST}, λ = 1, {series}", f"{BEST}, λ = 0, {series_of(control)}")
    return Evidence(
        difference=made.difference,
        **_about(head), reports=tuple(dict.fromkeys((*pair.reports, control["report"]))), measure=made.of,
        ours=tuple(Value(title, one.mean, one.half, one.count) for title, one in zip(titles, made.values, strict=True)),
        faults=(*faults, *_not_again(head, pair, series, made, measure)),
        more={"series": series, "start cosine": pair.cosines[0]},
    )  # fmt: skip


CATEGORIES = "the paper's targets are airplanes, ours are of all ten categories"
MARGIN = 0.05  # IoU: a rise of the barrier that would still be called low
OTHER_CONTROL = Fault(OPEN, "from one start of this kind (λ = 0) nothing was measured: the control is the usual start")

GROUP = Group(
    name="figure3",
    title="Figure 3: one linear mode",
    place=6,
    claims=claims,
    reports=("figure3-shapes10", RATES_REPORT),
    further=(drawn.REPORT, *(f"{kind}-shapes10" for kind in (WIDE, ZERO)),
             *(f"{kind}-shapes10-airplane" for kind in ("figure3", WIDE, ZERO))),
    intro="The paper fits 30 airplanes twice, from starts N(0, I) that are a distance λ apart; its barrier is the "
    "Chamfer distance halfway. Ours is the IoU that is lost halfway, over 30 held-out shapes, with the Chamfer "
    "distance beside it. Starts are called `normal` if they are N(0, I) as in the paper, `lognormal` if all factors "
    "are positive, and `own` if they are those that all other fits here have: two of a multiplicative adapter are then "
    "practically one, and two of an additive adapter draw the same picture.",
)  # fmt: skip
