"""Fits of all six representations, as the page runs them."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from app.shared.work import Step
from app.tabs.fit import run as fit_run
from app.tabs.fit import six as fit_six
from wsr import representations
from wsr.errors import WsrError


@pytest.fixture
def asked():
    return fit_run.checked("mlora-asym", 4, 20)


def test_the_six_are_on_screen_with_what_each_costs(target, asked, tmp_path, monkeypatch, small):
    *live, last = fit_six.run(target, asked, tmp_path / "stop")
    assert any(screen.picture and "<progress" in screen.state for screen in live)
    assert last.picture.count("<figure>") == 6 and "8,103 numbers" in last.picture
    assert [trace["name"] for trace in last.curve["data"]] == [fit_six.NAMES[name] for name in representations]
    assert all(trace["x"][-1] == 20 for trace in last.curve["data"])
    assert last.fitted.model.name == "mlora-asym" and "Done after 20 steps" in last.state


def test_one_that_has_diverged_is_not_the_closest_and_leaves_the_others_on_the_chart(target, asked, monkeypatch):
    """It came first, as "nan dB", and a browser could not read the chart."""
    weights = fit_run.model_of(target, asked).initial()[None]
    step = Step(20, 20, np.float32([21.0]), 1.0, weights, True, "ok")
    lanes = {
        name: fit_six.Lane(fit_run.model_of(target, replace(asked, representation=name))) for name in representations
    }
    for name, lane in lanes.items():
        lane.last, lane.steps = replace(step, weights=lane.model.initial()[None]), [20]
        lane.quality = [float("nan") if name == representations[0] else 20 + len(name) / 10]
    screen = fit_six._finished(target, asked, lanes)
    assert "nan" not in screen.state and "nan" not in re.sub("src=.[^>]*", "", screen.picture)
    assert json.loads(json.dumps(screen.curve, allow_nan=False))["data"][0]["y"] == [None]


def test_stop_ends_all_six(target, tmp_path, monkeypatch, small):
    stop = tmp_path / "stop"
    for screen in fit_six.run(target, fit_run.checked("mlp", 4, 3000), stop):
        if screen.picture:
            stop.touch()
    assert "Stopped after" in screen.state and 0 < screen.fitted.steps < 3000


def test_stopped_before_it_began_is_a_sentence(target, asked, tmp_path):
    (tmp_path / "stop").touch()
    with pytest.raises(WsrError, match="stopped before"):
        list(fit_six.run(target, asked, tmp_path / "stop"))
