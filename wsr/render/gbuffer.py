"""What a camera sees of a mesh, before it is shaded: the normal and the depth of every pixel.

Two ways draw it, OpenGL (`wsr/render/gl.py`) and Embree (below), and one shader colours both, so a picture looks the
same on a machine without OpenGL.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import trimesh
from jaxtyping import Float
from scipy import sparse

FIELD_OF_VIEW = np.radians(28)
DISTANCE = 1.04 / np.sin(FIELD_OF_VIEW / 2)  # the unit sphere fills the picture but for 4 %
CREASE = np.cos(np.radians(35))  # an edge sharper than this is drawn as an edge
_CROWD = 48  # faces around a vertex: the apex of a fan is drawn flat, for its pairs of faces would fill the memory


@dataclass(frozen=True)
class Camera:
    """It looks at the origin. azimuth in degrees from +z towards +x, elevation from the horizon up; +y is up."""

    azimuth: float
    elevation: float

    @cached_property
    def axes(self) -> Float[np.ndarray, "3 3"]:
        """Columns: right, up, and back towards the viewer, in the world."""
        a, e = np.radians([self.azimuth, self.elevation])
        back = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
        right = np.array([np.cos(a), 0.0, -np.sin(a)])
        return np.stack([right, np.cross(back, right), back], axis=1)

    @property
    def pose(self) -> Float[np.ndarray, "4 4"]:
        pose = np.eye(4)
        pose[:3, :3] = self.axes
        pose[:3, 3] = self.axes[:, 2] * DISTANCE
        return pose


@dataclass(frozen=True)
class GBuffer:
    """normals: in the camera's axes, turned to the viewer, unit length; depth: along its axis, inf where nothing is."""

    normals: Float[np.ndarray, "h w 3"]
    depth: Float[np.ndarray, "h w"]


def corner_normals(mesh: trimesh.Trimesh) -> Float[np.ndarray, "f 3 3"]:
    """Of each face's three corners: the mean over those faces around the vertex that lie within a crease of this one.

    So a bend is smooth and an edge is sharp, also where they meet in a vertex.
    """
    flat, faces = mesh.face_normals, mesh.faces  # (f, 3) both
    valence = np.bincount(faces.reshape(-1), minlength=len(mesh.vertices))
    crowded = valence[faces].max(axis=1) > _CROWD
    around = mesh.faces_sparse.tocsr()  # (v, f)
    around.data = np.ones(around.nnz, dtype=np.float32)
    corners = faces[~crowded].reshape(-1)
    pairs = around[corners].tocoo()  # (3 f, f): each corner's faces
    own = np.flatnonzero(~crowded)[pairs.row // 3]
    near = np.einsum("pd,pd->p", flat[own], flat[pairs.col]) > CREASE
    sums = sparse.csr_matrix((mesh.area_faces[pairs.col] * near, (pairs.row, pairs.col)), shape=pairs.shape) @ flat
    result = np.repeat(flat[:, None], 3, axis=1)  # (f, 3, 3)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    own_normal = np.repeat(flat[~crowded], 3, axis=0)
    result[~crowded] = np.where(length > 1e-20, sums / np.maximum(length, 1e-20), own_normal).reshape(-1, 3, 3)
    return result


def turned_to_viewer(
    normals: Float[np.ndarray, "h w 3"], rays: Float[np.ndarray, "h w 3"]
) -> Float[np.ndarray, "h w 3"]:
    """Unit normals that face the camera, for the inner side of an open mesh is seen too.

    Smooth ones may lean away a little at an outline, and stay.
    """
    normals = normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
    away = np.einsum("hwd,hwd->hw", normals, rays) > 0.3
    return np.where(away[..., None], -normals, normals)


def camera_rays(size: int) -> Float[np.ndarray, "h w 3"]:
    """Through pixel centres, in the camera's axes, one long along its axis."""
    edge = np.tan(FIELD_OF_VIEW / 2)
    steps = ((np.arange(size) * 2 + 1) / size - 1) * edge
    x, y = np.meshgrid(steps, -steps)
    return np.stack([x, y, -np.ones_like(x)], axis=-1)


def embree_buffer(mesh: trimesh.Trimesh, camera: Camera, size: int) -> GBuffer:
    """By casting a ray through every pixel."""
    rays = camera_rays(size)
    directions = rays.reshape(-1, 3) @ camera.axes.T  # (h w, 3) in the world
    origin = camera.pose[:3, 3]
    faces = mesh.ray.intersects_first(np.tile(origin, (len(directions), 1)), directions)
    seen = np.flatnonzero(faces >= 0)
    hit, along = faces[seen], directions[seen]
    corners, flat = mesh.triangles[hit], mesh.face_normals[hit]
    slope = np.einsum("md,md->m", flat, along)
    slope = np.where(abs(slope) < 1e-9, 1e-9, slope)
    distance = np.einsum("md,md->m", flat, corners[:, 0] - origin) / slope  # rays are 1 long along the axis
    points = origin + along * distance[:, None]
    weights = trimesh.triangles.points_to_barycentric(corners, points).clip(0, 1)
    smooth = np.einsum("mc,mcd->md", weights, corner_normals(mesh)[hit])
    normals, depth = np.zeros((size * size, 3)), np.full(size * size, np.inf)
    normals[seen], depth[seen] = smooth @ camera.axes, distance
    return GBuffer(turned_to_viewer(normals.reshape(size, size, 3), rays), depth.reshape(size, size))
