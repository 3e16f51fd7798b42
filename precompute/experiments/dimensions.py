"""The intrinsic dimension of signals and of each representation's weights, estimated by maximum likelihood. It answers
whether weights have a lower dimension than the signals that they encode.

The samples of signals are the images of the training split (at 32×32) or its occupancies (at 16³ points). The samples
of weights are those of the same instances, each parameter divided by its standard deviation. The estimates use k = 3,
5, 10 and 20 neighbours.
"""

from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.selection import has_surfaces
from precompute.tables import write_tables
from wsr.analysis.dimension import intrinsic_dimension
from wsr.data import load_signals
from wsr.data.registry import slug
from wsr.fields import registry
from wsr.zoo import Zoo

SIGNALS = "signals"  # the value on the axis of representations that stands for the signals themselves
PIXELS, SAMPLES = 32, 16


def run(cell: Cell, context: Context) -> dict:
    zoo = Zoo.open(_zoo(cell, context))
    ids = sorted(zoo.good("train")["id"])
    if cell["of"] == SIGNALS:
        context.prepare(cell.data)
        points = signals(cell.data, ids)
    else:
        points = zoo.weights(ids)
        points = points / points.std(0).clamp_min(1e-6)
    row = {"data set": slug(cell.data), "of": cell["of"], "instances": len(points)}
    return row | {f"k = {k}": value for k, value in intrinsic_dimension(points).items()}


def _zoo(cell: Cell, context: Context) -> str:
    """The cell's zoo. For signals it is the zoo of the first representation, which determines the instances."""
    return context.zoo(cell.data, registry.names()[0] if cell["of"] == SIGNALS else cell["of"])


def signals(data: str, ids: list[str]) -> Float[Tensor, "n d"]:
    found = load_signals(data, ids)
    return found.modality.coarse(found, SAMPLES if has_surfaces(data) else PIXELS)


def report(found: Found, paths: list[Path], context: Context) -> None:
    write_tables(paths, [row for _, row in found], pixels=PIXELS, samples=SAMPLES)


EXPERIMENT = Experiment(
    name="dimensions",
    title="`reports/dimensions.*`: the intrinsic dimension of signals and of weights",
    data=("emoji", "emoji/people", "shapes10"),
    grid={"of": lambda: (SIGNALS, *registry.names())},
    settings=lambda cell, context: {"pixels": PIXELS, "samples": SAMPLES},
    needs=lambda cell, context: [f"zoos/{_zoo(cell, context)}"],
    run=run,
    report=report,
    held=lambda report, cell, context: any(
        (row["data set"], row["of"]) == (slug(cell.data), cell["of"]) for row in report["rows"]
    ),
    reports=("reports/dimensions{tag}.json", "reports/dimensions{tag}.md"),
    place=20,
    size="4 kB",
    time="some min",
)
