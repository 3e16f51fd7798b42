"""Meshes from files and trimesh: one surface, scaled to the unit sphere, its faces turned outward."""

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import trimesh
from jaxtyping import Float, Int

from wsr import isolation
from wsr.data.images import stable_split
from wsr.data.mesh_limits import MAX_FACES, MAX_MESH_BYTES, MAX_VERTICES, Refusal
from wsr.data.orientation import Orientation, outward
from wsr.data.readers.meshes import READERS
from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError, counted
from wsr.formats.files import shown, there
from wsr.formats.recognise import content_of, mesh_kind, stand_in
from wsr.modalities import OCCUPANCY

SUFFIXES = tuple(f".{kind}" for kind in READERS)
READ_SECONDS = 20.0
READ_MEMORY = 2 * 2**30
_FARTHEST = 1e30  # from 0: the squares of larger coordinates soon overflow
REPAIRS = "wsr repairs"  # where a mesh's metadata hold what was done to it: an Orientation, and the reader's notes


def read_mesh(source: str | Path | trimesh.Trimesh | trimesh.Scene) -> trimesh.Trimesh:
    """Reads a mesh and scales it to the unit sphere by `normalise`. Open and self-intersecting meshes are allowed.

    source: a file (OBJ, PLY, STL, GLB, OFF) or a trimesh object. Parts of a scene are joined, equal vertices are
    merged, colours and materials are dropped. Duplicate faces are dropped and all faces are turned outward by the rules
    of `wsr.data.orientation`; `wsr.data.mesh_report.describe_mesh` reports what was done. Files are read in a child
    process with limits of memory and time.

    WsrError for a missing, empty, damaged or foreign file; for one of more than 32 MB, 500,000 faces or 1,500,000
    vertices; for a mesh without faces, without extent or with NaN; for one that takes more than 20 s or 2 GB.
    """
    if isinstance(source, trimesh.Trimesh):
        return _mesh(*_cleaned(source.vertices, source.faces, "The mesh"), ())
    if isinstance(source, trimesh.Scene):
        solid = [part for part in source.geometry.values() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
        return read_mesh(source.to_mesh() if solid else trimesh.Trimesh())
    if not isinstance(source, (str, Path)):
        raise WsrError(f"A {type(source).__name__} is not a mesh: give the path of a file, or a trimesh.Trimesh.")
    path = Path(source)
    _check_file(path)
    limits = isolation.Limits(seconds=READ_SECONDS, memory=READ_MEMORY, what=repr(path.name))
    return _mesh(*isolation.call(read_arrays, str(path.absolute()), limits=limits))


def _mesh(vertices: np.ndarray, faces: np.ndarray, done: Orientation, notes: tuple[str, ...]) -> trimesh.Trimesh:
    return trimesh.Trimesh(vertices, faces, process=False, metadata={REPAIRS: (done, tuple(notes))})


def _check_file(path: Path) -> None:
    name, kind = repr(path.name), path.suffix.lower().lstrip(".")
    if kind not in READERS:
        raise WsrError(f"{name} is not a mesh file of a supported format: {', '.join(READERS).upper()} can be read.")
    try:
        size = path.stat().st_size if path.is_file() else None
    except (OSError, ValueError) as error:  # a name too long, or with a zero in it
        raise WsrError(f"{name[:80]} cannot be opened ({' '.join(str(error).split())[:80]}).") from None
    if size is None:
        raise WsrError(f"There is no mesh file {str(path)!r}.")
    if size == 0:
        raise WsrError(f"{name} is empty: a mesh with faces is needed.")
    if size > MAX_MESH_BYTES:
        raise WsrError(f"{name} has {size / 2**20:.0f} MB: meshes may have up to {MAX_MESH_BYTES // 2**20} MB.")


def read_arrays(
    path: str,
) -> tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"], Orientation, tuple[str, ...]]:
    """Reads a file as `read_mesh` does, but in this process. Returns vertices, faces, what was reoriented and left out,
    and remarks of the reader."""
    name, kind = repr(Path(path).name), Path(path).suffix.lower().lstrip(".")
    data = Path(path).read_bytes()
    if clause := stand_in(data, "a mesh"):
        raise WsrError(f"{name} {clause}.")
    try:
        with np.errstate(all="ignore"):  # NaN and infinite numbers get a message of their own
            soup = READERS[kind](data)
        if not len(soup.faces):
            raise Refusal("it has no faces, and a surface of triangles or polygons is needed")
    except MemoryError:
        raise
    except Exception as error:  # what a damaged file raises is open-ended
        if (found := content_of(data)) and mesh_kind(data) != kind:
            raise WsrError(_misnamed(name, kind, found, mesh_kind(data))) from None
        if isinstance(error, Refusal):
            raise WsrError(f"{name} cannot be read: {error}.") from None
        logging.getLogger(__name__).debug("%s", path, exc_info=True)
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise WsrError(f"{name} is damaged and cannot be read as {kind.upper()} ({reason}).") from error
    return *_cleaned(soup.vertices, soup.faces, name), tuple(soup.notes)


def _misnamed(name: str, kind: str, found: str, mesh: str) -> str:
    """Returns the sentence for a file whose name ends in `kind` although it holds something else, perhaps another kind
    of mesh."""
    remedy = f"let its name end in .{mesh}" if mesh else f"{', '.join(READERS).upper()} are read"
    return f"{name} is named as {kind.upper()}, and it holds {found}: {remedy}."


def _cleaned(vertices: np.ndarray, faces: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray, Orientation]:
    """Checks and scales a mesh, merges equal vertices and turns its faces outward."""
    vertices, faces = _checked(np.asarray(vertices, np.float64), np.asarray(faces, np.int64), name)
    _check_extent(vertices, name)
    mesh = normalise(trimesh.Trimesh(vertices, faces, process=False))
    # scaled first: vertices count as equal within 1e-8, whatever the file's unit
    mesh.merge_vertices()
    a, b, c = mesh.faces.T
    mesh.update_faces((a != b) & (b != c) & (c != a))
    mesh.remove_unreferenced_vertices()
    if len(mesh.faces) == 0:
        raise WsrError(f"{name} has no faces with three different corners.")
    vertices = np.asarray(mesh.vertices, np.float64)
    faces, done = outward(vertices, np.asarray(mesh.faces, np.int64))
    a, b, c = (vertices[column] for column in faces.T)
    if done.parts == 1 and np.einsum("fd,fd->", a, np.cross(b, c)) < 0:  # six times the volume, roughly of an open one
        faces, done = faces[:, ::-1], replace(done, turned=len(faces) - done.turned, turned_parts=1)
    return vertices, faces, done


def _check_extent(vertices: np.ndarray, name: str) -> None:
    """Raises WsrError if coordinates are too large, or too close to each other, for floating-point arithmetic."""
    largest = float(abs(vertices).max())
    if largest > _FARTHEST:
        raise WsrError(
            f"{name} has coordinates of up to {largest:.3g}, and up to {_FARTHEST:g} are read: lengths of larger ones "
            "cannot be computed. Scale it down."
        )
    extent = float(np.ptp(vertices, axis=0).max())
    if extent == 0:
        raise WsrError(f"{name} has an extent of 0: all its vertices lie in one place.")
    if extent < 1 / _FARTHEST:
        raise WsrError(f"{name} has an extent of {extent:.3g}, and {1 / _FARTHEST:g} at least is needed: scale it up.")


def _checked(vertices: np.ndarray, faces: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the vertices that faces use, and the faces. WsrError for no or too many faces, wrong vertex numbers, or
    NaN."""
    if len(faces) == 0:
        raise WsrError(f"{name} has no faces: a surface of triangles or polygons is needed.")
    if len(faces) > MAX_FACES or len(vertices) > MAX_VERTICES:
        raise WsrError(
            f"{name} has {counted(len(faces), 'face')} and {counted(len(vertices), 'vertex', 'vertices')}: "
            f"up to {MAX_FACES:,} faces and {MAX_VERTICES:,} vertices are read."
        )
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise WsrError(f"{name} has faces of vertex {faces.max():,}, but its vertices end at {len(vertices) - 1:,}.")
    used = np.zeros(len(vertices), dtype=bool)
    used[faces] = True
    if not np.isfinite(vertices[used]).all():
        raise WsrError(f"{name} has vertices that are NaN or infinite, or too large for a float of 64 bits.")
    return vertices[used], (np.cumsum(used) - 1)[faces]


def normalise(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """Returns a copy moved and scaled so that its bounding box is centred at 0 and its farthest vertex is at distance
    1."""
    vertices = np.asarray(mesh.vertices, dtype=np.float64)
    vertices = vertices - (vertices.min(axis=0) + vertices.max(axis=0)) / 2  # (v, 3)
    radius = np.linalg.norm(vertices, axis=1).max() if len(vertices) else 0.0
    if not (np.isfinite(radius) and radius > 0):
        raise WsrError(f"A mesh of radius {radius:g} cannot be scaled to the unit sphere: its vertices span no shape.")
    return trimesh.Trimesh(vertices / radius, mesh.faces, process=False)


def load_mesh_folder(folder: str | Path) -> Signals:
    """Loads every OBJ, PLY, STL, GLB and OFF file below a folder. The class is the first sub-folder, "" if there is
    none.

    ids are paths relative to the folder, without suffix. ShapeNetCore (`synset/model/models/model_normalized.obj`, or
    `synset/model/model.obj`) works as it is, with ids `synset/model`. Files are read when asked for.
    """
    folder = Path(folder)
    if not there(folder, Path.is_dir):
        raise WsrError(f"There is no folder {shown(folder)}.")
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
        signals.append(Signal(name, cls, stable_split(name), OCCUPANCY.dim, partial(read_mesh, path)))
    return Signals(f"meshes:{folder}", OCCUPANCY.dim, signals, OCCUPANCY)


def _is_mesh(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()


def _identifier(relative: Path) -> str:
    name = relative.with_suffix("").as_posix()
    for ending in ("/models/model_normalized", "/model"):
        name = name.removesuffix(ending)
    return name
