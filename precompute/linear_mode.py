"""Do independent fits of one target meet in one linear mode? `python -m precompute.linear_mode`.

16 held-out targets of each data set, fitted twice from independent centred starts (all of ε drawn anew) with and
without the mask: quality of the fits, and of the field halfway between their weights. Written to
assets/reports/linear-mode-<data set>.json.
"""

import json
import sys

import numpy as np

from precompute.bases import prepare
from precompute.selection import zoo_signals
from wsr import fit
from wsr.fitting.problem import make_problem
from wsr.paths import assets_dir, atomic_path
from wsr.presets import preset
from wsr.progress import bar

REPRESENTATIONS, SEEDS, INSTANCES = ("mlora-asym", "mlora"), (0, 1), 16


def main(dataset: str) -> None:
    prepare(dataset)
    signals = zoo_signals(dataset).where(split="heldout")[:INSTANCES]
    truth = make_problem(signals, preset("cpu", signals.dim).resolution).truth
    rows = {}
    with bar(f"linear mode {dataset}") as update:
        for i, name in enumerate(REPRESENTATIONS):
            fits = [fit(signals, name, base=dataset, init_seed=seed) for seed in SEEDS]
            middle = truth.quality(fits[0].representation, (fits[0].weights + fits[1].weights) / 2)
            rows[name] = {
                "quality": _summary(np.concatenate([result.quality for result in fits])),
                "midpoint": _summary(middle),
            }
            update(i + 1, len(REPRESENTATIONS), f"{name}: {rows[name]['midpoint']['mean']:.3f} at the midpoint")
    report = {"preset": "cpu", "init": "centered", "sigma": 0.02, "init_seeds": SEEDS, "ids": signals.ids, **rows}
    with atomic_path(assets_dir() / "reports" / f"linear-mode-{dataset}.json") as temporary:
        temporary.write_text(json.dumps(report, indent=1))


def _summary(values: np.ndarray) -> dict:
    return {"mean": float(values.mean()), "se": float(values.std() / len(values) ** 0.5)}


if __name__ == "__main__":
    for name in sys.argv[1:] or ("emoji", "shapes10"):
        main(name)
