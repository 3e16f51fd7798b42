"""The learning rates of the diffusion models: `python -m precompute.diffusion_search`. Resumable; on a core of its own,
because the seconds of a step decide how many steps each model gets in equal time.

The same for all six representations, on shapes: the rates below, one minute of training each, judged by the loss of the
averaged network on held-out fits. Written to assets/reports/diffusion-search.json.
"""

import json
import time
from dataclasses import replace

import torch

from precompute.generators import THREADS
from wsr import representations
from wsr.diffusion import Training, WeightDiffusion, diffusion_preset
from wsr.fields.base import compute_dtype
from wsr.paths import assets_dir, atomic_path
from wsr.progress import bar
from wsr.zoo import Zoo

DATASET = "shapes10"
RATES, SECONDS, TIMED = (5e-4, 1e-3, 2e-3), 60.0, 20


def training_of(zoo: Zoo, lr: float, steps: int) -> Training:
    config = replace(diffusion_preset("cpu", zoo.meta["representation"]), lr=lr, steps=steps)
    parts = {split: zoo.index[(zoo.index["status"] == "ok") & (zoo.index["split"] == split)]
             for split in ("train", "heldout")}  # fmt: skip
    weights = {split: zoo.weights(rows["id"].tolist()) for split, rows in parts.items()}
    classes = {split: rows["class"].tolist() for split, rows in parts.items()}
    model = WeightDiffusion.new(zoo.representation, weights["train"], config, sorted(set(classes["train"])))
    training = Training(model, weights["train"], classes["train"])
    training.dtype = compute_dtype(training.accelerator.device)
    training.heldout = weights["heldout"], classes["heldout"]
    return training


def seconds_of_step(zoo: Zoo) -> float:
    """The median of a few parts of a run."""
    training, times = training_of(zoo, RATES[0], 6 * TIMED), []
    begun = time.perf_counter()
    for _ in training.run(record_every=TIMED, monitor_every=0):
        times.append((time.perf_counter() - begun) / TIMED)
        begun = time.perf_counter()
    return float(torch.tensor(times[1:]).median())


def main() -> None:
    path = assets_dir() / "reports" / "diffusion-search.json"
    known = json.loads(path.read_text()) if path.exists() else {"rows": [], "seconds": {}}
    done = {(row["representation"], row["lr"]) for row in known["rows"]}
    torch.set_num_threads(THREADS)
    with bar("learning rates") as update:
        for number, (name, lr) in enumerate((name, lr) for name in representations for lr in RATES):
            if (name, lr) in done:
                continue
            zoo = Zoo.open(f"{DATASET}-{name}")
            if name not in known["seconds"]:
                known["seconds"][name] = seconds_of_step(zoo)
            steps = round(SECONDS / known["seconds"][name])
            *_, last = training_of(zoo, lr, steps).run(monitor_every=steps)
            row = {"representation": name, "lr": lr, "steps": steps, "seconds": last.seconds, "loss": last.loss}
            known["rows"].append(row | {"held-out loss": last.monitor.heldout_loss})
            update(number + 1, len(representations) * len(RATES), f"{name} {lr}: {last.monitor.heldout_loss:.4f}")
            _write(path, known)


def _write(path, known: dict) -> None:
    best: dict[str, dict] = {}
    for row in known["rows"]:
        kept = best.get(row["representation"])
        if kept is None or row["held-out loss"] < kept["held-out loss"]:
            best[row["representation"]] = row
    chosen = {name: {"lr": row["lr"], "step seconds": known["seconds"][name]} for name, row in best.items()}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(known | {"chosen": chosen, "trained for": SECONDS}, indent=1))


if __name__ == "__main__":
    main()
