"""What moves the barrier: `python -m precompute.barrier_levers`, one setting at a time away from the preset.

16 held-out emoji fitted twice from independent starts of their own (λ = 1), by the two representations whose barrier is
lowest. Resumable. Written to assets/reports/barrier-levers.{json,md}.
"""

import numpy as np
import pandas as pd

from precompute.bases import prepare
from precompute.selection import zoo_signals
from precompute.tables import Resumed, fit_parts, markdown
from wsr.analysis.connectivity import connect, fit_pair, similarity
from wsr.fitting.problem import make_problem
from wsr.identity import Identity
from wsr.paths import assets_dir, atomic_path
from wsr.presets import preset
from wsr.progress import bar

DATASET, INSTANCES = "emoji", 16
NAMES = ("mlora-asym", "lora-asym")  # the two lowest barriers
FIT = preset("cpu", "image").fit


def levers(name: str) -> dict[str, dict]:
    lr = FIT.of(name).lr
    return {
        "the preset": {},
        "the same points": {"point_seeds": (0, 0)},
        **({"σ 0.1": {"sigma": 0.1}, "σ 0.3": {"sigma": 0.3}} if name.startswith("mlora") else {}),
        "rate × ½": {"lr": lr / 2},
        "rate × ¼": {"lr": lr / 4},
        "steps × ½": {"steps": FIT.steps // 2},
        "steps × 2": {"steps": FIT.steps * 2},
        "points × 2": {"points": FIT.points * 2},
        "rank 2": {"rank": 2},
        "rank 8": {"rank": 8},
    }


def main() -> None:
    prepare(DATASET)
    path = assets_dir() / "reports" / "barrier-levers.json"
    signals = zoo_signals(DATASET).where(split="heldout")[:INSTANCES]
    resumed = Resumed(path, Identity.of("barrier levers", 1, **fit_parts(signals, DATASET)))
    rows = resumed.report.get("rows", [])
    truth = make_problem(signals, preset("cpu", "image").resolution).truth
    todo = [(name, lever, options) for name in NAMES for lever, options in levers(name).items()]
    with bar("barrier levers") as update:
        for number, (name, lever, options) in enumerate(todo):
            if any((row["representation"], row["lever"]) == (name, lever) for row in rows):
                continue
            pair = fit_pair(signals, name, DATASET, **options)
            found = connect(pair, truth, (0.0, 0.5, 1.0))
            ends = (found.quality[:, 0] + found.quality[:, -1]) / 2
            change = similarity(pair.a, pair.b, pair.start_mean)
            row = {"representation": name, "lever": lever, **_spread("ends", ends), **_spread("drop", found.drop)}
            row |= {"middle": float(found.quality[:, 1].mean()), "change cosine": float(change.cosine.mean())}
            rows.append(row | {"change floor": change.floor})
            _write(resumed, rows)
            update(number + 1, len(todo), f"{name}, {lever}: {row['ends']:.2f} dB, drop {row['drop']:.2f}")


def _spread(name: str, values: np.ndarray) -> dict[str, float]:
    return {name: float(values.mean()), f"{name} se": float(values.std(ddof=1) / len(values) ** 0.5)}


def _write(resumed: Resumed, rows: list[dict]) -> None:
    resumed.write({"dataset": DATASET, "instances": INSTANCES, "lambda": 1.0, "preset": "cpu", "rows": rows})
    with atomic_path(resumed.path.with_suffix(".md")) as temporary:
        temporary.write_text(markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
