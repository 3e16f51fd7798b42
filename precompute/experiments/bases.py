"""The bases: `python -m precompute.bases emoji` and `python -m precompute.bases shapes10`. Resumable."""

import sys

from wsr.data import load_signals
from wsr.data.emoji import fetch_emoji
from wsr.data.occupancy import prepare_occupancy
from wsr.fitting.bases import train_base
from wsr.paths import assets_dir
from wsr.progress import bar


def prepare(dataset: str) -> None:
    """Pictures fetched; shapes generated and their occupancy sampled."""
    if dataset == "emoji":
        fetch_emoji()
        return
    from wsr.data.shapes10 import build_cache

    with bar("shapes") as update:
        build_cache(progress=update)
    with bar("occupancy") as update:
        prepare_occupancy(load_signals(dataset).where(split="train"), progress=update)


def main(dataset: str) -> None:
    prepare(dataset)
    with bar(f"base {dataset}") as update:
        for record in train_base(load_signals(dataset), assets_dir() / "bases" / f"{dataset}.safetensors"):
            update(record.step, record.steps, "there already" if record.kept else f"loss {record.loss:.4f}")


if __name__ == "__main__":
    for name in sys.argv[1:] or ("emoji", "shapes10"):
        main(name)
