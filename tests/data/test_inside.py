"""Determining what is inside ends in time, whatever the mesh, and does not block other threads."""

import threading
import time

import numpy as np
import pytest
import trimesh
from data.test_orientation import tetrahedra

from wsr.data import inside as module
from wsr.data.inside import inside
from wsr.data.meshes import read_mesh
from wsr.data.occupancy import sample_occupancy
from wsr.errors import WsrError

POINTS = np.random.default_rng(0).uniform(-1, 1, (100_000, 3))


def random_triangles(count=20_000):
    corners = np.random.default_rng(0).uniform(-1, 1, (3 * count, 3))
    return read_mesh(trimesh.Trimesh(corners, np.arange(3 * count).reshape(-1, 3), process=False))


def bowl(subdivisions=3):
    ball = trimesh.creation.icosphere(subdivisions)
    return read_mesh(trimesh.Trimesh(ball.vertices, ball.faces[ball.triangles_center[:, 2] < 0.6]))


class Pulse:
    """Measures the longest time that another thread of this process waits for the interpreter."""

    def __enter__(self):
        self.longest, self._on = 0.0, True
        self._thread = threading.Thread(target=self._beat)
        self._thread.start()
        return self

    def _beat(self):
        while self._on:
            began = time.perf_counter()
            time.sleep(0.01)
            self.longest = max(self.longest, time.perf_counter() - began - 0.01)

    def __exit__(self, *_):
        self._on = False
        self._thread.join()


@pytest.mark.parametrize("kind", ["random", "nested"])
def test_hostile_meshes_are_a_sentence_and_nobody_waits(kind):
    mesh = random_triangles() if kind == "random" else read_mesh(tetrahedra(np.linspace(0.01, 1, 10_000)))
    began = time.monotonic()
    with Pulse() as pulse, pytest.raises(WsrError, match="would take about|more than 20 s"):
        inside(mesh, POINTS)
    assert time.monotonic() - began < 60 and pulse.longest < 1.0


def test_a_mesh_is_not_refused_because_the_machine_does_other_things():
    """A second without work, in which every trial waits for a busy machine, says nothing of the mesh; a second of work
    for 500 points does."""
    calls, held_up = [], iter([0, 0.06, 0.06, 1.0])

    def measure(points):
        calls.append(len(points))
        time.sleep(next(held_up, 0))
        return np.zeros(len(points), dtype=bool)

    assert len(module._foretold(measure, POINTS, trimesh.creation.icosphere(1))) == len(POINTS)
    assert calls[-1] == len(POINTS) and len(calls) == 3, "no trial has to be repeated"
    held_up = iter([0] + 3 * [1.0])
    assert len(module._foretold(measure, POINTS, trimesh.creation.icosphere(1))) == len(POINTS)
    assert calls[-1] == len(POINTS) and len(calls) == 6

    def begins_slowly(points):
        calls.append(len(points))
        until = time.process_time() + 0.06 * (len(points) < 1000)
        while time.process_time() < until:
            pass
        return np.zeros(len(points), dtype=bool)

    calls.clear()
    assert len(module._foretold(begins_slowly, POINTS, trimesh.creation.icosphere(1))) == len(POINTS)
    assert calls[-1] == len(POINTS) and len(calls) == 4, "one trial is repeated, and nothing is refused for the first"

    def works(points):
        until = time.process_time() + len(points) * 2e-3
        while time.process_time() < until:
            pass

    with pytest.raises(WsrError, match="would take about"):
        module._foretold(works, POINTS, trimesh.creation.icosphere(1))


def test_an_open_mesh_is_measured_beside_this_process():
    mesh = bowl()
    inside(mesh, POINTS[:5000])  # starts the child process before time is measured
    with Pulse() as pulse:
        found = inside(mesh, POINTS)
    assert pulse.longest < 0.5
    deep = np.linalg.norm(POINTS + [0, 0, mesh.bounds[1, 2] - 0.6], axis=1) < 0.3
    assert found[deep].all()


def test_in_a_child_and_here_is_the_same(monkeypatch):
    mesh = bowl(4)
    points = POINTS[:3000]
    there = inside(mesh, points)
    monkeypatch.setattr(module.isolation, "IN_CHILD", True)
    np.testing.assert_array_equal(inside(mesh, points), there)


def test_more_faces_behind_each_other_than_a_ray_counts():
    """Of 150 nested tetrahedra every other one is a cavity. A ray that stops counting crossings at some number would
    give the wrong answer."""
    sizes = np.linspace(0.01, 1, 150)
    nested = tetrahedra(sizes)
    faces = nested.faces.reshape(-1, 4, 3).copy()
    faces[::2] = faces[::2, :, ::-1]  # reverses every other one, so that the last, which is the largest, is solid
    mesh = trimesh.Trimesh(nested.vertices, faces.reshape(-1, 3), process=False)
    points = POINTS[:400] * 0.4
    signed = np.array([[1, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]]) @ points.T
    # A point x is inside the tetrahedron of size s if -x·n <= s for each corner n: that is where the face opposite to n
    # lies.
    level = (-signed).max(axis=0)
    clear = abs(level[:, None] - sizes).min(axis=1) > 1e-4
    around = (sizes > level[:, None]).sum(axis=1)
    np.testing.assert_array_equal(inside(mesh, points)[clear], (around % 2 == 1)[clear])


def test_a_closed_mesh_of_usual_depth_needs_no_child(monkeypatch):
    monkeypatch.setattr(module.isolation, "call", lambda *a, **k: pytest.fail("went into a child"))
    sample_occupancy(trimesh.creation.torus(0.6, 0.2))
