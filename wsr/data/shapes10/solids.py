"""The solids that all categories are built of. Lengths are in units of the finished shape (in the unit sphere), give or
take some tenths.

Axes: x points to the right and along anything long, y up, z towards the viewer; vehicles drive towards +x. Every
function returns a closed `manifold3d.Manifold`, so that any boolean operation on them is watertight.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float
from manifold3d import CrossSection, Manifold, Mesh, OpType

Point = Sequence[float]


class Dice:
    """Draws the random choices of one shape. All come from one random generator in a fixed order, so a shape can be
    repeated.

    notes, lengths: the choices that the shape records, by name. If one name is recorded twice, as by two equal parts,
    the last value counts.
    """

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.notes: dict[str, str | int | float] = {}
        self.lengths: dict[str, float] = {}

    def note(self, **choices: str | int | float) -> None:
        """Records choices that do not change when the shape is scaled: styles, counts, angles and ratios."""
        self.notes |= {name.replace("_", " "): choice for name, choice in choices.items()}

    def length(self, **lengths: float) -> None:
        """Records lengths in the units in which the shape is built."""
        self.lengths |= {name.replace("_", " "): float(length) for name, length in lengths.items()}

    def between(self, low: float, high: float) -> float:
        return float(low + (high - low) * self.rng.random())

    def ratio(self, low: float, high: float) -> float:
        """Draws a log-uniform number, so that half is as likely as double."""
        return float(np.exp(self.between(np.log(low), np.log(high))))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, *options):
        return options[int(self.rng.random() * len(options))]

    def count(self, low: int, high: int) -> int:
        """Draws a whole number from low to high, both included."""
        return low + int(self.rng.random() * (high - low + 1))


def frame(width: float, height: float, depth: float) -> tuple[float, float, float]:
    """Returns the sides of the box with these proportions that just fits into the unit sphere, so that scaling the
    finished shape hardly changes the thickness of its parts."""
    scale = 2.0 / float(np.sqrt(width**2 + height**2 + depth**2))
    return width * scale, height * scale, depth * scale


def union(parts: Iterable[Manifold]) -> Manifold:
    return Manifold.batch_boolean(list(parts), OpType.Add)


def hull(points: Float[np.ndarray, "n 3"] | list) -> Manifold:
    return Manifold.hull_points(np.asarray(points, dtype=np.float64))


def box(low: Point, high: Point) -> Manifold:
    size = tuple(float(b - a) for a, b in zip(low, high, strict=True))
    return Manifold.cube(size).translate(tuple(map(float, low)))


_ARC = np.linspace(0.0, np.pi / 2, 4)


def soft_box(low: Point, high: Point, radius: float) -> Manifold:
    """Makes a box with rounded edges and corners. The radius is limited by the shortest side."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    radius = min(radius, 0.49 * float((high - low).min()))
    turn, lift = np.meshgrid(_ARC, _ARC)
    octant = np.stack([np.cos(turn) * np.cos(lift), np.sin(lift), np.sin(turn) * np.cos(lift)], -1).reshape(-1, 3)
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])  # (8, 3)
    corners = (low + high) / 2 + signs * ((high - low) / 2 - radius)  # (8, 3)
    return hull((corners[:, None] + signs[:, None] * octant * radius).reshape(-1, 3))


def tapered_box(low: Point, high: Point, top: tuple[float, float], shift: float = 0.0) -> Manifold:
    """Makes a box whose upper face is scaled by `top` (x, z) about its centre and moved by `shift` along x."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    cx, cz, hx, hz = (x0 + x1) / 2, (z0 + z1) / 2, (x1 - x0) / 2, (z1 - z0) / 2
    corners = [(sx, sz) for sx in (-1, 1) for sz in (-1, 1)]
    below = [(cx + sx * hx, y0, cz + sz * hz) for sx, sz in corners]
    above = [(cx + shift + sx * hx * top[0], y1, cz + sz * hz * top[1]) for sx, sz in corners]
    return hull(below + above)


def _circle(centre: Point, along: np.ndarray, radius: float, count: int) -> Float[np.ndarray, "count 3"]:
    axis = along / np.linalg.norm(along)
    side = np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    angle = np.arange(count) * 2 * np.pi / count
    return np.asarray(centre) + radius * (np.outer(np.cos(angle), side) + np.outer(np.sin(angle), np.cross(axis, side)))


def rod(start: Point, end: Point, radius: float, end_radius: float | None = None, count: int = 12) -> Manifold:
    """Makes a round bar between two points; with two radii, a truncated cone."""
    along = np.subtract(end, start).astype(float)
    end_radius = radius if end_radius is None else end_radius
    return hull(np.concatenate([_circle(start, along, radius, count), _circle(end, along, end_radius, count)]))


def bar(start: Point, end: Point, thick_x: float, thick_z: float, end_scale: float = 1.0) -> Manifold:
    """Makes a rectangular bar between two points at different heights; its ends are level and measure thick_x by
    thick_z."""
    square = np.array([(x, 0.0, z) for x in (-0.5, 0.5) for z in (-0.5, 0.5)]) * (thick_x, 1.0, thick_z)
    return hull(np.concatenate([np.add(start, square), np.add(end, square * end_scale)]))


def pipe(points: Sequence[Point], radius: float, count: int = 10) -> Manifold:
    """Makes rods along a line of points, with a ball at every bend."""
    links = [rod(a, b, radius, count=count) for a, b in zip(points[:-1], points[1:], strict=True)]
    return union(links + [ball(p, radius * 1.02, count) for p in points[1:-1]])


def ball(centre: Point, radius: float | Point, count: int = 20) -> Manifold:
    """Makes a sphere; with three radii, an ellipsoid."""
    radii = (radius,) * 3 if np.isscalar(radius) else tuple(map(float, radius))
    return Manifold.sphere(1.0, circular_segments=count).scale(radii).translate(tuple(map(float, centre)))


def prism(outline: Sequence[Point], axis: str, start: float, end: float) -> Manifold:
    """Extrudes a polygon along an axis. The outline is given in (y, z) for x, (x, z) for y and (x, y) for z."""
    outline = np.asarray(outline, dtype=np.float64)
    x, y = outline.T
    if np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) < 0:
        outline = outline[::-1]
    solid = CrossSection([outline]).extrude(end - start).translate((0.0, 0.0, float(start)))
    places = {
        "x": [[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0]],
        "y": [[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]],
        "z": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]],
    }
    return solid.transform(np.asarray(places[axis], dtype=np.float64))


def disc(centre: Point, axis: str, radius: float | tuple[float, float], thickness: float, count: int = 24) -> Manifold:
    """Makes a round plate around `centre` with its faces across `axis`; with two radii, an oval one."""
    first, second = (radius, radius) if np.isscalar(radius) else radius
    angle = np.arange(count) * 2 * np.pi / count
    outline = np.stack([first * np.cos(angle), second * np.sin(angle)], -1)
    return prism(outline, axis, -thickness / 2, thickness / 2).translate(tuple(map(float, centre)))


def rounded_outline(width: float, height: float, radius: float, power: float = 2.0) -> Float[np.ndarray, "n 2"]:
    """Returns the outline of a rectangle about the origin with rounded corners; with power 1 they are cut off
    straight."""
    radius = min(radius, 0.49 * width, 0.49 * height)
    steps = np.linspace(0.0, np.pi / 2, 5 if power > 1 else 2)
    corners = []
    for turn, (sx, sy) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)]):
        angle = steps + turn * np.pi / 2
        centre = np.array([sx * (width / 2 - radius), sy * (height / 2 - radius)])
        corners.append(centre + radius * np.stack([np.cos(angle), np.sin(angle)], -1))
    return np.concatenate(corners)


def turned(profile: Sequence[Point], count: int = 24) -> Manifold:
    """Makes a solid of revolution about the y axis; the profile is a closed outline in (radius, y)."""
    profile = np.asarray(profile, dtype=np.float64)
    x, y = profile.T
    if np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) < 0:
        profile = profile[::-1]
    return CrossSection([profile]).revolve(circular_segments=count).rotate((-90.0, 0.0, 0.0))


def loft(rings: Float[np.ndarray, "k n 3"]) -> Manifold:
    """Makes a solid through k closed rings of n points each, with flat ends. The rings must not cross each other."""
    rings = np.asarray(rings, dtype=np.float64)
    k, n = rings.shape[:2]
    i, j = np.meshgrid(np.arange(k - 1), np.arange(n), indexing="ij")
    a, b = (i * n + j).ravel(), (i * n + (j + 1) % n).ravel()
    first, last, around = k * n, k * n + 1, np.arange(n)
    ends = [
        np.stack([np.full(n, first), (around + 1) % n, around], -1),
        np.stack([np.full(n, last), (k - 1) * n + around, (k - 1) * n + (around + 1) % n], -1),
    ]
    faces = np.concatenate([np.stack([a, b, b + n], -1), np.stack([a, b + n, a + n], -1), *ends])  # (2kn, 3)
    points = np.concatenate([rings.reshape(-1, 3), rings[:1].mean(1), rings[-1:].mean(1)])
    corners = points[faces]
    if np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) < 0:
        faces = faces[:, ::-1]
    return Manifold(Mesh(points.astype(np.float32), np.ascontiguousarray(faces, dtype=np.uint32)))


def both(part: Manifold, axis: str = "z") -> list[Manifold]:
    """Returns a part and its mirror image in the plane through the origin across `axis`."""
    return [part, part.mirror({"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}[axis])]
