"""Turns faces outward however a file winds them, so that the inside of a solid does not depend on the exporter.

What is decided, and how, in this order:

1. Duplicate faces count once. Duplicates of opposite winding cancel: both are left out if the surface is closed without
them, because they are inner walls then; otherwise one of them stays. 2. Faces of one patch (joined along edges that two
faces share) get the winding that most of its area has. 3. A closed patch is turned to enclose a positive volume. If it
lies inside another patch, it keeps its winding relative to the outermost patch around it: with the opposite winding it
is a cavity, with the same winding part of the solid. 4. An open patch turns its front to the side from which more rays
escape. If both sides are alike, as inside a solid, it gets the winding that closes most edges with the patches around
it, and otherwise stays as it is.

A mesh that is already oriented so is returned bit by bit unchanged.
"""

from dataclasses import dataclass

import igl
import numpy as np
import trimesh
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_matrix, csc_array
from scipy.sparse.csgraph import connected_components

from wsr.errors import WsrError, counted

_RAYS = 96  # rays from an open patch to each side
_MOST_RAYS = 20_000  # most rays from a mesh to each side; they take half a second, or two for many layers
_FEW_RAYS = 4  # say nothing of a part
_EVIDENCE = 0.15  # difference of the shares that escape on both sides, from which on a side is called the front
_PROBES = 12  # points of a part that lie inside another one if it does
_MOST_PROBED = 300_000_000  # faces times probes, of all parts: 3 s


@dataclass(frozen=True)
class Orientation:
    """What was changed. doubled: number of duplicate faces left out. turned: number of faces whose winding was
    reversed. parts: number of patches of faces joined by edges. turned_parts: number of patches reversed as a whole.
    open_parts: number of patches with a border. cavities: number of closed patches that bound a hollow."""

    doubled: int = 0
    turned: int = 0
    parts: int = 0
    turned_parts: int = 0
    open_parts: int = 0
    cavities: int = 0


def outward(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]
) -> tuple[Int[np.ndarray, "g 3"], Orientation]:
    """Returns the faces turned outward by the rules above, without duplicates, and what was changed.

    WsrError if so many parts lie in each other's bounding boxes that cavities cannot be told from reversed parts within
    3 s.
    """
    kept, both_ways = single_faces(faces)
    before = faces[kept]
    wound, part = igl.bfs_orient(before)
    flip = (wound != before).any(axis=1)  # (f,)
    area = np.linalg.norm(_doubled_normals(vertices, before), axis=1) * ~both_ways
    count = int(part.max()) + 1
    # a search begins at any face: the winding of most of the area is the file's
    against = np.bincount(part, area * flip, count) > np.bincount(part, area * ~flip, count)
    flip ^= against[part]
    within = flip.copy()
    now = _flipped(before, flip)
    is_open = ~_closed_parts(now, part, count)
    turned, cavities = _closed_turned(vertices, now, part, is_open)
    if is_open.any() and (count > 1 or within.any() or len(kept) < len(faces)):
        turned |= _open_turned(vertices, now, part, is_open)
    result = _flipped(now, turned[part])
    flip ^= turned[part]
    report = Orientation(
        doubled=len(faces) - len(kept),
        turned=int((flip & ~both_ways).sum()),
        parts=count,
        turned_parts=int(turned.sum()),
        open_parts=int(is_open.sum()),
        cavities=cavities,
    )
    return result, report


def is_closed(faces: Int[np.ndarray, "f 3"]) -> bool:
    """Returns whether the faces traverse every edge equally often in both directions, so that each point has an integer
    winding number."""
    return bool(_closed_parts(faces, np.zeros(len(faces), np.int64), 1)[0])


def single_faces(faces: Int[np.ndarray, "f 3"]) -> tuple[Int[np.ndarray, " g"], Bool[np.ndarray, " g"]]:
    """Returns the rows of the faces that stay when duplicates count once, in order, and which of them had as many
    duplicates of one winding as of the other."""
    corners = np.sort(faces, axis=1)
    most = int(corners.max()) + 1  # at most 1,500,000, whose third power fits into 64 bits
    key = (corners[:, 0] * most + corners[:, 1]) * most + corners[:, 2]
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    if len(first) == len(faces):
        return np.arange(len(faces)), np.zeros(len(faces), bool)
    lowest = faces.argmin(axis=1)
    rows = np.arange(len(faces))
    even = faces[rows, (lowest + 1) % 3] < faces[rows, (lowest + 2) % 3]  # one of the two ways round
    net = np.bincount(place, np.where(even, 1, -1))  # of each place
    # of duplicates that do not cancel, one stays that is wound like the majority
    agrees = np.flatnonzero(even == (net[place] >= 0))
    keep = np.full(len(first), len(faces))
    np.minimum.at(keep, place[agrees], agrees)
    cancelled = net == 0
    walls = cancelled & _beside_closed(corners[first], cancelled)
    rows = np.sort(keep[~walls])
    return rows, cancelled[place[rows]]


def _beside_closed(corners: Int[np.ndarray, "p 3"], cancelled: Bool[np.ndarray, " p"]) -> Bool[np.ndarray, " p"]:
    """Returns the faces whose body (faces joined by vertices) is closed without the cancelling duplicates."""
    most = int(corners.max()) + 1
    ends = np.concatenate([corners[:, :2], corners[:, 1:]])
    graph = coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), (most, most))
    body = connected_components(graph, directed=False)[1]  # of each vertex
    rest = corners[~cancelled]
    edges = np.concatenate([rest[:, [0, 1]], rest[:, [1, 2]], rest[:, [0, 2]]])
    _, first, times = np.unique(edges[:, 0] * most + edges[:, 1], return_index=True, return_counts=True)
    has = np.zeros(most, bool)
    has[body[rest[:, 0]]] = True
    has[body[edges[first[times % 2 == 1], 0]]] = False
    return has[body[corners[:, 0]]]


def _flipped(faces: np.ndarray, which: Bool[np.ndarray, " f"]) -> Int[np.ndarray, "f 3"]:
    return np.where(which[:, None], faces[:, ::-1], faces)


def _doubled_normals(vertices: np.ndarray, faces: np.ndarray) -> Float[np.ndarray, "f 3"]:
    a, b, c = (vertices[column] for column in faces.T)
    return np.cross(b - a, c - a)


def _closed_parts(faces: np.ndarray, part: Int[np.ndarray, " f"], count: int) -> Bool[np.ndarray, " p"]:
    closed = np.ones(count, bool)
    closed[_borders(faces, part, count).nonzero()[1]] = False
    return closed


def _borders(faces: np.ndarray, part: Int[np.ndarray, " f"], count: int) -> csc_array:
    """Returns, for each edge (row) and part (column), how much more often the part's faces traverse it in one direction
    than in the other."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    low, high = edges.min(axis=1), edges.max(axis=1)
    names, row = np.unique(low * (int(faces.max()) + 1) + high, return_inverse=True)
    way = np.where(edges[:, 0] == low, 1, -1)
    borders = csc_array((way, (row, np.tile(part, 3))), (len(names), count))  # sums what is there twice
    borders.eliminate_zeros()
    return borders


def _closed_turned(
    vertices: np.ndarray, faces: np.ndarray, part: np.ndarray, is_open: np.ndarray
) -> tuple[Bool[np.ndarray, " p"], int]:
    """Returns which closed parts are to be reversed, and how many are cavities."""
    a, b, c = (vertices[column] for column in faces.T)
    volume = np.bincount(part, np.einsum("fd,fd->f", a, np.cross(b, c)), len(is_open))  # six times
    inward = (volume < 0) & ~is_open
    mixed = inward.any() and ((volume > 0) & ~is_open).any()
    if not mixed:
        return inward, 0
    around = _outermost(vertices, faces, part, np.flatnonzero(~is_open), volume)
    turned = inward.copy()
    nested = np.flatnonzero(around >= 0)
    turned[nested] = inward[around[nested]]
    return turned, int((inward[nested] != inward[around[nested]]).sum())


def _outermost(
    vertices: np.ndarray, faces: np.ndarray, part: np.ndarray, closed: Int[np.ndarray, " c"], volume: np.ndarray
) -> Int[np.ndarray, " p"]:
    """Returns for each part the largest closed part around it, -1 if there is none."""
    order = np.argsort(part, kind="stable")
    bounds = np.searchsorted(part[order], np.arange(len(volume) + 1))
    own = {p: faces[order[bounds[p] : bounds[p + 1]]] for p in closed.tolist()}
    low = {p: vertices[f].min(axis=(0, 1)) for p, f in own.items()}
    high = {p: vertices[f].max(axis=(0, 1)) for p, f in own.items()}
    by_size = sorted(own, key=lambda p: -abs(volume[p]))
    lows, highs = np.array([low[p] for p in by_size]), np.array([high[p] for p in by_size])
    around, probed = np.full(len(volume), -1), 0
    for place, p in enumerate(by_size):
        around_box = ((lows[:place] <= low[p]) & (highs[:place] >= high[p])).all(axis=1)
        points = _just_inside(vertices, own[p], volume[p]) if around_box.any() else None
        for candidate in np.flatnonzero(around_box):
            other = by_size[candidate]
            if around[other] >= 0:  # its own surroundings have been tried already
                continue
            probed += len(own[other]) * len(points)
            if probed > _MOST_PROBED:
                raise WsrError(
                    f"The mesh has {counted(len(own), 'closed part')}, some wound inward, in each other's boxes: which "
                    "are cavities and which are turned would take too long to find out. Turn all faces outward first."
                )
            winding = igl.winding_number(vertices, np.ascontiguousarray(own[other]), points)
            if (abs(np.asarray(winding)) > 0.5).all():
                around[p] = other
                break
    return around


def _just_inside(vertices: np.ndarray, faces: np.ndarray, volume: float) -> Float[np.ndarray, "n 3"]:
    """Returns points just behind some of a part's faces; they lie outside a second part that the first touches from
    outside."""
    normals = _doubled_normals(vertices, faces)
    length = np.linalg.norm(normals, axis=1)
    some = np.argsort(-length, kind="stable")[: 4 * _PROBES]
    some = some[np.linspace(0, len(some) - 1, min(_PROBES, len(some))).astype(int)]
    inner = -normals[some] / np.maximum(length[some, None], 1e-300) * np.sign(volume)
    return np.ascontiguousarray(vertices[faces[some]].mean(axis=1) + 1e-5 * inner)


def _open_turned(vertices: np.ndarray, faces: np.ndarray, part: np.ndarray, is_open: np.ndarray) -> np.ndarray:
    """Returns which open parts turn their front to the side from which fewer rays escape (Takayama et al. 2014)."""
    rng = np.random.default_rng(0)
    chosen = np.flatnonzero(is_open)
    each = max(1, min(_RAYS, _MOST_RAYS // len(chosen)))
    if each < _FEW_RAYS:  # a soup of so many scraps that nothing is certain
        return _closing(_borders(faces, part, len(is_open)), np.zeros(len(is_open), bool), chosen)
    order = np.argsort(part, kind="stable")
    normals = _doubled_normals(vertices, faces)
    length = np.linalg.norm(normals, axis=1)
    total = np.concatenate([[0.0], np.cumsum(length[order])])
    bounds = np.searchsorted(part[order], np.arange(len(is_open) + 1))
    first, last = total[bounds[chosen]], total[bounds[chosen + 1]]
    drawn = first[:, None] + rng.uniform(size=(len(chosen), each)) * (last - first)[:, None]
    rows = order[(np.searchsorted(total, drawn, side="right") - 1).clip(0, len(order) - 1)].reshape(-1)
    weights = rng.dirichlet((1, 1, 1), len(rows))
    origins = np.einsum("nc,ncd->nd", weights, vertices[faces[rows]])
    front = normals[rows] / np.maximum(length[rows, None], 1e-300)
    way = rng.standard_normal((len(rows), 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    way *= np.where(np.einsum("nd,nd->n", way, front) < 0, -1.0, 1.0)[:, None]
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    escapes = [
        (mesh.ray.intersects_first(origins + sign * 1e-4 * front, sign * way) < 0).reshape(len(chosen), each).mean(1)
        for sign in (1, -1)
    ]
    evidence = escapes[1] - escapes[0]
    turned = np.zeros(len(is_open), bool)
    turned[chosen] = evidence > _EVIDENCE
    return _closing(_borders(faces, part, len(is_open)), turned, chosen[abs(evidence) <= _EVIDENCE])


def _closing(borders: csc_array, turned: Bool[np.ndarray, " p"], undecided: Int[np.ndarray, " u"]) -> np.ndarray:
    """Reverses the undecided parts one after the other where that leaves fewer edges open."""
    way = np.where(turned, -1, 1)
    net = borders @ way  # (e,)
    several = np.bincount(borders.indices, minlength=borders.shape[0]) > 1
    owner = np.repeat(np.arange(len(way)), np.diff(borders.indptr))
    touching = np.intersect1d(undecided, owner[several[borders.indices]]).tolist()
    for _ in range(2):  # a second round for those that an undecided neighbour was turned after
        for p in touching:
            column = slice(borders.indptr[p], borders.indptr[p + 1])
            rows, own = borders.indices[column], borders.data[column] * way[p]
            if own @ own < own @ net[rows]:
                net[rows] -= 2 * own
                way[p] = -way[p]
    return way < 0
