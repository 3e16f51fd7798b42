"""Fits of all six representations, as the page runs them."""

import pytest

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
