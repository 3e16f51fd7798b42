"""A zoo can be continued only as it was begun: with the same data, settings, seed, sizes and base."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from wsr import presets
from wsr.cli import main
from wsr.commands import MISTAKE, OK
from wsr.data import load_signals
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.representation import make_representation
from wsr.presets import FitConfig, PresetConfig
from wsr.zoo import Zoo, build_zoo, merge_zoos
from wsr.zoo.trajectories import build_trajectories

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


def draw(folder, names, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        pixels = np.random.default_rng(100 * seed + i).integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((128, 128)).save(folder / name)


@pytest.fixture
def job(base, tmp_path, monkeypatch):
    """The command that builds a zoo of two pictures, with the given options."""
    old = presets._PRESETS["cpu", "image"]
    for name, points in (("cpu", 64), ("paper", 32)):
        small = PresetConfig(16, old.field, FitConfig(3, points, 2), old.base)
        monkeypatch.setitem(presets._PRESETS, (name, "image"), small)
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    save_base(tmp_path / "base.safetensors", base, BaseInfo("test", "cpu", 3))
    other = BaseField(base.config, 8)
    save_base(tmp_path / "other.safetensors", other, BaseInfo("test", "cpu", 3))
    draw(tmp_path / "pictures", ["a.png", "b.png"], 0)

    def run(*options: str, out: str = "zoo", of: str = "base") -> int:
        command = ["zoo", "build", f"images:{tmp_path / 'pictures'}", "--out", str(tmp_path / out)]
        return main([*command, "--base", str(tmp_path / f"{of}.safetensors"), "--rank", "2", *options])

    return run


@pytest.mark.parametrize(
    "options, said",
    [
        (["--seed", "1"], "seed was 0 and is now 1"),
        (["--init-seed", "1"], "init_seed was 0 and is now 1"),
        (["--steps", "4"], "steps was 3 and is now 4"),
        (["--preset", "paper"], "fit.points was 64 and is now 32"),
        (["--representation", "mlora"], 'representation was "mlora-asym"'),
    ],
)
def test_another_run_is_refused_with_what_differs(options, said, job, tmp_path, capsys):
    assert job() == OK
    draw(tmp_path / "pictures", ["c.png"], 1)  # one picture is not fitted yet
    assert job(*options) == MISTAKE
    assert said in " ".join(capsys.readouterr().err.split())
    assert job() == OK and Zoo.open(tmp_path / "zoo").ids == ["a.png", "b.png", "c.png"]


def test_a_zoo_is_continued_wherever_the_page_shows_it(job, tmp_path):
    assert job() == OK
    path = tmp_path / "zoo/zoo.json"
    meta = json.loads(path.read_text())
    path.write_text(json.dumps(meta | {"shown_as": "pictures"}))
    draw(tmp_path / "pictures", ["c.png"], 1)
    assert job() == OK
    zoo = Zoo.open(tmp_path / "zoo")
    assert zoo.ids == ["a.png", "b.png", "c.png"] and zoo.meta["shown_as"] == "pictures"
    for wrong in ("", "a/b", "<b>", 3):
        path.write_text(json.dumps(meta | {"shown_as": wrong}))
        with pytest.raises(WsrError, match="shown_as"):
            Zoo.open(tmp_path / "zoo")


def test_another_base_and_other_pictures_are_refused(job, tmp_path, capsys):
    assert job() == OK
    assert job(of="other") == MISTAKE
    assert "base_sha256 is another" in " ".join(capsys.readouterr().err.split())
    draw(tmp_path / "pictures", ["b.png"], 5)
    draw(tmp_path / "pictures", ["c.png"], 1)
    assert job() == MISTAKE
    said = " ".join(capsys.readouterr().err.split())
    assert "'b.png'" in said and "begun with other data" in said
    assert len(Zoo.open(tmp_path / "zoo")) == 2


def test_a_zoo_of_a_moved_base_goes_on(job, tmp_path):
    assert job() == OK
    (tmp_path / "base.safetensors").rename(tmp_path / "moved.safetensors")
    draw(tmp_path / "pictures", ["c.png"], 1)
    assert job(of="moved") == OK


def test_the_seed_is_the_zoo_s_own(job, tmp_path):
    assert job("--seed", "7") == OK
    zoo = Zoo.open(tmp_path / "zoo")
    assert zoo.meta["seed"] == 7
    with pytest.raises(WsrError, match="begun with seed 7"):
        list(build_zoo(zoo, load_signals(zoo.meta["dataset"]), seed=0))
    assert job(out="same") == OK and job("--seed", "7", out="again") == OK
    weights = {name: Zoo.open(tmp_path / name).weights() for name in ("zoo", "same", "again")}
    assert torch.equal(weights["zoo"], weights["again"]) and not torch.equal(weights["zoo"], weights["same"])


def test_snapshots_of_other_fits_are_refused(job, tmp_path):
    signals = load_signals(f"images:{tmp_path / 'pictures'}")
    field = load_base(tmp_path / "base.safetensors")
    model = make_representation("mlora-asym", field, field.config, 2, 3)
    settings = dict(dataset="pictures", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=3)
    zoo = Zoo.create(tmp_path / "t", model, **settings, snapshots=[1, 3])
    list(build_trajectories(zoo, signals, [1, 3]))
    with pytest.raises(WsrError, match="seed 0"):
        list(build_trajectories(zoo, signals, [1, 3], seed=1))
    with pytest.raises(WsrError, match="snapshots at"):
        list(build_trajectories(zoo, signals, [2, 3]))
    with pytest.raises(WsrError, match="snapshots was"):  # builds a zoo without snapshots in the same folder
        Zoo.create(tmp_path / "t", model, **settings)
    draw(tmp_path / "pictures", ["a.png"], 3)
    with pytest.raises(WsrError, match="other data"):
        list(build_trajectories(zoo, signals, [1, 3]))


def test_shards_of_other_runs_are_not_merged(job, tmp_path):
    assert job(out="one") == OK and job("--seed", "1", out="two") == OK
    with pytest.raises(WsrError, match="seed was 0 and is now 1"):
        merge_zoos(tmp_path / "all", [tmp_path / "one", tmp_path / "two"])
    draw(tmp_path / "pictures", ["b.png"], 9)
    assert job(out="three") == OK
    with pytest.raises(WsrError, match="another target"):
        merge_zoos(tmp_path / "all", [tmp_path / "one", tmp_path / "three"])
    assert len(merge_zoos(tmp_path / "whole", [tmp_path / "one"])) == 2
    with pytest.raises(WsrError, match="seed"):
        merge_zoos(tmp_path / "whole", [tmp_path / "two"])


def test_a_compressed_zoo_is_written_once(job, tmp_path):
    assert job() == OK
    assert main(["zoo", "compress", str(tmp_path / "zoo"), str(tmp_path / "small")]) == OK
    assert main(["zoo", "compress", str(tmp_path / "zoo"), str(tmp_path / "small")]) == MISTAKE
    meta = json.loads((tmp_path / "small/zoo.json").read_text())
    assert meta["field"]["channels"] == 16 and meta["seed"] == 0 and meta["resolution"] == 16
