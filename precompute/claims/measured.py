"""Where the values of generated samples come from: generators as in the paper, without classes or guidance
(`unconditional`), or those that the page shows (`generation`, `audits`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from precompute.claims.claim import OPEN, Fault
from precompute.claims.reports import Reports
from precompute.experiment import Context
from precompute.experiments.generation_tables import FLAT, frame
from precompute.experiments.unconditional_search import WITHOUT_ENCODER
from precompute.generators import search_report, unconditional_search_report
from precompute.tables import PAPER
from wsr.data.registry import slug
from wsr.data.splits import HELDOUT
from wsr.metrics.registry import Metric

CHOSEN = Fault(
    OPEN,
    "the sampler's guidance, clusters and final noise were chosen for mLoRA-Asym on these held-out fits and then "
    "given to all, so that it had an advantage",
)


@dataclass(frozen=True)
class Measured:
    """Samples of several generators, compared with the same known things. rows: one for each seed of each generator,
    with the columns `name`, `count`, and metrics by their headings, in the units that these say. against, split: what
    they are compared with. told: what a report says besides its rows. reports: the names of all. search: the
    report of the search for the generators' networks."""

    rows: pd.DataFrame
    against: str
    split: str
    told: Mapping[str, Any]
    reports: tuple[str, ...]
    search: str
    faults: tuple[Fault, ...] = ()

    def values(self, metric: Metric, name: str) -> np.ndarray:
        """The values of a metric for one generator, one for each seed; none if it was not measured."""
        if metric.heading not in self.rows:
            return np.zeros(0)
        return self.rows[self.rows["name"] == name][metric.heading].dropna().to_numpy(float)

    def sizes(self, names: tuple[str, ...]) -> list[int]:
        """The numbers of parameters of these generators' networks, where the report has them all."""
        if "parameters" not in self.rows:
            return []
        known = self.rows.dropna(subset="parameters").groupby("name")["parameters"].first()
        return [int(known[name]) for name in names] if set(names) <= set(known.index) else []

    @property
    def count(self) -> int:
        return int(self.rows["count"].min())


def shown(data: str) -> tuple[str, ...]:
    """The reports of the generators that the page shows."""
    return tuple(f"generation-{slug(data)}-{name}" for name in PAPER["representations"])


def plain(data: str) -> str:
    """The report of the generators as in the paper."""
    return f"unconditional-{slug(data)}"


def search_of_plain(data: str) -> str:
    """The report of the search for the networks of generators as in the paper."""
    return PurePath(unconditional_search_report(data, Context())).stem


def search_of_shown(data: str) -> str:
    """The report of the search for the networks of the generators that the page shows."""
    return PurePath(search_report(data, Context())).stem


def name_of(row: Mapping[str, Any]) -> str:
    """What a generator is called that a row of a report is about."""
    flat = row["representation"] == WITHOUT_ENCODER and not row.get("encoder", True)
    return FLAT if flat else row["representation"]


def sources(reports: Reports, data: str, metrics: list[Metric]) -> Iterator[Measured]:
    """What there is of a data set, that of the paper's experiment first."""
    if found := reports(plain(data)):
        rows = pd.DataFrame(found["rows"]).assign(name=[name_of(row) for row in found["rows"]])
        made = plain(data)
        yield Measured(rows, "signals of the test split", "the test split", found, (made,), search_of_plain(data))
    if told := {name: one for name in shown(data) if (one := reports(name))}:
        first, rows = next(iter(told.values())), frame(data, reports.context)
        rows = rows[(rows["set"] == "samples") & (rows["against"] == HELDOUT)]
        rows = rows.assign(**{one.heading: one.in_unit(rows[one.symbol]) for one in metrics if one.symbol in rows})
        faults = (CHOSEN,) if any(one.get("split", HELDOUT) == HELDOUT for one in told.values()) else ()
        split, search = first.get("split", HELDOUT), search_of_shown(data)
        yield Measured(rows, "unseen fits", split, first, tuple(told), search, faults)
