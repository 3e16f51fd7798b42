"""How wide a diffusion network of the `cpu` preset should be: `python -m precompute.diffusion_sizes`. Resumable.

Of shapes, mLoRA-Asym: each size below trains for the same time at most, or until the loss of the weights that are kept
back no longer falls, at the learning rate that `precompute.diffusion_search` found, and is judged by that loss.
Written to assets/reports/diffusion-sizes.json.
"""

from dataclasses import replace

import torch

from precompute.diffusion_search import DATASET, searched
from precompute.generators import THREADS
from precompute.judging import train
from precompute.tables import Report
from wsr.generators.diffusion import diffusion_preset
from wsr.generators.diffusion.jobs import training_of
from wsr.generators.diffusion.training import VERSION
from wsr.zoo import Zoo

NAME = f"{DATASET}-mlora-asym"
LIMIT = 300  # seconds on one core
# width, width of a pair, blocks
SIZES = ((192, 256, 1), (256, 256, 1), (320, 128, 1), (320, 256, 1), (320, 256, 3), (448, 256, 1))


def main() -> None:
    config = replace(diffusion_preset("cpu"), lr=searched()["mlora-asym"]["lr"])
    depends = {"config": config, "seconds": LIMIT, "training": VERSION}
    report = Report("diffusion-sizes", depends=depends, zoos=[NAME], zoo=NAME, seconds=LIMIT)
    torch.set_num_threads(THREADS)
    for width, pair, blocks in SIZES:
        if not report.has(width=width, blocks=blocks, **{"pair width": pair}):
            report.add(_row(width, pair, blocks))


def _row(width: int, pair: int, blocks: int) -> dict:
    lr = searched()["mlora-asym"]["lr"]
    config = replace(diffusion_preset("cpu"), width=width, pair_width=pair, depth=blocks, lr=lr)
    training = training_of(Zoo.open(NAME), config)
    seconds = train(training, LIMIT, f"width {width}, pairs {pair}, blocks {blocks}")
    count = sum(parameter.numel() for parameter in training.model.network.parameters())
    row = {"width": width, "pair width": pair, "blocks": blocks, "parameters": count, "steps": training.best.step}
    return row | {"seconds": seconds, "loss": training.losses[-1], "validation loss": training.best.loss}


if __name__ == "__main__":
    main()
