"""Occupancy: which points of [-1, 1]^3 lie inside a shape. Half of the points are sampled near its surface, half
uniformly, and the points of each shape are cached."""

import multiprocessing
import os
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from jaxtyping import Bool, Float, Float16

from wsr.data.inside import inside
from wsr.data.signals import Signal
from wsr.errors import WsrError, counted
from wsr.modalities import OCCUPANCY
from wsr.paths import atomic_path, cache_dir

# Standard deviations of the noise that moves points off the surface, each used for half of the points: the small one
# defines the surface, the large one keeps the field's sign right in a shell around it.
NEAR_SIGMAS = (0.01, 0.05)

# Part of the name of every cached file. To be incremented when the sampling below changes.
_VERSION = 1


@dataclass(frozen=True)
class OccupancySamples:
    """Points, and whether they lie inside. Row 0: near the surface, row 1: uniform in [-1, 1]^3.

    Both rows are in random order, so that any slice of a row is an unbiased sample of it.
    """

    points: Float16[np.ndarray, "2 p 3"]
    inside: Bool[np.ndarray, "2 p"]


def sample_occupancy(mesh: trimesh.Trimesh, count_per_kind: int = 16384, seed: int = 0) -> OccupancySamples:
    """Samples `count_per_kind` points near the surface of a mesh in the unit sphere, and as many uniformly in [-1,
    1]^3.

    The near ones are surface points plus Gaussian noise with the standard deviations NEAR_SIGMAS, clipped to the cube.
    Points are stored as float16, and their occupancy is computed after rounding, so that rounding changes no label.
    WsrError for a mesh without a point inside.
    """
    rng = np.random.default_rng(seed)
    points = np.empty((2, count_per_kind, 3), dtype=np.float16)
    points[0] = near_surface(mesh, count_per_kind, rng)
    points[1] = rng.uniform(-1, 1, (count_per_kind, 3))
    occupied = inside(mesh, points.reshape(-1, 3).astype(np.float64)).reshape(2, count_per_kind)
    refuse_empty(mesh, occupied, "near it")
    return OccupancySamples(points, occupied)


def refuse_empty(mesh: trimesh.Trimesh, occupied: Bool[np.ndarray, "..."], where: str) -> None:
    """Raises a WsrError if no point lies inside a mesh. where: words of the message that say where the points are."""
    if not occupied.any():
        raise WsrError(
            f"The mesh of {counted(len(mesh.faces), 'face')} encloses nothing: none of "
            f"{counted(occupied.size, 'point')} {where} has a winding number above 0.5. A shape needs a surface that "
            "closes, or nearly, with its faces turned outward."
        )


def near_surface(mesh: trimesh.Trimesh, count: int, rng: np.random.Generator) -> Float[np.ndarray, "p 3"]:
    """Samples `count` points of the surface and adds Gaussian noise, half of it with each standard deviation of
    NEAR_SIGMAS. The points are clipped to [-1, 1]^3."""
    sigma = rng.permutation(np.resize(NEAR_SIGMAS, count))[:, None]  # (p, 1)
    return (_surface_points(mesh, count, rng) + sigma * rng.standard_normal((count, 3))).clip(-1, 1)


def _surface_points(mesh: trimesh.Trimesh, count: int, rng: np.random.Generator) -> Float[np.ndarray, "p 3"]:
    """Samples points of the surface, uniformly by area."""
    areas = np.cumsum(mesh.area_faces)
    face = np.searchsorted(areas, rng.uniform(0, areas[-1], count), side="right").clip(max=len(areas) - 1)
    a, b, c = np.moveaxis(mesh.triangles[face], 1, 0)  # three corners, each (p, 3)
    u, v = rng.uniform(size=(2, count, 1))
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    return a + u * (b - a) + v * (c - a)


def cached_occupancy(signal: Signal, count_per_kind: int = 16384, seed: int = 0) -> OccupancySamples:
    """Returns `sample_occupancy` of a shape, cached in a file of 0.2 MB under the hash of the shape's content."""
    if signal.modality is not OCCUPANCY:
        raise WsrError(f"{signal.id!r} is one of the {signal.modality.plural}: only shapes have an occupancy.")
    path = _cache_path(signal, count_per_kind, seed)
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            points, packed = stored["points"], stored["inside"]
        bits = np.unpackbits(packed, axis=1, count=count_per_kind).astype(bool)
        if points.shape == (2, count_per_kind, 3) and points.dtype == np.float16 and len(bits) == 2:
            return OccupancySamples(points, bits)
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        pass  # missing or damaged: sampled again
    samples = sample_occupancy(signal.read(), count_per_kind, seed)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, points=samples.points, inside=np.packbits(samples.inside, axis=1))
    return samples


def cached_labels(
    signal: Signal, points: Float[np.ndarray, "*n 3"], name: str, places: str
) -> Bool[np.ndarray, "*n"]:  # fmt: skip
    """Returns which points lie inside a shape, cached in a file of a bit a point under the hash of the shape's content.
    name: tells these points from others in the name of the file. places: words of the message that say where they are.
    WsrError for a mesh without a point inside."""
    path, shape = _path_of(signal, name), points.shape[:-1]
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            bits = np.unpackbits(stored["inside"], axis=-1, count=shape[-1]).astype(bool)
        if bits.shape == shape:
            return bits
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        pass  # missing or damaged: computed again
    mesh = signal.read()
    occupied = inside(mesh, points.reshape(-1, 3).astype(np.float64)).reshape(shape)
    refuse_empty(mesh, occupied, places)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, inside=np.packbits(occupied, axis=-1))
    return occupied


def _cache_path(signal: Signal, count_per_kind: int, seed: int) -> Path:
    return _path_of(signal, f"v{_VERSION}-{count_per_kind}-{seed}")


def _path_of(signal: Signal, name: str) -> Path:
    key = signal.sha256()
    return cache_dir() / "occupancy" / key[:2] / f"{key[:32]}-{name}.npz"


def prepare_occupancy(
    signals: Iterable[Signal],
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    count_per_kind: int = 16384,
    seed: int = 0,
) -> dict[str, str]:
    """Fills the cache for these shapes, in `workers` processes (by default one per core; 1 uses this process).

    progress(done, total) is called after each shape. Returns the ids that could not be sampled, with the reason, so
    that one bad mesh does not stop a data set. May be killed and run again: what is cached is not computed twice.
    Worker processes import the caller's script again, so scripts must call this below `if __name__ == "__main__":`.
    """
    items = list(signals)
    workers = min(workers or os.cpu_count() or 1, len(items))
    failed: dict[str, str] = {}
    for done, (name, reason) in enumerate(_outcomes(items, workers, count_per_kind, seed), 1):
        if reason is not None:
            failed[name] = reason
        if progress is not None:
            progress(done, len(items))
    return failed


def _outcomes(items: list[Signal], workers: int, count: int, seed: int) -> Iterable[tuple[str, str | None]]:
    if workers <= 1:
        yield from (_prepare_one(signal, count, seed) for signal in items)
        return
    # spawn, not fork: Embree's and torch's threads do not survive a fork
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_one_thread)
    try:
        for job in as_completed([pool.submit(_prepare_one, signal, count, seed) for signal in items]):
            yield job.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _one_thread() -> None:
    os.environ["IGL_NUM_THREADS"] = "1"  # the processes already occupy one core each


def _prepare_one(signal: Signal, count: int, seed: int) -> tuple[str, str | None]:
    try:
        cached_occupancy(signal, count, seed)
    except WsrError as error:
        return signal.id, str(error)
    return signal.id, None
