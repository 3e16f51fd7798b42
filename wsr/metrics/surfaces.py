"""Distance of a surface to its target, from points sampled on both."""

import numpy as np
import trimesh
from jaxtyping import Float

from wsr.metrics.quality import chamfer

POINTS = 2048
EMPTY = 4.0  # distance to a mesh without faces: the unit sphere's diameter in both directions


def surface_distance(mesh: trimesh.Trimesh, target: trimesh.Trimesh, count: int = POINTS) -> float:
    """Chamfer distance between `count` points on each: not squared, summed over both directions. The two samples differ
    even for equal meshes, so the distance of a mesh to itself is not 0 but the floor of the metric."""
    if not len(mesh.faces):
        return EMPTY
    return chamfer(surface_points(mesh, count, 0), surface_points(target, count, 1))


def surface_points(mesh: trimesh.Trimesh, count: int = POINTS, seed: int = 0) -> Float[np.ndarray, "p 3"]:
    """Samples points (count, 3) uniformly on the surface."""
    return trimesh.sample.sample_surface(mesh, count, seed=seed)[0]
