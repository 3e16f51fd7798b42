"""Whether permuted copies of the training weights help a generator.

An earlier audit of weight generators found that augmentation by permuted neurons makes training harder without reducing
copies. Here the weights are mLoRA's fits of shapes, which have no mask, so that their ranks may be permuted. Each
training weight appears once, or also with its ranks in one, three or seven other orders. Every model trains by the
usual rule. FD compares samples with held-out fits, and the audit recognises permuted copies.
"""

from pathlib import Path

from precompute.experiment import Cell, Context, Found
from precompute.generators import seconds_of
from precompute.judging import COUNT, STEPS, ablation, judge, searched_settings, train
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


EXPERIMENT = ablation(
    "augmentation",
    "copies",
    title="`reports/augmentation.*`: permuted copies of the training weights",
    data=("shapes10",),
    grid={"representation": ("mlora",), "copies": COPIES},
    run=run,
    report=report,
    place=18,
    size="2 kB",
    time="15 min ᵃ",
)
