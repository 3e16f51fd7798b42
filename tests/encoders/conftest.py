"""Zoos of two kinds of instances, whose weights say clearly which is which."""

import numpy as np
import pytest
import torch

from wsr.fields.lora import Adapter
from wsr.fields.representation import make_representation
from wsr.zoo import Zoo

COUNT = 60
SETTINGS = dict(dataset="toys", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=1)
ROW = {"quality": 1.0, "steps": 1, "seconds": 0.0, "target_sha256": "", "status": "ok"}


def separable(model):
    """Weights around a start that all share, those of one kind larger and those of the other smaller: all weights of an
    MLP, and of an adapter, where a larger product alone would not change the field, half the columns of A."""
    kind = np.arange(COUNT) % 2
    generator = torch.Generator().manual_seed(1)
    start = model.initial("normal", 1.0) if model.kind.needs_base else model.initial()
    weights = start + 0.02 * torch.randn(COUNT, model.size, generator=generator)
    side = torch.from_numpy(2.0 * kind - 1).float()[:, None]
    factor = 1 + 0.3 * side  # (n, 1)
    if not isinstance(model, Adapter):
        return weights * factor, kind
    a, b = model.pairs(model.layout.fill(weights))
    half = torch.arange(a.shape[-1]) < a.shape[-1] // 2
    return model.layout.strip(model.joined(a * torch.where(half, factor[:, None], 1.0), b)), kind


def zoo_of(folder, model, weights, kind):
    zoo = Zoo.create(folder, model, **SETTINGS)
    rows = [
        {"id": f"i{i}", "class": ("small", "large")[one], "split": "heldout" if i % 5 == 0 else "train", **ROW,
         "attribute size": float(one) + 0.01 * i, "attribute of all": "same"}
        for i, one in enumerate(kind)
    ]  # fmt: skip
    zoo.append(weights, rows)
    zoo._representation = model
    return zoo


@pytest.fixture
def made(base, config, tmp_path):
    """Makes a zoo of a representation, once in a test."""

    def make(name: str) -> Zoo:
        model = make_representation(name, base, config, mask_seed=7)
        return zoo_of(tmp_path / name, model, *separable(model))

    return make
