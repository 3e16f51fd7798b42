"""Whether permuted copies of the training weights help a generator.

An earlier audit of weight generators found that augmentation with permuted neurons makes training harder without
reducing copies. Here the weights are mLoRA's fits of shapes, which have no mask, so that their rank components may be
permuted. Each training weight appears once, or also with its components in one, three or seven other orders. Every
model trains until its validation loss no longer falls or its time is up. FD compares samples with held-out fits, and
the audit recognises permuted copies.
"""


from precompute.experiment import Cell, Context
from precompute.generators import seconds_of
from precompute.judging import COUNT, STEPS, ablation, judge, searched_settings, train
from wsr.generators.diffusion.jobs import training_of

COPIES = (1, 2, 4, 8)


def run(cell: Cell, context: Context) -> list[dict]:
    training = training_of(context.open_zoo(cell), searched_settings(cell, context), copies=cell["copies"])
    train(training, seconds_of(cell.data), str(cell))
    name = context.zoo(cell.data, cell.representation)
    found = judge(name, context)(training.model.sample(COUNT, steps=STEPS))
    about = {"steps": training.step, "loss": training.losses[-1], "validation loss": training.best.loss}
    return [{"copies": cell["copies"], **about, **found}]


EXPERIMENT = ablation(
    "augmentation",
    "copies",
    title="`reports/augmentation.*`: permuted copies of the training weights",
    data=("shapes10",),
    grid={"representation": ("mlora",), "copies": COPIES},
    run=run, place=18, size="2 kB", time="15 min ᵃ",
)  # fmt: skip
