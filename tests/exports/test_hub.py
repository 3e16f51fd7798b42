"""Zoos, bases and models travel through a stand-in of the Hub on this machine."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

import wsr
from tests.conftest import tiny_config
from tests.exports.conftest import SETTINGS
from tests.exports.hub_stand_in import running
from tests.imports import shared_layouts
from wsr.cli import main
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import BaseInfo, base_name, save_base
from wsr.fields.description import FieldDescription
from wsr.fields.representation import make_representation
from wsr.generators.files import load_generator
from wsr.generators.jobs import train_generator
from wsr.hub import Place, fetched
from wsr.imports.run import import_zoo
from wsr.publishing import pull, push
from wsr.zoo import Zoo


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with running() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        fetched.cache_clear()
        yield server
        fetched.cache_clear()


def test_a_zoo_goes_out_and_comes_back_with_its_base(pictures, hub, tmp_path, capsys):
    assert main(["push", str(pictures.path), "me/pictures"]) == 0
    held = hub.repos["dataset", "me/pictures"]
    assert set(held) >= {"zoo.json", "index.parquet", "base.safetensors", "README.md", "weights-00000.safetensors"}
    assert hub.private["dataset", "me/pictures"] is True
    told = held["zoo.json"].decode() + held["README.md"].decode()
    assert str(pictures.path.parent) not in told and json.loads(held["zoo.json"])["dataset"] == "images:nowhere"
    held["evil.pkl"] = b"\x80\x04."
    assert main(["pull", "hub:me/pictures", "--out", str(tmp_path / "zoo")]) == 0
    assert "is in" in capsys.readouterr().out
    back = Zoo.open(tmp_path / "zoo")
    assert torch.equal(back.weights(), pictures.weights()) and back.meta["base"].startswith(str(tmp_path / "zoo"))
    assert np.array_equal(back.decode(back.ids[:2]), pictures.decode(pictures.ids[:2]))
    assert not (tmp_path / "zoo/evil.pkl").exists() and not (tmp_path / "zoo/.cache").exists()


def test_what_instances_share_goes_with_them(hub, tmp_path):
    shared_layouts.functa(tmp_path / "source")
    zoo = import_zoo("functa", tmp_path / "source", tmp_path / "zoo").zoo
    push(zoo.path, "me/functa")
    shown = zoo.decode()
    shutil.rmtree(zoo.path)
    back = Zoo.open(pull("hub:me/functa", tmp_path / "back"))
    assert np.array_equal(back.decode(), shown)


def test_a_base_is_loaded_by_its_name_on_the_hub(pictures, hub, tmp_path):
    base = pictures.representation.base
    push(base.info.path, "me/base", private=False)
    assert set(hub.repos["model", "me/base"]) == {"base.safetensors", "README.md"}
    found = wsr.load_base("hub:me/base")
    assert found.info.sha256 == base.info.sha256 and torch.equal(found.weight, base.weight)
    assert base_name(found.info.path) == "hub:me/base"
    model = make_representation("mlora-asym", found, found.config, 2, 3)
    described = FieldDescription.of(model)
    assert described == replace(pictures.description, base="hub:me/base") and described.load().size == model.size
    with pytest.raises(WsrError, match="no 'me/other' on the Hub, or it is private"):
        wsr.load_base("hub:me/other")


def test_a_zoo_that_carries_its_base_is_opened_from_anywhere(pictures, hub, tmp_path, monkeypatch):
    """A file of that name in the working directory was taken for its base, and refused as another one."""
    push(pictures.path, "me/pictures")
    pull("hub:me/pictures", tmp_path / "zoo")
    save_base(tmp_path / "base.safetensors", BaseField(tiny_config(2), seed=7), BaseInfo("test", "cpu", 3))
    monkeypatch.chdir(tmp_path)
    back = Zoo.open("zoo")
    assert back.representation.base.info.sha256 == pictures.representation.base.info.sha256


def test_a_generator_goes_out_and_comes_back_with_its_base(pictures, hub, tmp_path, capsys):
    """The place where its format was looked for was that of bases, so that every generator was refused."""
    list(train_generator("noise", pictures, tmp_path / "base.safetensors"))
    before = load_generator(tmp_path / "base.safetensors")
    assert main(["push", str(tmp_path / "base.safetensors"), "me/noise"]) == 0
    held = hub.repos["model", "me/noise"]
    assert set(held) == {"generator.safetensors", "base.safetensors", "README.md"}
    assert str(pictures.path.parent).encode() not in b"".join(held.values())
    assert main(["pull", "hub:me/noise", "--out", str(tmp_path / "back")]) == 0
    back = load_generator(tmp_path / "back/generator.safetensors")
    assert torch.equal(back.sample(3), before.sample(3))
    assert back.representation.base.info.path == str(tmp_path / "back/base.safetensors")
    assert push(tmp_path / "back/generator.safetensors", "me/again")  # whose base lies beside it


def test_a_generator_on_networks_that_share_one_takes_that_along(hub, tmp_path):
    shared_layouts.functa(tmp_path / "source")
    zoo = import_zoo("functa", tmp_path / "source", tmp_path / "zoo").zoo
    list(train_generator("noise", zoo, tmp_path / "noise.safetensors"))
    push(tmp_path / "noise.safetensors", "me/noise")
    assert str(tmp_path).encode() not in b"".join(hub.repos["model", "me/noise"].values())
    zoo.path.rename(tmp_path / "moved")
    back = load_generator(pull("hub:me/noise", tmp_path / "back") / "noise.safetensors")
    again = list(train_generator("noise", Zoo.open(tmp_path / "moved"), tmp_path / "noise.safetensors"))
    assert back.sample(2).isfinite().all() and again[-1].kept  # a zoo that was moved is the same zoo


def test_only_what_wsr_reads_is_sent_and_fetched(pictures, hub, tmp_path):
    (tmp_path / "other.safetensors").write_bytes((pictures.path / "weights-00000.safetensors").read_bytes())
    with pytest.raises(WsrError, match="neither a base nor a generator"):
        push(tmp_path / "other.safetensors", "me/other")
    with pytest.raises(WsrError, match="newest revision of 'me/pictures'"):
        push(pictures.path, "me/pictures@v2")  # was pushed as the newest one
    empty = Zoo.create(tmp_path / "empty", pictures.representation, dataset="images:nowhere", **SETTINGS)
    with pytest.raises(WsrError, match="is empty"):
        push(empty.path, "me/empty")
    assert not hub.repos
    hub.repos["model", "me/code"] = {"README.md": b"hello", "model.pkl": b"\x80"}
    with pytest.raises(WsrError, match="no zoo, base or generator: it holds README.md"):
        pull("hub:me/code", tmp_path / "code")
    assert not (tmp_path / "code").exists()


def test_a_damaged_zoo_is_not_left_there(pictures, hub, tmp_path):
    push(pictures.path, "me/pictures")
    hub.repos["dataset", "me/pictures"]["weights-00000.safetensors"] = b"cut short"
    with pytest.raises(WsrError, match="not a safetensors file|damaged") as told:
        pull("hub:me/pictures", tmp_path / "zoo")
    assert str(tmp_path / "zoo/weights-00000.safetensors") in str(told.value)  # no folder that is gone by then
    assert not (tmp_path / "zoo").exists() and not list(tmp_path.glob("*.partial"))


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path, monkeypatch):
    """The names of all zoos were listed instead, later on only for a folder whose path is a single name."""
    monkeypatch.chdir(tmp_path.parent)
    with pytest.raises(WsrError, match="there is no zoo.json in it"):
        push(tmp_path.name, "me/zoo")
    with pytest.raises(WsrError, match="There is no zoo at .*nowhere/zoo': there is no such folder"):
        push(tmp_path / "nowhere/zoo", "me/zoo")
    with pytest.raises(WsrError, match="there is no zoo.json in it"):
        push(tmp_path, "me/zoo")


def test_who_may_not_is_told_so(pictures, hub, tmp_path):
    hub.closed = True
    with pytest.raises(WsrError, match="log in by `hf auth login`"):
        push(pictures.path, "somebody/else")


def test_without_a_connection(pictures, tmp_path, monkeypatch, capsys):
    with running() as server:
        gone = server.address
    monkeypatch.setenv("HF_ENDPOINT", gone)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between tries
    fetched.cache_clear()
    with pytest.raises(WsrError, match="cannot be reached from here"):
        wsr.load_base("hub:me/base")
    with pytest.raises(WsrError, match="cannot be reached from here"):
        push(pictures.path, "me/pictures")
    assert main(["pull", "hub:me/pictures", "--out", str(tmp_path / "zoo")]) == 2
    assert "cannot be reached from here" in capsys.readouterr().err and not (tmp_path / "zoo").exists()


def test_names_on_the_hub():
    assert Place.named("hub:me/x@v1") == Place("me/x", "v1") and Place.named("me/x") == Place("me/x")
    for wrong in ("hub:me", "hub:", "hub:a/b/c", "hub:../x y"):
        with pytest.raises(WsrError, match="named like hub:OWNER/NAME"):
            Place.named(wrong)
