"""Tiny diffusion models, and training weights in two groups."""

import pytest
import torch

from wsr import representations
from wsr.fields.representation import make_representation
from wsr.generators.diffusion import DiffusionConfig, WeightDiffusion
from wsr.zoo import Zoo

TINY = DiffusionConfig(16, 2, 2, 8, 3e-3, 12, timesteps=50, beta=(1e-3, 0.2), ema=0.9, warmup=2, shared_modulation=True)


@pytest.fixture(params=representations)
def model(request, base, config):
    return make_representation(request.param, base, config, mask_seed=7)


@pytest.fixture
def adapter(base, config):
    return make_representation("mlora-asym", base, config, mask_seed=7)


def weights(model, n=20):
    """Draws n weights in two groups around the start."""
    generator = torch.Generator().manual_seed(5)
    group = torch.randn(2, model.size, generator=generator)[torch.arange(n) % 2]
    return model.initial() + 0.3 * group + 0.05 * torch.randn(n, model.size, generator=generator)


def zoo_of(model, folder, splits, stored=None):
    """A zoo with a row for each of these splits."""
    how = dict(dataset="faces", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=6)
    zoo = Zoo.create(folder, model, **how)
    common = {"quality": 30.0, "steps": 10, "seconds": 0.0, "target_sha256": "", "status": "ok"}
    rows = [{"id": f"face-{i:06d}", "class": "ab"[i % 2], "split": split, **common}
            for i, split in enumerate(splits)]  # fmt: skip
    zoo.append(weights(model, len(rows)) if stored is None else stored, rows)
    return zoo


def classes(n=20):
    return ["even" if i % 2 == 0 else "odd" for i in range(n)]


def fresh(model, config=TINY, seed=0):
    return WeightDiffusion.new(model, weights(model), config, ["even", "odd"], seed=seed)
