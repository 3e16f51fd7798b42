"""The zoos: `python -m precompute.zoos emoji-mlora-asym`, and so on for the other representations and `shapes10`; all
twelve where none is named. Resumable: a killed run loses at most the batches in hand."""

import sys

from precompute.bases import prepare
from precompute.selection import zoo_signals
from wsr import representations
from wsr.fitting.fit import default_device, representation_for
from wsr.paths import assets_dir
from wsr.presets import preset
from wsr.progress import bar
from wsr.zoo import Zoo, build_zoo

SIGMA, INIT_SEED = 0.02, 0


def main(name: str) -> None:
    dataset, _, representation = name.partition("-")
    prepare(dataset)
    signals = zoo_signals(dataset)
    model = representation_for(representation, dataset, signals.dim)
    zoo = Zoo.create(
        assets_dir() / "zoos" / name,
        model,
        dataset=dataset,
        preset="cpu",
        # on the multi-class shapes the paper drops HyperDiffusion's trick for a shared random start, and so do we
        init="first" if representation.startswith("mlp") and signals.dim == 2 else "centered",
        sigma=SIGMA,
        init_seed=INIT_SEED,
        steps=preset("cpu", signals.dim).fit.steps,
    )
    with bar(f"zoo {zoo.path.name}") as update:
        for record in build_zoo(zoo, signals, device=default_device()):
            update(record.done, record.total, f"quality {record.quality:.3f}")


if __name__ == "__main__":
    everything = [f"{dataset}-{kind}" for dataset in ("emoji", "shapes10") for kind in representations]
    for zoo_name in sys.argv[1:] or everything:
        main(zoo_name)
