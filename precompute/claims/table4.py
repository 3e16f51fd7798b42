"""Table 4: what simple methods read in weights."""

from collections.abc import Iterator

from precompute.claims import claim as to
from precompute.claims.claim import (
    RATES,
    Cell,
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
from precompute.tables import PAPER
from wsr.analysis.probes import RAW
from wsr.fields.registry import named
from wsr.stats import Difference, stated

TABLE = PAPER["table4_discrimination_shapenet10"]
NAMES = PAPER["representations"]
# The paper's key, our column, and what the method is.
MEASURES = (("nn1", "1-NN", "the nearest neighbour by cosine"), ("logistic", "logistic", "logistic regression"),
            ("ari", "ARI", "k-means (adjusted Rand index)"))  # fmt: skip
DATA = "shapes10"
PREPARED = Fault(
    to.INCOMPARABLE,
    "the paper reads raw, flattened weights; here the mean was subtracted for 1-NN, and weights were standardised for "
    "the others",
)
STARTS = Fault(to.INCOMPARABLE, "the interval of ARI is over starts of k-means alone, the paper's over splits too")


def _text() -> list[tuple[str, str]]:
    """The progression that the text states: multiplicative before additive adapters, and these before MLPs."""
    plain = [name for name in NAMES if named(name).twin is None]
    multiplicative = [name for name in plain if named(name).centred]
    additive = [name for name in plain if named(name).needs_base and not named(name).centred]
    alone = [name for name in plain if not named(name).needs_base]
    return [(a, b) for first, then in ((multiplicative, additive), (additive, alone)) for a in first for b in then]


def claims(reports: Reports) -> Iterator[Claim]:
    for key, measure, method in MEASURES:
        values = {name: TABLE[name][key][0] for name in NAMES}
        for better, worse in dict.fromkeys([*to.best_against_others(values, True), *_text()]):
            yield Claim(
                id=f"table4.{key}.{better}>{worse}",
                says=f"{method} reads the category better in weights of {label(better)} than of {label(worse)}",
                where="Table 4, section 4.4",
                paper={better: values[better], worse: values[worse]},
                command="wsr reproduce table4",
                evidence=_evidence(reports("table4"), measure, (better, worse)),
            )


def _evidence(found: dict | None, measure: str, pair: tuple[str, str]) -> Evidence:
    about = {"measure": f"{measure}, %", "data": DATA}
    rows = [row for row in (found["order"] if found else ()) if row["data set"] == DATA and row["measure"] == measure]
    rows = [row if row["better"] == pair[0] else row | {"by": -row["by"]} for row in rows
            if {row["better"], row["worse"]} == set(pair)]  # fmt: skip
    if not rows:
        return Evidence(**about, faults=(not_measured(),))
    raw = [row for row in rows if row.get("protocol") == RAW]
    row = (raw or rows)[0]
    faults = () if raw else (PREPARED, *((STARTS,) if measure == "ARI" else ()))
    runs = row.get("runs", found["runs"])
    cells = [_cell(found, measure, name, row.get("protocol")) for name in pair]
    gain = _stated(row, runs)
    return Evidence(
        **about, difference=gain, faults=(*faults, *one_mask(pair), *loud_mask(pair, gain, found)),
        reports=("table4",),
        ours=tuple(Value(name, cell[0], None, runs) for name, cell in zip(pair, cells, strict=True) if cell),
        seeds=runs, preset=found["preset"], split="10 random splits", notes=(RATES,),
        more={"standard deviations over runs": [round(cell[1], 4) for cell in cells if cell]},
    )  # fmt: skip


def _stated(row: dict, runs: int) -> Difference:
    return stated(row["by"], row["±"], runs - 1, runs)


def _cell(found: dict, measure: str, name: str, protocol: str | None) -> tuple[float, float] | None:
    for row in found["rows"]:
        if (row["data set"], row["representation"], row.get("protocol")) == (DATA, name, protocol):
            return row[measure], row[f"{measure} sd"]
    return None


def cells(reports: Reports) -> Iterator[Cell]:
    found = reports("table4")
    for key, measure, _ in MEASURES:
        for name in NAMES:
            raw = found and _cell(found, measure, name, RAW)
            ours = raw or (found and _cell(found, measure, name, None))
            column = f"{measure} (%)" + ("" if raw else "; ours of weights that were preprocessed")
            made = (ours[0], None, None, found["runs"]) if ours else ()
            yield Cell(label(name), column, TABLE[name][key][0], *made)


GROUP = Group(
    name="table4",
    title="Table 4: what simple methods read in weights",
    place=4,
    claims=lambda reports: list(claims(reports)),
    cells=lambda reports: list(cells(reports)),
    reports=("table4",),
    intro="The paper has ten runs with random splits of 5,000 shapes, ours has ten of 1,000.",
)
