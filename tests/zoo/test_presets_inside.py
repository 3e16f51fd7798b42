"""Editing a preset changes neither what an old file decodes to, nor its stated quality, nor how it is continued."""

import hashlib
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from PIL import Image

from wsr import presets, representations
from wsr.data import load_signals
from wsr.errors import WsrError
from wsr.fields import legacy_presets
from wsr.fields.description import FieldDescription
from wsr.fields.representation import make_representation
from wsr.fitting.saved import load_weights, save_weights
from wsr.generators.base import SaveSettings
from wsr.generators.diffusion import DiffusionConfig, WeightDiffusion, load_diffusion
from wsr.generators.diffusion.config import diffusion_preset
from wsr.paths import assets_dir
from wsr.presets import FieldConfig, FitConfig, PresetConfig
from wsr.zoo import Zoo, build_zoo, check_zoo
from wsr.zoo.build import batch_size
from wsr.zoo.recipe import zoo_config

FROZEN_HASH = "99887f1ee31ecd53b489988108d69208423a0448cf7040043f151fead510c6f9"
NEW = ("field", "resolution", "seed", "fit_version")  # keys that older versions did not write into zoo.json


@pytest.fixture
def edit(monkeypatch):
    """Changes every setting of a preset, as a later version may do."""

    def edited() -> None:
        for key, old in list(presets._PRESETS.items()):
            field = replace(
                old.field, channels=64, blocks=3, omega=7.0, mlp_width=33, mlp_asym_width=35, rank=2, latent=16
            )
            fit = replace(old.fit, steps=7, points=99, batch=3, lr=0.9, regime="", betas=(0.1, 0.2), a_rate=9.0)
            monkeypatch.setitem(presets._PRESETS, key, PresetConfig(40, field, fit, old.base))

    return edited


def older(path) -> None:
    """Returns a zoo.json as older versions wrote it, without the zoo's own settings."""
    meta = json.loads((path / "zoo.json").read_text())
    meta["fit"].pop("batch")
    (path / "zoo.json").write_text(json.dumps({key: value for key, value in meta.items() if key not in NEW}))


def test_the_frozen_presets_are_never_edited():
    told = [
        [
            *key, legacy_presets.legacy_resolution(*key), legacy_presets.legacy_field(*key),
            {name: legacy_presets.legacy_fit(*key, name) for name in sorted(legacy_presets._RATED)},
        ]
        for key in sorted(legacy_presets._LEGACY)
    ]  # fmt: skip
    text = json.dumps(told, sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == FROZEN_HASH


def test_the_frozen_presets_are_those_of_the_committed_zoos():
    """Every zoo in assets/ records the settings of its fits. They equal those in the table of frozen presets, unless
    its fits started where an encoder says: every version that makes such zoos records the settings."""
    for path in sorted(assets_dir().glob("*/*/zoo.json")):
        meta = json.loads(path.read_text())
        if meta.get("encoded") or "large" in path.parent.name and meta.get("sampled"):
            continue
        known = legacy_presets.legacy_fit(meta["preset"], meta["dim"], meta["representation"])
        assert {key: known[key] for key in meta["fit"]} == meta["fit"], path


@pytest.mark.parametrize("name", [f"{data}-{kind}" for data in ("emoji", "shapes10") for kind in representations])
def test_committed_zoos_decode_to_the_same(name, edit):
    if not (assets_dir() / "zoos" / name / "zoo.json").exists():
        pytest.skip("this zoo is not in assets/")
    dim = 2 if name.startswith("emoji") else 3
    points = torch.rand(1, 200, dim, generator=torch.Generator().manual_seed(0)) * 2 - 1

    def seen():
        zoo = Zoo.open(name)
        weights = zoo.weights(zoo.ids[3:5])
        return zoo.representation.evaluate(weights, points), zoo.resolution, zoo_config(zoo), batch_size(zoo, "cpu")

    before = seen()
    edit()
    after = seen()
    assert torch.equal(before[0], after[0]) and before[1:] == after[1:]
    assert before[1] == (128 if name.startswith("emoji") else 96) and before[3] == 8


def pictures(folder, count: int) -> None:
    folder.mkdir(exist_ok=True)
    for i in range(count):
        pixels = np.random.default_rng(i).integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((128, 128)).save(folder / f"p{i}.png")


@pytest.mark.parametrize("age", ["new", "old"])
@pytest.mark.parametrize("name", ["mlp", "mlp-asym"])
def test_a_zoo_decodes_is_judged_and_goes_on_as_it_began(name, age, edit, tmp_path):
    model = make_representation(name, None, presets.preset("cpu", 2).field)
    settings = dict(dataset=f"images:{tmp_path / 'p'}", preset="cpu", init="centered", sigma=0.0, init_seed=0, steps=2)
    for count, folder in ((3, "whole"), (2, "cut")):
        pictures(tmp_path / "p", count)
        zoo = Zoo.create(tmp_path / folder, model, **settings)
        list(build_zoo(zoo, load_signals(settings["dataset"])[:count]))
    if age == "old":
        older(tmp_path / "cut")
    whole = Zoo.open(tmp_path / "whole")
    decoded = whole.decode(["p0.png"])
    edit()
    pictures(tmp_path / "p", 3)
    cut = Zoo.open(tmp_path / "cut")
    assert cut.resolution == 128 and cut.representation.config.mlp_width == 50
    assert np.array_equal(cut.decode(["p0.png"]), decoded) and check_zoo(cut).ok
    list(build_zoo(cut, load_signals(settings["dataset"])))
    assert cut.ids == whole.ids and torch.allclose(cut.weights(), whole.weights(), atol=2e-3)
    with pytest.raises(WsrError, match="other settings .* and is now .* more"):
        Zoo.create(tmp_path / "cut", make_representation(name, None, presets.preset("cpu", 2).field), **settings)


@pytest.mark.parametrize("name", ["mlp", "mlp-asym"])
def test_saved_weights_decode_to_the_same(name, edit, tmp_path):
    model = make_representation(name, None, presets.preset("cpu", 3).field, mask_seed=4)
    weights = model.initial()[None]
    save_weights(tmp_path / "w.safetensors", weights, model, ["a"], fitted={"resolution": 96, "steps": 3})
    points = torch.rand(1, 50, 3, generator=torch.Generator().manual_seed(0))
    before = model.evaluate(weights, points)
    edit()
    found = load_weights(tmp_path / "w.safetensors")
    assert torch.equal(found.representation.evaluate(found.weights, points), before)
    assert found.fitted == {"resolution": 96, "steps": 3}


@pytest.mark.parametrize("age", ["new", "old"])
def test_a_diffusion_model_samples_and_decodes_the_same(age, edit, tmp_path):
    model = make_representation("mlp", None, presets.preset("cpu", 2).field)
    settings = dict(dataset="emoji", preset="cpu", init="centered", sigma=0.0, init_seed=0, steps=2)
    zoo = Zoo.create(tmp_path / "z", model, **settings)
    if age == "old":
        older(tmp_path / "z")
    meta = json.loads((tmp_path / "z/zoo.json").read_text()) if age == "old" else zoo.meta
    weights = model.initial() + 0.1 * torch.randn(4, model.size, generator=torch.Generator().manual_seed(1))
    config = DiffusionConfig(16, 1, 2, 8, 1e-3, 1, timesteps=10, shared_modulation=True)
    made = WeightDiffusion.new(model, weights, config, ["a"], {"zoo": meta})
    made.save(tmp_path / "m.safetensors", SaveSettings(bits=32))
    before = load_diffusion(tmp_path / "m.safetensors").sample(2, steps=2)
    edit()
    again = load_diffusion(tmp_path / "m.safetensors")
    assert torch.equal(again.sample(2, steps=2), before) and again.representation.config == model.config
    assert again.config == config and diffusion_preset("cpu").width == 320


def test_sizes_that_this_version_does_not_know_are_named(base):
    described = FieldDescription.of(make_representation("mlp", None, base.config)).record()
    assert FieldDescription.read(described).field == base.config
    for change, said in (({"newer": 1}, "'newer' is none of this version"), ({"channels": "many"}, "'channels'")):
        with pytest.raises(WsrError, match=said):
            FieldDescription.read({**described, "field": {**described["field"], **change}})
    with pytest.raises(WsrError, match="'dim' is missing"):
        FieldDescription.read({**described, "field": {"channels": 16}})


def test_one_description_says_what_decodes_in_all_three_kinds_of_files(base, tmp_path):
    from wsr.fields.checkpoint import BaseInfo, load_base, save_base

    save_base(tmp_path / "b.safetensors", base, BaseInfo("test", "cpu", 3))
    field = load_base(tmp_path / "b.safetensors")
    model = make_representation("lora-asym", field, field.config, 2, 3)
    settings = dict(dataset="emoji", preset="cpu", init="centered", sigma=0.0, init_seed=0, steps=2)
    zoo = Zoo.create(tmp_path / "z", model, **settings)
    described = FieldDescription.of(model)
    assert Zoo.open(tmp_path / "z").description == described
    assert FieldDescription.read(json.loads(json.dumps(described.record()))) == described
    assert described.field == base.config and described.base_sha256 == field.info.sha256
    save_weights(tmp_path / "w.safetensors", model.initial()[None], model, ["a"])
    assert FieldDescription.of(load_weights(tmp_path / "w.safetensors").representation) == described
    config = DiffusionConfig(16, 1, 2, 8, 1e-3, 1, timesteps=10, shared_modulation=True)
    noise = torch.randn(4, model.size, generator=torch.Generator().manual_seed(0))
    WeightDiffusion.new(model, noise, config, ["a"], {"zoo": zoo.meta}).save(tmp_path / "m.safetensors")
    assert FieldDescription.of(load_diffusion(tmp_path / "m.safetensors").representation) == described


def test_a_fit_states_what_it_was_fitted_with(tmp_path):
    from wsr import fit

    result = fit([np.full((8, 8, 3), 0.5, np.float32)], "mlp", steps=2, points=16, lr=0.007)
    result.save(tmp_path / "w.safetensors")
    found = load_weights(tmp_path / "w.safetensors").fitted
    assert found["steps"] == 2 and found["fit"]["lr"] == 0.007 and found["fit"]["points"] == 16
    assert found["resolution"] == 128 and FitConfig(2, **found["fit"]).betas == [0.7, 0.85]
    assert FieldConfig(**asdict(result.representation.config)) == result.representation.config
