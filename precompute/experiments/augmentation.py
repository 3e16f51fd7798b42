"""What permuted copies of the training weights do to a generator.

The audit of weight generators found that permuting neurons for augmentation makes training harder, and copying no less.
Here: mLoRA on shapes, whose mask forbids nothing, each weight once, or with its ranks in one, three or seven other
orders. Each trains by the same rule as every model; FD is of samples against held-out fits, and the verdict knows
permuted copies.
"""

from pathlib import Path

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.generators import THREADS, search_report, seconds_of
from precompute.judging import COUNT, STEPS, judge, searched_settings, train, training_settings
from precompute.tables import write_tables
from wsr.generators.diffusion.jobs import training_of

COPIES = (1, 2, 4, 8)


def run(cell: Cell, context: Context) -> dict:
    training = training_of(context.open_zoo(cell), searched_settings(cell, context), copies=cell["copies"])
    train(training, seconds_of(cell.data), str(cell))
    name = context.zoo(cell.data, cell.representation)
    found = judge(name, context)(training.model.sample(COUNT, steps=STEPS))
    about = {"steps": training.step, "loss": training.losses[-1], "validation loss": training.best.loss}
    return {"copies": cell["copies"], **about, **found}


def report(found: Found, paths: list[Path], context: Context) -> None:
    first = found[0][0]
    about = {"zoo": context.zoo(first.data, first.representation), "seconds": seconds_of(first.data), "samples": COUNT}
    write_tables(paths, [row for _, row in found], **about)


EXPERIMENT = Experiment(
    name="augmentation",
    title="`reports/augmentation.*`: permuted copies of the training weights",
    data=("shapes10",),
    grid={"representation": ("mlora",), "copies": COPIES},
    settings=training_settings,
    needs=("zoos/{zoo}",),
    after=lambda cell, context: [search_report(cell.data, context)],
    run=run,
    report=report,
    reports=("reports/augmentation{tag}.json", "reports/augmentation{tag}.md"),
    threads=THREADS,
    place=18,
    size="2 kB",
    time="15 min ᵃ",
)
