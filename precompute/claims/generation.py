"""What Tables 2, 3 and 5 share: values of each seed of a generator, and what keeps them from deciding."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from precompute.claims.claim import (
    OPEN,
    Cell,
    Claim,
    Evidence,
    Fault,
    Value,
    best_against_others,
    label,
    loud_mask,
    not_measured,
)
from precompute.claims.reports import Reports
from precompute.experiments.flat_search import WITHOUT_ENCODER
from precompute.experiments.generation_tables import FLAT
from precompute.generators import SEARCHED, searched_on
from wsr.analysis.evaluation import set_metrics
from wsr.data.registry import slug
from wsr.errors import WsrError, counted
from wsr.metrics.registry import Metric
from wsr.stats import mean_interval, unpaired

ENOUGH = 3  # seeds of a training, below which an interval between seeds says too little
SEEDS = Fault(OPEN, f"a side has fewer than {ENOUGH} seeds")
ONE_ZOO = "seeds are those of the generators, which learn from one zoo of each representation, with one base and mask"
PAPER_COUNT = 2048
# The paper's measures: its key, how people write it, and whether higher is better.
MEASURES = (("mmd", "mMD", False), ("cov", "COV", True), ("1nna", "1-NNA", False), ("fd", "FD", False),
            ("mmd_g", "MMD-G", False), ("mmd_p", "MMD-P", False))  # fmt: skip


class Half(NamedTuple):
    """A table, or the half of one, about one data set. paper: its rows. data: what stands for the paper's data."""

    name: str
    title: str
    paper: Mapping[str, Mapping[str, float]]
    data: str
    where: str
    command: str


def reports_of(half: Half) -> tuple[str, ...]:
    """The one report that a half is judged by."""
    return (f"unconditional-{slug(half.data)}",)


def search_of(half: Half) -> str:
    """The report of the search for the networks of a half's generators."""
    where = searched_on(half.data)
    return "diffusion-search" + (f"-{slug(where)}" if where != SEARCHED else "")


def order_claims(reports: Reports, half: Half, pairs: Mapping[str, list[tuple[str, str]]]) -> Iterator[Claim]:
    """The claims about a half. pairs: the orders that each of its columns states, by the paper's key."""
    for key, symbol, higher in MEASURES:
        for better, worse in pairs.get(key, ()):
            values = {name: half.paper[name][key] for name in (better, worse)}
            than = "higher" if higher else "lower"
            yield Claim(
                id=f"{half.name}.{key}.{slug(better)}>{slug(worse)}",
                says=f"samples of {label(better)} have a {than} {symbol} than those of {label(worse)} ({half.title})",
                where=half.where,
                paper=values,
                command=half.command,
                evidence=evidence(reports, half, symbol, (better, worse)),
            )


def stated(half: Half, more: Sequence[tuple[str, str]] = ()) -> dict[str, list[tuple[str, str]]]:
    """The orders of each column of a half: its best cell against each other one, and those that the text states."""
    found = {}
    for key, _, higher in MEASURES:
        values = {name: row[key] for name, row in half.paper.items() if key in row}
        if values:
            order = [pair for pair in more if (values[pair[0]] > values[pair[1]]) == higher]
            found[key] = list(dict.fromkeys([*best_against_others(values, higher), *order]))
    return found


def evidence(reports: Reports, half: Half, symbol: str, pair: tuple[str, str]) -> Evidence:
    """Our values of a measure for two generators: one for each seed, against signals of the test split."""
    metric, (name,) = _metric(symbol), reports_of(half)
    about = {"measure": f"{metric.heading} against signals of the test split", "data": half.data}
    known = reports(name)
    sides = [values_of(known, metric, side) for side in pair]
    if not all(map(len, sides)):
        return Evidence(**about, faults=(not_measured(),))
    enough = min(map(len, sides)) >= ENOUGH
    losses = [metric.in_unit(metric.loss(values / metric.in_unit(1))) for values in sides]
    difference = unpaired(losses[1], losses[0]) if enough else None
    count = min(row["count"] for row in known["rows"])
    faults = [*(() if enough else (SEEDS,)), *_unequal(reports(search_of(half)), pair)]
    return Evidence(
        **about, difference=difference, notes=_notes(count), faults=(*faults, *loud_mask(pair, difference, known)),
        ours=tuple(_value(side, values) for side, values in zip(pair, sides, strict=True)),
        seeds=min(map(len, sides)), preset=known["preset"], split="the test split",
        features=known["extractor"], reports=(name,), more={"samples": count},
    )  # fmt: skip


def cells(reports: Reports, half: Half) -> Iterator[Cell]:
    known = reports(*reports_of(half))
    for name, row in half.paper.items():
        for key, symbol, _ in MEASURES:
            if key in row:
                metric = _metric(symbol)
                values = values_of(known, metric, name)
                ours = _value(name, values) if len(values) else None
                count = min((one["count"] for one in known["rows"]), default=0) if ours else None
                made = (ours.mean, ours.half, count, len(values)) if ours else (None,) * 4
                yield Cell(label(name), f"{symbol}; ours: {metric.heading}", row[key], *made)


def values_of(known: Mapping[str, Any] | None, metric: Metric, name: str) -> np.ndarray:
    """The values of a metric for a generator, one for each seed, in the unit of its heading; none if it has not been
    measured. known: the report."""
    of = (WITHOUT_ENCODER, False) if name == FLAT else (name, True)
    rows = [row for row in (known or {"rows": ()})["rows"] if (row["representation"], row["encoder"]) == of]
    found = [row[metric.heading] for row in rows if row.get(metric.heading) is not None]
    return np.array(found, dtype=float)


def _unequal(search: Mapping[str, Any] | None, pair: tuple[str, str]) -> list[Fault]:
    """The fault of two representations whose networks were not found by the same search: unless each had as many
    trials, of which some had another width. Table 5 compares two networks of one representation."""
    if FLAT in pair:
        return []
    trials = {name: [row for row in (search or {"rows": ()})["rows"] if row["representation"] == name] for name in pair}
    widths = [{row.get("width") for row in rows} for rows in trials.values()]
    if len({len(rows) for rows in trials.values()}) == 1 and min(map(len, widths)) > 1:
        return []
    told = " and ".join(f"{counted(len(rows), 'trial')} of {label(name)}" for name, rows in trials.items())
    return [Fault(OPEN, f"the search for the networks was not the same for all: it had {told}; widths and depths were "
                        "measured for mLoRA-Asym alone")]  # fmt: skip


def _notes(count: int) -> tuple[str, ...]:
    few = f"{count} samples are compared with as many signals, where the paper compares {PAPER_COUNT:,}"
    return (ONE_ZOO, few) if count < PAPER_COUNT else (ONE_ZOO,)


def _metric(symbol: str) -> Metric:
    found = next((one for one in set_metrics() if one.symbol == symbol), None)
    if found is None:
        raise WsrError(f"No measure of samples is called {symbol!r}.")
    return found


def _value(name: str, values: np.ndarray) -> Value:
    if len(values) < 2:
        return Value(name, float(values[0]))
    found = mean_interval(values)
    return Value(name, found.mean, found.half, found.count)
