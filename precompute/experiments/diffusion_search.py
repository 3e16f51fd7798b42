"""The learning rates of the diffusion models.

The search is the same for all six representations. It tries the rates below on zoos of shapes, and further ones by
doubling or halving as long as the best rate is the highest or the lowest. Each training lasts a minute on one core, and
is judged by its validation loss, that is by training weights that are kept back; held-out fits have no part in it. The
measured time of a step decides later how many steps a model gets.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.generators import SEARCHED, THREADS, search_report, searched_on
from precompute.judging import train
from precompute.records import keep, kept
from precompute.tables import write_json
from wsr.fields import registry
from wsr.generators.diffusion import diffusion_preset
from wsr.generators.diffusion.jobs import training_of
from wsr.generators.diffusion.training import VERSION

RATES, SECONDS = (1e-3, 2e-3), 60


def next_rate(known: Mapping[float, float]) -> float | None:
    """The next rate to try; None once the best rate has been bracketed on both sides. known: the loss at each rate that
    was tried."""
    for lr in RATES:
        if lr not in known:
            return lr
    best = min(known, key=known.__getitem__)
    return next((lr for lr in (best / 2, best * 2) if lr not in known), None)


def run(cell: Cell, context: Context) -> list[dict]:
    rows, name = kept(cell) or [], cell.representation
    while (lr := next_rate({row["lr"]: row["validation loss"] for row in rows})) is not None:
        training = training_of(context.open_zoo(cell), replace(diffusion_preset(context.preset, name), lr=lr))
        seconds, best = train(training, SECONDS, f"{name} {lr:g}"), training.best
        row = {"representation": name, "lr": lr, "validation loss": best.loss, "best step": best.step}
        rows.append(row | {"steps": training.step, "seconds": seconds, "step seconds": seconds / training.step})
        keep(cell, rows)
    return rows


def report(found: Found, paths: list[Path], context: Context) -> None:
    rows = [row for _, rows in found for row in rows]
    write_json(paths[0], {"data set": context.named(found[0][0].data), "seconds": SECONDS, "rows": rows})


def grid(context: Context) -> list[dict]:
    data = dict.fromkeys(map(searched_on, context.data(EXPERIMENT)))
    return [{"data": one, "representation": name} for one in data for name in registry.names()]


EXPERIMENT = Experiment(
    name="diffusion_search",
    title="`reports/diffusion-search.json`: learning rates of the six, a minute each",
    data=(SEARCHED,),
    grid=grid,
    settings=lambda cell, context: {
        "config": diffusion_preset(context.preset, cell.representation), "seconds": SECONDS, "training": VERSION,
    },
    needs=("zoos/{zoo}",),
    run=run,
    report=report,
    held=lambda report, cell, context: any(row["representation"] == cell.representation for row in report["rows"]),
    reports=lambda cell, context: [search_report(cell.data, context)],
    report_by=("data",),
    threads=THREADS,
    place=11,
    size="3 kB",
    time="25 min ᵃ",
)  # fmt: skip
