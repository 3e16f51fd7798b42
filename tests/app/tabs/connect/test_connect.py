"""The Connect tab's handlers."""

import sys

import gradio as gr
import numpy as np
import pytest

from app.shared import library
from app.shell import compute
from app.tabs.connect import run as connect_run
from app.tabs.connect import view as connect_tab
from wsr import WsrError, representations
from wsr.data.signals import Signal, Signals


def test_the_ends_are_the_fits_and_every_representation_has_its_lane(assets):
    target = connect_run.targets("emoji")[1]
    race = connect_run.race("emoji", target)
    assert tuple(race.lanes) == representations and race.measure == "psnr"
    lane = race.lanes["mlora"]
    for alpha, weights in ((0.0, lane.pair.a), (1.0, lane.pair.b)):
        assert np.allclose(lane.pair.line(alpha), weights)
    assert tuple(connect_run.race("emoji", target, "normal").lanes) == ("mlora", "mlora-asym")
    moved = lane.aligned.b - lane.pair.a
    assert moved.norm() <= (lane.pair.b - lane.pair.a).norm()


@pytest.mark.parametrize("dataset", ["emoji", "shapes10"])
def test_a_walk_shows_a_picture_for_each_and_the_curves(assets, dataset):
    target = connect_run.targets(dataset)[0]
    sheet, chart = connect_tab.walk(dataset, target, "own", None, 0.5, False)
    assert sheet.count("<figure>") == 6
    assert len(chart["data"]) == 12  # raw and aligned
    assert chart["layout"]["shapes"][0]["x0"] == 0.5


@pytest.mark.parametrize(
    ("target", "init", "alpha"), [("nobody", "own", 0.5), (None, "else", 0.5), (None, "own", 7), (None, "own", -1)]
)
def test_forged_values_are_told_in_a_sentence(assets, target, init, alpha):
    with pytest.raises(gr.Error):
        connect_tab.walk("emoji", target or connect_run.targets("emoji")[0], init, None, alpha, False)


def test_a_new_pair_is_fitted_live_and_stays_for_the_slider(assets, monkeypatch):
    target = connect_run.targets("emoji")[0]
    noise = np.random.default_rng(0).random((32, 32, 3), dtype=np.float32)
    signals = Signals("emoji", 2, [Signal(target, "", "heldout", 2, lambda: noise)])
    monkeypatch.setattr("wsr.data.load_signals", lambda name, ids: signals)
    monkeypatch.setattr(sys.modules["wsr.fitting.fit"], "default_steps", lambda items, config: 3)
    asked = ("emoji", target, ["mlora", "mlp"], 0.1, 1.0, 0.5, False, None)
    *_, shown, last = connect_tab.fit_pair(*asked)
    assert "Fitted just now" in last[0] and tuple(shown[1].lanes) == ("mlp", "mlora")
    sheet, chart = connect_tab.walk("emoji", target, "own", shown[1], 0.2, True)
    assert sheet.count("<figure>") == 2 and len(chart["data"]) == 4
    connect_tab.prepare(None)
    running = connect_tab.fit_pair(*asked)
    next(running)
    connect_tab.stop(None)
    (last,) = running
    assert "Stopped" in last[0]
    connect_tab.prepare(None)


@pytest.mark.parametrize(
    ("names", "sigma", "perturb", "told"),
    [([], 0.1, 1.0, "Choose"), (["gan"], 0.1, 1.0, "Choose"), (["mlp"], 9, 1.0, "σ"), (["mlp"], 0.1, 2.0, "λ")],
)
def test_what_cannot_be_fitted_is_said_in_the_page(assets, names, sigma, perturb, told):
    target = connect_run.targets("emoji")[0]
    *_, last = connect_tab.fit_pair("emoji", target, names, sigma, perturb, 0.5, False, None)
    assert "wsr-failed" in last[0] and told in last[0]


def test_without_pairs_the_tab_says_how_to_make_them(tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    library.report.cache_clear()
    assert connect_run.datasets() == []
    with gr.Blocks(), gr.Tabs():
        assert connect_tab.build() is None
    with pytest.raises(WsrError, match="Unknown data set"):
        connect_run.targets("emoji")
    assert compute.UNEXPECTED
