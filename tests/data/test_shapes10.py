"""The shapes of shapes10 are closed, repeatable and diverse, thin in places, and their categories cannot be told apart
by size alone."""

import hashlib
import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
import trimesh
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wsr.data.shapes10 import CATEGORIES, build_cache, dataset, generate, load_shapes10
from wsr.errors import WsrError

PER_CATEGORY = 60
SEEDS = range(0, 480, 8)  # spread over train and held-out seeds


@cache
def shapes(category: str) -> tuple[trimesh.Trimesh, ...]:
    return tuple(generate(category, seed) for seed in SEEDS)


def digest(mesh: trimesh.Trimesh) -> str:
    return hashlib.sha256(mesh.vertices.tobytes() + np.asarray(mesh.faces, "<i8").tobytes()).hexdigest()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path))
    dataset._read_block.cache_clear()
    return tmp_path


@pytest.mark.parametrize("category", CATEGORIES)
def test_closed_connected_and_of_modest_size(category):
    for mesh in shapes(category):
        assert mesh.is_watertight and mesh.is_winding_consistent
        assert mesh.volume > 0.03
        assert mesh.body_count == 1
        assert len(mesh.faces) <= 6000
        # the mesh stays closed when equal vertices are merged, as after writing and reading STL
        assert trimesh.Trimesh(mesh.vertices, mesh.faces, process=True).is_watertight


@pytest.mark.parametrize("category", CATEGORIES)
def test_scaled_to_the_unit_sphere(category):
    for mesh in shapes(category):
        assert np.abs(mesh.bounds.sum(0)).max() < 1e-6
        assert np.linalg.norm(mesh.vertices, axis=1).max() == pytest.approx(1.0, abs=1e-6)
        # values are exact in float32, so that the cache loses nothing
        assert np.array_equal(mesh.vertices, mesh.vertices.astype(np.float32))


@pytest.mark.parametrize("category", CATEGORIES)
def test_variety_within_the_class(category):
    meshes = shapes(category)
    extents = np.array([m.extents for m in meshes])
    assert len({digest(m) for m in meshes}) == PER_CATEGORY
    assert len({len(m.faces) for m in meshes}) > PER_CATEGORY // 2
    assert len({m.euler_number for m in meshes}) >= 3
    assert (extents.std(0) > 0.08).all()


def test_repeatable_here_and_in_another_process():
    jobs = [(category, 7) for category in CATEGORIES]
    here = [digest(generate(*job)) for job in jobs]
    assert here == [digest(generate(*job)) for job in reversed(jobs)][::-1]
    code = (
        "import hashlib, numpy as np\nfrom wsr.data.shapes10 import generate\n"
        f"for job in {jobs!r}:\n    m = generate(*job)\n"
        "    print(hashlib.sha256(m.vertices.tobytes() + np.asarray(m.faces, '<i8').tobytes()).hexdigest())"
    )
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "1"}
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert there.stdout.split() == here


def thin_share(mesh: trimesh.Trimesh, thickness: float = 0.041) -> float:
    """Share of the surface behind which the solid is at most this thick, by rays along the inward normal."""
    points, faces = trimesh.sample.sample_surface(mesh, 800, seed=0)
    inwards = -mesh.face_normals[faces]
    places, rays, _ = mesh.ray.intersects_location(points + 1e-4 * inwards, inwards, multiple_hits=False)
    depth = np.full(len(points), np.inf)
    depth[rays] = np.linalg.norm(places - points[rays], axis=1)
    return float((depth < thickness).mean())


def test_thin_parts_in_five_categories():
    shares = {category: [thin_share(mesh) for mesh in shapes(category)[::3]] for category in CATEGORIES}
    thin = [category for category, values in shares.items() if np.median(values) > 0.005]
    assert len(thin) >= 5, thin


def test_size_alone_does_not_tell_the_category():
    rows = [[*m.extents, m.volume, m.area] for category in CATEGORIES for m in shapes(category)]
    classes = np.repeat(np.arange(len(CATEGORIES)), PER_CATEGORY)
    for features in (np.array(rows), np.log(rows)):  # (600, 5)
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        assert cross_val_score(model, features, classes, cv=5).mean() <= 0.65


def test_ids_classes_and_splits(cache):
    signals = load_shapes10()
    assert len(signals) == 5500 and len(set(signals.ids)) == 5500
    assert signals.name == "shapes10" and signals.dim == 3
    assert signals.select(["chair-00042"])[0].cls == "chair"
    parts = {"train": range(450), "heldout": range(450, 500), "validation": range(450, 500), "test": range(500, 550)}
    for split, seeds in parts.items():
        part = signals.where(split=split)
        assert len(part) == 10 * len(seeds)
        assert {int(name.rsplit("-", 1)[1]) for name in part.ids} == set(seeds)
    lamps = load_shapes10("lamp")
    assert lamps.name == "shapes10/lamp" and len(lamps) == 550 and set(lamps.classes) == {"lamp"}


def test_mistakes_are_explained():
    with pytest.raises(WsrError, match="chair"):
        load_shapes10("chiar")
    with pytest.raises(WsrError, match="airplane"):
        generate("aeroplane", 0)
    for seed in (-1, 550):
        with pytest.raises(WsrError, match="0 to 549"):
            generate("chair", seed)


def test_cached_shape_is_the_generated_one(cache):
    signals = load_shapes10("cabinet").select(["cabinet-00000", "cabinet-00024", "cabinet-00025"])
    fresh = [signal.sha256() for signal in signals]
    digests = [digest(signal.read()) for signal in signals]
    dataset._write_block("cabinet", 0)
    assert dataset.block_path("cabinet", 0).exists()
    assert [signal.sha256() for signal in signals] == fresh
    assert [digest(signal.read()) for signal in signals] == digests


def test_damaged_block_is_not_trusted(cache):
    dataset._write_block("lamp", 0)
    path = dataset.block_path("lamp", 0)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    for damaged in (whole[: len(whole) // 2], bytes(flipped), b"", b"no archive"):
        dataset._read_block.cache_clear()
        path.write_bytes(damaged)
        assert digest(load_shapes10("lamp")[3].read()) == digest(generate("lamp", 3))


def test_cache_resumes_and_reports(cache, monkeypatch):
    """Uses one category of four blocks. One of them exists already, and is not written again."""
    monkeypatch.setattr(dataset, "CATEGORIES", ("table",))
    monkeypatch.setattr(dataset, "SEEDS", 4 * dataset.BLOCK)
    dataset._write_block("table", 2)
    before = dataset.block_path("table", 2).stat().st_mtime_ns
    told = []
    build_cache(workers=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(25, 100), (50, 100), (75, 100), (100, 100)]
    assert dataset.block_path("table", 2).stat().st_mtime_ns == before
    assert len(list(cache.rglob("*.npz"))) == 4 and not list(cache.rglob("*.tmp"))
    told.clear()
    build_cache(progress=lambda done, total: told.append((done, total)))
    assert told == [(100, 100)]


def test_another_version_of_the_generator_reads_no_old_shapes(cache, monkeypatch):
    old = dataset.block_path("car", 0)
    monkeypatch.setattr(dataset, "VERSION", dataset.VERSION + 1)
    assert dataset.block_path("car", 0) != old
