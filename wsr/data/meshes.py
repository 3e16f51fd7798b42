"""Meshes from files and trimesh: one surface, scaled to the unit sphere. Nothing too big is decoded."""

import logging
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import trimesh

from wsr.data.images import stable_split
from wsr.data.mesh_guards import GUARDS
from wsr.data.mesh_limits import MAX_FACES, MAX_MESH_BYTES, MAX_VERTICES, Refusal
from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError

SUFFIXES = tuple(f".{kind}" for kind in GUARDS)


def read_mesh(source: str | Path | trimesh.Trimesh | trimesh.Scene) -> trimesh.Trimesh:
    """One mesh, scaled to the unit sphere as `normalise` does; open and self-intersecting ones are welcome.

    source: a file (OBJ, PLY, STL, GLB, OFF) or a trimesh object. The parts of a scene are joined, equal vertices
    merged, colours and materials left out. A mesh that encloses a negative volume has its faces turned round.

    WsrError for a missing, empty, damaged or foreign file; for one of more than 32 MB, 500,000 faces or 1,500,000
    vertices (checked before anything is decoded); for a mesh without faces, without extent or with NaN.
    """
    if isinstance(source, (trimesh.Trimesh, trimesh.Scene)):
        return _checked(source, "The mesh")
    if not isinstance(source, (str, Path)):
        raise WsrError(f"A {type(source).__name__} is no mesh: a file's path or a trimesh.Trimesh is needed.")
    path = Path(source)
    return _checked(_decode(path), repr(path.name))


def _decode(path: Path) -> trimesh.Scene:
    name, kind = repr(path.name), path.suffix.lower().lstrip(".")
    if kind not in GUARDS:
        raise WsrError(f"{name} is not of a kind that is read: {', '.join(GUARDS).upper()} are.")
    if not path.is_file():
        raise WsrError(f"There is no mesh file {str(path)!r}.")
    size = path.stat().st_size
    if size == 0:
        raise WsrError(f"{name} is empty: a mesh with faces is needed.")
    if size > MAX_MESH_BYTES:
        raise WsrError(f"{name} has {size / 2**20:.0f} MB: meshes may have up to {MAX_MESH_BYTES // 2**20} MB.")
    try:
        data = GUARDS[kind](path.read_bytes())
        return trimesh.load_scene(BytesIO(data), file_type=kind, skip_materials=True, process=False)
    except Refusal as reason:
        raise WsrError(f"{name} cannot be read: {reason}.") from None
    except Exception as error:  # what a decoder raises on hostile bytes is open-ended
        logging.getLogger(__name__).debug("%s", path, exc_info=True)
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise WsrError(f"{name} is damaged and cannot be read as {kind.upper()} ({reason}).") from error


def _checked(source: trimesh.Trimesh | trimesh.Scene, name: str) -> trimesh.Trimesh:
    mesh = source
    if isinstance(source, trimesh.Scene):
        solid = [part for part in source.geometry.values() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
        mesh = source.to_mesh() if solid else trimesh.Trimesh()
    vertices, faces = np.asarray(mesh.vertices, dtype=np.float64), np.asarray(mesh.faces, dtype=np.int64)
    if len(faces) == 0:
        raise WsrError(f"{name} has no faces: a surface of triangles or polygons is needed.")
    if len(faces) > MAX_FACES or len(vertices) > MAX_VERTICES:
        raise WsrError(
            f"{name} has {len(faces):,} faces and {len(vertices):,} vertices: "
            f"up to {MAX_FACES:,} faces and {MAX_VERTICES:,} vertices are read."
        )
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise WsrError(f"{name} has faces of vertex {faces.max():,}, but its vertices end at {len(vertices) - 1:,}.")
    used = np.zeros(len(vertices), dtype=bool)
    used[faces] = True
    if not np.isfinite(vertices[used]).all():
        raise WsrError(f"{name} has vertices that are NaN or infinite.")
    return _cleaned(vertices[used], (np.cumsum(used) - 1)[faces], name)


def _cleaned(vertices: np.ndarray, faces: np.ndarray, name: str) -> trimesh.Trimesh:
    with np.errstate(over="ignore"):
        extent = float(np.ptp(vertices, axis=0).max())
    if not 1e-30 < extent < 1e30:
        raise WsrError(f"{name} has an extent of {extent:g}: its vertices do not span a shape.")
    mesh = normalise(trimesh.Trimesh(vertices, faces, process=False))
    # scaled first: vertices count as equal within 1e-8, whatever the file's unit
    mesh.merge_vertices()
    a, b, c = mesh.faces.T
    mesh.update_faces((a != b) & (b != c) & (c != a))
    mesh.remove_unreferenced_vertices()
    if len(mesh.faces) == 0:
        raise WsrError(f"{name} has no faces with three different corners.")
    a, b, c = np.moveaxis(mesh.triangles, 1, 0)  # corners, each (f, 3)
    if np.einsum("fd,fd->", a, np.cross(b, c)) < 0:  # six times the volume; trimesh's own warns of flat meshes
        mesh.invert()
    return mesh


def normalise(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """A copy moved and scaled so that its bounding box is centred at 0 and its farthest vertex at distance 1."""
    vertices = np.asarray(mesh.vertices, dtype=np.float64)
    vertices = vertices - (vertices.min(axis=0) + vertices.max(axis=0)) / 2  # (v, 3)
    radius = np.linalg.norm(vertices, axis=1).max() if len(vertices) else 0.0
    if not (np.isfinite(radius) and radius > 0):
        raise WsrError(f"A mesh of radius {radius:g} cannot be scaled to the unit sphere: its vertices span no shape.")
    return trimesh.Trimesh(vertices / radius, mesh.faces, process=False)


def load_mesh_folder(folder: str | Path) -> Signals:
    """Every OBJ, PLY, STL, GLB and OFF below a folder; the class is the first sub-folder, "" where there is none.

    ids are paths relative to the folder, without suffix. ShapeNetCore (`synset/model/models/model_normalized.obj`, or
    `synset/model/model.obj`) works as it is, with ids `synset/model`. Files are read when asked for.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise WsrError(f"There is no folder {str(folder)!r}.")
    files = sorted(path for path in folder.rglob("*") if _is_mesh(path, folder))
    if not files:
        raise WsrError(f"The folder {str(folder)!r} holds no meshes: OBJ, PLY, STL, GLB or OFF files are needed.")
    signals, taken = [], set()
    for path in files:
        relative = path.relative_to(folder)
        name = _identifier(relative)
        name = relative.as_posix() if name in taken else name
        taken.add(name)
        cls = relative.parts[0] if len(relative.parts) > 1 else ""
        signals.append(Signal(name, cls, stable_split(name), 3, partial(read_mesh, path)))
    return Signals(f"meshes:{folder}", 3, signals)


def _is_mesh(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()


def _identifier(relative: Path) -> str:
    name = relative.with_suffix("").as_posix()
    for ending in ("/models/model_normalized", "/model"):
        name = name.removesuffix(ending)
    return name
