"""What permuted copies of the training weights do to a generator: `python -m precompute.augmentation`. Resumable.

The audit of weight generators found that permuting neurons for augmentation makes training harder, and copying no less.
Here: mLoRA on shapes, whose mask forbids nothing, each weight once, or with its ranks in one, three or seven other
orders. Each trains by the same rule as every model; FD is of samples against held-out fits, and the verdict knows
permuted copies. Written to assets/reports/augmentation.{json,md}.
"""

from dataclasses import replace

import torch

from precompute.diffusion_search import searched
from precompute.generators import SECONDS
from precompute.judging import COUNT, STEPS, Judge, train
from precompute.tables import Report
from wsr.generators.diffusion import DiffusionConfig, diffusion_preset
from wsr.generators.diffusion.jobs import training_of
from wsr.generators.diffusion.training import VERSION
from wsr.zoo import Zoo

NAME, COPIES, LIMIT = "shapes10-mlora", (1, 2, 4, 8), SECONDS["shapes10"]


def main() -> None:
    depends = {"config": settings(), "seconds": LIMIT, "samples": COUNT, "steps": STEPS, "training": VERSION}
    report = Report("augmentation", depends=depends, zoos=[NAME], zoo=NAME, seconds=LIMIT, samples=COUNT)
    judge = None
    for copies in COPIES:
        if not report.has(copies=copies):
            judge = judge or Judge(NAME)
            report.add(row_of(copies, judge))


def settings() -> DiffusionConfig:
    return replace(diffusion_preset("cpu", "mlora"), lr=searched()["mlora"]["lr"])


def row_of(copies: int, judge: Judge) -> dict:
    training = training_of(Zoo.open(NAME), settings(), copies=copies)
    train(training, LIMIT, f"copies × {copies}")
    found = judge(training.model.sample(COUNT, steps=STEPS))
    about = {"steps": training.step, "loss": training.losses[-1], "validation loss": training.best.loss}
    return {"copies": copies, **about, **found}


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
