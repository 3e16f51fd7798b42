"""The seventh addition, a data set: one file (toys.py) and one registration, and commands, experiments and all tabs
know it."""

import json

import numpy as np
import pytest
import tiny_assets

from app.shared import library, samples, sheets
from app.tabs.connect import handlers as connect
from app.tabs.connect import run as connect_run
from app.tabs.generate import models
from app.tabs.symmetry import handlers as symmetry
from precompute.experiment import Context
from precompute.experiments import experiments
from precompute.plan import Plan
from precompute.selection import modality_of, training_signals, zoo_signals
from tests.additions.toys import COUNT, TOYS
from wsr.cli import main
from wsr.commands import OK
from wsr.data import load_signals
from wsr.data.registry import registered
from wsr.errors import WsrError
from wsr.modalities import IMAGE
from wsr.zoo import Zoo, check_zoo

NAME, STEPS = "toys-mlora-asym", 3


@pytest.fixture(scope="module")
def toys():
    with registered(TOYS, TOYS.part("red", "Red toys")):
        yield TOYS


@pytest.fixture(scope="module")
def tiny(toys, tmp_path_factory):
    """Tiny assets of the toys, with a generator and an audit. Their pairs state a few steps."""
    folder = tmp_path_factory.mktemp("tiny")
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("WSR_ASSETS", str(folder))
        tiny_assets.make(folder, {"emoji": "image", "toys": "image"})
    for path in folder.glob("zoos/toys-*-pairs/zoo.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"steps": STEPS}))
    return folder


@pytest.fixture
def page(tiny, on_page):
    return on_page(tiny)


def test_it_is_loaded_by_name_whole_or_in_parts(toys):
    assert len(load_signals("toys")) == COUNT and set(load_signals("toys/red").classes) == {"red"}
    assert load_signals("toys", ["blue-00008"]).ids == ["blue-00008"]
    with pytest.raises(WsrError, match="did you mean 'toys'"):
        load_signals("toy")
    with pytest.raises(WsrError, match="did you mean 'blue'"):
        load_signals("toys/blu")


def test_the_command_line_lists_it_and_makes_a_zoo_of_it(toys, tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WSR_ASSETS", str(tiny))
    with pytest.raises(SystemExit):
        main(["data", "--help"])
    assert "faces, toys, shapes10" in " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert main(["data", "toys"]) == OK and f"{COUNT} images" in capsys.readouterr().out
    made = ["zoo", "build", "toys", "--base", "toys", "--count", "4", "--steps", "2", "--workers", "1", "--out"]
    assert main([*made, str(tmp_path / "zoo")]) == OK
    zoo = Zoo.open(tmp_path / "zoo")
    assert zoo.meta["dataset"] == "toys" and check_zoo(zoo).ok and len(check_zoo(zoo).recomputed) == 4


def test_experiments_run_on_it(toys):
    assert modality_of("toys") is IMAGE and len(training_signals("toys/red")) == 18
    assert sorted(zoo_signals("toys").ids) == sorted(load_signals("toys").ids)
    plan = Plan(experiments(), Context(given=("toys",)))
    assert {"bases/toys.safetensors", f"zoos/{NAME}", f"maps/{NAME}.parquet", f"diffusion/{NAME}.safetensors",
            "reports/figure3-toys.json"} <= plan.producers.keys()  # fmt: skip


def test_every_tab_has_it_at_its_place_under_its_title(page):
    assert "toys" in page["every Data set"], "in Atlas, Connect, Symmetry, Generate and Audit"
    assert library.titles(library.collection_names()) == [("Emoji", "emoji"), ("Toys", "toys")]
    assert connect_run.titles() == [("Emoji", "emoji"), ("Toys", "toys")]
    assert models.models() == [NAME, "emoji-mlora-asym"], "anybody can name a toy"


def test_its_items_are_called_and_chosen_as_it_says(page):
    found = library.collection(NAME)
    picked = found.position(library.first_pick(NAME))
    assert (found.title, found.classes[picked], found.held_out[picked]) == ("Toys", "green", True)
    assert found.labels[picked] == "green disc"
    assert [item["id"] for item in symmetry.items_of("toys", decode=False)][:2] == ["blue-00008", "green-00004"]
    assert sheets.examples(NAME, ["blue-00008"], decode=False)[0]["label"] == "blue disc"
    assert len(connect.items_of("toys", decode=False)) == tiny_assets.PAIRS
    there = {item.id: item.label for item in samples.samples()}
    assert there["toys:blue-00020"] == "blue disc"
    assert np.allclose(samples.target("toys:blue-00020").signal.read(), load_signals("toys")[20].read())


def test_a_new_pair_is_fitted_to_one_of_its_targets(page):
    target = connect_run.targets("toys")[0]
    *_, (done, race) = connect_run.fit_live("toys", target, ["mlora-asym"], 0.1, 1.0)
    assert done == 1 and race.label == library.label_of("toys", target)
    assert race.lanes["mlora-asym"].pair.model.base.info.dataset == "toys"
