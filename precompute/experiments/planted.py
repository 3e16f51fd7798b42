"""What the audit finds of copies and blends that are hidden in many ways, and what it does not find.

Planted are training weights with noise, means of several, points on the line between two, and training weights that a
symmetry of their representation has disguised, also those symmetries that no canonical form undoes
(`RepresentationKind.unresolved`). The thresholds are those of `audits`, set on held-out fits.
"""

from pathlib import Path

from scipy.stats import binomtest

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.generators import DATASETS
from precompute.tables import write_tables
from wsr.analysis.novelty import audit_of
from wsr.analysis.plane import found_share
from wsr.data.registry import slug
from wsr.fields import registry
from wsr.generators.baselines import disguises

COUNT = 100


def run(cell: Cell, context: Context) -> list[dict]:
    zoo = context.open_zoo(cell)
    audit, audited, tested = audit_of(zoo)
    called = sum(verdict.word != "novel" for verdict in tested)
    rows = [{"disguise": "none: held-out fits", "n": len(tested), "found": called / len(tested)}]
    for name, weights in disguises(zoo.representation, zoo.weights(audited), COUNT).items():
        rows.append({"disguise": name, "n": len(weights), "found": found_share(audit, weights)})
    for row in rows:
        share = binomtest(round(row["found"] * row["n"]), row["n"]).proportion_ci(method="wilson")
        row |= {"low": share.low, "high": share.high}
    return rows


def report(found: Found, paths: list[Path], context: Context) -> None:
    rows = []
    for cell, of_zoo in found:
        about = {"data set": slug(cell.data), "representation": cell.representation}
        rows += [about | row for row in of_zoo]
    write_tables(paths, rows, preset=context.preset)


EXPERIMENT = Experiment(
    name="planted",
    title="`reports/planted.*`: which planted copies and blends the audit finds, and which it does not",
    data=DATASETS,
    grid={"representation": registry.names},
    settings=lambda cell, context: {"count": COUNT},
    needs=("zoos/{zoo}",),
    run=run,
    report=report,
    held=lambda report, cell, context: any(
        (row["data set"], row["representation"]) == (slug(cell.data), cell.representation) for row in report["rows"]
    ),
    reports=("reports/planted{tag}.json", "reports/planted{tag}.md"),
    final=True,
    place=14,
    size="30 kB",
    time="1 to 2 min a zoo",
)
