"""Methods of modalities on single contents: recognition, hashes, descriptions, pictures and files."""

import hashlib

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from wsr import modalities
from wsr.modalities import IMAGE, OCCUPANCY


@pytest.mark.parametrize(("given", "modality"), [
    ("me.PNG", IMAGE), ("a/b.heic", IMAGE), ("chair.obj", OCCUPANCY), (trimesh.creation.box(), OCCUPANCY),
    (Image.new("L", (3, 3)), IMAGE), (np.zeros((4, 4)), IMAGE), (torch.zeros(4, 4, 3), IMAGE),
    ("me.txt", None), (object(), None), (np.zeros(3), None), (3, None),
])  # fmt: skip
def test_things_are_recognised_by_their_kind(given, modality):
    assert modalities.of_given(given) is modality


def test_hashes_are_those_of_zoos_that_exist():
    image = np.random.default_rng(0).random((3, 4, 3), np.float32)
    pixels = np.round(image * 255).astype("u1")
    assert IMAGE.content_hash(image) == hashlib.sha256(b"(3, 4, 3)" + pixels.tobytes()).hexdigest()
    box = trimesh.creation.box()
    parts = np.round(box.vertices, 5).astype("<f4"), np.asarray(box.faces, "<i4")
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part.shape).encode() + part.tobytes())
    assert OCCUPANCY.content_hash(box) == digest.hexdigest()


def test_qualities_in_words():
    assert (IMAGE.in_words(14.2), IMAGE.bound) == ("14.20 dB", "15 dB")
    assert (OCCUPANCY.in_words(0.4), OCCUPANCY.bound) == ("an IoU of 0.400", "0.5")


def test_a_quality_may_have_no_unit(monkeypatch):
    monkeypatch.setattr(type(IMAGE), "unit", "")
    assert (IMAGE.in_words(0.5), IMAGE.in_short(0.5), IMAGE.bound) == ("0.50", "0.5 PSNR", "15")


def test_pictures_and_files(tmp_path):
    image, box = np.full((4, 6, 3), 0.5, np.float32), trimesh.creation.box()
    assert IMAGE.picture(image).shape == (4, 6, 3) and IMAGE.picture(image).dtype == np.uint8
    assert OCCUPANCY.picture(box, 32).shape == (32, 32, 3)
    IMAGE.save(image, tmp_path / "a.png")
    OCCUPANCY.save(box, tmp_path / "a.glb")
    assert np.asarray(Image.open(tmp_path / "a.png")).max() == 128
    assert len(trimesh.load(tmp_path / "a.glb", force="mesh").faces) == 12
    assert OCCUPANCY.empty(trimesh.Trimesh()) and not OCCUPANCY.empty(box) and not IMAGE.empty(image)
    assert IMAGE.aspect(image) == (4, 6) and OCCUPANCY.aspect(box) == (1, 1)


def test_places_cover_the_domain():
    for modality in (IMAGE, OCCUPANCY):
        places = modality.places(20)
        assert places.shape[0] == 1 and places.shape[2] == modality.dim
        assert -1 <= places.min() < -0.9 and 0.9 < places.max() <= 1
    assert torch.equal(IMAGE.shown(torch.tensor([-1.0, 1.0])), torch.tensor([0.0, 1.0]))
