"""The learning rates of the diffusion models: `python -m precompute.diffusion_search`. Resumable.

The same for all six representations, on shapes: the rates below, 45 seconds of training each, judged by the loss of the
averaged network on held-out fits. Before it the seconds of a step, which decide how many steps each model gets in equal
time: of all six in turn, several times over, so that what else runs on the machine slows none of them more than others.
Written to assets/reports/diffusion-search.json; what is taken out of it is searched again.
"""

import json
import statistics
import time
from dataclasses import replace

import torch

from precompute.generators import THREADS
from wsr import representations
from wsr.diffusion import DiffusionConfig, Training, WeightDiffusion, diffusion_preset
from wsr.fields.base import compute_dtype
from wsr.paths import assets_dir, atomic_path
from wsr.progress import bar
from wsr.zoo import Zoo

DATASET = "shapes10"
RATES, SECONDS, TIMED, ROUNDS = (1e-3, 2e-3, 4e-3), 45.0, 20, 5


def training_of(zoo: Zoo, lr: float, steps: int, config: DiffusionConfig | None = None) -> Training:
    config = replace(config or diffusion_preset("cpu", zoo.meta["representation"]), lr=lr, steps=steps)
    parts = {split: zoo.index[(zoo.index["status"] == "ok") & (zoo.index["split"] == split)]
             for split in ("train", "heldout")}  # fmt: skip
    weights = {split: zoo.weights(rows["id"].tolist()) for split, rows in parts.items()}
    classes = {split: rows["class"].tolist() for split, rows in parts.items()}
    model = WeightDiffusion.new(zoo.representation, weights["train"], config, sorted(set(classes["train"])))
    training = Training(model, weights["train"], classes["train"])
    training.dtype = compute_dtype(training.accelerator.device)
    training.heldout = weights["heldout"], classes["heldout"]
    return training


def seconds_of_steps() -> dict[str, float]:
    """Of each representation the median over rounds."""
    runs, times = {}, {name: [] for name in representations}
    for name in representations:
        training = training_of(Zoo.open(f"{DATASET}-{name}"), RATES[0], (ROUNDS + 1) * TIMED)
        runs[name] = training.run(record_every=TIMED, monitor_every=0)
        next(runs[name])  # the first steps are slower
    for _ in range(ROUNDS):
        for name, run in runs.items():
            begun = time.perf_counter()
            next(run)
            times[name].append((time.perf_counter() - begun) / TIMED)
    return {name: statistics.median(found) for name, found in times.items()}


def timed(known: dict[str, float]) -> dict[str, float]:
    """With those that are missing, on the clock of those that are known: a machine is not always as fast."""
    if set(known) == set(representations):
        return known
    found = seconds_of_steps()
    pace = statistics.median(known[name] / found[name] for name in known) if known else 1.0
    return {name: known.get(name, pace * found[name]) for name in representations}


def main() -> None:
    path = assets_dir() / "reports" / "diffusion-search.json"
    torch.set_num_threads(THREADS)
    known = json.loads(path.read_text()) if path.exists() else {"rows": [], "seconds": {}}
    known["seconds"] = timed(known["seconds"])
    done = {(row["representation"], row["lr"]) for row in known["rows"]}
    with bar("learning rates") as update:
        for number, (name, lr) in enumerate((name, lr) for name in representations for lr in RATES):
            if (name, lr) in done:
                continue
            steps = round(SECONDS / known["seconds"][name])
            *_, last = training_of(Zoo.open(f"{DATASET}-{name}"), lr, steps).run(monitor_every=steps)
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
