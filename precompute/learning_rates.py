"""The search for the six learning rates: `python -m precompute.learning_rates emoji`, and `shapes10`.

The same for all: the same 16 instances that the base has seen, the preset's steps, points and betas, one grid of
rates and, for the adapters, of A's rate in units of B's; one rule. The rule does not take the best rate: longer strides
gain a little quality and land further from each other. It takes the lowest rate whose mean quality comes within 1 dB
(0.005 IoU) of the best of all, and at that rate the ratio of the best quality. For shapes' mLoRA-Asym that is 0.03 with
ratio 3: on 16 held-out shapes an IoU of 0.964 and, halfway between two fits, 0.939, where 0.06 with ratio 1 has 0.963
and 0.901, and with ratio 3 0.966 and 0.906.

Written to assets/reports/learning-rates-<data set>.json; the choice stands in wsr/presets.py. `as_fp16` is the mean
quality of the same weights once they are rounded to fp16, as a zoo keeps them.
"""

import sys
from itertools import islice

import numpy as np

from precompute.bases import prepare
from precompute.selection import zoo_signals
from precompute.tables import Resumed, fit_parts
from wsr import fit, representations
from wsr.fitting.problem import make_problem
from wsr.identity import Identity
from wsr.paths import assets_dir
from wsr.presets import preset
from wsr.progress import bar

GRIDS = {"image": (0.01, 0.02, 0.04, 0.08), "occupancy": (0.015, 0.03, 0.06, 0.12)}
A_RATES = (1 / 3, 1.0, 3.0)
INSTANCES = 16
WITHIN = {"image": 1.0, "occupancy": 0.005}


def main(dataset: str) -> None:
    prepare(dataset)
    chosen = zoo_signals(dataset).where(split="train")
    signals = chosen.select(islice(chosen.ids, INSTANCES))
    path = assets_dir() / "reports" / f"learning-rates-{dataset}.json"
    resumed = Resumed(path, Identity.of("learning rates", 1, **fit_parts(signals, dataset)))
    found = resumed.report.get("quality", {})
    truth = make_problem(signals, preset("cpu", signals.modality).resolution).truth
    todo = [
        (name, rate, a_rate)
        for name in representations
        for a_rate in (A_RATES if "lora" in name else (1.0,))
        for rate in GRIDS[signals.modality.name]
    ]
    with bar(f"learning rates {dataset}") as update:
        for i, (name, rate, a_rate) in enumerate(todo, 1):
            row, key = found.setdefault(name, {}), f"{rate} × {a_rate:.3g}"
            if key not in row:
                result = fit(signals, name, base=dataset, lr=rate, a_rate=a_rate)
                rounded = truth.quality(result.representation, result.weights.half().float())
                row[key] = {
                    "lr": rate,
                    "a_rate": a_rate,
                    "mean": float(np.mean(result.quality)),
                    "se": float(np.std(result.quality) / INSTANCES**0.5),
                    "as_fp16": float(np.mean(rounded)),
                }
                _write(resumed, signals, found)
            update(i, len(todo), f"{name} {key}: {row[key]['mean']:.3f}")


def _write(resumed: Resumed, signals, found: dict) -> None:
    settings = preset("cpu", signals.modality).fit
    report = {
        "preset": "cpu",
        "steps": settings.steps,
        "points": settings.points,
        "betas": settings.betas,
        "instances": signals.ids,
        "rule": f"the lowest rate within {WITHIN[signals.modality.name]} of the best mean; at that rate the best ratio",
        "quality": found,
        "chosen": {name: _choice(row, WITHIN[signals.modality.name]) for name, row in found.items()},
    }
    resumed.write(report)


def _choice(row: dict, within: float) -> dict:
    best = max(cell["mean"] for cell in row.values())
    good = [cell for cell in row.values() if cell["mean"] >= best - within]
    chosen = min(good, key=lambda cell: (cell["lr"], -cell["mean"]))
    return {"lr": chosen["lr"], "a_rate": chosen["a_rate"]}


if __name__ == "__main__":
    for name in sys.argv[1:] or ("emoji", "shapes10"):
        main(name)
