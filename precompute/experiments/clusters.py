"""Whether guidance by clusters helps a data set of one class.

The data set is emoji of people, the representation mLoRA-Asym. One model has no clusters, the others have 5 and 10
k-means clusters in the place of classes. Every model trains by the usual rule, and is sampled without guidance (weight
1) and at the preset's guidance.
"""

from dataclasses import replace
from pathlib import Path

from precompute.experiment import Cell, Context, Found
from precompute.generators import seconds_of
from precompute.judging import COUNT, STEPS, ablation, judge, searched_settings, train
from precompute.tables import write_tables
from wsr.generators.diffusion.jobs import training_of

CLUSTERS = (0, 5, 10)


def run(cell: Cell, context: Context) -> list[dict]:
    count, config, rows = cell["clusters"], searched_settings(cell, context), []
    training = training_of(context.open_zoo(cell), replace(config, clusters=count))
    train(training, seconds_of(cell.data), str(cell))
    for guidance in (1.0, config.guidance) if count else (1.0,):
        samples = training.model.sample(COUNT, steps=STEPS, guidance=guidance)
        found = judge(context.zoo(cell.data, cell.representation), context)(samples)
        rows.append({"clusters": count, "steps": training.best.step, "guidance": guidance, **found})
    return rows


def report(found: Found, paths: list[Path], context: Context) -> None:
    first = found[0][0]
    about = {"zoo": context.zoo(first.data, first.representation), "samples": COUNT}
    write_tables(paths, [row for _, rows in found for row in rows], **about)


EXPERIMENT = ablation(
    "clusters",
    "clusters",
    title="`reports/clusters.*`: people without guidance, and guided by k-means clusters",
    data=("emoji/people",),
    grid={"representation": ("mlora-asym",), "clusters": CLUSTERS},
    run=run,
    report=report,
    place=19,
    size="2 kB",
    time="25 min ᵃ",
)
