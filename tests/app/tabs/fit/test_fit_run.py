"""A fit as the page runs it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from by_name import by_name
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from app.shared import library, samples, work
from app.tabs.fit import handlers
from app.tabs.fit import run as fit_run
from app.tabs.fit.handlers import FitTab
from wsr import count_parameters, presets
from wsr.data.signals import Signal
from wsr.errors import WsrError
from wsr.modalities import IMAGE, OCCUPANCY


@pytest.fixture
def target():
    image = np.random.default_rng(0).random((16, 24, 3), dtype=np.float32)
    signal = Signal("noise", "", "train", 2, lambda: image)
    return samples.Target(signal, "noise", (image * 255).astype(np.uint8), 450, image.shape[:2])


@settings(max_examples=40, deadline=None)
@given(rank=st.one_of(st.none(), st.floats(), st.text(max_size=3), st.booleans(), st.integers(-3, 99)),
       steps=st.one_of(st.none(), st.floats(), st.lists(st.integers()), st.integers(-5, 10**9)))  # fmt: skip
def test_what_the_page_asks_for_is_checked(rank, steps):
    try:
        found = fit_run.checked("mlp", rank, steps)
    except WsrError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert type(found.rank) is int and 1 <= found.rank <= 16
        assert type(found.steps) is int and 10 <= found.steps <= 3000


def test_an_unknown_representation_is_refused():
    with pytest.raises(WsrError, match="mlora-asym"):
        fit_run.checked("mlora-asim", 4, 100)


def test_a_fit_ends_with_weights_that_can_be_zoomed_and_downloaded(target, tmp_path):
    screens = list(fit_run.run(target, fit_run.checked("mlp", 4, 20), tmp_path / "stop"))
    last = screens[-1]
    assert "Done after 20 steps" in last.state and last.fitted.weights.shape[0] == 1
    assert last.curve["data"][0]["x"][-1] == 20 and last.heat["data"]
    assert all("data:image/webp" in fit_run.zoomed(last.fitted, 4) for _ in range(1))
    with pytest.raises(WsrError):
        fit_run.zoomed(last.fitted, 64)
    with safe_open(fit_run.weights_file(last.fitted, tmp_path), "pt") as file:
        assert torch.equal(file.get_tensor("weights"), last.fitted.weights)


def test_stop_ends_a_fit_and_keeps_what_there_is(target, tmp_path, monkeypatch, small):
    stop = tmp_path / "stop"
    run = fit_run.run(target, fit_run.checked("mlp", 4, 3000), stop)
    for screen in run:
        if screen.picture:
            stop.touch()
    assert screen.state.find("Stopped after") > 0 and 0 < screen.fitted.steps < 3000


def test_a_visitor_who_leaves_closes_the_fit(target, tmp_path, monkeypatch, small):
    closed = []
    records = fit_run.records

    def watched(*args):
        try:
            yield from records(*args)
        finally:
            closed.append(True)

    monkeypatch.setattr(fit_run, "records", watched)
    run = fit_run.run(target, fit_run.checked("mlp", 4, 3000), tmp_path / "stop")
    while next(run).picture is None:
        pass
    run.close()
    assert closed == [True]


def test_mistakes_are_said_in_the_state_line():
    *_, last = handlers.fit(by_name(FitTab), "photo:cat", "one", "mlp", 99, 20, None)
    assert "wsr-failed" in last["state"] and "rank" in last["state"]
    *_, last = handlers.fit(by_name(FitTab), "photo:<script>", "one", "mlp", 4, 20, None)
    assert "wsr-failed" in last["state"] and "<script>" not in last["state"]


def test_a_target_is_fitted_at_the_preset_of_the_zoos_on_whose_maps_it_is_placed(assets, tmp_path, monkeypatch):
    shutil.copytree(assets, tmp_path / "assets")
    sizes = presets.preset("paper", "image")
    fit = replace(sizes.fit, points=64)  # the number of points in the paper's preset would take minutes
    monkeypatch.setitem(presets._PRESETS, ("paper", "image"), replace(sizes, fit=fit, resolution=24))
    described = tmp_path / "assets/zoos/emoji-mlora-asym/zoo.json"
    described.write_text(json.dumps(json.loads(described.read_text()) | {"preset": "paper"}))
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    assert (library.live_preset(IMAGE), library.live_preset(OCCUPANCY)) == ("paper", "cpu")
    assert fit_run.usual_steps() == fit_run.STEPS[1], "the paper's 10,000 steps are more than a visitor may ask for"
    chosen = samples._read(samples._photograph("coffee"), "coffee")
    assert max(chosen.signal.read().shape) == 24
    *_, (_, last) = work.fit(chosen.signal, ("mlp",), 4, 2)
    assert last.done and last.weights.shape[1] == count_parameters("mlp", "paper", 2)
