"""Generates a finished mesh from (category, seed)."""

import zlib

import numpy as np
import trimesh
from jaxtyping import Float, Int
from manifold3d import Manifold
from scipy.spatial import cKDTree

from wsr.data.shapes10 import airplane, bench, cabinet, car, chair, lamp, loudspeaker, sofa, table, watercraft
from wsr.data.shapes10.solids import Dice
from wsr.data.signals import Attribute
from wsr.errors import WsrError, unknown_name

# Incremented with every change of any shape: caches of another version are not read.
VERSION = 4
SEEDS = 550
ATTRIBUTES_VERSION = 1  # incremented with every change of the attributes that are recorded
_MAKERS = {
    "airplane": airplane.make,
    "chair": chair.make,
    "table": table.make,
    "car": car.make,
    "lamp": lamp.make,
    "sofa": sofa.make,
    "watercraft": watercraft.make,
    "bench": bench.make,
    "loudspeaker": loudspeaker.make,
    "cabinet": cabinet.make,
}
CATEGORIES: tuple[str, ...] = tuple(_MAKERS)


def generate(category: str, seed: int) -> trimesh.Trimesh:
    """Generates one watertight shape. (category, seed) always gives the same mesh, whatever was generated before it.

    Its bounding box is centred at the origin and its farthest vertex is at distance 1, to float32 precision; y points
    up. WsrError for an unknown category or a seed outside 0..549.
    """
    return describe(category, seed)[0]


def describe(category: str, seed: int) -> tuple[trimesh.Trimesh, dict[str, Attribute]]:
    """Generates one shape as `generate` does, and returns it with its attributes: the choices of its generator (styles,
    counts, and lengths in units of the finished shape, whose farthest vertex is at distance 1) and its own `width` (x),
    `height` (y) and `depth` (z). Which attributes there are depends on the category and on the choices: a chair without
    arms has no style of arms."""
    if category not in _MAKERS:
        raise unknown_name("category", category, CATEGORIES)
    if not isinstance(seed, (int, np.integer)) or not 0 <= seed < SEEDS:
        raise WsrError(f"Shape seed {seed!r} is out of range: shapes10 has seeds 0 to {SEEDS - 1} in every category.")
    rng = np.random.default_rng([zlib.crc32(category.encode()), seed])
    dice = Dice(rng)
    mesh, scale = finish(_MAKERS[category](dice))
    lengths = {name: scale * length for name, length in dice.lengths.items()}
    extents = dict(zip(("width", "height", "depth"), mesh.extents.tolist(), strict=True))
    return mesh, {**extents, **dice.notes, **lengths}


def finish(solid: Manifold) -> tuple[trimesh.Trimesh, float]:
    """Scales a solid to the unit sphere and stores it as float32 vertices (v, 3) and int32 faces (f, 3). Returns the
    mesh, and the factor by which the solid was scaled."""
    # as_original drops the record of which part a face came from; only then can slivers along seams be simplified away
    mesh = _largest(solid.as_original().simplify(5e-4)).to_mesh64()
    faces, built = np.asarray(mesh.tri_verts).astype(np.int32), np.asarray(mesh.vert_properties)[:, :3]
    vertices = _scaled(_apart(_scaled(built), faces))
    scale = np.ptp(vertices, axis=0).max() / np.ptp(built, axis=0).max()
    return to_trimesh(vertices.astype(np.float32), faces), float(scale)


def _scaled(vertices: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "v 3"]:
    vertices = vertices - (vertices.min(0) + vertices.max(0)) / 2
    return vertices / np.linalg.norm(vertices, axis=1).max()


def _largest(solid: Manifold) -> Manifold:
    """Returns the largest part of a solid, without enclosed hollows (as between cushions) and the fragments of
    booleans."""
    return max(solid.decompose(), key=lambda part: part.volume())


def _apart(vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> Float[np.ndarray, "v 3"]:
    """Moves vertices that coincide by 5e-5 towards their own neighbours.

    Where two parts touch in an edge only, the solid is closed only as long as the two edges remain separate: a program
    that merges equal vertices, as most readers of STL do, would turn them into one edge with four faces.
    """
    vertices = vertices.copy()
    for _ in range(4):
        pairs = cKDTree(vertices).query_pairs(2e-6, output_type="ndarray")
        if not len(pairs):
            break
        moved = vertices.copy()
        for i in np.unique(pairs):
            around = np.unique(faces[(faces == i).any(1)])
            away = (vertices[around] - vertices[i]).sum(0)
            moved[i] += 5e-5 * away / max(np.linalg.norm(away), 1e-9)
        vertices = moved
    return vertices


def to_trimesh(vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> trimesh.Trimesh:
    """Makes a mesh from arrays. Cached and newly generated shapes both pass through it, and are therefore equal to the
    last bit."""
    return trimesh.Trimesh(vertices.astype(np.float64), faces, process=False)
