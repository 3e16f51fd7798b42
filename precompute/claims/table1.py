"""Table 1 and section 4.1: reconstruction, and how many weights it takes."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from precompute.claims.claim import (
    INCOMPARABLE,
    KAPPA,
    OPEN,
    Cell,
    Claim,
    Evidence,
    Fault,
    Group,
    Value,
    best_against_others,
    label,
    loud_mask,
    not_measured,
    one_mask,
)
from precompute.claims.reports import Reports
from precompute.tables import PAPER
from wsr.fields.registry import named
from wsr.fields.representation import count_parameters
from wsr.stats import Difference, exact, stated

TABLE = PAPER["table1_reconstruction"]
ROWS = [(name, TABLE[name]) for name in PAPER["representations"]]
MLPS = [name for name, _ in ROWS if not named(name).needs_base]
ADAPTERS = [name for name, _ in ROWS if named(name).needs_base]
PLAIN = [name for name in ADAPTERS if named(name).twin is None]
# The orders that the text states: adapters before MLPs, and the adapter whose mask costs it 11 dB behind its twin.
STATED = [(adapter, mlp) for adapter in PLAIN for mlp in MLPS] + [
    (named(name).twin, name) for name in ADAPTERS if named(name).twin and not named(name).centred
]
CHAMFER = "CD ×10²"


class Column(NamedTuple):
    """A column of the paper's table and what stands for it here. key: in `TABLE`. quality: the measure in which the
    search for learning rates (`rates`) compares."""

    key: str
    title: str
    data: str
    measure: str
    quality: str
    report: str
    rates: str
    higher: bool = False

    @property
    def own(self) -> str:
        """The report of fits at each one's own best rate, of which not all columns have one."""
        return f"own-rates-{self.data.replace('/', '-')}"


COLUMNS = (
    Column("ffhq_psnr", "PSNR on FFHQ", "faces", "faces PSNR", "faces PSNR", "table1-faces", "learning-rates-emoji",
           True),
    Column("ffhq_psnr", "PSNR on FFHQ", "emoji", "emoji PSNR", "emoji PSNR", "table1", "learning-rates-emoji", True),
    Column("shapenet_cd_a", "Chamfer distance on ShapeNet's airplanes", "shapes10/airplane",
           f"shapes10-airplane {CHAMFER}", "shapes10-airplane IoU", "table1-shapes10-airplane",
           "learning-rates-shapes10"),
    Column("shapenet_cd_m", "Chamfer distance on ten categories of ShapeNet", "shapes10", f"shapes10 {CHAMFER}",
           "shapes10 IoU", "table1", "learning-rates-shapes10"),
)  # fmt: skip
UNLIKE = Fault(
    INCOMPARABLE,
    "emoji are drawings of nine kinds, where the paper has aligned faces: `faces` stand for those",
)
UNLIKE_FFHQ = ("emoji",)
TUNED = Fault(
    OPEN,
    "our rule for learning rates (the lowest within a margin of the best) costs one side more than the other, and at "
    "each side's own best rate the order could be another",
)
BEST_RATES = (
    "each at the best learning rate and momenta of its own search on validation signals, by one rule; adapters have "
    "the rate of A besides, and so more trials; frozen entries are N(0, κI) of the layer's scale, with κ as a variance"
)
COUNTS = (("ffhq_params", 2, "FFHQ"), ("shapenet_params", 3, "ShapeNet"))


def claims(reports: Reports) -> list[Claim]:
    return [*_orders(reports), *_counts()]


def _orders(reports: Reports) -> Iterator[Claim]:
    for column in COLUMNS:
        values = {name: row[column.key] for name, row in ROWS}
        for better, worse in dict.fromkeys([*best_against_others(values, column.higher), *STATED]):
            yield Claim(
                id=f"table1.{column.key}.{column.data.replace('/', '-')}.{better}>{worse}",
                says=f"{label(better)} reconstructs better than {label(worse)} ({column.title})",
                where="Table 1, section 4.1",
                paper={better: values[better], worse: values[worse]},
                command=f"wsr reproduce table1 --data {column.data}",
                evidence=_evidence(reports, column, (better, worse)),
            )


def _evidence(reports: Reports, column: Column, pair: tuple[str, str]) -> Evidence:
    found, data = reports(column.report), {"measure": column.measure, "data": column.data}
    row, own = _order(found, column.measure, pair), reports(column.own)
    faults = [UNLIKE] if column.data in UNLIKE_FFHQ else []
    if (fair := _order(own, column.measure, pair)) is not None:
        once = own.get("draws", 1) == 1  # several draws have a mask each, and what a run moves is in their interval
        moved = _moved(reports, column, pair) if once else {}
        return _at_best_rates(own, fair, column, row, moved, [*faults, *one_mask(pair)] if once else faults)
    faults += one_mask(pair)
    if row is None:
        return Evidence(**data, faults=(*faults, not_measured()))
    gain, slack = _stated(row), _slack(reports(column.rates), pair)
    by_quality = _order(found, column.quality, pair)
    if slack is not None and by_quality is not None and _overturned(_stated(by_quality), slack):
        faults.append(TUNED)
    return Evidence(
        **data, difference=gain, faults=(*faults, *loud_mask(pair, gain, found)), reports=(column.report,),
        notes=() if column.data in column.rates else (f"the learning rates are those of `{column.rates}`",),
        ours=tuple(Value(name, *_cell(found, column.measure, name), gain.count) for name in pair),
        seeds=1, preset=found["preset"], split=found["split"],
        more={} if slack is None else {f"gain of the better one at best rates ({column.quality})": round(slack, 4)},
    )  # fmt: skip


def _at_best_rates(
    own: dict, fair: dict, column: Column, usual: dict | None, moved: Mapping[str, float], faults: Sequence[Fault]
) -> Evidence:  # fmt: skip
    """Evidence of fits at the best rate of either side. fair: the row that compares them; usual: the one at the rates
    of the presets, which is told beside it; moved: see `_moved`."""
    pair, gain = (fair["better"], fair["worse"]), _stated(fair)
    more = {f"a second run moved {label(name)} by": round(by, 4) for name, by in moved.items()}
    faults = (*faults, *_no_further(gain, moved), *loud_mask(pair, gain, own))
    return Evidence(
        measure=column.measure, data=column.data, difference=gain, faults=faults,
        reports=(column.own, column.report), notes=(BEST_RATES, *_at_the_edge(own, pair)),
        ours=tuple(Value(name, *_cell(own, column.measure, name), gain.count) for name in pair),
        seeds=own.get("draws", 1), preset=own["preset"], split=own["split"],
        more=more | ({} if usual is None else {"by at the rates of the presets": round(usual["by"], 4)}),
    )  # fmt: skip


def _moved(reports: Reports, column: Column, pair: tuple[str, str]) -> dict[str, float]:
    """By how much the means of two runs with the same settings differ, where the reports have two of a side."""
    own, usual, rates = (reports(name) for name in (column.own, column.report, column.rates))
    found = {}
    for name in pair if usual and rates else ():
        row = _row(own, name)
        usual_betas = [one["betas"] for one in _attempts(own, row)[:1]]  # the first has those of the preset
        same = all(rates["chosen"].get(name, {}).get(key) == row[key] for key in ("lr", "a_rate"))
        if same and usual_betas == [row["betas"]]:
            means = [_cell(one, column.measure, name)[0] for one in (own, usual)]
            found[name] = abs(means[0] - means[1])
    return found


def _no_further(gain: Difference, moved: Mapping[str, float]) -> list[Fault]:
    """The faults of a difference that is not beyond what a second run moved."""
    return [Fault(OPEN, f"a second run of {label(name)} with the same settings moved its mean by {by:.2f}, and the "
                  "difference is not beyond that")
            for name, by in moved.items() if min(abs(gain.low), abs(gain.high)) < by]  # fmt: skip


def _at_the_edge(own: dict, pair: tuple[str, str]) -> list[str]:
    """Notes on settings of which the best was the last that was tried: a further one might be better still."""
    notes = []
    for key, what in (("betas", "momenta"), ("a_rate", "rates of A")):
        at = []
        for name in pair:
            row = _row(own, name)
            tried = sorted({json.dumps(one[key]) for one in _attempts(own, row)}, key=json.loads)
            if len(tried) > 1 and json.dumps(row[key]) in (tried[0], tried[-1]):
                at.append(label(name))
        if at:
            notes.append(f"{what} of {' and '.join(at)}: the best were the last that were tried")
    return notes


def _order(found: dict | None, measure: str, pair: tuple[str, str]) -> dict | None:
    """The row of a report that compares these two. One that compares them the other way round is turned."""
    for row in found["order"] if found else ():
        if row["measure"] == measure and {row["better"], row["worse"]} == set(pair):
            return row if row["better"] == pair[0] else row | {"by": -row["by"]}
    return None


def _stated(row: dict) -> Difference:
    return stated(row["by"], row["±"], row.get("freedom", row["instances"] - 1), row["instances"])


def _slack(rates: dict | None, pair: tuple[str, str]) -> float | None:
    """How much the first one would gain on the second, in mean quality, if both had the best rate of the search."""
    if rates is None:
        return None
    costs = [_cost(rates, name) for name in pair]
    return None if None in costs else costs[0] - costs[1]


def _cost(rates: dict, name: str) -> float | None:
    """How much quality the rule costs a representation."""
    tried, chosen = rates["quality"].get(name, {}), rates["chosen"].get(name)
    taken = [row["mean"] for row in tried.values() if chosen and {key: row[key] for key in chosen} == chosen]
    return max(row["mean"] for row in tried.values()) - taken[0] if taken else None


def _overturned(gain: Difference, slack: float) -> bool:
    moved = Difference(gain.mean + slack, gain.low + slack, gain.high + slack, gain.count)
    return moved.verdict != gain.verdict


def _row(found: dict, name: str) -> dict:
    """The row of a representation. If it has several, by κ, that of the report's own κ."""
    rows = [row for row in found["rows"] if row["representation"] == name]
    return next((row for row in rows if math.isclose(row.get(KAPPA, 0), found.get(KAPPA, 0), rel_tol=1e-6)), rows[0])


def _attempts(own: dict, row: dict) -> list[dict]:
    """The attempts of the search that has led to a row of fits at their own best rate."""
    for key, attempts in own["attempts"].items():
        head, _, kappa = key.rpartition("-")
        if head.endswith(f"-{row['representation']}") and math.isclose(float(kappa), row[KAPPA], rel_tol=1e-6):
            return attempts
    return []


def _cell(found: dict, measure: str, name: str) -> tuple[float, float]:
    """The value of a representation and half of its interval."""
    row = _row(found, name)
    return row[measure], row[f"{measure} ±"]


def _counts() -> Iterator[Claim]:
    for key, dim, data in COUNTS:
        for name, row in ROWS:
            ours = count_parameters(name, "paper", dim)
            unclear = named(name).needs_base and ours != row[key]
            fault = Fault(OPEN, "the text leaves open what is trained beside {A, B} of the synthesis layers")
            yield Claim(
                id=f"table1.{key}.{name}",
                says=f"{label(name)} has {row[key]:,} trainable weights for {data}",
                where="Table 1",
                paper={name: row[key]},
                command="wsr reproduce claims",
                evidence=Evidence(
                    difference=exact(0.5 - abs(ours - row[key])),
                    ours=(Value(name, ours),),
                    measure="weights",
                    data="any",
                    preset="paper",
                    faults=(fault,) if unclear else (),
                ),
            )


def cells(reports: Reports) -> Iterator[Cell]:
    for column in COLUMNS:
        own = reports(column.own)
        found, measure = own or reports(column.report), column.measure
        there = {row["representation"] for row in (found["rows"] if found else ()) if row.get(measure) is not None}
        count = next((one["instances"] for one in (found["order"] if there else ()) if one["measure"] == measure), None)
        title = f"{column.title}; ours on {column.data}" + (", each at its own best rate" if own else "")
        for name, row in ROWS:
            mine = (*_cell(found, measure, name), count, found.get("draws", 1)) if name in there else ()
            yield Cell(label(name), title, row[column.key], *mine)
    for key, dim, data in COUNTS:
        for name, row in ROWS:
            yield Cell(label(name), f"weights, {data}", row[key], count_parameters(name, "paper", dim))


GROUP = Group(
    name="table1",
    title="Table 1: reconstruction",
    place=1,
    claims=claims,
    cells=cells,
    reports=("table1", "learning-rates-emoji", "learning-rates-shapes10"),
    further=("table1-faces", "table1-shapes10-airplane", *(column.own for column in COLUMNS)),
    intro="The paper fits 10,000 steps of 8,192 points; ours at the `cpu` preset fits 300 (pictures) or 700 (shapes) "
    "steps of 512 points, of fields with a third of the weights. Differences are between the same held-out instances.",
)
