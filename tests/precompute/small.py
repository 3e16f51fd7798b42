"""Sizes at which every experiment runs in seconds, on a folder of pictures or meshes, with a preset for tests."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from precompute import __main__ as command
from precompute import generators, judging, large_generators
from precompute.experiments import (
    arena,
    audits,
    augmentation,
    barrier_levers,
    clusters,
    diffusion_search,
    diffusion_sizes,
    encoded_starts,
    figure3,
    figure3_draws,
    generation,
    large_models,
    large_sampling,
    large_search,
    learnability,
    learning_rates,
    noise_carried,
    own_rates,
    peers,
    pointnet,
    processes,
    realism,
    regimes,
    sampling,
    scaling,
    spans,
    table1,
    table4,
    unconditional,
    unconditional_search,
    wide_starts,
)
from precompute.experiments.diffusion_search import Budget
from wsr import presets
from wsr.data import images
from wsr.encoders.settings import TrainingSettings
from wsr.fitting import encoders
from wsr.fitting.encoder import EncoderConfig
from wsr.generators.diffusion import DiffusionConfig, config
from wsr.metrics import features
from wsr.modalities import IMAGE
from wsr.paths import assets_dir
from wsr.presets import BaseTrainingConfig, FieldConfig, FitConfig, PresetConfig, Protocol, Stage

SCHEDULE = BaseTrainingConfig((Stage(40, 16, 64, 1e-2),))
# large batches, because at these sizes a step takes as long for 100 instances as for one
FIT = FitConfig(30, 64, 100, lr=5e-2)
SMALL = {
    figure3: {"INSTANCES": 3, "cases": lambda: [("mlora", "own", 0.02, 0.0), ("mlora", "own", 0.02, 1.0),
                                                ("mlora", "normal", 1.0, 1.0), ("mlp", "own", 0.02, 1.0)],
              "POINTS": 500, "SURFACE": 16},
    figure3_draws: {"DRAWS": 2, "POINTS": 500, "SURFACE": 16},
    wide_starts: {"SIGMAS": (0.5, 1.52)},
    arena: {"SEEDS": (0, 1), "SETTINGS": TrainingSettings(epochs=1, batch=64)},
    table1: {"CLOUDS": 2},
    table4: {"RUNS": 3},
    generators: {"SEEDS": (0, 1), "SEEDED": ("mlp", "mlora-asym")},
    diffusion_search: {"RATES": (1e-3,), "TRIALS": 3, "WIDTHS": (16, 32), "DEPTHS": (1,), "TOKEN_SIZES": (32, None)},
    large_search: {"BUDGETS": {}, "OTHERS": Budget(1, 1200)},
    diffusion_sizes: {"SIZES": ((8, 8, 1),)},
    generation: {"SAMPLES": 8, "STEPS": 3},
    peers: {"COUNT": 8, "AUTOENCODER_STEPS": 5, "PAIR_STEPS": 5},
    audits: {"DECODED": 8},
    realism: {"DRAWN": 8},
    barrier_levers: {"INSTANCES": 3, "NAMES": ("mlora",)},
    learning_rates: {"INSTANCES": 3, "GRIDS": {"image": (0.01,), "occupancy": (0.01,)}, "A_RATES": (1.0,)},
    own_rates: {"INSTANCES": 3, "A_RATES": (1.0,), "SETTINGS": 2, "DRAWS": 2},
    spans: {"COMPONENTS": (3, None), "POINTS": 500, "HELD_OUT": 4},
    noise_carried: {"RANK": 2, "CHANNELS": 16, "STEPS": 3, "SAMPLES": 4, "SAMPLE_STEPS": 3},
    judging: {"COUNT": 8, "STEPS": 3},
    encoders: {"EncoderConfig": partial(EncoderConfig, features=8, steps=4, instances=4, points=16)},
    learnability: {"TRAINING": 24, "UNSEEN": 8, "PAIRS": 4, "COUNTS": (8, 16), "SAMPLER_STEPS": 3,
                   "LEVERS": {name: learnability.LEVERS[name] for name in ("paper-like", "rank 2")},
                   "WITHIN": {}},
    encoded_starts: {"STEPS": (0, 3), "FITTED": 4, "LEARNT": 24, "UNSEEN_FITS": 8, "PAIRS": 4, "COUNTS": (8, 16),
                     "JUDGED": 5},
    large_generators: {"COUNTS": (20, 150)},
    large_sampling: {"SAMPLES": 8, "STEPS": 3, "GUIDANCES": (1.0,), "FINAL_NOISES": (0.0, 0.1)},
    large_models: {"SAMPLES": 8, "STEPS": 3},
    regimes: {"SHARES": (0.5, 1.0), "COUNT": 8, "STEPS": 3},
    unconditional_search: {"TRIALS": 3},
    unconditional: {"SEEDS": (0, 1), "PICTURES": 8, "STEPS": 3},
    scaling: {"SEEDS": (0,), "SAMPLES": 8, "STEPS": 3},
    # Pictures are read at the resolution of their fits, and judged at 32 pixels by the real feature extractor
    images: {"load_image_folder": partial(images.load_image_folder, resolution=16)},
    features: {"SIDE": 32},
    IMAGE: {"resolutions": replace(IMAGE.resolutions, judged=32)},
    pointnet: {"BATCH": 4, "EPOCHS": 1},
    **{module: {"COUNT": 8, "STEPS": 3} for module in (augmentation, clusters, processes, sampling)},
}  # fmt: skip


def shrink(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Shrinks all experiments. Returns what runs them on a folder with the `paper` preset, which is replaced by small
    sizes here, and returns the exit status."""
    # Shapes are prepared in this process: each other one takes seconds to start (tests/data/test_occupancy.py has some)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    for module, values in SMALL.items():
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)
    field = FieldConfig(2, 16, 2, 6.0, 8, 2, 16, 32, 2)
    monkeypatch.setitem(presets._PRESETS, ("paper", "image"), PresetConfig(16, field, FIT, SCHEDULE))
    field = FieldConfig(3, 16, 2, 6.0, 8, 2, 16, 32, 2)
    monkeypatch.setitem(presets._PRESETS, ("paper", "occupancy"), PresetConfig(16, field, FIT, SCHEDULE))
    tiny = DiffusionConfig(16, 1, 2, 8, 1e-3, 10, pair_width=8, final_noise=0.3, guidance=2.0,
                           clusters=2, patience=2, eval_every=5)  # fmt: skip
    monkeypatch.setitem(config._PRESETS, "paper", tiny)
    monkeypatch.setitem(presets.PROTOCOLS, presets.STRUCTURED, {"image": Protocol(encoded=True)})

    def run(data: str, *names: str, only: str | None = None, steps: int = FIT.steps) -> int:
        for key in (("paper", "image"), ("paper", "occupancy")):
            changed = replace(presets._PRESETS[key], fit=replace(FIT, steps=steps))
            monkeypatch.setitem(presets._PRESETS, key, changed)
        return command.main(["run", *names, "--preset", "paper", "--data", data, *(["--only", only] if only else [])])

    return run


def pictures(folder: Path, train: int, heldout: int) -> str:
    """Makes a data set of so many pictures that are easy to fit, so that no fit is poor. Returns its name."""
    noise, left = np.random.default_rng(0), {"train": train, "heldout": heldout}
    for i in itertools.count():
        name = f"{'cats' if i % 2 else 'dogs'}/{i:04d}.png"
        if not any(left.values()):
            return f"images:{folder}"
        if left[images.stable_split(name)]:
            left[images.stable_split(name)] -= 1
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            colours = noise.uniform(0.4, 0.5, 3) + np.linspace(0, 0.1, 16)[:, None, None]
            Image.fromarray(np.uint8(255 * np.broadcast_to(colours, (16, 16, 3)))).save(folder / name)


def failures(capsys) -> str:
    return "failed: ".join(capsys.readouterr().out.partition("failed: ")[1:])


def report(name: str) -> dict:
    return json.loads((assets_dir() / "reports" / f"{name}.json").read_text())


