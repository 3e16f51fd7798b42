"""Two small zoos: adapters of pictures, and imported networks of shapes."""

import pytest
import torch

from tests.conftest import tiny_config
from tests.imports import layouts
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.representation import make_representation
from wsr.imports.run import import_zoo
from wsr.zoo import Zoo

SETTINGS = {"preset": "cpu", "init": "centered", "sigma": 0.02, "init_seed": 0, "steps": 1, "resolution": 16}


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Adapters of twelve pictures, one of which is poor, with an attribute."""
    folder = tmp_path_factory.mktemp("pictures")
    save_base(folder / "base.safetensors", BaseField(tiny_config(2), seed=1), BaseInfo("test", "cpu", 3))
    base = load_base(folder / "base.safetensors")
    model = make_representation("mlora-asym", base, base.config, 2, 3)
    zoo = Zoo.create(folder / "zoo", model, dataset="images:nowhere", **SETTINGS)
    weights = torch.stack([model.initial("centered", 0.3, seed) for seed in range(12)])
    rows = [
        {"id": f"p/{i}", "class": "ab"[i % 2], "split": ("train", "train", "heldout")[i % 3], "quality": 20.0 + i,
         "steps": 1, "seconds": 0.1, "target_sha256": "", "status": "poor" if i == 11 else "ok",
         "attribute size": float(i)}
        for i in range(12)
    ]  # fmt: skip
    zoo.append(weights, rows)
    return zoo


@pytest.fixture(scope="session")
def shapes(tmp_path_factory):
    """Occupancies of four shapes."""
    folder = tmp_path_factory.mktemp("shapes")
    layouts.hyperdiffusion(folder / "source")
    return import_zoo("hyperdiffusion", folder / "source", folder / "zoo").zoo
