"""Samples that visitors choose, and files that they upload."""

import numpy as np
import pytest
import trimesh
from by_name import by_name
from PIL import Image

from app.shared import samples
from app.tabs.fit import handlers
from app.tabs.fit.handlers import FitTab
from wsr.errors import WsrError
from wsr.modalities import IMAGE, OCCUPANCY


def upload(path):
    """Returns what the page shows for a visitor's file, by widget."""
    return next(handlers.choose_upload(by_name(FitTab), str(path), None))


def test_photographs_and_shapes_are_at_hand_without_any_download():
    found = samples.samples()
    assert {item.modality for item in found} == {IMAGE, OCCUPANCY} and len({item.id for item in found}) == len(found)
    photo = samples.target("photo:coffee")
    assert photo.dim == 2 and max(photo.view.shape[:2]) == 128
    shape = samples.target("shape:chair-00452")
    assert shape.dim == 3 and shape.signal.split == "validation" and shape.view.shape == (320, 320, 3)


@pytest.mark.parametrize("forged", ["", "photo:", "photo:../../x", "shape:chair-99999", "emoji:nothing"])
def test_a_forged_sample_is_refused(forged):
    with pytest.raises(WsrError):
        samples.target(forged)


@pytest.mark.parametrize("name", ["picture.png", "picture.JPG", "picture.webp", "picture.avif",
                                  "picture.tiff", "shape.obj", "shape.ply", "shape.glb",
                                  "shape.stl", "shape.off"])  # fmt: skip
def test_what_can_be_fitted_is_taken(tmp_path, name):
    path = tmp_path / name
    if name.startswith("shape"):
        trimesh.creation.icosphere(subdivisions=1).export(path)
    else:
        Image.fromarray(np.zeros((300, 200, 3), np.uint8)).save(path)
    found = samples.uploaded(str(path))
    assert found.dim == (3 if name.startswith("shape") else 2)
    if found.dim == 2:
        assert found.signal.read().shape == (128, 85, 3)


def test_what_was_mended_in_a_shape_is_told_beside_it(tmp_path):
    ball = trimesh.creation.icosphere(subdivisions=1)
    path = tmp_path / "ball.obj"
    ball.export(path)
    assert "Ball is chosen. Press Fit." in upload(path)["state"]
    trimesh.Trimesh(ball.vertices, np.concatenate([ball.faces, ball.faces[:5, ::-1]]), process=False).export(path)
    state = upload(path)["state"]
    assert "Ball is chosen. 5 faces lay on top of others and were left out. Press Fit." in state


@pytest.mark.parametrize("name, content", [
    ("broken.png", b"\x89PNG\r\n\x1a\nrubbish"), ("empty.jpg", b""), ("empty.obj", b""),
    ("noise.glb", b"glTF" + b"\0" * 99),
    ("notes.txt", b"hello"), ("none", b""), ("page.png", b"<html><script>alert(1)</script></html>"),
    ("points.ply", b"ply\nformat ascii 1.0\nelement vertex 0\nend_header\n"),
])  # fmt: skip
def test_what_cannot_be_fitted_is_told_in_one_sentence(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    shown = upload(path)
    state = shown["state"]
    assert "wsr-failed" in state and "Traceback" not in state and state.count("\n") == 0
    assert name in state and str(tmp_path) not in state
    assert shown == {"state": state, "upload": None}  # the target that was chosen before stays


def test_names_of_files_are_escaped(tmp_path):
    path = tmp_path / "<img src=x onerror=alert(1)>.png"
    path.write_bytes(b"no")
    assert "<img" not in upload(path)["state"]
