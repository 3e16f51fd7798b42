"""The attributes that shapes10 records. Recording them has not changed the shapes."""

import hashlib
import json
import math
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wsr.data.shapes10 import CATEGORIES, dataset, generate, load_shapes10
from wsr.data.shapes10.generate import describe

BEFORE = json.loads((Path(__file__).parent / "shapes10_before.json").read_text())
SEEDS = range(0, 500, 10)


@pytest.fixture(scope="module")
def described() -> dict[str, list]:
    """Meshes and attributes of fifty shapes of each category."""
    return {category: [describe(category, seed) for seed in SEEDS] for category in CATEGORIES}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path))
    for read in (dataset._read_block, dataset._read_attributes):
        read.cache_clear()
    return tmp_path


def _numpy_has_the_c_librarys_exp() -> bool:
    """Whether NumPy's exp is that of the C library, as on CPUs without AVX-512."""
    places = np.random.default_rng(0).uniform(-1, 1, 10_000)
    return np.array_equal(np.exp(places), [math.exp(x) for x in places])


@pytest.mark.parametrize("category", CATEGORIES)
def test_no_shape_has_changed(described, category):
    """Compares the shapes with those from before attributes were recorded: counts and sizes with every build of the
    geometry library, and every bit with the build that made them.

    NumPy's exp and log differ in the last bit, in a few arguments of a hundred, between CPUs with AVX-512, which made
    the shapes, and others. Where surfaces touch, that decides which triangles a union has, so that counts and bits are
    recorded for both; the sizes are one record for all.
    """
    meshes, before = [mesh for mesh, _ in described[category]], BEFORE["shapes"][category]
    bits = BEFORE["with the C library's exp and log"][category] if _numpy_has_the_c_librarys_exp() else before
    assert [[len(mesh.vertices), len(mesh.faces)] for mesh in meshes] == bits["counts"]
    assert np.allclose([[*mesh.extents, mesh.volume] for mesh in meshes], before["sizes"], atol=1e-5)
    if version("manifold3d") == BEFORE["manifold3d"]:
        parts = (mesh.vertices.tobytes() + np.asarray(mesh.faces, "<i8").tobytes() for mesh in meshes)
        assert hashlib.sha256(b"".join(parts)).hexdigest() == bits["sha256"]


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_records_what_it_draws(described, category):
    table = pd.DataFrame([attributes for _, attributes in described[category]])
    extents = np.array([mesh.extents for mesh, _ in described[category]])
    assert np.array_equal(table[["width", "height", "depth"]], extents)
    own = table.drop(columns=["width", "height", "depth"])
    numbers = own.select_dtypes("number")
    assert len(own.columns) >= 5 and len(numbers.columns) >= 3
    assert all((own[name].notna().sum() >= 2 and own[name].nunique() > 1) for name in own), own.nunique()
    texts = own[[name for name in own if name not in numbers]]
    assert all(isinstance(value, str) for name in texts for value in texts[name].dropna())


@pytest.mark.parametrize(
    "category, length, axis",
    [("airplane", "wing span", 2), ("chair", "seat width", 0), ("car", "body length", 0), ("table", "top height", 1),
     ("loudspeaker", "box width", 0), ("bench", "seat width", 0)],
)  # fmt: skip
def test_lengths_are_those_of_the_finished_shape(described, category, length, axis):
    """Recorded lengths are in the units of the finished shape: those that span the whole shape are compared with the
    mesh."""
    both = described[category]
    pairs = [(found[length], mesh.extents[axis]) for mesh, found in both if length in found]
    drawn, measured = np.array(pairs).T
    assert np.corrcoef(drawn, measured)[0, 1] > 0.95 and abs(np.median(measured / drawn) - 1) < 0.1


def test_every_signal_has_them_and_a_column_means_one_thing():
    signals = load_shapes10().select([f"{category}-{seed:05d}" for category in CATEGORIES for seed in (3, 470, 520)])
    table = signals.attributes
    assert table.index.tolist() == signals.ids and table["height"].notna().all()
    for name in table:
        assert len({isinstance(value, str) for value in table[name].dropna()}) == 1, f"{name} is a text and a number"


def test_cached_attributes_are_the_recorded_ones(cache):
    shape = load_shapes10("lamp").select(["lamp-00003"])[0]
    fresh = shape.attributes
    dataset._write_block("lamp", 0)
    path = dataset.attributes_path("lamp", 0)
    assert shape.attributes == fresh and path.exists()
    for damaged in (path.read_text()[:-9], "[]", "{}", "[1, 2]", ""):
        dataset._read_attributes.cache_clear()
        path.write_text(damaged)
        assert shape.attributes == fresh
    assert np.array_equal(shape.read().vertices, generate("lamp", 3).vertices)


def test_a_cache_of_before_is_completed(cache, monkeypatch):
    """Blocks that were cached before attributes were recorded get them, with the same shapes."""
    monkeypatch.setattr(dataset, "CATEGORIES", ("table",))
    monkeypatch.setattr(dataset, "SEEDS", dataset.BLOCK)
    dataset._write_block("table", 0)
    dataset.attributes_path("table", 0).unlink()
    before = dataset.block_path("table", 0).read_bytes()
    dataset.build_cache(workers=1)
    assert dataset.attributes_path("table", 0).exists()
    with np.load(dataset.block_path("table", 0)) as now:
        dataset.block_path("table", 1).write_bytes(before)
        with np.load(dataset.block_path("table", 1)) as then:
            assert all(np.array_equal(now[name], then[name]) for name in now.files)
