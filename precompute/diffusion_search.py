"""The learning rates of the diffusion models: `python -m precompute.diffusion_search`, of all six, or those named.
Resumable.

The same for all six representations, on shapes: the rates below, and further ones by doubling or halving while the best
is at an end; each trains for a minute on one core, and is judged by the loss of the weights that are kept back.
Held-out fits have no part in it. What a step took decides how many steps a model gets. Written to
assets/reports/diffusion-search.json; what is taken out of it is searched again.
"""

import json
import sys
from dataclasses import replace

import torch

from precompute.generators import THREADS
from precompute.judging import train
from precompute.tables import Resumed
from wsr import representations
from wsr.generators.diffusion import diffusion_preset
from wsr.generators.diffusion.jobs import training_of
from wsr.generators.diffusion.training import VERSION
from wsr.identity import Identity
from wsr.paths import assets_dir
from wsr.zoo import Zoo

DATASET = "shapes10"
RATES, SECONDS = (1e-3, 2e-3), 60
PATH = assets_dir() / "reports" / "diffusion-search.json"


def rows() -> list[dict]:
    return json.loads(PATH.read_text())["rows"] if PATH.exists() else []


def resumed(name: str) -> Resumed:
    """The report, for a further row of this representation."""
    depends = {"config": diffusion_preset("cpu"), "seconds": SECONDS, "training": VERSION}
    return Resumed(PATH, Identity.of("diffusion search", 1, **depends), [f"{DATASET}-{name}"])


def searched() -> dict[str, dict]:
    """Of each representation the row of the best rate."""
    best: dict[str, dict] = {}
    for row in rows():
        kept = best.get(row["representation"])
        if kept is None or row["validation loss"] < kept["validation loss"]:
            best[row["representation"]] = row
    return best


def next_rate(name: str) -> float | None:
    """None where the best rate has others on both sides."""
    known = {row["lr"]: row["validation loss"] for row in rows() if row["representation"] == name}
    for lr in RATES:
        if lr not in known:
            return lr
    best = min(known, key=known.get)
    return next((lr for lr in (best / 2, best * 2) if lr not in known), None)


def run(name: str, lr: float) -> dict:
    config = replace(diffusion_preset("cpu", name), lr=lr)
    training = training_of(Zoo.open(f"{DATASET}-{name}"), config)
    seconds, best = train(training, SECONDS, f"{name} {lr:g}"), training.best
    row = {"representation": name, "lr": lr, "validation loss": best.loss, "best step": best.step}
    return row | {"steps": training.step, "seconds": seconds, "step seconds": seconds / training.step}


def main(name: str) -> None:
    while (lr := next_rate(name)) is not None:
        resumed(name)  # refuses another run's report before anything is trained for it
        found = run(name, lr)
        report = resumed(name)  # read again: another process may have written meanwhile
        report.write({"data set": DATASET, "seconds": SECONDS, "rows": [*rows(), found]})


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    for kind in sys.argv[1:] or representations:
        main(kind)
