"""Triangulates polygons of any size and shape, and defines the result of a mesh reader."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import manifold3d
import numpy as np
from jaxtyping import Bool, Float, Int

from wsr.data.mesh_limits import MAX_FACES, Refusal, check_count
from wsr.errors import counted, were

_FLAT = 1e-9  # share of a polygon's area: a corner that bends back by less counts as straight


@dataclass
class Soup:
    """Vertices and triangles as stored in a file, and sentences about what was left out or repaired."""

    vertices: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    notes: list[str] = field(default_factory=list)


def soup_of_polygons(
    vertices: Float[np.ndarray, "v 3"], sizes: Int[np.ndarray, " p"], corners: Int[np.ndarray, " c"]
) -> Soup:
    """Triangulates polygons given one after the other by their vertex indices; `sizes` has the number of corners of
    each.

    Polygons of fewer than three corners are left out. Triangles come first, then quads, then larger polygons. A concave
    polygon is cut inside its outline; one that crosses itself has no inside and is cut into a fan, with a note.
    """
    check_count(int(np.maximum(sizes - 2, 0).sum()), MAX_FACES, "faces")
    if len(corners) and not 0 <= corners.min() <= corners.max() < len(vertices):
        wrong = int(corners.max() if corners.min() >= 0 else corners.min())
        raise Refusal(f"a face refers to its vertex number {wrong + 1:,}, counted from 1, of {len(vertices):,}")
    starts = np.cumsum(sizes) - sizes
    parts, crossing = [], 0
    for size in np.unique(sizes[sizes > 2]):
        polygons = corners[starts[sizes == size, None] + np.arange(size)]  # (m, size)
        triangles, crossed = _cut(vertices, polygons)
        parts.append(triangles)
        crossing += crossed
    faces = np.concatenate(parts) if parts else np.zeros((0, 3), np.int64)
    notes = [_crossed(crossing)] if crossing else []
    return Soup(vertices, faces, notes)


def _crossed(count: int) -> str:
    cut = were(count, "crosses itself and was cut into a fan", "cross themselves and were cut into fans")
    return f"{counted(count, 'polygon')} {cut}"


def _cut(vertices: np.ndarray, polygons: Int[np.ndarray, "m s"]) -> tuple[Int[np.ndarray, "t 3"], int]:
    """Returns the triangles of polygons of one size, and how many polygons cross themselves."""
    size = polygons.shape[1]
    if size == 3:
        return polygons, 0
    good = _fan_fits(vertices, polygons)
    if size == 4:
        other = np.roll(polygons, -1, axis=1)  # cut along the other diagonal
        turned = ~good & _fan_fits(vertices, other)
        quads = np.where(turned[:, None], other, polygons)
        return np.concatenate([quads[:, [0, 1, 2]], quads[:, [2, 3, 0]]]), int((~good & ~turned).sum())
    fan = np.stack([polygons[:, :1].repeat(size - 2, axis=1), polygons[:, 1:-1], polygons[:, 2:]], axis=2)
    parts, crossing = [fan[good].reshape(-1, 3)], 0
    for row in np.flatnonzero(~good):
        cut = _concave(vertices[polygons[row]])
        crossing += cut is None
        parts.append(fan[row] if cut is None else polygons[row][cut])
    return np.concatenate(parts), crossing


def _newell(points: Float[np.ndarray, "m s 3"]) -> Float[np.ndarray, "m 3"]:
    """Returns normals with a length of twice the polygon's area. Points are taken relative to the polygon's first
    point, for accuracy."""
    return np.cross(points, np.roll(points, -1, axis=1)).sum(axis=1)


def _fan_fits(vertices: np.ndarray, polygons: Int[np.ndarray, "m s"]) -> Bool[np.ndarray, " m"]:
    """Returns whether the fan around the first corner lies inside the polygon, that is, no triangle is flipped."""
    with np.errstate(all="ignore"):  # infinite vertices are refused later, with a message of their own
        points = vertices[polygons]
        points = points - points[:, :1]
        normal = _newell(points)  # (m, 3)
        triangles = np.cross(points[:, 1:-1], points[:, 2:])  # (m, s - 2, 3)
        along = np.einsum("mtd,md->mt", triangles, normal)
        size = np.linalg.norm(normal, axis=1)  # (m,)
        turned_over = (along < -_FLAT * size[:, None] ** 2).any(axis=1)
        cancels = size < _FLAT * np.linalg.norm(triangles, axis=2).sum(axis=1)  # equal areas on both sides of the plane
        return ~(turned_over | cancels)


def _concave(points: Float[np.ndarray, "s 3"]) -> Int[np.ndarray, "t 3"] | None:
    """Returns the corners of triangles inside the outline, or None if it crosses itself."""
    points = points - points[0]
    normal = _newell(points[None])[0]
    length = np.linalg.norm(normal)
    if not (np.isfinite(length) and length > 0):
        return None
    normal /= length
    right = np.cross(normal, np.eye(3)[np.argmin(abs(normal))])
    right /= np.linalg.norm(right)
    flat = points @ np.stack([right, np.cross(normal, right)], axis=1)  # (s, 2), counter-clockwise
    cut = np.asarray(manifold3d.triangulate([flat]), np.int64)
    if len(cut) != len(points) - 2:
        return None
    a, b, c = np.moveaxis(flat[cut], 1, 0)
    areas = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]  # (t,) twice
    return cut if abs(areas).sum() <= length * (1 + 1e-6) else None


def numbers(tokens: Sequence[bytes], kind: type) -> np.ndarray:
    """Converts text to float64 or int64. A Refusal for text that is not a number and for integers beyond 64 bits."""
    try:
        return np.fromiter(map(kind, tokens), np.float64 if kind is float else np.int64, len(tokens))
    except OverflowError:
        raise Refusal("it has a whole number of more than 64 bits") from None
    except ValueError:
        wrong = next(token for token in tokens if not _is_number(token, kind))
        raise Refusal(f"it has {wrong[:20].decode('ascii', 'replace')!r} where a number is needed") from None


def _is_number(token: bytes, kind: type) -> bool:
    try:
        kind(token)
    except ValueError:
        return False
    return True
