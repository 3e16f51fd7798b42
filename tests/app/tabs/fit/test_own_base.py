"""Samples of a data set with a base of its own are fitted on it, and belong to its zoos."""

import shutil
import sys

import pytest
import tiny_assets

from app.shared import edits, networks, samples
from app.shell import workers
from app.tabs.fit import run, six
from wsr.memory import MEMORY

FACE = "face:face-900250"


@pytest.fixture
def with_faces(assets, small, monkeypatch, tmp_path):
    """The tiny assets, and beside the emoji a base and zoos of faces."""
    folder = shutil.copytree(assets, tmp_path / "assets")
    monkeypatch.setenv("WSR_ASSETS", str(folder))
    workers.close()  # children know the folder of their start
    MEMORY.drop()
    tiny_assets.make(folder, {"faces": "image"})
    yield folder
    workers.close()
    MEMORY.drop()


def test_a_face_is_fitted_edited_and_placed_among_faces(with_faces, tmp_path):
    target = samples.target(FACE)
    assert target.base == "faces" and target.label == "face, long hair"
    assert samples.usual_steps(target) == target.steps == 300  # there is no encoder
    *_, last = run.run(target, run.checked("mlora-asym", 4, 10), tmp_path / "stop")
    assert last.fitted.model.base.info.dataset == "faces"
    assert networks.alike(last.fitted) == ["faces-mlora-asym"] and edits.editable(last.fitted) == "faces-mlora-asym"
    *_, last = six.run(target, run.checked("mlora-asym", 4, 10), tmp_path / "stop")
    assert last.fitted.model.base.info.dataset == "faces"
    photo = samples.target("photo:cat")
    assert photo.base is None and samples.own_base("emoji") is None and samples.own_base("shapes10") is None
    *_, last = run.run(photo, run.checked("mlora-asym", 4, 10), tmp_path / "stop")
    assert networks.alike(last.fitted) == ["emoji-mlora-asym"]


def test_samples_that_cannot_be_drawn_here_leave_the_others(assets, monkeypatch):
    """The strip was empty after an installation of the page alone."""
    monkeypatch.setitem(sys.modules, "python_avatars", None)
    MEMORY.drop()
    shown = [item["id"] for item in samples.strip()]
    assert "photo:cat" in shown and not any(item.startswith("face:") for item in shown)


def test_without_their_base_faces_are_fitted_on_that_of_all_pictures(assets):
    target = samples.target(FACE)
    assert target.base is None and target.steps > 300  # as of anything that the base has not learnt
    assert target.quick == 0 and samples.usual_steps(target) == target.steps
