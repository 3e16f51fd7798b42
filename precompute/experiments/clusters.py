"""Whether guidance by clusters helps the generator of a data set with one class.

The data set is emoji of people, the representation mLoRA-Asym. One model has no clusters; the others have 5 and 10
k-means clusters instead of classes. Every model trains until its validation loss no longer falls or its time is up, and
is sampled without guidance (weight 1) and with the preset's guidance.
"""

from dataclasses import replace

from precompute.experiment import Cell, Context
from precompute.generators import seconds_of
from precompute.judging import COUNT, STEPS, ablation, judge, searched_settings, train
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


EXPERIMENT = ablation(
    "clusters",
    "clusters",
    title="`reports/clusters.*`: people without guidance, and guided by k-means clusters",
    data=("emoji/people",),
    grid={"representation": ("mlora-asym",), "clusters": CLUSTERS},
    run=run, place=19, size="2 kB", time="25 min ᵃ",
)  # fmt: skip
