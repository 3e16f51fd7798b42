"""How directions of attributes are best found: from each attribute alone, or from all jointly, and with which penalty.
Measured on the validation split, as every choice is. It has not been run at its full size yet, so the defaults of
`wsr.directions` do not rest on it."""

from pathlib import Path

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.sliders import AMOUNTS, FITS, sliders_of, summary
from precompute.tables import write_tables
from wsr.analysis.directions import WAYS
from wsr.fields import registry

RIDGES = (1e-3, 1e-2, 1e-1, 1.0)


def run(cell: Cell, context: Context) -> dict:
    context.prepare(cell.data)
    zoo = context.open_zoo(cell)
    fits = zoo.good("validation")
    return summary(sliders_of(zoo, fits, way=cell["way"], ridge=cell["ridge"]))


def report(found: Found, paths: list[Path], context: Context) -> None:
    rows = [{"data set": cell.data, "way": cell["way"], "ridge": cell["ridge"], **row} for cell, row in found]
    write_tables(paths, rows, amounts=AMOUNTS, fits=FITS)


EXPERIMENT = Experiment(
    name="slider_ways",
    title="`reports/slider-ways.*`: how directions of attributes are best found, on the validation split",
    data=("shapes10",),
    grid={"representation": lambda: (registry.DEFAULT,), "way": WAYS, "ridge": RIDGES},
    settings=lambda cell, context: {"amounts": AMOUNTS, "fits": FITS},
    needs=("zoos/{zoo}",),
    run=run,
    report=report,
    reports=("reports/slider-ways{tag}.json", "reports/slider-ways{tag}.md"),
    by_hand=True,
    place=41,
    size="2 kB",
    time="about 10 min a cell for shapes, not measured yet",
)  # fmt: skip
