"""What Tables 2, 3 and 5 share: values of each seed of a generator, and what keeps them from deciding."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

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
from precompute.experiment import Context
from precompute.experiments.generation_tables import FLAT, frame
from precompute.generators import search_report
from precompute.tables import PAPER
from wsr.analysis.evaluation import set_metrics
from wsr.data.registry import slug
from wsr.data.splits import HELDOUT
from wsr.errors import WsrError, counted
from wsr.metrics.registry import Metric
from wsr.stats import mean_interval, unpaired

ENOUGH = 3  # seeds of a training, below which an interval between seeds says too little
SEEDS = Fault(OPEN, f"a side has fewer than {ENOUGH} seeds")
CHOSEN = Fault(
    OPEN,
    "the sampler's guidance, clusters and final noise were chosen for mLoRA-Asym on these held-out fits and then "
    "given to all, so that it had an advantage",
)
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
    return tuple(f"generation-{slug(half.data)}-{name}" for name in PAPER["representations"])


def search_of(half: Half) -> str:
    """The report of the search for the networks of a half's generators."""
    return PurePath(search_report(half.data, Context())).stem


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
    """Our values of a measure for two generators: one for each seed, against fits that none has learnt from."""
    metric = _metric(symbol)
    known = _measured(reports, half)
    about = {"measure": f"{metric.heading} against unseen fits", "data": half.data}
    sides = [_values(known, metric, name) for name in pair]
    if not all(map(len, sides)):
        return Evidence(**about, faults=(not_measured(),))
    told = [one for one in map(reports, reports_of(half)) if one]
    faults = [CHOSEN] if any(one.get("split", HELDOUT) == HELDOUT for one in told) else []
    difference = None
    if min(map(len, sides)) < ENOUGH:
        faults.insert(0, SEEDS)
    else:
        losses = [metric.in_unit(metric.loss(values)) for values in sides]
        difference = unpaired(losses[1], losses[0])
    count, faults = int(known["count"].min()), (*faults, *loud_mask(pair, difference, told[0]))
    faults = (*faults, *_unequal(reports(search_of(half)), pair))
    return Evidence(
        **about, difference=difference, faults=faults, notes=_notes(count),
        ours=tuple(_value(name, metric.in_unit(values)) for name, values in zip(pair, sides, strict=True)),
        seeds=min(map(len, sides)), preset=reports.context.preset, split=told[0].get("split", HELDOUT),
        features=told[0]["extractor"], reports=tuple(one for one in reports_of(half) if reports(one)),
        more={"samples": count},
    )  # fmt: skip


def cells(reports: Reports, half: Half) -> Iterator[Cell]:
    known = _measured(reports, half)
    for name, row in half.paper.items():
        for key, symbol, _ in MEASURES:
            if key in row:
                metric = _metric(symbol)
                values = metric.in_unit(_values(known, metric, name))
                ours = _value(name, values) if len(values) else None
                made = (ours.mean, ours.half, int(known["count"].min()), len(values)) if ours else (None,) * 4
                yield Cell(label(name), f"{symbol}; ours: {metric.heading}", row[key], *made)


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
    few = f"{count} samples are compared with as many fits, where the paper compares {PAPER_COUNT:,}"
    return (ONE_ZOO, few) if count < PAPER_COUNT else (ONE_ZOO,)


def _metric(symbol: str) -> Metric:
    found = next((one for one in set_metrics() if one.symbol == symbol), None)
    if found is None:
        raise WsrError(f"No measure of samples is called {symbol!r}.")
    return found


def _measured(reports: Reports, half: Half) -> pd.DataFrame:
    """The rows of samples against fits that no generator has learnt from: one for each seed of each generator."""
    for name in reports_of(half):
        reports(name)  # raises if the group has not declared what is read here
    found = frame(half.data, reports.context)
    return found[(found["set"] == "samples") & (found["against"] == HELDOUT)]


def _values(known: pd.DataFrame, metric: Metric, name: str) -> np.ndarray:
    if metric.symbol not in known:
        return np.zeros(0)
    return known[known["name"] == name][metric.symbol].dropna().to_numpy()


def _value(name: str, values: np.ndarray) -> Value:
    if len(values) < 2:
        return Value(name, float(values[0]))
    found = mean_interval(values)
    return Value(name, found.mean, found.half, found.count)
