"""A visitor's file is prepared for fitting within its time limit, and nobody else waits for it."""

import itertools
import time
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
import trimesh
from by_name import by_name

from app.shared import samples, work
from app.shell import workers
from app.tabs.fit import handlers, preparing
from app.tabs.fit.handlers import FitTab
from wsr.errors import WsrError
from wsr.isolation import Stopped

HEIGHTS = itertools.count(1.01, 0.01)


@pytest.fixture
def cube(tmp_path):
    """A box that nobody has measured before, so that nothing of it is in the cache that all tests of the app share."""
    path = tmp_path / "cube.obj"
    trimesh.creation.box((1, 1, next(HEIGHTS))).export(path)
    return path


@pytest.fixture
def soup(tmp_path):
    """Random triangles, for which it takes long to determine what is inside."""
    corners = np.random.default_rng(0).uniform(-1, 1, (30_000, 3))
    faces = np.arange(30_000).reshape(-1, 3)
    lines = [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in corners] + [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces]
    path = tmp_path / "soup.obj"
    path.write_text("\n".join(lines))
    return path


def visitor(name):
    return SimpleNamespace(session_hash=name)


def test_a_file_is_read_drawn_and_measured(cube):
    target = preparing.uploaded(str(cube), lambda: False)
    assert target.dim == 3 and target.view.shape == (samples.VIEW, samples.VIEW, 3) and target.evaluator is None
    ready = preparing.measured(target, lambda: False)
    assert ready.evaluator.points.shape[1] == ready.evaluator.inside.shape[1] and not ready.trouble
    assert 0 < float(ready.evaluator.inside.float().mean()) < 1
    assert preparing.measured(ready, lambda: False) is ready
    *_, (_, last) = work.fit(ready.signal, ("mlp",), 4, 10, ready.evaluator)
    assert last.done and np.isfinite(last.quality).all()


def test_a_file_that_takes_too_long_is_a_sentence(soup, monkeypatch):
    monkeypatch.setattr(preparing, "SECONDS", 0.01)
    began = time.monotonic()
    with pytest.raises(WsrError, match=r"'soup\.obj' took more than 0\.01 s") as told:
        preparing.uploaded(str(soup), lambda: False)
    assert "\n" not in str(told.value) and time.monotonic() - began < 60


def test_a_shape_that_cannot_be_measured_in_time_is_said_by_fit(cube, monkeypatch):
    target = preparing.uploaded(str(cube), lambda: False)
    monkeypatch.setattr(workers, "prepared", lambda *a, **k: (_ for _ in ()).throw(WsrError("It took too long.")))
    asked = "one", "mlora-asym", 4, target.steps
    found = handlers.measure(by_name(FitTab), target, *asked, visitor("slow"))["target"]
    assert found.trouble == "It took too long."
    *_, last = handlers.fit(by_name(FitTab), found, "one", "mlp", 4, 20, visitor("slow"))
    assert "wsr-failed" in last["state"] and "It took too long." in last["state"]


def test_choosing_again_and_leaving_end_what_was_begun():
    first = preparing.turn(visitor("ann"))
    others = preparing.turn(visitor("ben"))
    assert not first() and not others()
    second = preparing.turn(visitor("ann"))
    assert first() and not second() and not others()
    preparing.forget(visitor("ann"))
    assert second() and not others()


def test_what_nobody_wants_any_more_ends_at_once(soup):
    with pytest.raises(Stopped):
        preparing.uploaded(str(soup), lambda: True)
    assert list(handlers.choose_upload(by_name(FitTab), None, visitor("x"))) == [gr.skip()]


def test_a_file_of_another_kind_needs_no_child(tmp_path):
    with pytest.raises(WsrError, match="by its ending"):
        preparing.uploaded(str(tmp_path / "notes.txt"), lambda: False)


@pytest.mark.parametrize("way", ["one", "six"])
def test_a_shape_that_could_not_be_measured_is_not_fitted(cube, monkeypatch, way):
    """Measuring during the fit would have no deadline, and everybody's fits would wait."""
    target = preparing.uploaded(str(cube), lambda: False)
    for run in (handlers.run, handlers.six):
        monkeypatch.setattr(run, "run", lambda *_: pytest.fail("a fit was begun"))
    (last,) = handlers.fit(by_name(FitTab), target, way, "mlp", 4, 20, visitor("impatient"))
    assert "wsr-failed" in last["state"] and "Cube has not been measured yet: press Fit again." in last["state"]


def test_an_upload_that_gave_way_leaves_the_box_empty(cube, monkeypatch):
    def give_way(*_):
        raise Stopped("Stopped.")

    monkeypatch.setattr(preparing, "uploaded", give_way)
    shown, _ = handlers.choose_upload(by_name(FitTab), str(cube), visitor("quick"))
    assert shown == {"upload": None}
