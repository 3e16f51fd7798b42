"""A small zoo that tests can build."""

import numpy as np
import pytest
from PIL import Image

from wsr.data import load_signals
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.representation import make_representation
from wsr.presets import FitConfig, PresetConfig
from wsr.zoo import Zoo


@pytest.fixture
def made(base, tmp_path, monkeypatch):
    """A folder of ten pictures, a base, and the settings of a zoo small enough to make in a second."""
    from wsr import presets

    old = presets._PRESETS["cpu", "image"]
    monkeypatch.setitem(presets._PRESETS, ("cpu", "image"), PresetConfig(16, old.field, FitConfig(6, 64, 3), old.base))
    (tmp_path / "pictures").mkdir()
    for i in range(10):
        pixels = np.random.default_rng(i).integers(0, 255, (128, 128, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((4, 4)).resize((128, 128)).save(tmp_path / "pictures" / f"p{i}.png")
    path = tmp_path / "base.safetensors"
    save_base(path, base, BaseInfo("test", "cpu", 3))
    monkeypatch.setattr("wsr.zoo.zoo.load_representation", lambda meta: model())

    def model():
        field = load_base(path)
        return make_representation("mlora-asym", field, field.config, 2, 3)

    def create(folder="zoo", **changed):
        settings = (
            dict(
                dataset=f"images:{tmp_path / 'pictures'}",
                preset="cpu",
                init="centered",
                sigma=0.02,
                init_seed=0,
                steps=6,
            )
            | changed
        )
        return Zoo.create(tmp_path / folder, model(), **settings)

    return create, load_signals(f"images:{tmp_path / 'pictures'}")
