"""How wide a diffusion network of the `cpu` preset should be: `python -m precompute.diffusion_sizes`. Resumable.

Of shapes, mLoRA-Asym: each size below is trained for as long as a model of `precompute.generation` (seconds of this
process on one core, so that what else runs does not count), at the learning rate that `precompute.diffusion_search`
found, and judged by the loss of the averaged network on held-out fits. Written to assets/reports/diffusion-sizes.json.
"""

import json
import time
from dataclasses import replace

import torch

from precompute.diffusion_search import DATASET, training_of
from precompute.generators import SECONDS, THREADS
from wsr.diffusion import diffusion_preset
from wsr.paths import assets_dir, atomic_path
from wsr.progress import bar
from wsr.zoo import Zoo

NAME, LR, ENDLESS = f"{DATASET}-mlora-asym", 2e-3, 10**6
SIZES = (  # width, width of a pair, blocks
    (192, 128, 4), (192, 256, 4), (256, 256, 4), (256, 256, 2), (320, 256, 1), (384, 256, 4), (384, 256, 2),
)  # fmt: skip


def main() -> None:
    path = assets_dir() / "reports" / "diffusion-sizes.json"
    rows = json.loads(path.read_text())["rows"] if path.exists() else []
    done = {(row["width"], row["pair width"], row["blocks"]) for row in rows}
    torch.set_num_threads(THREADS)
    with bar("sizes") as update:
        for number, size in enumerate(SIZES):
            if size not in done:
                rows.append(_row(*size))
                report = {"zoo": NAME, "seconds": SECONDS, "lr": LR, "rows": rows}
                with atomic_path(path) as temporary:
                    temporary.write_text(json.dumps(report, indent=1))
            update(number + 1, len(SIZES), str(rows[-1]))


def _row(width: int, pair: int, blocks: int) -> dict:
    config = replace(diffusion_preset("cpu"), width=width, pair_width=pair, depth=blocks)
    training = training_of(Zoo.open(NAME), LR, ENDLESS, config)
    begun, losses = time.process_time(), []
    for record in training.run(monitor_every=0):
        losses.append(record.loss)
        if time.process_time() - begun > SECONDS:
            break
    training.average.copy_to(training.model.network.parameters())
    count = sum(parameter.numel() for parameter in training.model.network.parameters())
    row = {"width": width, "pair width": pair, "blocks": blocks, "parameters": count, "steps": training.step}
    return row | {"loss": sum(losses[-10:]) / 10, "held-out loss": training.score(*training.heldout)}


if __name__ == "__main__":
    main()
