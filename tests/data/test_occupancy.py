from functools import partial

import igl
import numpy as np
import pytest
import trimesh

from wsr.data.meshes import read_mesh
from wsr.data.occupancy import cached_labels, cached_occupancy, inside, prepare_occupancy, sample_occupancy
from wsr.data.signals import Signal
from wsr.errors import WsrError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path))
    return tmp_path / "occupancy"


def random_points(count=4000, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 3))


def ball(radius=0.8):
    return trimesh.creation.icosphere(subdivisions=3, radius=radius)


def flat():
    return trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])


def test_ball_and_box():
    points = random_points()
    distance = np.linalg.norm(points, axis=1)
    clear = abs(distance - 0.8) > 0.02
    np.testing.assert_array_equal(inside(ball(), points)[clear], (distance < 0.8)[clear])
    np.testing.assert_array_equal(inside(trimesh.creation.box((1, 1, 1)), points), (abs(points) < 0.5).all(axis=1))


def test_overlapping_parts_and_a_cavity():
    points = random_points()
    crossing = trimesh.util.concatenate([trimesh.creation.box((1, 1, 1)), trimesh.creation.box((0.3, 0.3, 1.9))])
    expected = (abs(points) < 0.5).all(axis=1) | (abs(points) < [0.15, 0.15, 0.95]).all(axis=1)
    np.testing.assert_array_equal(inside(crossing, points), expected)
    hollow = trimesh.util.concatenate([trimesh.creation.box((1, 1, 1)), trimesh.creation.box((0.6, 0.6, 0.6))])
    hollow.faces[12:] = hollow.faces[12:, ::-1]
    shell = (abs(points) < 0.5).all(axis=1) & ~(abs(points) < 0.3).all(axis=1)
    np.testing.assert_array_equal(inside(trimesh.Trimesh(hollow.vertices, hollow.faces), points), shell)


def test_rays_through_edges_agree_with_the_winding_number():
    mesh = trimesh.creation.box((1, 1, 1)).subdivide().subdivide()
    toward = mesh.vertices[np.arange(0, len(mesh.vertices), 3)]
    steps = np.linspace(-1.5, 1.5, 25)[:, None, None]
    # each point is on a line through a vertex, in the direction of the rays
    points = (toward + steps * np.array([0.5331, 0.3217, 0.7826])).reshape(-1, 3)
    exact = igl.winding_number(mesh.vertices, mesh.faces.astype(np.int64), points)
    clear = abs(exact - 0.5) < 0.49
    clear = ~clear & (abs(abs(points).max(axis=1) - 0.5) > 1e-6)
    np.testing.assert_array_equal(inside(mesh, points)[clear], (exact > 0.5)[clear])


def test_an_open_mesh_is_its_winding_number():
    mesh = ball()
    bowl = trimesh.Trimesh(mesh.vertices, mesh.faces[mesh.triangles_center[:, 2] < 0.5])
    points = random_points()
    exact = igl.winding_number(bowl.vertices, bowl.faces.astype(np.int64), points)
    clear = abs(exact - 0.5) > 0.01
    np.testing.assert_array_equal(inside(bowl, points)[clear], (exact > 0.5)[clear])
    assert inside(bowl, np.array([[0.0, 0, 0]]))[0] and not inside(bowl, np.array([[0, 0, 0.9]]))[0]


def test_samples_hold_what_they_say():
    mesh = ball()
    samples = sample_occupancy(mesh, 4000)
    assert samples.points.shape == (2, 4000, 3) and samples.points.dtype == np.float16
    assert samples.inside.shape == (2, 4000) and samples.inside.dtype == bool
    assert abs(samples.points).max() <= 1
    rounded = samples.points.astype(np.float64)
    np.testing.assert_array_equal(samples.inside, inside(mesh, rounded.reshape(-1, 3)).reshape(2, -1))
    off = abs(np.linalg.norm(rounded[0], axis=1) - 0.8)
    # half of the points are drawn with each of the two sigmas
    assert np.mean(off < 0.03) == pytest.approx(0.5 + 0.5 * 0.45, abs=0.05)
    assert samples.inside[1].mean() == pytest.approx(4 / 3 * np.pi * 0.8**3 / 8, abs=0.03)
    for half in (slice(2000), slice(2000, None)):  # every slice has the same distribution
        assert np.mean(off[half] < 0.03) == pytest.approx(np.mean(off < 0.03), abs=0.05)


def test_samples_are_repeatable_by_seed():
    first, again, other = (sample_occupancy(ball(), 100, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.points, again.points)
    assert (first.points != other.points).any()


def test_surface_samples_are_uniform_by_area():
    box = trimesh.creation.box((0.02, 0.9, 0.9))  # a thin plate: nearly all of its area is in two faces
    points = sample_occupancy(box, 4000).points[0].astype(np.float64)
    assert np.mean(abs(points[:, 1]) < 0.25) == pytest.approx(0.5 / 0.9, abs=0.06)


def test_nothing_inside_is_an_error():
    with pytest.raises(WsrError, match="encloses nothing"):
        sample_occupancy(flat(), 100)
    with pytest.raises(WsrError, match="finite"):
        inside(ball(), np.full((3, 3), np.nan))


def test_cache_gives_the_same_and_mends_itself(cache):
    signal = Signal("ball", "", "train", 3, ball)
    fresh = cached_occupancy(signal, 500)
    (file,) = (path for path in cache.rglob("*") if path.is_file())
    stored = cached_occupancy(signal, 500)
    np.testing.assert_array_equal(fresh.points, stored.points)
    np.testing.assert_array_equal(fresh.inside, stored.inside)
    for damage in (file.read_bytes()[:300], b""):
        file.write_bytes(damage)
        np.testing.assert_array_equal(cached_occupancy(signal, 500).inside, fresh.inside)
    assert len(cached_occupancy(signal, 300).points[0]) == 300


def test_cache_follows_the_content_and_not_the_id(cache):
    first = cached_occupancy(Signal("same", "", "train", 3, ball), 500)
    second = cached_occupancy(Signal("same", "", "train", 3, partial(ball, 0.3)), 500)
    assert second.inside[1].mean() < first.inside[1].mean() / 4


def test_labels_of_given_points_are_kept_and_mended(cache):
    """Each set of points has labels of its own, whatever its shape."""
    shape, points = Signal("ball", "", "train", 3, ball), random_points().astype(np.float32)
    found = cached_labels(shape, points, "a", "here")
    assert (found == inside(ball(), points)).all() and found.any()
    assert (cached_labels(shape, points / 9, "a", "here") == found).all(), "the name tells points apart"
    rows = points.reshape(2, -1, 3)
    assert (cached_labels(shape, rows, "rows", "here") == cached_labels(shape, rows, "rows", "here")).all()
    (file,) = cache.glob("*/*-a.npz")
    file.write_bytes(file.read_bytes()[:100])
    assert (cached_labels(shape, points, "a", "here") == found).all()
    with pytest.raises(WsrError, match="none of 4,000 points over there"):
        cached_labels(shape, points + 3, "b", "over there")


@pytest.mark.parametrize("workers", [1, 2])
def test_preparing_fills_the_cache_and_names_failures(cache, workers):
    signals = [Signal(f"ball{i}", "", "train", 3, partial(ball, 0.5 + i / 10)) for i in range(4)]
    signals.append(Signal("flat", "", "train", 3, flat))
    told = []
    failed = prepare_occupancy(signals, workers, lambda *step: told.append(step), count_per_kind=200)
    assert list(failed) == ["flat"] and "encloses nothing" in failed["flat"]
    assert told == [(i, 5) for i in range(1, 6)]
    assert sum(path.is_file() for path in cache.rglob("*.npz")) == 4


def test_a_soup_with_holes_from_a_file(tmp_path):
    mesh = ball()
    keep = np.random.default_rng(0).random(len(mesh.faces)) > 0.05
    trimesh.Trimesh(mesh.vertices, mesh.faces[keep]).export(tmp_path / "soup.ply")
    points = random_points()
    distance = np.linalg.norm(points, axis=1)
    found = inside(read_mesh(tmp_path / "soup.ply"), points)
    clear = abs(distance - 1) > 0.15
    assert np.mean(found[clear] == (distance < 1)[clear]) > 0.99
