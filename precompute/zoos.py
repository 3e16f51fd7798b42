"""The zoos: `python -m precompute.zoos emoji-mlora-asym`, and so on for the other representations and `shapes10`; all
twelve where none is named. `emoji-people-mlora-asym` and so on are what generators of faces learn from: made in the
cache, and compressed into assets/, as are three of the twelve. Resumable: a killed run loses at most the batches in
hand."""

import sys

from precompute.bases import prepare
from precompute.selection import zoo_signals
from wsr import representations
from wsr.fitting.fit import default_device, representation_for
from wsr.modalities import IMAGE
from wsr.paths import assets_dir, cache_dir
from wsr.presets import preset
from wsr.progress import bar
from wsr.zoo import Zoo, build_zoo, compress_zoo
from wsr.zoo.build import require_same_run
from wsr.zoo.meta import require_same_settings, zoo_meta

SIGMA, INIT_SEED = 0.02, 0
COMPACT = ("emoji-lora", "emoji-lora-asym", "emoji-mlp-asym")  # so that assets/ stays below 450 MB


def main(name: str) -> None:
    representation = next(kind for kind in representations if name.endswith(f"-{kind}"))
    dataset = name.removesuffix(f"-{representation}").replace("-", "/")
    base, final = dataset.partition("/")[0], assets_dir() / "zoos" / name
    compact = dataset != base or name in COMPACT
    prepare(base)
    signals = zoo_signals(dataset)
    model = representation_for(representation, base, signals.modality)
    settings = {
        "dataset": dataset,
        "preset": "cpu",
        # on the multi-class shapes the paper drops HyperDiffusion's trick for a shared random start, and so do we
        "init": "first" if representation.startswith("mlp") and signals.modality is IMAGE else "centered",
        "sigma": SIGMA,
        "init_seed": INIT_SEED,
        "steps": preset("cpu", signals.modality).fit.steps,
    }
    if compact and final.exists():
        there, wanted = Zoo.open(final), zoo_meta(model, dtype="uint8", **settings)
        require_same_settings(final, there.meta, wanted, "remove it to have it made again")
        require_same_run(there, signals, None)
        return
    zoo = Zoo.create(cache_dir() / "training" / name if compact else final, model, **settings)
    with bar(f"zoo {zoo.path.name}") as update:
        for record in build_zoo(zoo, signals, device=default_device()):
            update(record.done, record.total, f"quality {record.quality:.3f}")
    if zoo.path != final:
        with bar(f"compress {name}") as update:
            compress_zoo(zoo, final, update)


if __name__ == "__main__":
    everything = [f"{dataset}-{kind}" for dataset in ("emoji", "shapes10") for kind in representations]
    for zoo_name in sys.argv[1:] or everything:
        main(zoo_name)
