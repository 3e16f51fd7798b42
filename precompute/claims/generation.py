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
    one_mask,
)
from precompute.claims.measured import (
    Measured,
    name_of,
    plain,
    search_of_plain,
    search_of_shown,
    shown,
    sources,
)
from precompute.claims.reports import Reports
from wsr.analysis.evaluation import set_metrics
from wsr.data.registry import slug
from wsr.errors import WsrError, counted
from wsr.metrics.registry import Metric
from wsr.stats import mean_interval, unpaired

ENOUGH = 3  # seeds of a training, below which an interval between seeds says too little
SEEDS = Fault(OPEN, f"a side has fewer than {ENOUGH} seeds")
ONE_ZOO = "seeds are those of the generators, which learn from one zoo of each representation, with one base and mask"
PAPER_COUNT = 2048
UNEQUAL = 1.1  # ratio of two networks' parameters above which a claim names them
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
    return (plain(half.data), *shown(half.data))


def searches_of(half: Half) -> tuple[str, ...]:
    """The reports of the searches for the networks of a half's generators."""
    return search_of_plain(half.data), search_of_shown(half.data)


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
    """Our values of a measure for two generators, one for each seed: of those that were made as in the paper, unless
    these have fewer than ENOUGH seeds and others more."""
    metric = _metric(symbol)
    told = [one for one in _sources(reports, half) if all(len(one.values(metric, name)) for name in pair)]
    if not told:
        return Evidence(measure=metric.heading, data=half.data, faults=(not_measured(),))
    seeds = [min(len(one.values(metric, name)) for name in pair) for one in told]
    best = max(range(len(told)), key=lambda at: min(seeds[at], ENOUGH))  # the first of those that have as many
    found = told[best]
    sides = [found.values(metric, name) for name in pair]
    enough = seeds[best] >= ENOUGH
    losses = [metric.in_unit(metric.loss(values / metric.in_unit(1))) for values in sides]
    difference = unpaired(losses[1], losses[0]) if enough else None
    faults = [*(() if enough else (SEEDS,)), *found.faults, *loud_mask(pair, difference, found.told)]
    faults = (*faults, *one_mask(pair), *_unequal(reports(found.search), pair))
    return Evidence(
        measure=f"{metric.heading} against {found.against}", data=half.data, difference=difference, faults=faults,
        notes=_notes(found, pair), seeds=seeds[best], preset=reports.context.preset, split=found.split,
        ours=tuple(_value(name, values) for name, values in zip(pair, sides, strict=True)),
        features=found.told["extractor"], reports=found.reports, more={"samples": found.count},
    )  # fmt: skip


def cells(reports: Reports, half: Half) -> Iterator[Cell]:
    """The cells of a half beside ours: those of generators as in the paper if all rows have been measured so."""
    told = list(_sources(reports, half))
    whole = [one for one in told if set(half.paper) <= set(one.rows["name"])]
    found = next(iter([*whole, *told[::-1]]), None)
    for name, row in half.paper.items():
        for key, symbol, _ in MEASURES:
            if key in row:
                metric = _metric(symbol)
                values = found.values(metric, name) if found else ()
                ours = _value(name, values) if found and len(values) else None
                made = (ours.mean, ours.half, found.count, len(values)) if found and ours else (None,) * 4
                yield Cell(label(name), f"{symbol}; ours: {metric.heading}", row[key], *made)


def _sources(reports: Reports, half: Half) -> Iterator[Measured]:
    return sources(reports, half.data, list(set_metrics()))


def _unequal(search: Mapping[str, Any] | None, pair: tuple[str, str]) -> list[Fault]:
    """The fault of two generators whose networks were not found by the same search: unless each had the same budget of
    trials, or as many of them, and some had another width."""
    search = search or {"rows": ()}
    trials = {name: [row for row in search["rows"] if name_of(row) == name] for name in pair}
    widths = [{row.get("width") for row in rows} for rows in trials.values()]
    fair = "trials" in search or len({len(rows) for rows in trials.values()}) == 1
    if fair and min(map(len, widths)) > 1:
        return []
    told = " and ".join(f"{counted(len(rows), 'trial')} of {label(name)}" for name, rows in trials.items())
    return [Fault(OPEN, f"the search for the networks was not the same for all: it had {told}; widths and depths were "
                        "measured for mLoRA-Asym alone")]  # fmt: skip


def _notes(found: Measured, pair: tuple[str, str]) -> tuple[str, ...]:
    notes = [ONE_ZOO]
    if found.count < PAPER_COUNT:
        few = f"{found.count} samples are compared with as many {found.against}"
        notes.append(f"{few}, where the paper compares {PAPER_COUNT:,}")
    sizes = found.sizes(pair)
    if sizes and max(sizes) > UNEQUAL * min(sizes):
        told = " and ".join(f"{size / 1e6:.1f}" for size in sizes)
        notes.append(f"the networks of {' and '.join(map(label, pair))} have {told} million parameters")
    return tuple(notes)


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
