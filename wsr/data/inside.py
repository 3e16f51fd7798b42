"""Tells which points lie inside a mesh. Measurements that may take long run in a child process with a deadline."""

import time
from collections.abc import Callable

import igl
import numpy as np
import trimesh
from jaxtyping import Bool, Float, Int

from wsr import isolation
from wsr.data.orientation import is_closed
from wsr.errors import WsrError, counted

# Seconds and bytes that one measurement may take.
MEASURE_SECONDS = 20.0
MEASURE_MEMORY = 3 * 2**30

# Points times faces up to which the winding number is summed exactly. Beyond, it is approximated with a tree: 32,768
# points on 58,000 faces take 0.1 s instead of 13 s, and 4 labels differ, all where it is within 0.004 of 0.5.
_EXACT_CLOSED, _EXACT_OPEN = 30_000_000, 3_000_000

# Limits of a measurement that stays in this process. It takes at most 0.1 s, during which no other thread gets the
# interpreter.
_DIRECT_PAIRS, _DIRECT_FACES, _DIRECT_DEPTH = 1_000_000, 100_000, 24.0

_MOST_HITS = 100  # most hits of a ray that are counted; beyond them the winding number decides
_TRIALS = (64, 512, 4096)  # points from which the total time is extrapolated; more are tried if it seems too long
_BELIEVED = 0.5  # seconds from which a trial counts: what a shorter one needs to begin is taken for work on its points

# Direction of the rays. It avoids the axes and diagonals, along which procedural shapes have edges that a ray would
# graze.
_RAY = np.array([0.5331, 0.3217, 0.7826])


def inside(mesh: trimesh.Trimesh, points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
    """Returns whether each point lies inside the mesh, that is, whether its winding number is above 0.5.

    For a closed mesh the winding number is exact, even where parts overlap: it counts the signed crossings of a ray
    (Embree; 32,768 points in 0.04 s). For an open mesh it is the generalised winding number (libigl). Both need faces
    that are turned outward, as `read_mesh` does. A mesh of many faces, or with many faces behind each other, is
    measured in a child process.

    WsrError for points that are not finite numbers of shape (n, 3), and if measuring takes more than 20 s.
    """
    points = np.ascontiguousarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
        raise WsrError(f"Points are finite numbers of shape (n, 3), not {points.shape}.")
    if _is_quick(mesh, len(points)):
        return _inside(mesh, points)
    what = f"Measuring the inside of a mesh of {counted(len(mesh.faces), 'face')}"
    limits = isolation.Limits(seconds=MEASURE_SECONDS, memory=MEASURE_MEMORY, what=what)
    return isolation.call(inside_arrays, np.asarray(mesh.vertices), np.asarray(mesh.faces), points, limits=limits)


def inside_arrays(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], points: Float[np.ndarray, "n 3"]
) -> Bool[np.ndarray, " n"]:  # fmt: skip
    """Returns the same as `inside`, computed in this process and without a time limit."""
    return _inside(trimesh.Trimesh(vertices, faces, process=False), points)


def _is_quick(mesh: trimesh.Trimesh, count: int) -> bool:
    if count * len(mesh.faces) <= _DIRECT_PAIRS:
        return True
    return is_closed(mesh.faces) and len(mesh.faces) <= _DIRECT_FACES and _depth(mesh) <= _DIRECT_DEPTH


def _depth(mesh: trimesh.Trimesh) -> float:
    """Estimates the mean number of faces that a line along `_RAY` meets within the mesh's bounding box."""
    first, second = np.moveaxis(np.diff(mesh.triangles, axis=1), 1, 0)  # edges, (f, 3) each
    across = abs(np.cross(first, second) @ _RAY)
    x, y, z = np.ptp(mesh.bounds, axis=0)
    return float(across.sum() / 2 / max(np.array([y * z, x * z, x * y]) @ _RAY, 1e-12))


def _inside(mesh: trimesh.Trimesh, points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
    result = np.zeros(len(points), dtype=bool)
    lower, upper = mesh.bounds
    if is_closed(mesh.faces):  # no point outside its box is inside; for an open mesh that need not hold
        near = np.flatnonzero(((points >= lower) & (points <= upper)).all(axis=1))
        result[near] = _foretold(lambda part: _inside_closed(mesh, part), points[near], mesh)
    else:
        result[:] = _winding_number(mesh, points, _EXACT_OPEN) > 0.5
    return result


def _foretold(measure: Callable, points: np.ndarray, mesh: trimesh.Trimesh) -> np.ndarray:
    """Returns `measure(points)`. Measures a few of the points first, and raises a WsrError if all of them would take
    too long. If a short trial predicts that, it is repeated with more points, to be sure."""
    measure(points[:1])  # builds the tree
    for count in _TRIALS:
        if len(points) < 4 * count:
            break
        began, worked = time.perf_counter(), time.process_time()
        measure(points[:: len(points) // count])
        # of the clock and the processor's time the lower one: a machine that does other things says nothing of the mesh
        seconds = min(time.perf_counter() - began, time.process_time() - worked)
        expected = seconds / count * len(points)
        if expected <= MEASURE_SECONDS:
            break
        if seconds > _BELIEVED:
            raise WsrError(
                f"Measuring what is inside this mesh would take about {expected:,.0f} s, and the limit is "
                f"{MEASURE_SECONDS:.0f} s: too many of its {counted(len(mesh.faces), 'face')} cross each other or lie "
                "behind each other. Give a mesh with fewer faces inside its surface."
            )
    return measure(points)


def _inside_closed(mesh: trimesh.Trimesh, points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
    """Counts signed crossings along two opposite rays. Where the two differ, because a ray grazed an edge, the winding
    number decides."""
    n = len(points)
    if n == 0:
        return np.zeros(0, dtype=bool)
    directions = np.concatenate([np.tile(_RAY, (n, 1)), np.tile(-_RAY, (n, 1))])  # (2 n, 3)
    origins = np.concatenate([points, points])
    faces, rays = mesh.ray.intersects_id(origins, directions, multiple_hits=True, max_hits=_MOST_HITS)
    leaving = np.sign(np.einsum("hd,hd->h", mesh.face_normals[faces], directions[rays]))  # (h,) of all hits
    forward, backward = np.bincount(rays, weights=leaving, minlength=2 * n).reshape(2, n)
    cut_off = (np.bincount(rays, minlength=2 * n).reshape(2, n) >= _MOST_HITS).any(axis=0)
    result = forward > 0.5
    doubtful = np.flatnonzero((forward != backward) | cut_off)
    if len(doubtful):
        result[doubtful] = _winding_number(mesh, points[doubtful], _EXACT_CLOSED) > 0.5
    return result


def _winding_number(
    mesh: trimesh.Trimesh, points: Float[np.ndarray, "n 3"], exact_up_to: int
) -> Float[np.ndarray, " n"]:
    vertices = np.ascontiguousarray(mesh.vertices, dtype=np.float64)
    faces = np.ascontiguousarray(mesh.faces, dtype=np.int64)
    if len(points) * len(faces) <= exact_up_to:
        return np.asarray(igl.winding_number(vertices, faces, points)).reshape(-1)
    return _foretold(
        lambda part: np.asarray(igl.fast_winding_number(vertices, faces, np.ascontiguousarray(part))).reshape(-1),
        points, mesh,
    )  # fmt: skip
