"""How wide a diffusion network of the `cpu` preset should be.

Networks of the sizes below learn mLoRA-Asym's fits of shapes, at the learning rate that `diffusion_search` found.
Each trains until its validation loss no longer falls, but no longer than the limit, and is judged by that loss.
"""

from dataclasses import replace
from pathlib import Path

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.generators import THREADS, search_report
from precompute.judging import searched_settings, train
from precompute.tables import write_json
from wsr.generators.diffusion.jobs import training_of
from wsr.generators.diffusion.training import VERSION

LIMIT = 300  # seconds on one core
AXES = ("width", "pair width", "blocks")
SIZES = ((192, 256, 1), (256, 256, 1), (320, 128, 1), (320, 256, 1), (320, 256, 3), (448, 256, 1))


def run(cell: Cell, context: Context) -> dict:
    size = {axis: cell[axis] for axis in AXES}
    config = replace(
        searched_settings(cell, context), width=size["width"], pair_width=size["pair width"], depth=size["blocks"]
    )
    training = training_of(context.open_zoo(cell), config)
    seconds = train(training, LIMIT, str(cell))
    count = sum(parameter.numel() for parameter in training.model.network.parameters())
    row = {**size, "parameters": count, "steps": training.best.step}
    return row | {"seconds": seconds, "loss": training.losses[-1], "validation loss": training.best.loss}


def report(found: Found, paths: list[Path], context: Context) -> None:
    first = found[0][0]
    about = {"zoo": context.zoo(first.data, first.representation), "seconds": LIMIT}
    write_json(paths[0], about | {"rows": [row for _, row in found]})


EXPERIMENT = Experiment(
    name="diffusion_sizes",
    title="`reports/diffusion-sizes.json`: how wide the diffusion network should be",
    data=("shapes10",),
    grid=lambda context: [
        {"data": data, "representation": "mlora-asym", **dict(zip(AXES, size, strict=True))}
        for data in context.data(EXPERIMENT) for size in SIZES
    ],
    settings=lambda cell, context: {
        "config": searched_settings(cell, context), "seconds": LIMIT, "training": VERSION,
    },
    needs=("zoos/{zoo}",),
    after=lambda cell, context: [search_report(cell.data, context)],
    run=run,
    report=report,
    held=lambda report, cell, context: any(all(row[axis] == cell[axis] for axis in AXES) for row in report["rows"]),
    reports=("reports/diffusion-sizes{tag}.json",),
    threads=THREADS,
    by_hand=True,
    place=24,
    size="2 kB",
    time="15 min ᵃ",
)  # fmt: skip
