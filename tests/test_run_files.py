"""Bases, encoders and generators treat a file in the place of their result alike: a run keeps its own result and
refuses any other file, unless it may overwrite it."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from tests.conftest import tiny_config
from wsr import presets
from wsr.data import load_signals
from wsr.errors import WsrError
from wsr.fields.checkpoint import load_base
from wsr.fields.representation import make_representation
from wsr.fitting.bases import train_base
from wsr.fitting.encoders import train_encoder
from wsr.generators.base import TrainSettings
from wsr.generators.jobs import train_generator
from wsr.generators.latent import LatentConfig
from wsr.identity import Identity
from wsr.presets import BaseTrainingConfig, FitConfig, PresetConfig, Stage
from wsr.run_files import checkpoint_path
from wsr.zoo import Zoo

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU

Train = Callable[..., list]
TINY = PresetConfig(16, tiny_config(2), FitConfig(2, 16, 2), BaseTrainingConfig((Stage(2, 4, 32, 2e-3),), ema=0.5))


def small_zoo(base: Path, path: Path) -> Zoo:
    field = load_base(base)
    model = make_representation("mlora-asym", field, field.config, 2, 3)
    settings = dict(dataset="test", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=2)
    zoo = Zoo.create(path, model, **settings)
    row = {"class": "", "split": "train", "quality": 1.0, "steps": 2, "seconds": 0.0, "target_sha256": "",
           "status": "ok"}  # fmt: skip
    zoo.append(model.initial() + 0.1 * torch.randn(4, model.size), [{"id": f"i{i}", **row} for i in range(4)])
    return zoo


@pytest.fixture(params=["base", "encoder", "generator"])
def train(request, tmp_path, monkeypatch) -> Train:
    """Trains one of the three for two steps; takes the file to write, and `seed` and `overwrite`."""
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setitem(presets._PRESETS, ("cpu", "image"), TINY)
    (tmp_path / "pictures").mkdir()
    for i in range(6):
        pixels = np.random.default_rng(i).integers(0, 255, (128, 128, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{i}.png")
    signals, base = load_signals(f"images:{tmp_path / 'pictures'}"), tmp_path / "for-the-others.safetensors"

    def run(out: Path, seed: int = 0, **options) -> list:
        if request.param == "base":
            return list(train_base(signals, out, seed=seed, **options))
        if request.param == "encoder":
            return list(train_encoder(base, out=out, steps=2, seed=seed, **options))
        settings = TrainSettings(config=LatentConfig(latent=2, width=4, steps=2, batch=2), seed=seed)
        return list(train_generator("hyper-representations", zoo, out, settings, **options))

    list(train_base(signals, base))
    zoo = small_zoo(base, tmp_path / "zoo")
    run.kind = request.param
    return run


def without_identity(path: Path) -> None:
    """Rewrites a file as one that was written before runs had an identity."""
    with safe_open(path, "pt") as file:
        tensors, meta = {key: file.get_tensor(key) for key in file.keys()}, file.metadata()
    key = "wsr" if "wsr" in meta else "training"
    about = json.loads(meta[key])
    del about.get("about", about.get("training", about))["identity"]
    save_file(tensors, path, meta | {key: json.dumps(about)})


def test_a_run_keeps_its_own_result_and_refuses_another_s(train, tmp_path):
    out = tmp_path / "a.safetensors"
    *_, last = train(out)
    assert last.step == 2 and not last.kept and not list((tmp_path / "cache").glob("training/*"))
    before = out.read_bytes()
    assert [(record.kept, record.done, record.step) for record in train(out)] == [(True, True, 2)]
    with pytest.raises(WsrError, match=r"another run \(.*seed was 0 and is now 1.*--out.*--overwrite"):
        train(out, seed=1)
    assert out.read_bytes() == before
    *_, last = train(out, seed=1, overwrite=True)
    assert not last.kept and out.read_bytes() != before


def test_any_other_file_is_refused(train, tmp_path):
    out = tmp_path / "a.safetensors"
    out.write_bytes(b"mine")
    with pytest.raises(WsrError, match=f"a.safetensors' exists, and is not an? {train.kind}: .*--overwrite"):
        train(out)
    assert out.read_bytes() == b"mine"


def test_a_file_without_an_identity_is_kept_only_if_it_states_its_settings_otherwise(train, tmp_path):
    """Old bases do, so that the same command still recognises them."""
    out = tmp_path / "a.safetensors"
    train(out)
    without_identity(out)
    if train.kind == "base":
        assert [record.kept for record in train(out)] == [True]
    else:
        with pytest.raises(WsrError, match="does not say what it was made of"):
            train(out)


def test_runs_that_differ_have_different_checkpoints():
    one, other = (Identity.of("fit", 1, seed=seed) for seed in (0, 1))
    named = partial(checkpoint_path, "base-emoji")
    assert named(one) != named(other) and named(one) == named(Identity.of("fit", 1, seed=0))
