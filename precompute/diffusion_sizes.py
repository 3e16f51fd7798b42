"""How wide a diffusion network of the `cpu` preset should be: `python -m precompute.diffusion_sizes`. Resumable.

Of shapes, mLoRA-Asym: each size below trains for the same time at most, or until the loss of the weights that are kept
back no longer falls, at the learning rate that `precompute.diffusion_search` found, and is judged by that loss.
Written to assets/reports/diffusion-sizes.json.
"""

import json
from dataclasses import replace

import torch

from precompute.diffusion_search import DATASET, searched
from precompute.generators import THREADS
from precompute.judging import train
from wsr.diffusion import diffusion_preset
from wsr.diffusion.jobs import training_of
from wsr.paths import assets_dir, atomic_path
from wsr.zoo import Zoo

NAME = f"{DATASET}-mlora-asym"
LIMIT = 300  # seconds on one core
# width, width of a pair, blocks
SIZES = ((192, 256, 1), (256, 256, 1), (320, 128, 1), (320, 256, 1), (320, 256, 3), (448, 256, 1))


def main() -> None:
    path = assets_dir() / "reports" / "diffusion-sizes.json"
    rows = json.loads(path.read_text())["rows"] if path.exists() else []
    done = {(row["width"], row["pair width"], row["blocks"]) for row in rows}
    torch.set_num_threads(THREADS)
    for size in SIZES:
        if size not in done:
            rows.append(_row(*size))
            print(rows[-1], flush=True)
            with atomic_path(path) as temporary:
                temporary.write_text(json.dumps({"zoo": NAME, "rows": rows}, indent=1))


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
