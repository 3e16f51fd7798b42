"""The other generators that the audit of weight generators found to copy, on our zoos: `python -m precompute.peers`, of
mLoRA-Asym on both data sets. Resumable.

Hyper-Representations, p-diff and G.pt, trained for about as long as a diffusion model may train; 128 samples of each in
assets/samples. They have no weights kept back that would end their training sooner: their papers train to the end.
"""

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from precompute.generators import BITS, DATASETS, THREADS, Generator
from precompute.tables import zoo_hash
from wsr.generators.diffusion import diffusion_preset
from wsr.generators.diffusion.jobs import samples_zoo
from wsr.generators.g_pt import CheckpointGenerator
from wsr.generators.latent import HyperRepresentations, LatentConfig, PDiff
from wsr.identity import Identity
from wsr.paths import assets_dir, cache_dir
from wsr.progress import bar
from wsr.zoo import Zoo, compress_zoo

COUNT = 128
AUTOENCODER_STEPS, PAIR_STEPS = 1500, 1000  # two or three minutes on one core
PEERS = {"G.pt": "-gpt", "Hyper-Representations": "-hyper-representations", "p-diff": "-p-diff"}


def path_of(title: str, zoo: str) -> Path:
    return assets_dir() / "samples" / f"{zoo}{PEERS[title]}"


def main(name: str) -> None:
    zoo = Zoo.open(name)
    for title, build in builders(zoo).items():
        path = path_of(title, name)
        identity = Identity.of(title, 1, **parts_of(zoo, title))
        if path.exists():
            begun = Identity.read(Zoo.open(path).meta["sampled"].get("identity"))
            if begun is not None:  # older ones do not say it
                identity.require_same(begun, path, "remove it to have it made again")
            continue
        generator = build()
        with bar(f"{title} on {name}") as update:
            for record in generator.train_stream():
                update(record.step, record.steps, f"loss {record.loss:.4f}")
        kept = cache_dir() / "training" / path.name
        shutil.rmtree(kept, ignore_errors=True)
        how = {"model": title, "identity": identity.record()}
        drawn = samples_zoo(zoo.representation, zoo.meta, generator.sample(COUNT, seed=0), kept, how)
        compress_zoo(drawn, path, bits=BITS[Generator(name).dataset])


def parts_of(zoo: Zoo, title: str) -> dict:
    """What samples of a generator depend on."""
    learnt = f"{zoo.path.name}-trajectories" if title == "G.pt" else zoo.path.name
    steps = {"autoencoder": AUTOENCODER_STEPS, "pairs": PAIR_STEPS}
    return {"zoo": zoo_hash(learnt), "config": diffusion_preset("cpu"), "steps": steps, "samples": COUNT}


def builders(zoo: Zoo) -> dict[str, Callable]:
    """What makes each, untrained. G.pt learns from snapshots of fits, where there are some."""
    weights = zoo.weights(zoo.good("train")["id"].tolist())
    config, latent = replace(diffusion_preset("cpu"), patience=0), LatentConfig(steps=AUTOENCODER_STEPS)
    noisy = replace(latent, input_noise=0.01, latent_noise=0.1)
    found: dict[str, Callable] = {
        "Hyper-Representations": lambda: HyperRepresentations(weights, latent),
        "p-diff": lambda: PDiff(weights, noisy, config),
    }
    trajectories = assets_dir() / "zoos" / f"{zoo.path.name}-trajectories"
    if trajectories.exists():
        found["G.pt"] = lambda: CheckpointGenerator(Zoo.open(trajectories), replace(config, steps=PAIR_STEPS))
    return found


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    for zoo_name in sys.argv[1:] or [f"{dataset}-mlora-asym" for dataset in DATASETS]:
        main(zoo_name)
