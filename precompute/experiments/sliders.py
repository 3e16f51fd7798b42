"""Whether sliders change what they should: unseen fits are moved along the direction of each attribute and decoded, to
see whether the attribute changes as asked and the others stay.

Directions are found on the training fits. No choice is based on these results: how directions are found is chosen on
the validation split (`slider_ways`).
"""

from pathlib import Path

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.final import final_fits
from precompute.sliders import AMOUNTS, FITS, MOVES, STAYS, TRUSTED, good, sliders_of, summary, zoo_path
from precompute.tables import write_tables
from wsr.analysis.directions import LENGTHS, RIDGE
from wsr.fields import registry
from wsr.zoo import Zoo

ABOUT = {
    "amounts": AMOUNTS, "fits": FITS, "moves": MOVES, "stays": STAYS, "trusted": TRUSTED, "ridge": RIDGE,
    "lengths": [LENGTHS.number, LENGTHS.category],
}  # fmt: skip


def run(cell: Cell, context: Context) -> list[dict]:
    context.prepare(cell.data)
    zoo = Zoo.open(context.path(zoo_path(cell, context)))
    return [{"zoo": zoo.path.name, **row} for row in sliders_of(zoo, good(final_fits(EXPERIMENT, zoo)))]


def report(found: Found, paths: list[Path], context: Context) -> None:
    rows = [row for _, some in found for row in some]
    totals = [{"zoo": some[0]["zoo"], **summary(some)} for _, some in found if some]
    json_path, md_path = paths
    write_tables([json_path], rows, totals=totals, **ABOUT)
    write_tables([md_path], totals)


EXPERIMENT = Experiment(
    name="sliders",
    title="`reports/sliders.*`: whether the sliders of attributes move unseen fits as asked, and what else they move",
    data=("faces",),
    grid={"representation": (registry.DEFAULT,)},
    settings=lambda cell, context: ABOUT,
    version=2,
    needs=lambda cell, context: [zoo_path(cell, context)],
    run=run,
    report=report,
    reports=("reports/sliders{tag}.json", "reports/sliders{tag}.md"),
    final=True,
    place=40,
    size="60 kB",
    time="4 min a zoo",
)  # fmt: skip
