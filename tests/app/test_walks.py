"""Counts what happens on the two ways through the page: of a target from upload to map point, and of a zoo to a
picture. Each value is read and converted once, and each model built once."""

from collections import Counter
from dataclasses import replace
from functools import wraps

import numpy as np
import pytest
import trimesh
from PIL import Image

import wsr.analysis
from app.shared import library, networks, samples
from app.tabs.atlas import controls, panel
from app.tabs.atlas.map import Visit
from app.tabs.atlas.place import place_fit
from app.tabs.fit import preparing
from app.tabs.fit import run as fit_run
from app.tabs.symmetry import run as symmetry_run
from wsr import isolation
from wsr.data import occupancy
from wsr.fields.base import BaseField
from wsr.fields.representation import Representation
from wsr.modalities import IMAGE, OCCUPANCY
from wsr.zoo import Zoo


@pytest.fixture
def calls(assets, small, monkeypatch, tmp_path_factory):
    """Counts how often functions are called. The work of child processes is done in this process, in the same way as in
    a child. The cache on disk is empty, because other tests may have left a sheet of thumbnails in the shared one."""
    found = Counter()
    monkeypatch.setattr(isolation, "IN_CHILD", True)
    monkeypatch.setenv("WSR_CACHE", str(tmp_path_factory.mktemp("cache")))

    def count(owner, name, what):
        plain = getattr(owner, name)

        @wraps(plain)
        def counting(*args, **options):
            found[what] += 1
            return plain(*args, **options)

        monkeypatch.setattr(owner, name, counting)

    count(Representation, "__init__", "model")
    count(BaseField, "__init__", "base")
    for modality in (IMAGE, OCCUPANCY):
        for name in ("read", "content_hash", "samples", "targets", "evaluator", "picture", "decode"):
            count(modality, name, name)
    count(occupancy, "sample_occupancy", "occupancy")
    count(Zoo, "_read_rows", "row")
    count(Zoo, "_read_weights", "rows")
    count(wsr.analysis, "nearest", "search")
    return found


def taken(calls):
    """Returns the counts, and sets them to zero."""
    found = dict(calls)
    calls.clear()
    return found


def fitted(target, tmp_path):
    *_, last = fit_run.run(target, fit_run.checked("mlora-asym", 4, 10), tmp_path / "stop")
    return last.fitted


def test_a_picture_from_upload_to_map_point(calls, tmp_path):
    path = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 16, 3), np.uint8)).save(path)
    target = preparing.uploaded(str(path), lambda: False)
    assert taken(calls) == {"read": 1, "picture": 1}
    assert target.aspect == (24, 16) and target.signal.read() is target.signal.read()
    assert preparing.measured(target, lambda: False) is target and not taken(calls)
    found = fitted(target, tmp_path)
    counted = taken(calls)
    assert (counted["model"], counted["base"]) == (2, 1), "one of the page and one of the child, on one base"
    assert (counted["samples"], counted["targets"], counted["evaluator"]) == (1, 1, 1)
    assert counted["decode"] == counted["picture"] and not {"read", "content_hash"} & counted.keys()
    placed, where, _ = place_fit(found, Visit())
    assert set(placed.points) == set(where.maps) and taken(calls) == {"rows": 1, "search": 1}


def test_a_shape_from_upload_to_map_point(calls, tmp_path):
    path = tmp_path / "ball.obj"
    trimesh.creation.icosphere(subdivisions=1, radius=0.9 + 0.1 * np.random.default_rng().random()).export(path)
    target = preparing.uploaded(str(path), lambda: False)
    assert taken(calls) == {"read": 1, "picture": 1}
    target = preparing.measured(target, lambda: False)
    measured = taken(calls)
    assert measured == {"content_hash": 1, "samples": 1, "targets": 1, "evaluator": 1} | (
        {"occupancy": 1} if "occupancy" in measured else {}
    )
    found = fitted(target, tmp_path)
    counted = taken(calls)
    assert counted["content_hash"] == counted["samples"] == counted["targets"] == 1
    assert not {"read", "evaluator", "occupancy"} & counted.keys(), "they came with the target"
    assert counted["model"] == 2 and found.modality is OCCUPANCY
    place_fit(found, Visit())
    assert taken(calls)["search"] == 1


def test_a_sample_is_read_once_however_often_it_is_fitted(calls, tmp_path):
    target = samples.target("photo:coffee")
    taken(calls)
    for _ in range(2):
        fitted(target, tmp_path)
    assert "read" not in taken(calls)


def test_an_item_of_a_zoo_to_its_picture(calls):
    name, view = "emoji-mlora-asym", controls.first_view("emoji")
    networks.weights(name), networks.start_layers(name)
    assert taken(calls) == {"model": 1, "base": 1, "rows": 1}
    first, second = library.collection(name).ids[:2]
    list(panel.show(view, first, Visit()))
    shown = taken(calls)
    thumbs = 6  # pictures of its neighbours, decoded because there is no sheet of thumbnails yet
    assert shown["decode"] == 2 + thumbs, "small and large"
    assert shown["row"] == 1 + thumbs and shown["search"] == 1, "both of one row"
    assert not {"model", "base", "rows"} & shown.keys()
    symmetry_run.subject(name, first)
    list(panel.show(view, first, Visit()))
    assert not taken(calls), "all of it is kept"
    list(panel.show(view, second, Visit()))
    assert taken(calls)["row"] <= 1 + thumbs


def test_maps_that_leave_items_out_are_searched_for_themselves(calls, monkeypatch):
    name = "emoji-mlora-asym"
    found = library.collection(name)
    one, maps = networks.vector(name, found.ids[3]), dict(found.maps)
    _, whole = networks.places(name, one)
    taken(calls)
    for key in (("UMAP", 2), ("UMAP", 3)):
        maps[key] = maps[key].copy()
        maps[key][5] = np.nan
    monkeypatch.setattr(networks, "collection", lambda _: replace(found, maps=maps))
    near, places = networks.places(name, one)
    assert taken(calls)["search"] == 2 and near == found.ids[3]
    for key, at in places.items():
        assert np.allclose(at, found.maps[key][3], atol=1e-3) and np.allclose(at, whole[key], atol=1e-3)
