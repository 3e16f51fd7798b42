"""The diffusion models and 512 samples of each: `python -m precompute.generation`, all of them or those that are named
(`shapes10-mlora-asym`, `shapes10-mlora-asym-s1`, `emoji-people-mlora-asym-flat`). Resumable.

Each trains until the loss of the weights that are kept back no longer falls, and for the same time at most, in as many
steps as fit (precompute/diffusion_search.py measured one). Models are written to assets/diffusion, their matrices in
five or six bits a number; what they sample as they stand there, in as many bits a number, to assets/samples.
"""

import shutil
import sys
from dataclasses import replace

import torch

from precompute.diffusion_search import searched
from precompute.generators import BITS, SAMPLES, SECONDS, STEPS, THREADS, Generator, generators
from wsr.errors import WsrError
from wsr.generators.base import SampleSettings, SaveSettings, TrainSettings
from wsr.generators.diffusion import DiffusionConfig, diffusion_preset
from wsr.generators.files import load_generator
from wsr.generators.jobs import sample_zoo, train_generator
from wsr.generators.registry import named
from wsr.identity import Identity
from wsr.paths import assets_dir, cache_dir
from wsr.progress import bar
from wsr.zoo import Zoo, compress_zoo


def main(one: Generator) -> None:
    path = assets_dir() / "diffusion" / f"{one.name}.safetensors"
    if not path.exists():
        train(one, path)
    model = load_generator(path)
    begun = Identity.read(model.about.get("identity"))
    if begun is not None:  # older ones do not say it
        asked = named(one.kind).generator.training(Zoo.open(one.zoo), settings_of(one)).identity
        asked.require_same(begun, path, "remove it to have it trained again")
    samples = assets_dir() / "samples" / one.name
    if samples.exists():
        network = Zoo.open(samples).meta["sampled"].get("network", model.fingerprint())
        if network != model.fingerprint():
            raise WsrError(f"{str(samples)!r} was drawn of another model than {str(path)!r}: remove it to draw again.")
    else:
        kept = cache_dir() / "training" / f"samples-{one.name}"
        with bar(f"samples {one.name}") as update:
            for done in sample_zoo(model, kept, SAMPLES, SampleSettings(steps=STEPS, seed=one.seed)):
                update(done, SAMPLES)
        compress_zoo(Zoo.open(kept), samples, bits=BITS[one.dataset])
        shutil.rmtree(kept)


def config_of(one: Generator) -> DiffusionConfig:
    found, config = searched()[one.representation], diffusion_preset("cpu", one.representation)
    steps = min(config.steps, round(SECONDS[one.dataset] / found["step seconds"]))
    return replace(config, lr=found["lr"], steps=steps, encoder=config.encoder and one.encoder)


def settings_of(one: Generator) -> TrainSettings:
    return TrainSettings(config=config_of(one), seed=one.seed)


def train(one: Generator, path) -> None:
    zoo = Zoo.open(one.zoo)
    whole = cache_dir() / "training" / path.name
    with bar(f"diffusion {one.name}") as update:
        for record in train_generator(one.kind, zoo, whole, settings_of(one), overwrite=True):
            update(record.step, record.steps, f"loss {record.loss:.4f}, of unseen weights {record.validation or 0:.4f}")
    load_generator(whole).save(path, SaveSettings(bits=BITS[one.dataset]))


if __name__ == "__main__":
    everything = {one.name: one for one in generators()}
    torch.set_num_threads(THREADS)
    for model in sys.argv[1:] or everything:
        main(everything[model])
