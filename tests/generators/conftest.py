"""Tiny diffusion models, and training weights in two groups."""

import pytest
import torch

from wsr import representations
from wsr.fields.representation import make_representation
from wsr.generators.diffusion import DiffusionConfig, WeightDiffusion

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


def classes(n=20):
    return ["even" if i % 2 == 0 else "odd" for i in range(n)]


def fresh(model, config=TINY, seed=0):
    return WeightDiffusion.new(model, weights(model), config, ["even", "odd"], seed=seed)
