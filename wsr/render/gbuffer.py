"""Computes the normal and the depth of every pixel of a rendered mesh, which are shaded afterwards.

OpenGL (`wsr/render/gl.py`) or Embree (below) computes them, and one shader is used for both, so that pictures look the
same on a machine without OpenGL.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import trimesh
from jaxtyping import Float, Int
from scipy import sparse

FIELD_OF_VIEW = np.radians(28)
DISTANCE = 1.04 / np.sin(FIELD_OF_VIEW / 2)  # the unit sphere fills the picture but for 4 %
CREASE = np.cos(np.radians(35))  # an edge sharper than this is drawn as an edge
_HALF_CREASE = np.cos(np.radians(35) / 2)
_AT_ONCE, _RAYS = 100_000, 8192  # corners, and rays, that are processed at once
_CROWD = 48  # a vertex with more faces is drawn flat, because all pairs of its faces would fill the memory


@dataclass(frozen=True)
class Camera:
    """A camera that looks at the origin. azimuth: degrees from +z towards +x. elevation: degrees above the horizon. +y
    is up."""

    azimuth: float
    elevation: float

    @cached_property
    def axes(self) -> Float[np.ndarray, "3 3"]:
        """The camera's axes in world coordinates, as columns: right, up, and back towards the viewer."""
        a, e = np.radians([self.azimuth, self.elevation])
        back = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
        right = np.array([np.cos(a), 0.0, -np.sin(a)])
        return np.stack([right, np.cross(back, right), back], axis=1)

    @property
    def pose(self) -> Float[np.ndarray, "4 4"]:
        """The camera-to-world transform."""
        pose = np.eye(4)
        pose[:3, :3] = self.axes
        pose[:3, 3] = self.axes[:, 2] * DISTANCE
        return pose


@dataclass(frozen=True)
class GBuffer:
    """The normal and depth of each pixel. normals: unit normals in the camera's axes, facing the viewer. depth:
    distance along the viewing axis, inf where there is no surface."""

    normals: Float[np.ndarray, "h w 3"]
    depth: Float[np.ndarray, "h w"]


def corner_normals(mesh: trimesh.Trimesh) -> Float[np.ndarray, "f 3 3"]:
    """Returns the normal of each corner of each face: the mean normal of the faces around the vertex whose angle to
    this face is below the crease angle. Bends are smooth and edges sharp, even where both meet in one vertex.
    """
    flat, faces = mesh.face_normals, mesh.faces  # (f, 3) both
    valence = np.bincount(faces.reshape(-1), minlength=len(mesh.vertices))
    crowded = valence[faces].max(axis=1, initial=0) > _CROWD
    around = mesh.faces_sparse.tocsr()  # (v, f)
    around.data = np.ones(around.nnz, dtype=np.float32)
    # where all faces around a vertex lie within half a crease of their mean, each lies within a crease of every other
    means = _unit(around @ (flat * mesh.area_faces[:, None]))  # (v, 3)
    close = np.einsum("fd,fcd->fc", flat, means[faces]) > _HALF_CREASE  # (f, 3)
    bent = np.bincount(faces[~close], minlength=len(mesh.vertices)) > 0  # (v,)
    result = np.where((crowded[:, None] | bent[faces])[..., None], flat[:, None], means[faces])
    corners = np.flatnonzero(bent[faces] & ~crowded[:, None])  # of 3 f
    for part in np.array_split(corners, len(corners) // _AT_ONCE + 1):  # in bounded memory
        result.reshape(-1, 3)[part] = _within_crease(mesh, around, part)
    return result


def _within_crease(
    mesh: trimesh.Trimesh, around: sparse.csr_matrix, corners: Int[np.ndarray, " c"]
) -> Float[np.ndarray, "c 3"]:
    """Normals of corners, numbered 0 to 3 f - 1, each from the faces around it that lie within a crease of its own."""
    flat = mesh.face_normals
    pairs = around[mesh.faces.reshape(-1)[corners]].tocoo()  # (c, f): each corner's faces
    own = flat[corners // 3]
    near = np.einsum("pd,pd->p", own[pairs.row], flat[pairs.col]) > CREASE
    shares = sparse.csr_matrix((mesh.area_faces[pairs.col] * near, (pairs.row, pairs.col)), shape=pairs.shape)
    sums = shares @ flat
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(length > 1e-20, sums / np.maximum(length, 1e-20), own)


def _unit(vectors: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """Scales vectors to length 1, and to 0 if they have no direction."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-20, vectors / np.maximum(length, 1e-20), 0.0)


def layers(mesh: trimesh.Trimesh, camera: Camera) -> float:
    """Estimates how many surfaces lie behind a pixel on average, which determines the cost of drawing."""
    seen = mesh.vertices @ camera.axes  # (v, 3) in the camera's axes
    flat = seen[:, :2] / np.maximum(DISTANCE - seen[:, 2:], 1e-6) / np.tan(FIELD_OF_VIEW / 2)
    a, b, c = (flat[mesh.faces[:, i]] for i in range(3))
    twice = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    return float(abs(twice).sum() / 8)  # half a parallelogram each, of a picture from -1 to 1


def turned_to_viewer(
    normals: Float[np.ndarray, "h w 3"], rays: Float[np.ndarray, "h w 3"]
) -> Float[np.ndarray, "h w 3"]:
    """Flips unit normals to face the camera, because the inner side of an open mesh can be visible too.

    Smooth normals that lean away a little at an outline are kept.
    """
    normals = normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
    away = np.einsum("hwd,hwd->hw", normals, rays) > 0.3
    return np.where(away[..., None], -normals, normals)


def camera_rays(size: int) -> Float[np.ndarray, "h w 3"]:
    """Returns rays through the pixel centres, in the camera's axes, with length 1 along the viewing axis."""
    edge = np.tan(FIELD_OF_VIEW / 2)
    steps = ((np.arange(size) * 2 + 1) / size - 1) * edge
    x, y = np.meshgrid(steps, -steps)
    return np.stack([x, y, -np.ones_like(x)], axis=-1)


def embree_buffer(mesh: trimesh.Trimesh, camera: Camera, size: int) -> GBuffer:
    """Computes normals and depths by casting a ray through every pixel."""
    rays = camera_rays(size)
    directions = rays.reshape(-1, 3) @ camera.axes.T  # (h w, 3) in the world
    origin = camera.pose[:3, 3]
    # in parts, so that other threads can run in between
    parts = np.array_split(directions, len(directions) // _RAYS + 1)
    faces = np.concatenate([mesh.ray.intersects_first(np.tile(origin, (len(part), 1)), part) for part in parts])
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
