"""How directions of attributes are best found: from each attribute alone or from all jointly, with which penalty, away
from the own value of the weights or from the mean of all others, and with how long a step. It is measured on a few fits
of the validation split, like every choice, one thing at a time."""

from pathlib import Path

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.sliders import AMOUNTS, sliders_of, summary, zoo_path
from precompute.tables import write_tables
from wsr.analysis.directions import LENGTHS, RIDGE, Lengths
from wsr.fields import registry
from wsr.zoo import Zoo

USED = {"way": "jointly", "ridge": RIDGE, "own": True, "number": LENGTHS.number, "category": LENGTHS.category}
OTHERS = {
    "way": ("alone",),
    "ridge": (1e-3, 1.0),
    "own": (False,),
    "number": (1.0, 2.5),
    "category": (1.0, 1.25, 2.0),
}
COUNT = 2  # fits of each class, or a tenth of all fits


def ways(context: Context) -> list[dict]:
    """The way that is used, and others that differ from it in one thing."""
    found = [USED, *({**USED, name: value} for name, values in OTHERS.items() for value in values)]
    chosen = [{"data": data, "representation": registry.DEFAULT} for data in context.data(EXPERIMENT)]
    return [{**cell, **way} for cell in chosen for way in found]


def run(cell: Cell, context: Context) -> dict:
    context.prepare(cell.data)
    zoo = Zoo.open(context.path(zoo_path(cell, context)))
    lengths = Lengths(cell["number"], cell["category"])
    options = {"way": cell["way"], "ridge": cell["ridge"], "own": cell["own"], "lengths": lengths}
    return summary(sliders_of(zoo, zoo.good("validation"), count=COUNT, **options))


def report(found: Found, paths: list[Path], context: Context) -> None:
    rows = [{"data set": cell.data, **{name: cell[name] for name in USED}, **row} for cell, row in found]
    write_tables(paths, rows, amounts=AMOUNTS, fits=COUNT)


EXPERIMENT = Experiment(
    name="slider_ways",
    title="`reports/slider-ways.*`: how directions of attributes are best found, on the validation split",
    data=("faces",),
    grid=ways,
    settings=lambda cell, context: {"amounts": AMOUNTS, "fits": COUNT},
    needs=lambda cell, context: [zoo_path(cell, context)],
    run=run,
    report=report,
    reports=("reports/slider-ways{tag}.json", "reports/slider-ways{tag}.md"),
    by_hand=True,
    place=41,
    size="2 kB",
    time="2 min a cell",
)  # fmt: skip
