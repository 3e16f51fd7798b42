"""Choosing something else stops a running fit, and nothing of that fit stays beside the new target."""

import threading
import time
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from by_name import by_name
from PIL import Image

from app.shell import jobs
from app.tabs.fit import handlers, preparing, run
from app.tabs.fit.handlers import FitTab

OF_A_FIT = ("picture", "surface", "heat", "fitted", "zoom", "download", "place")


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "MyStripes.png"
    Image.fromarray(np.tile(np.uint8([[[255, 0, 0]] * 8 + [[0, 0, 255]] * 8]), (16, 1, 1))).save(path)
    return str(path)


def visitor(name):
    return SimpleNamespace(session_hash=f"{name} who chooses")


def parts(answer):
    return [part for part in answer if part != gr.skip()]


def test_nothing_stands_beside_another_target_than_its_own(picture):
    tab, ann = by_name(FitTab), visitor("ann")
    event = gr.EventData(None, {"id": "shape:chair-00452"})
    for answer in (handlers.choose_sample(tab, event, ann), handlers.choose_upload(tab, picture, ann)):
        *_, shown = parts(answer)
        assert set(OF_A_FIT) <= set(shown) and shown["fitted"] is None
        assert "Press Fit" in shown["picture"]["value"] and not shown["download"]["interactive"]
        assert "stopped" not in shown["state"]  # no fit was running


def test_the_axis_is_the_measure_of_what_is_chosen(picture):
    tab, ann = by_name(FitTab), visitor("ann")
    (shape,) = parts(handlers.choose_sample(tab, gr.EventData(None, {"id": "shape:chair-00452"}), ann))
    assert shape["curve"]["layout"]["yaxis"]["title"]["text"] == "IoU" and shape["curve"]["data"] == []
    own = parts(handlers.choose_upload(tab, picture, ann))[-1]
    assert own["curve"]["layout"]["yaxis"]["title"]["text"] == "PSNR (dB)"
    assert "MyStripes is chosen." in own["state"]


@pytest.mark.parametrize("way", ["one", "six"])
def test_a_choice_stops_a_running_fit_and_says_so_last(picture, small, way, monkeypatch):
    """If it did not end with this message, the last message of the fit would appear beside the new target."""
    monkeypatch.setattr(jobs, "COURTESY", 60.0)  # a busy machine takes long to end a fit
    tab, ann = by_name(FitTab), visitor(f"ann {way}")
    preparing.turn(ann)
    handlers.prepare(tab, ann)
    begun, shown = threading.Event(), []

    def fit():
        for part in handlers.fit(tab, "photo:cat", way, "mlp", 4, 3000, ann):
            shown.append(part)
            if "Step " in part.get("state", ""):
                begun.set()
        handlers.finish(tab, None, way, ann)

    thread = threading.Thread(target=fit)
    thread.start()
    assert begun.wait(120)
    answers = parts(handlers.choose_upload(tab, picture, ann))
    thread.join(60)
    assert not thread.is_alive() and not tab.job.is_going_on(ann)
    assert "Stopped after" not in shown[-1].get("state", "")
    assert "has been stopped. Reading the file" in answers[0]["state"]
    assert "The fit that was going on has been stopped. MyStripes is chosen. Press Fit." in answers[-1]["state"]


@pytest.fixture
def fitted(small):
    """A tab with a finished fit, its visitor, and the fit."""
    tab, eve = by_name(FitTab), visitor("eve")
    choose(tab, "photo:cat", eve)
    handlers.prepare(tab, eve)
    *_, last = handlers.fit(tab, "photo:cat", "one", "mlp", 4, 10, eve)
    yield tab, eve, last["fitted"]
    preparing.forget(eve)


def choose(tab, item, whose):
    return parts(handlers.choose_sample(tab, gr.EventData(None, {"id": item}), whose))


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_nothing_of_a_fit_comes_after_another_choice(fitted, when, monkeypatch):
    """On a busy machine, the end of a fit took so long that its picture came beside the target chosen since."""
    tab, eve, fit = fitted
    monkeypatch.setattr(jobs, "COURTESY", 0.0)
    drawn = run.zoomed

    def interrupted(*asked):
        choose(tab, "photo:coffee", eve)
        return drawn(*asked)

    if when == "before":
        choose(tab, "photo:coffee", eve)
    else:
        monkeypatch.setattr(run, "zoomed", interrupted)
    assert set(handlers.finish(tab, fit, "one", eve)) == {"start", "halt"}
    assert handlers.zoom(tab, fit, 2, eve) == gr.skip()
    assert handlers.show_edited(tab, SimpleNamespace(fitted=fit), eve) == {}


def test_a_choice_waits_until_the_last_picture_of_a_fit_has_gone(fitted, monkeypatch):
    tab, eve, fit = fitted
    drawn, begun = run.zoomed, threading.Event()

    def slow(*asked):
        begun.set()
        time.sleep(0.5)
        return drawn(*asked)

    monkeypatch.setattr(run, "zoomed", slow)
    ended = []
    thread = threading.Thread(target=lambda: ended.append(handlers.finish(tab, fit, "one", eve)))
    thread.start()
    assert begun.wait(60)
    choose(tab, "photo:coffee", eve)
    assert ended
    thread.join()


def test_of_several_samples_that_are_pressed_fast_the_last_one_stays(fitted):
    """Threads keep no order: the first, which took longer, came last."""
    tab, eve, _ = fitted
    older = handlers.choose_sample(tab, gr.EventData(None, {"id": "photo:cat", "at": 1.0}), eve)
    newer = handlers.choose_sample(tab, gr.EventData(None, {"id": "photo:coffee", "at": 2.0}), eve)
    assert next(newer)["sample"] == "photo:coffee"
    assert parts(newer) == parts(older) == []


def test_a_file_that_cannot_be_read_leaves_the_fit_as_it_was(fitted, tmp_path):
    tab, eve, fit = fitted
    handlers.finish(tab, fit, "one", eve)
    (path := tmp_path / "broken.png").write_bytes(b"no")
    assert "broken.png" in parts(handlers.choose_upload(tab, str(path), eve))[-1]["state"]
    assert handlers.zoom(tab, fit, 2, eve) != gr.skip()


def test_a_link_ends_a_running_fit(fitted, monkeypatch):
    """The link's own sample and chart were followed by a step of the fit of before."""
    tab, eve, fit = fitted
    monkeypatch.setattr(jobs, "COURTESY", 0.0)
    shown = handlers.followed(tab, "photo:coffee", eve)  # the fit has not had its end yet
    assert "being stopped" in shown["state"]
    assert shown["curve"]["data"] == [] and shown["fitted"] is None
    assert set(handlers.finish(tab, fit, "one", eve)) == {"start", "halt"}


def test_a_file_that_cannot_be_read_says_what_became_of_the_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "COURTESY", 0.1)
    tab, ben = by_name(FitTab), visitor("ben")
    handlers.prepare(tab, ben)  # waits for its turn
    path = tmp_path / "broken.png"
    path.write_bytes(b"no")
    answers = parts(handlers.choose_upload(tab, str(path), ben))
    assert "broken.png" in answers[-1]["state"] and "press Fit once it has ended" in answers[-1]["state"]
    (last,) = handlers.fit(tab, "photo:cat", "one", "mlp", 4, 20, ben)
    assert "stopped before it had begun" in last["state"]
