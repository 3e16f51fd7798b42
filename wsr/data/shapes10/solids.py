"""Solids that every category is built of. Lengths are those of the finished shape (unit sphere) to within some tenths.

Axes: x to the right and along anything long, y up, z towards the viewer; vehicles drive towards +x. Every function
returns a closed `manifold3d.Manifold`, so that any boolean of them is watertight.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float
from manifold3d import CrossSection, Manifold, Mesh, OpType

Point = Sequence[float]


class Dice:
    """The random choices of one shape. One generator, drawn from in program order, makes a shape repeatable.

    `notes` and `lengths` are what the shape records of its choices, by name. Of what is recorded twice, as by each of
    two equal parts, the last counts.
    """

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.notes: dict[str, str | int | float] = {}
        self.lengths: dict[str, float] = {}

    def note(self, **choices: str | int | float) -> None:
        """Records choices of the shape that do not change when it is scaled: styles, counts, angles and ratios."""
        self.notes |= {name.replace("_", " "): choice for name, choice in choices.items()}

    def length(self, **lengths: float) -> None:
        """Records lengths of the shape, in the units that it is built in."""
        self.lengths |= {name.replace("_", " "): float(length) for name, length in lengths.items()}

    def between(self, low: float, high: float) -> float:
        return float(low + (high - low) * self.rng.random())

    def ratio(self, low: float, high: float) -> float:
        """Log-uniform: as many halves as doubles."""
        return float(np.exp(self.between(np.log(low), np.log(high))))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, *options):
        return options[int(self.rng.random() * len(options))]

    def count(self, low: int, high: int) -> int:
        """A whole number of low..high, both included."""
        return low + int(self.rng.random() * (high - low + 1))


def frame(width: float, height: float, depth: float) -> tuple[float, float, float]:
    """The box of these proportions that just fits the unit sphere: a part made in it keeps its thickness."""
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
    """A box with its edges and corners rounded. The radius is cut to what the shortest side allows."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    radius = min(radius, 0.49 * float((high - low).min()))
    turn, lift = np.meshgrid(_ARC, _ARC)
    octant = np.stack([np.cos(turn) * np.cos(lift), np.sin(lift), np.sin(turn) * np.cos(lift)], -1).reshape(-1, 3)
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])  # (8, 3)
    corners = (low + high) / 2 + signs * ((high - low) / 2 - radius)  # (8, 3)
    return hull((corners[:, None] + signs[:, None] * octant * radius).reshape(-1, 3))


def tapered_box(low: Point, high: Point, top: tuple[float, float], shift: float = 0.0) -> Manifold:
    """A box whose upper face is scaled by `top` (x, z) about its middle and moved by `shift` along x."""
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
    """A round bar, or with two radii a cone, between two points."""
    along = np.subtract(end, start).astype(float)
    end_radius = radius if end_radius is None else end_radius
    return hull(np.concatenate([_circle(start, along, radius, count), _circle(end, along, end_radius, count)]))


def bar(start: Point, end: Point, thick_x: float, thick_z: float, end_scale: float = 1.0) -> Manifold:
    """A rectangular bar between two points at different heights; its ends are level and measure thick_x by thick_z."""
    square = np.array([(x, 0.0, z) for x in (-0.5, 0.5) for z in (-0.5, 0.5)]) * (thick_x, 1.0, thick_z)
    return hull(np.concatenate([np.add(start, square), np.add(end, square * end_scale)]))


def pipe(points: Sequence[Point], radius: float, count: int = 10) -> Manifold:
    """Rods along a line of points with a ball at every bend."""
    links = [rod(a, b, radius, count=count) for a, b in zip(points[:-1], points[1:], strict=True)]
    return union(links + [ball(p, radius * 1.02, count) for p in points[1:-1]])


def ball(centre: Point, radius: float | Point, count: int = 20) -> Manifold:
    """A sphere, or with three radii an ellipsoid."""
    radii = (radius,) * 3 if np.isscalar(radius) else tuple(map(float, radius))
    return Manifold.sphere(1.0, circular_segments=count).scale(radii).translate(tuple(map(float, centre)))


def prism(outline: Sequence[Point], axis: str, start: float, end: float) -> Manifold:
    """A polygon pushed along an axis. The outline is given in (y, z) for x, (x, z) for y and (x, y) for z."""
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
    """A round (or with two radii oval) plate, centred, its faces across `axis`."""
    first, second = (radius, radius) if np.isscalar(radius) else radius
    angle = np.arange(count) * 2 * np.pi / count
    outline = np.stack([first * np.cos(angle), second * np.sin(angle)], -1)
    return prism(outline, axis, -thickness / 2, thickness / 2).translate(tuple(map(float, centre)))


def rounded_outline(width: float, height: float, radius: float, power: float = 2.0) -> Float[np.ndarray, "n 2"]:
    """A rectangle about the origin with rounded corners; power 1 cuts the corners straight."""
    radius = min(radius, 0.49 * width, 0.49 * height)
    steps = np.linspace(0.0, np.pi / 2, 5 if power > 1 else 2)
    corners = []
    for turn, (sx, sy) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)]):
        angle = steps + turn * np.pi / 2
        centre = np.array([sx * (width / 2 - radius), sy * (height / 2 - radius)])
        corners.append(centre + radius * np.stack([np.cos(angle), np.sin(angle)], -1))
    return np.concatenate(corners)


def turned(profile: Sequence[Point], count: int = 24) -> Manifold:
    """A body of revolution about the y axis; the profile is a closed outline in (radius, y)."""
    profile = np.asarray(profile, dtype=np.float64)
    x, y = profile.T
    if np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) < 0:
        profile = profile[::-1]
    return CrossSection([profile]).revolve(circular_segments=count).rotate((-90.0, 0.0, 0.0))


def loft(rings: Float[np.ndarray, "k n 3"]) -> Manifold:
    """A skin over k closed rings of n points each, with flat ends. The rings must not cross each other."""
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
    """A part and its mirror image across the plane through the origin."""
    return [part, part.mirror({"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}[axis])]
