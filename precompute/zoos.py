"""The zoos: `python -m precompute.zoos emoji` and `python -m precompute.zoos shapes10`. Resumable: a killed run
loses at most the batches in hand."""

import os
import sys

from precompute.bases import prepare
from precompute.selection import zoo_signals
from wsr.fitting.fit import default_device, representation_for
from wsr.paths import assets_dir
from wsr.presets import preset
from wsr.progress import bar
from wsr.zoo import Zoo, build_zoo

SIGMA, INIT_SEED = 0.02, 0


def main(dataset: str, representation: str = "mlora-asym") -> None:
    prepare(dataset)
    signals = zoo_signals(dataset)
    model = representation_for(representation, dataset, signals.dim)
    zoo = Zoo.create(
        assets_dir() / "zoos" / f"{dataset}-{representation}",
        model,
        dataset=dataset,
        preset="cpu",
        init="centered",
        sigma=SIGMA,
        init_seed=INIT_SEED,
        steps=preset("cpu", signals.dim).fit.steps,
    )
    with bar(f"zoo {zoo.path.name}") as update:
        for record in build_zoo(zoo, signals, device=default_device(), workers=os.cpu_count()):
            update(record.done, record.total, f"quality {record.quality:.3f}")


if __name__ == "__main__":
    for name in sys.argv[1:] or ("emoji", "shapes10"):
        main(name)
