"""The generators that learn from the large zoos. They are kept in the cache, so that the scaling law and the models in
assets/ share them."""

import json
from pathlib import Path

from precompute.experiment import Cell, Context
from precompute.generators import best_trials, large_search_report, with_trial
from precompute.judging import train
from precompute.selection import modality_of
from wsr.generators.base import SaveSettings
from wsr.generators.diffusion import DiffusionConfig, diffusion_preset
from wsr.generators.diffusion.jobs import training_of
from wsr.generators.diffusion.training import VERSION
from wsr.paths import cache_dir
from wsr.zoo import Zoo

COUNTS = (100, 400, 1_600, 5_000, 10_000)
COUNTS_OF = {"shapes10": (100, 400, 1_600, 4_000)}
SECONDS = 1_200  # of CPU time, at most, for each training


def counts(data: str) -> tuple[int, ...]:
    """The numbers of training weights that generators of a data set learn from."""
    return COUNTS_OF.get(data, COUNTS)


def config_of(cell: Cell, context: Context) -> DiffusionConfig:
    """The settings of a training: the preset's, with what the search has found for the representation."""
    config = diffusion_preset(context.preset, cell.representation, modality_of(cell.data))
    found = best_trials(context.path(large_search_report(cell.data, context))).get(cell.representation)
    return with_trial(config, found) if found else config


def trained_with(cell: Cell, context: Context) -> dict:
    """Everything that a trained generator depends on beside its zoo, its number of weights and its seed."""
    return {"config": config_of(cell, context), "training": VERSION, "seconds": SECONDS}


def sampling_report(data: str, context: Context) -> str:
    """The path of the report on how the generators of the large zoos of `data` are best sampled."""
    return f"reports/large-sampling-{context.named(data)}.json"


def choices(data: str, context: Context) -> list[str]:
    """The reports that say how generators of the large zoos of `data` are built and sampled, and so come first."""
    return [large_search_report(data, context), sampling_report(data, context)]


def sampler_of(cell: Cell, context: Context) -> dict[str, float]:
    """The guidance and the final noise that `large_sampling` has found for the representation; empty before that, when
    the preset's are used."""
    path = context.path(sampling_report(cell.data, context))
    rows = json.loads(path.read_text())["rows"] if path.exists() else []
    own = [row for row in rows if row["representation"] == cell.representation]
    best = min(own, key=lambda row: row["FD"], default={})
    return {axis: best[axis] for axis in ("guidance", "final_noise") if axis in best}


def trained(zoo: Zoo, config: DiffusionConfig, count: int, seed: int, title: str) -> Path:
    """Returns the file of the generator that learnt from the first `count` training weights of a large zoo until the
    loss on the validation split no longer fell. It is trained if the cache does not hold it. Its `about` states the CPU
    seconds of the training."""
    training = training_of(zoo, config, seed=seed, count=count)
    path = cache_dir() / "training" / f"{zoo.path.name}-{count}-s{seed}-{training.identity.short}.safetensors"
    if not path.exists():
        training.model.about["cpu_seconds"] = round(train(training, SECONDS, title), 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        training.model.to("cpu").save(path, SaveSettings(bits=32))
    return path
