"""The other generators that the audit of weight generators found to copy, on our zoos: `python -m precompute.peers`, of
mLoRA-Asym on both data sets. Resumable.

Every registered peer (`wsr.generators.registry`) that audits compare, trained for about as long as a diffusion model
may train; 128 samples of each in assets/samples. They have no weights kept back that would end their training sooner:
their papers train to the end.
"""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import torch

from precompute.generators import BITS, DATASETS, THREADS, Generator
from precompute.tables import zoo_hash
from wsr.generators.base import TrainSettings
from wsr.generators.diffusion import diffusion_preset
from wsr.generators.jobs import samples_zoo
from wsr.generators.latent import LatentConfig
from wsr.generators.p_diff import PDiffConfig
from wsr.generators.registry import GeneratorKind, kinds
from wsr.identity import Identity
from wsr.paths import assets_dir, cache_dir
from wsr.progress import bar
from wsr.zoo import Zoo, compress_zoo

COUNT = 128
AUTOENCODER_STEPS, PAIR_STEPS = 1500, 1000  # two or three minutes on one core


def path_of(kind: GeneratorKind, zoo: str) -> Path:
    return assets_dir() / "samples" / kind.stem(zoo)


def main(name: str) -> None:
    zoo = Zoo.open(name)
    for kind in kinds("peer"):
        learnt, path = learnt_zoo(kind, name), path_of(kind, name)
        if not kind.audited or not (assets_dir() / "zoos" / learnt).exists():
            continue
        identity = Identity.of(kind.title, 1, **parts_of(learnt))
        if path.exists():
            begun = Identity.read(Zoo.open(path).meta["sampled"].get("identity"))
            if begun is not None:  # older ones do not say it
                identity.require_same(begun, path, "remove it to have it made again")
            continue
        kept = cache_dir() / "training" / path.name
        shutil.rmtree(kept, ignore_errors=True)
        run = kind.generator.training(Zoo.open(learnt), settings().get(kind.name, TrainSettings()))
        with bar(f"{kind.title} on {name}") as update:
            for record in run.stream(kept.with_suffix(".checkpoint")):
                update(record.step, record.steps, f"loss {record.loss:.4f}")
        how = {"model": kind.title, "identity": identity.record()}
        drawn = samples_zoo(zoo.representation, zoo.meta, run.generator.sample(COUNT, seed=0), kept, how)
        compress_zoo(drawn, path, bits=BITS[Generator(name).dataset])


def learnt_zoo(kind: GeneratorKind, zoo: str) -> str:
    """The name of the zoo that it learns: of fits, or of their snapshots."""
    return f"{zoo}-trajectories" if kind.learns_from == "trajectories" else zoo


def parts_of(learnt: str) -> dict:
    """What samples of a generator depend on."""
    steps = {"autoencoder": AUTOENCODER_STEPS, "pairs": PAIR_STEPS}
    return {"zoo": zoo_hash(learnt), "config": diffusion_preset("cpu"), "steps": steps, "samples": COUNT}


def settings() -> dict[str, TrainSettings]:
    """How each is trained, by its name; any other one as its own settings say."""
    config, latent = replace(diffusion_preset("cpu"), patience=0), LatentConfig(steps=AUTOENCODER_STEPS)
    noisy = replace(latent, input_noise=0.01, latent_noise=0.1)
    return {
        "hyper-representations": TrainSettings(config=latent),
        "p-diff": TrainSettings(config=PDiffConfig(noisy, config)),
        "gpt": TrainSettings(config=replace(config, steps=PAIR_STEPS)),
    }


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    for zoo_name in sys.argv[1:] or [f"{dataset}-mlora-asym" for dataset in DATASETS]:
        main(zoo_name)
