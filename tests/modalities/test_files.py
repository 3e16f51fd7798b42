"""Files name their modality; older ones without a name can be opened as before; files of other modalities are refused
by name."""

import json
from dataclasses import asdict

import pytest

from wsr import load_weights
from wsr.errors import WsrError
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.representation import make_representation
from wsr.fitting.saved import save_weights
from wsr.formats.tensors import open_tensors
from wsr.identity import Identity
from wsr.modalities import IMAGE, registered
from wsr.zoo import Zoo

SETTINGS = dict(dataset="test", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=1)


@pytest.fixture
def model(base, tmp_path):
    save_base(tmp_path / "base.safetensors", base, BaseInfo("test", "cpu", 3))
    frozen = load_base(tmp_path / "base.safetensors")
    return make_representation("mlora-asym", frozen, frozen.config, 2, 3)


def older(path, **changed):
    """Returns a zoo.json as it was written before modalities had names."""
    meta = json.loads((path / "zoo.json").read_text())
    del meta["modality"], meta["field"]["modality"]
    (path / "zoo.json").write_text(json.dumps({**meta, **changed}))


def test_every_file_says_it(model, tmp_path):
    assert model.base.info.modality == "image" and model.modality is IMAGE
    meta = Zoo.create(tmp_path / "zoo", model, **SETTINGS).meta
    assert meta["modality"] == meta["field"]["modality"] == "image"
    save_weights(tmp_path / "w.safetensors", model.initial()[None], model, ["a"])
    for name in ("base", "w"):
        with open_tensors(tmp_path / f"{name}.safetensors", "a file") as file:
            assert file.metadata["modality"] == "image"
    assert load_weights(tmp_path / "w.safetensors").modality is IMAGE


def test_an_older_zoo_opens_and_goes_on(model, tmp_path):
    Zoo.create(tmp_path / "zoo", model, **SETTINGS)
    older(tmp_path / "zoo")
    zoo = Zoo.open(tmp_path / "zoo")
    assert zoo.modality is IMAGE and zoo.description.field == model.config
    assert Zoo.create(tmp_path / "zoo", model, **SETTINGS).path == zoo.path


@pytest.mark.parametrize(("changed", "said"), [
    ({"modality": "imige"}, "Unknown modality 'imige': did you mean 'image'"),
    ({"modality": "occupancy"}, "3 dimensions, not 2"),
    ({"dim": 1}, "dimension 1 alone"), ({"dim": 5}, "'dim'"), ({"dim": 3}, "these are of others"),
])  # fmt: skip
def test_what_does_not_fit_together_is_refused(changed, said, model, tmp_path):
    Zoo.create(tmp_path / "zoo", model, **SETTINGS)
    older(tmp_path / "zoo", **changed)
    with pytest.raises(WsrError, match=said):
        Zoo.open(tmp_path / "zoo")


def test_a_run_that_was_begun_before_is_the_same_run(config):
    before = {key: value for key, value in asdict(config).items() if key != "modality"}
    begun, now = Identity.of("base", 1, field=before), Identity.of("base", 1, field=config)
    assert now.key == begun.key and not now.differences(begun)

    class Other(type(IMAGE)):
        name = "depth"

    with registered(Other()):
        other = Identity.of("base", 1, field=type(config)(**{**before, "modality": "depth"}))
    assert other.key != now.key
