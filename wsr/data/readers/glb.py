"""Binary glTF: triangles, strips and fans, placed by their nodes."""

import json
import struct
from typing import Any

import numpy as np

from wsr.data.mesh_limits import MAX_FACES, MAX_PARTS, MAX_VERTICES, Refusal, check_count
from wsr.data.readers.gltf_nodes import placed
from wsr.data.readers.polygons import Soup
from wsr.errors import counted, were

_MAX_JSON = 4 * 2**20
_JSON, _BIN = 0x4E4F534A, 0x004E4942
_POINTS_AND_LINES, _TRIANGLES, _STRIP, _FAN = range(4), 4, 5, 6
_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_UNREAD = {
    "KHR_draco_mesh_compression": "its geometry is compressed by {}, which is not read: export it without compression",
    "EXT_meshopt_compression": "its geometry is compressed by {}, which is not read: export it without compression",
    "KHR_meshopt_compression": "its geometry is compressed by {}, which is not read: export it without compression",
    "EXT_mesh_gpu_instancing": "its parts are placed by {}, which is not read: export it without instancing",
}


def read_glb(data: bytes) -> Soup:
    """Reads the triangles of the default scene, without materials, images, animations and extensions. Points and lines
    are left out, and only the data that triangles use is read. A JSON that does not have glTF's structure raises
    Python's own exceptions.
    """
    header, binary = _chunks(data)
    for name in header.get("extensionsRequired", []):
        if name in _UNREAD:
            raise Refusal(_UNREAD[name].format(name))
    source = _Source(header, binary)
    vertices, faces, count, lines = [], [], np.zeros(3, np.int64), 0
    for mesh, transform in placed(header):
        for primitive in source.entry("meshes", mesh)["primitives"]:
            if primitive.get("mode", _TRIANGLES) in _POINTS_AND_LINES:
                lines += 1
                continue
            points, triangles = source.part(primitive)
            count += (1, len(points), len(triangles))  # a mesh that is placed twice counts twice
            for number, limit, what in zip(
                count, (MAX_PARTS, MAX_VERTICES, MAX_FACES), ("parts", "vertices", "faces"), strict=True
            ):
                check_count(int(number), limit, what)
            faces.append(_mirrored(triangles, transform) + (count[1] - len(points)))
            vertices.append(points @ transform[:3, :3].T + transform[:3, 3])
    notes = [f"{counted(lines, 'part')} of points or lines {were(lines)} left out"] if lines else []
    if not faces:
        return Soup(np.zeros((0, 3)), np.zeros((0, 3), np.int64), notes)
    return Soup(np.concatenate(vertices), np.concatenate(faces), notes)


def _mirrored(triangles: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Reverses triangles where a transform mirrors them: by glTF's rule, the front of a mirrored face is its other
    side."""
    return triangles[:, ::-1] if np.linalg.det(transform[:3, :3]) < 0 else triangles


def _chunks(data: bytes) -> tuple[dict, bytes]:
    if len(data) < 20 or data[:4] != b"glTF":
        raise Refusal("it does not begin as a GLB file does")
    version, _, length, kind = struct.unpack_from("<4I", data, 4)
    if version != 2 or kind != _JSON:
        raise Refusal(f"it is not glTF 2.0 but version {version}")
    check_count(length, _MAX_JSON, "bytes of JSON")
    if 20 + length > len(data):
        raise Refusal(f"it declares {counted(length, 'byte')} of JSON and ends after {len(data) - 20:,}")
    try:
        header = json.loads(data[20 : 20 + length])
    except (ValueError, RecursionError):
        raise Refusal("its header is no JSON") from None
    binary = b""
    if len(data) >= 28 + length:
        size, kind = struct.unpack_from("<2I", data, 20 + length)
        binary = data[28 + length : 28 + length + size] if kind == _BIN else b""
    return header, binary


class _Source:
    """The JSON header and the binary chunk. Accessors are read on demand."""

    def __init__(self, header: dict, binary: bytes):
        self.header, self.binary = header, binary

    def entry(self, key: str, index: Any) -> dict:
        entries = self.header.get(key, [])
        if type(index) is not int or not 0 <= index < len(entries):
            raise Refusal(f"it refers to number {str(index)[:20]} of its {len(entries):,} {key}")
        return entries[index]

    def part(self, primitive: dict) -> tuple[np.ndarray, np.ndarray]:
        """Returns vertices (v, 3) and triangles (f, 3) of a primitive."""
        points = self.accessor(primitive["attributes"]["POSITION"], "VEC3").astype(np.float64)
        if "indices" in primitive:
            corners = self.accessor(primitive["indices"], "SCALAR")[:, 0]
            if corners.dtype.kind == "f":
                raise Refusal("the corners of its faces are no whole numbers")
            corners = corners.astype(np.int64)
            if len(corners) and not 0 <= corners.min() <= corners.max() < len(points):
                held = counted(len(points), "vertex", "vertices")
                raise Refusal(f"it has faces of vertex {corners.max():,} in a part of {held}")
        else:
            corners = np.arange(len(points))
        return points, _triangles(corners, primitive.get("mode", _TRIANGLES))

    def accessor(self, index: Any, shape: str) -> np.ndarray:
        """Returns the rows of an accessor, of 1 or 3 numbers. Integers marked as normalised become fractions in [-1,
        1]."""
        accessor = self.entry("accessors", index)
        kind, count = _component(accessor), int(accessor["count"])
        check_count(count, MAX_VERTICES, "vertices or corners in one part")
        sparse = accessor.get("sparse")
        if accessor["type"] != shape or count < 0 or ("bufferView" not in accessor and not sparse):
            raise Refusal("the vertices or faces of a part are not in its binary data")
        width = {"SCALAR": 1, "VEC3": 3}[shape]
        if "bufferView" in accessor:
            values = self._view(accessor["bufferView"], accessor.get("byteOffset", 0), kind, count, width)
        else:
            values = np.zeros((count, width), kind)
        if sparse:
            values = self._replaced(values, sparse)
        if accessor.get("normalized") and kind.kind in "iu":
            return np.maximum(values / np.iinfo(kind).max, -1.0)
        return values

    def _replaced(self, values: np.ndarray, sparse: dict) -> np.ndarray:
        count, at = int(sparse["count"]), sparse["indices"]
        check_count(count, len(values), "values that replace others in one part")
        rows = self._view(at["bufferView"], at.get("byteOffset", 0), _component(at), count, 1)[:, 0]
        if rows.dtype.kind != "u" or (count and rows.max() >= len(values)):
            raise Refusal(f"it replaces a value beyond the {len(values):,} of its part")
        new = sparse["values"]
        values = values.copy()
        values[rows] = self._view(new["bufferView"], new.get("byteOffset", 0), values.dtype, count, values.shape[1])
        return values

    def _view(self, index: Any, offset: Any, kind: np.dtype, count: int, width: int) -> np.ndarray:
        """Returns a view (count, width) of the bytes and not a copy, so that overlapping buffer views take no further
        memory."""
        view = self.entry("bufferViews", index)
        start, length = int(view.get("byteOffset", 0)), int(view["byteLength"])
        if int(view.get("buffer", 0)) != 0:
            raise Refusal("its data lies outside the file: save it as one GLB")
        if start < 0 or length < 0 or start + length > len(self.binary):
            raise Refusal(f"it declares data up to byte {start + length:,} and holds {len(self.binary):,}")
        size = kind.itemsize * width
        stride, offset = int(view.get("byteStride", size)), int(offset)
        if not size <= stride <= 252:
            raise Refusal(f"its stride of {counted(stride, 'byte')} is not one of {size} to 252")
        if count and (offset < 0 or offset + (count - 1) * stride + size > length):
            raise Refusal(f"a part has {counted(count, 'value')} and the bytes of fewer")
        if not count:
            return np.zeros((0, width), kind)
        return np.ndarray((count, width), kind, self.binary, start + offset, (stride, kind.itemsize))


def _component(accessor: dict) -> np.dtype:
    kind = accessor["componentType"]
    if kind not in _COMPONENTS:
        raise Refusal(f"its numbers are of type {str(kind)[:20]}, which glTF has not")
    return np.dtype(_COMPONENTS[kind])


def _triangles(corners: np.ndarray, mode: Any) -> np.ndarray:
    """Returns the triangles (f, 3) of a list, a strip or a fan, with glTF's winding."""
    if mode == _TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    if mode not in (_STRIP, _FAN):
        raise Refusal(f"it has a part of mode {str(mode)[:20]}, which glTF has not")
    first = np.arange(max(len(corners) - 2, 0))
    odd = first % 2
    if mode == _STRIP:
        return np.stack([corners[first], corners[first + 1 + odd], corners[first + 2 - odd]], axis=1)
    return np.stack([corners[first + 1], corners[first + 2], corners[np.zeros_like(first)]], axis=1)
