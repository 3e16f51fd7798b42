"""Attributes that can be measured again from a mesh alone, whatever it was made by.

A row of MEASURED says how an attribute of a category is measured. It stands there only if what is measured on the
generators' own meshes explains at least nine tenths of the attribute's variance (tests/data/test_shapes10_measured.py).
All lengths are those of the mesh as it is given; that of a fit is about as large as its target.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import trimesh
from jaxtyping import Float

from wsr.data.shapes10.generate import CATEGORIES
from wsr.errors import unknown_name

WIDTH, HEIGHT, DEPTH = range(3)  # the axes x, y and z
FLAT = 0.8  # least vertical part of a normal, for a face that lies flat
BIN = 0.02  # heights that are told apart

Measure = Callable[[trimesh.Trimesh], float]


def extent(axis: int, share: float = 1.0) -> Measure:
    """The length of the whole shape along an axis, or a share of it."""
    return lambda mesh: share * float(mesh.extents[axis])


def level(up: bool, within: tuple[float, float] = (0.0, 1.0)) -> Measure:
    """The height above the floor at which most of the area lies that faces up, or down. within: between which shares of
    the shape's height it is looked for."""

    def found(mesh: trimesh.Trimesh) -> float:
        heights, areas = _flat(mesh, up)
        share = heights / max(mesh.extents[HEIGHT], 1e-9)
        inside = (share >= within[0]) & (share <= within[1])
        return _mode(heights[inside], areas[inside])

    return found


EXTENTS: Mapping[str, Measure] = {"width": extent(WIDTH), "height": extent(HEIGHT), "depth": extent(DEPTH)}
MEASURED: Mapping[str, Mapping[str, Measure]] = {
    "airplane": {"wing span": extent(DEPTH)},
    "chair": {"seat width": extent(WIDTH), "foot height": level(up=False, within=(0.0, 0.5))},
    "table": {
        "top width": extent(WIDTH), "top depth": extent(DEPTH), "top height": extent(HEIGHT),
        "shelf height": level(up=False, within=(0.0, 0.5)),
    },
    "car": {
        "body length": extent(WIDTH), "body width": extent(DEPTH), "body height": extent(HEIGHT),
        "waist height": level(up=True, within=(0.2, 0.7)),
    },
    "lamp": {"shade radius": extent(DEPTH, 0.5)},
    "sofa": {"foot height": level(up=False)},
    "watercraft": {"beam": extent(DEPTH)},
    "bench": {"seat width": extent(WIDTH), "seat depth": extent(DEPTH), "seat height": level(up=True)},
    "loudspeaker": {"box width": extent(WIDTH), "box depth": extent(DEPTH), "foot height": level(up=False)},
}  # fmt: skip


def measures(category: str | None = None) -> dict[str, Measure]:
    """Returns what can be measured of a mesh of a category, by attribute: its extents, and what MEASURED adds; of a
    mesh of any category its extents. A mesh without faces measures NaN. WsrError for an unknown category."""
    if category is not None and category not in CATEGORIES:
        raise unknown_name("shapes10 category", category, CATEGORIES)
    found = {**EXTENTS, **MEASURED.get(category or "", {})}
    return {name: partial(_measured, of) for name, of in found.items()}


def _measured(of: Measure, mesh: trimesh.Trimesh) -> float:
    return of(mesh) if len(mesh.faces) else float("nan")


def _flat(mesh: trimesh.Trimesh, up: bool) -> tuple[Float[np.ndarray, "f"], Float[np.ndarray, "f"]]:
    """Returns the heights above the floor and the areas of the faces that lie flat."""
    vertical = mesh.face_normals[:, HEIGHT]
    flat = vertical > FLAT if up else vertical < -FLAT
    heights = mesh.triangles_center[flat, HEIGHT] - mesh.bounds[0, HEIGHT]
    return heights, mesh.area_faces[flat]


def _mode(heights: Float[np.ndarray, "f"], areas: Float[np.ndarray, "f"]) -> float:
    """Returns the height with the largest area around it, the mean of what lies there. 0 without any area."""
    if not len(heights) or areas.sum() <= 0:
        return 0.0
    counts = np.bincount((heights / BIN).astype(int), weights=areas)
    counts = np.convolve(counts, np.ones(3), mode="same")
    near = np.abs(heights - (counts.argmax() + 0.5) * BIN) <= 1.5 * BIN
    return float(np.average(heights[near], weights=areas[near]))
