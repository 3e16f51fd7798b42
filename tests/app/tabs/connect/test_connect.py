"""The Connect tab's handlers."""

import html
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from by_name import by_name
from PIL import Image

from app.main import build_app
from app.shared import library, pairs, work
from app.shared.palette import NAMES
from app.shell import compute, jobs, tabs
from app.tabs.connect import handlers, plain, view
from app.tabs.connect import run as connect_run
from app.tabs.connect.handlers import ConnectTab
from app.tabs.connect.view import TAB as TAB_OF_PAGE
from wsr import WsrError, count_parameters, presets, representations
from wsr.data.signals import Signal, Signals
from wsr.fields.registry import named
from wsr.modalities import IMAGE

TAB = by_name(ConnectTab)


def test_the_ends_are_the_fits_and_every_representation_has_its_lane(assets):
    target = connect_run.targets("emoji")[1]
    race = connect_run.race("emoji", target)
    assert tuple(race.lanes) == representations and race.modality.measure == "psnr"
    lane = race.lanes["mlora"]
    for alpha, weights in ((0.0, lane.pair.a), (1.0, lane.pair.b)):
        assert np.allclose(lane.pair.line(alpha), weights)
    assert tuple(connect_run.race("emoji", target, "normal").lanes) == ("mlora", "mlora-asym")
    moved = lane.aligned.b - lane.pair.a
    assert moved.norm() <= (lane.pair.b - lane.pair.a).norm()


def test_around_zero_the_pairs_of_additive_adapters_are_shown_as_well(assets, tmp_path, monkeypatch):
    shutil.copytree(assets, tmp_path / "assets")
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    zoos, reports = tmp_path / "assets/zoos", tmp_path / "assets/reports"
    target = connect_run.targets("emoji")[0]
    shutil.copytree(zoos / "emoji-lora-pairs", zoos / "emoji-lora-normal-pairs")
    meta = zoos / "emoji-lora-normal-pairs/zoo.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"init": "normal"}))
    assert tuple(connect_run.race("emoji", target, "normal").lanes) == ("mlora", "mlora-asym"), "nothing was measured"
    row = json.loads((reports / "figure3-emoji.json").read_text())["rows"][0]
    rows = [row | {"representation": name, "series": "normal"} for name in ("lora", "mlora")]
    rows[1]["raw"] = {}  # of fits that were not kept
    (reports / "zero-starts-emoji.json").write_text(json.dumps({"rows": rows}))
    assert tuple(connect_run.race("emoji", target, "normal").lanes) == ("lora", "mlora", "mlora-asym")


def test_pairs_of_somebodys_pictures_are_shown_and_fitted_anew(assets, tmp_path, monkeypatch):
    """As `python -m precompute run figure3 --data images:DIR` makes them: the name of the data set has dashes."""
    shutil.copytree(assets, tmp_path / "assets")
    pictures, folder = tmp_path / "pictures", tmp_path / "assets/zoos/emoji-mlp-pairs"
    target = connect_run.targets("emoji")[0]
    pictures.mkdir()
    Image.new("RGB", (8, 8)).save(pictures / f"{target}.png")
    meta = json.loads((folder / "zoo.json").read_text()) | {"dataset": f"images:{pictures}"}
    folder = folder.rename(folder.with_name("images-my-cats-mlp-pairs"))
    (folder / "zoo.json").write_text(json.dumps(meta))
    reports = tmp_path / "assets/reports"
    shutil.copy(reports / "figure3-emoji.json", reports / "figure3-images-my-cats.json")
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    assert connect_run.datasets() == ["emoji", "shapes10", "images-my-cats"]
    assert list(connect_run.race("images-my-cats", target).lanes) == ["mlp"]
    assert connect_run._signals("images-my-cats", f"{target}.png").ids == [f"{target}.png"]


def test_pairs_are_shown_where_their_zoo_says_whatever_its_folder_is_called(assets, tmp_path, monkeypatch):
    """Also a name that ends like that of another representation, and one that no zoo of pairs has by itself."""
    zoos = shutil.copytree(assets, tmp_path / "assets") / "zoos"
    for old, new in (("emoji-mlora-pairs", "another-mlp-pairs"), ("emoji-mlora-normal-pairs", "zero")):
        meta = json.loads((zoos / old / "zoo.json").read_text()) | {"shown_as": "emoji"}
        (zoos / old / "zoo.json").write_text(json.dumps(meta))
        (zoos / old).rename(zoos / new)
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    assert connect_run.datasets() == ["emoji", "shapes10"]
    assert pairs.kinds("emoji") == pairs.kinds("shapes10") and pairs.kinds("another") == []
    assert pairs.folder("emoji", "mlora", "normal") == zoos / "zero"
    target = connect_run.targets("emoji")[0]
    assert tuple(connect_run.race("emoji", target).lanes) == representations


@pytest.mark.parametrize("dataset", ["emoji", "shapes10"])
def test_a_walk_shows_a_picture_for_each_and_the_curves(assets, dataset):
    target = connect_run.targets(dataset)[0]
    shown = handlers.walk(TAB, dataset, target, "own", None, 0.5, False)
    assert shown["sheet"].count("<figure>") == 6
    assert len(shown["chart"]["data"]) == 12  # six raw and six aligned curves
    assert shown["chart"]["layout"]["shapes"][0]["x0"] == 0.5


def test_the_tab_opens_where_one_representation_is_furthest_ahead(assets, tmp_path, monkeypatch):
    reports = shutil.copytree(assets, tmp_path / "assets") / "reports"
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    path = reports / "figure3-emoji.json"
    report = json.loads(path.read_text())
    ids, middle = report["ids"], len(report["alphas"]) // 2
    assert plain.examples("emoji", 10) == connect_run.examples("emoji", 10)  # all curves of the tiny assets are equal
    drops = {"mlora-asym": (4.0, 5.0, 1.0), "lora-asym": (9.0, 20.0, 4.0)}
    for row in report["rows"]:
        curves = [[30.0] * len(report["alphas"]) for _ in ids]
        for curve, drop in zip(curves, drops.get(row["representation"], (12.0, 18.0, 25.0)), strict=True):
            curve[middle] -= drop
        row["raw"] = {"curves": curves}
    path.write_text(json.dumps(report))
    assert plain.examples("emoji", 10)[0] == ids[1] and sorted(plain.examples("emoji", 10)) == sorted(ids)
    assert handlers.change_dataset(TAB, "emoji", None)["target"] == ids[1]
    assert handlers.items_of("emoji", decode=False)[0]["id"] == ids[1]
    said = plain.look_at(connect_run.race("emoji", ids[1]), aligned=False)
    assert said == (
        "Look halfway: mLoRA-Asym still shows the target, at 25.0 dB PSNR, and the others are at 10.0 to 12.0."
    )
    said = plain.over_all(connect_run.race("emoji", ids[1]), first=ids[1])
    assert said.endswith("Over all 3 it loses 3.3 dB PSNR halfway on average, LoRA-Asym 11.0.")
    looks = {
        (item, init): handlers.walk(TAB, "emoji", item, init, None, 0.5, False)["look"]
        for item, init in ((ids[1], "own"), (ids[0], "own"), (ids[1], "normal"))
    }
    assert [key for key, look in looks.items() if "Over all 3" in look] == [(ids[1], "own")]


def test_starts_that_are_almost_the_same_are_named(assets):
    """mLoRA-Asym was said to stay in one piece between “two random starts” whose cosine was 0.9997."""
    race = connect_run.race("emoji", connect_run.targets("emoji")[0])
    said = plain.starts(race)
    near = [NAMES[name] for name in race.lanes if named(name).centred]
    assert near and said.startswith(f"The two starts of {' and '.join(near)} were almost the same (a cosine of 0.99")
    assert said in handlers.walk(TAB, "emoji", race.target, "own", None, 0.5, False)["look"]
    apart = connect_run.race("emoji", race.target, "normal")
    assert apart.lanes and plain.starts(apart) == ""


def test_what_to_look_at_follows_what_is_on_screen(assets, monkeypatch):
    target = connect_run.targets("emoji")[0]
    shown = handlers.walk(TAB, "emoji", target, "own", None, 0.5, False)
    assert "Look halfway" in shown["look"] and shown["play"]["interactive"]
    race = connect_run.race("emoji", target, "normal")
    for lane in race.lanes.values():
        lane = replace(lane, raw_curve=[30.0, 5.0, 30.0])
        lost = connect_run.Race("emoji", target, "", {"mlora": lane, "mlora-asym": lane})
        assert "no network there shows the target" in plain.look_at(lost, False)
        assert "still shows" in plain.look_at(lost, True) and "the other one is at 20.0." in plain.look_at(lost, True)
    one = connect_run.Race("emoji", target, "", dict([next(iter(race.lanes.items()))]))
    assert plain.look_at(one, False) == ""
    assert "still shows" in handlers.say(TAB, "emoji", target, "own", None, True)["look"]
    shape = handlers.walk(TAB, "shapes10", connect_run.targets("shapes10")[0], "own", None, 0.5, False)
    assert shape["play"]["interactive"] and '"shape": {"grid": 40, "pixels": 192}' in html.unescape(shape["sheet"])
    monkeypatch.setattr(connect_run, "in_page", lambda lane: None)  # as for a network without a plan
    shape = handlers.walk(TAB, "shapes10", connect_run.targets("shapes10")[1], "own", None, 0.5, False)
    assert not shape["play"]["interactive"] and plain.BY_SERVER in re.sub("<[^>]*>", "", shape["look"])


@pytest.mark.parametrize(
    ("target", "init", "alpha"), [("nobody", "own", 0.5), (None, "else", 0.5), (None, "own", 7), (None, "own", -1)]
)
def test_forged_values_are_told_in_a_sentence(assets, target, init, alpha):
    with pytest.raises(gr.Error):
        handlers.walk(TAB, "emoji", target or connect_run.targets("emoji")[0], init, None, alpha, False)


def test_a_new_pair_is_fitted_live_and_stays_for_the_slider(assets, monkeypatch):
    target = connect_run.targets("emoji")[0]
    noise = np.random.default_rng(0).random((32, 32, 3), dtype=np.float32)
    signals = Signals("emoji", 2, [Signal(target, "", "heldout", 2, lambda: noise)])
    monkeypatch.setattr(connect_run, "load_signals", lambda name, ids: signals)
    made = connect_run._made("emoji")
    monkeypatch.setattr(connect_run, "_made", lambda dataset: replace(made, steps=3))
    asked = {"of": "emoji", "target": target, "names": ["mlora", "mlp"], "sigma": 0.1, "perturb": 1.0}
    *_, shown, last = handlers.fit_pair(TAB, asked | {"alpha": 0.5, "aligned": False}, None)
    assert "Fitted just now" in last["state"] and tuple(shown["live"].lanes) == ("mlp", "mlora")
    with pytest.raises(WsrError, match="fitted live and are not kept"):
        handlers.restore(TAB, {"data": "emoji", "target": target, "pair": shown["pair"]})
    walked = handlers.walk(TAB, "emoji", target, "own", shown["live"], 0.2, True)
    assert walked["sheet"].count("<figure>") == 2 and len(walked["chart"]["data"]) == 4
    TAB.job.prepare(None)
    running = handlers.fit_pair(TAB, asked | {"alpha": 0.5, "aligned": False}, None)
    next(running)
    TAB.job.stop(None)
    (last,) = running
    assert "Stopped before a pair was finished" in last["state"]  # there is none, and none may be promised
    TAB.job.prepare(None)
    running = handlers.fit_pair(TAB, asked | {"alpha": 0.5, "aligned": False}, None)
    next(shown for shown in running if "live" in shown)
    TAB.job.stop(None)
    *_, last = running
    assert "The pairs that were finished are shown" in last["state"]
    TAB.job.prepare(None)


def test_a_pair_that_is_done_is_drawn_where_the_slider_is_by_then_and_brought_into_view(assets):
    """It stayed at the α at which "Fit two" had been pressed, beside a slider that had been moved since."""
    fns = build_app([view.TAB]).fns
    shown = next(fn for fn in fns.values() if fn.js == view.ANSWERED)
    again = fns[shown.trigger_after]
    walked = fns[again.trigger_after]
    assert again.js == view.MOVE_AGAIN and walked.name == "walk" and fns[walked.trigger_after].name == "finish"
    assert shown.inputs and [one.label for one in walked.inputs[-2:]] == [one.label for one in again.inputs]


def test_another_choice_ends_a_pair_that_is_being_fitted(assets, monkeypatch):
    """In an earlier version, pairs of one target came onto the page beside another that was chosen meanwhile."""
    monkeypatch.setattr(jobs, "COURTESY", 0.05)
    for leave in (handlers.left, lambda tab, request: handlers.change_dataset(tab, "emoji", request)):
        TAB.job.prepare(None)
        left = leave(TAB, None)
        assert TAB.job.stop_file(None).exists()
        assert left["live"] is None and left["pair"] == "" and "has been stopped" in left["state"]
        TAB.job.finish(None)
        assert leave(TAB, None)["state"] == ""
    TAB.job.prepare(None)


def test_no_new_pair_is_offered_while_another_data_set_is_on_its_way(assets, monkeypatch):
    """A press was answered by a fit of the target before, and then by "The fit that was going on has been stopped."."""
    monkeypatch.setattr(connect_run, "not_here", lambda dataset: "")
    for of, there in (("shapes10", False), ("emoji", True)):
        TAB.job.finish(None)
        assert handlers.offer_pair(TAB, "emoji", of, None)["start"]["interactive"] == there


def test_a_new_pair_is_fitted_as_the_pairs_of_its_data_set_were(assets, tmp_path, monkeypatch):
    """At their preset, with their steps and on their base, whatever the presets of other data sets are."""
    shutil.copytree(assets, tmp_path / "assets")
    sizes = presets.preset("paper", "image")
    fit = replace(sizes.fit, points=64)  # the number of points in the paper's preset would take minutes
    monkeypatch.setitem(presets._PRESETS, ("paper", "image"), replace(sizes, fit=fit, resolution=24))
    for path in (tmp_path / "assets/zoos").glob("emoji-*-pairs/zoo.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"preset": "paper", "steps": 3}))
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    made, other = connect_run._made("emoji"), connect_run._made("shapes10")
    assert (made.preset, made.steps, Path(made.base).stem) == ("paper", 3, "emoji")
    assert (other.preset, other.steps, Path(other.base).stem) == ("cpu", 300, "shapes10")
    noise = np.random.default_rng(0).random((24, 24, 3), dtype=np.float32)
    signal = IMAGE.signal("one", noise, "", "heldout")
    *_, (_, found) = work.fit_pairs(signal, made, ["mlp"], 0.1, 1.0)
    assert found.pair.model.size == count_parameters("mlp", "paper", 2) != count_parameters("mlp", "cpu", 2)


@pytest.mark.parametrize(
    ("names", "sigma", "perturb", "told"),
    [([], 0.1, 1.0, "Choose"), (["gan"], 0.1, 1.0, "Choose"), (["mlp"], 9, 1.0, "σ"), (["mlp"], 0.1, 2.0, "λ")],
)
def test_what_cannot_be_fitted_is_said_in_the_page(assets, names, sigma, perturb, told):
    target = connect_run.targets("emoji")[0]
    asked = {"of": "emoji", "target": target, "names": names, "sigma": sigma, "perturb": perturb}
    *_, last = handlers.fit_pair(TAB, asked | {"alpha": 0.5, "aligned": False}, None)
    assert "wsr-failed" in last["state"] and told in last["state"]


def test_a_target_that_is_not_on_this_machine_is_a_sentence_that_says_what_to_do(assets, monkeypatch, tmp_path):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path))  # an empty cache, into which the emoji have not been fetched
    asked = {"of": "emoji", "target": connect_run.targets("emoji")[0], "names": ["mlp"], "sigma": 0.1}
    *_, last = handlers.fit_pair(TAB, asked | {"perturb": 1.0, "alpha": 0.5, "aligned": False}, None)
    assert "wsr-failed" not in last["state"]
    assert "Choose Shapes above" in last["state"] and "wsr data emoji" in last["state"]


def test_without_pairs_the_tab_says_how_to_make_them(tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    library.report.cache_clear()
    assert connect_run.datasets() == []
    with gr.Blocks() as page:
        address = tabs.build([TAB_OF_PAGE], page, lambda: None)
    assert not address.parts and any(TAB_OF_PAGE.missing in str(block.value) for block in page.blocks.values()
                                     if isinstance(block, gr.HTML))  # fmt: skip
    with pytest.raises(WsrError, match="Unknown data set"):
        connect_run.targets("emoji")
    assert compute.UNEXPECTED


def test_pairs_that_cannot_be_read_leave_the_others_to_be_shown(assets, tmp_path, monkeypatch):
    shutil.copytree(assets, tmp_path / "assets")
    (tmp_path / "assets/zoos/emoji-mlp-pairs/zoo.json").write_text("version https://git-lfs.github.com/spec/v1\n")
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    assert connect_run.titles() == [("Emoji", "emoji"), ("Shapes", "shapes10")]
    assert len(connect_run.race("shapes10", connect_run.targets("shapes10")[0]).lanes) == 6
