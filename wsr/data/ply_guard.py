"""The guard of PLY files: counts against limits and bytes; binary polygons of mixed sizes become triangles."""

import re
from dataclasses import dataclass, field

import numpy as np

from wsr.data.mesh_limits import MAX_FACES, MAX_VERTICES, Refusal, check_count, plain_text

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "float": "f4", "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2",
    "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8",
}  # fmt: skip
_FACES = ("vertex_indices", "vertex_index")


@dataclass
class _Element:
    name: str
    count: int
    properties: list[tuple[str, ...]] = field(default_factory=list)  # (type, name), of a list (count type, type, name)

    @property
    def scalars(self) -> bool:
        return all(len(p) == 2 for p in self.properties)


def guard_ply(data: bytes) -> bytes:
    """The same elements without edges and without lines beyond them."""
    found = re.match(rb"ply\s.{0,65536}?\bend_header[ \t]*\r?\n", data, re.DOTALL)
    if found is None:
        raise Refusal("it has no PLY header that begins with ply and ends with end_header")
    header, body = plain_text(found[0]).decode(), data[found.end() :]
    elements = _parse(header)
    for element in elements:
        check_count(element.count, MAX_FACES if element.name == "face" else MAX_VERTICES, f"{element.name} elements")
    for element in elements:
        if element.count > len(body):
            raise Refusal(f"it declares {element.count:,} {element.name} elements and ends after {len(body):,} bytes")
    # the decoder would build paths of the edges
    header = re.sub(r"^element +edge\b", "element unused", header, flags=re.MULTILINE)
    if re.search(r"^format +ascii", header, re.MULTILINE):
        total = sum(element.count for element in elements)
        lines = re.sub(rb"\n\s*\n", b"\n", plain_text(body).strip()).split(b"\n", total)[:total]
        return header.encode() + b"\n".join([*lines, b""])
    order = ">" if re.search(r"^format +binary_big", header, re.MULTILINE) else "<"
    triangles = _mixed_polygons(elements, body, order)
    return header.encode() + body if triangles is None else _rewritten(elements, body, triangles, order)


def _parse(header: str) -> list[_Element]:
    elements: list[_Element] = []
    for line in header.split("\n"):
        words = line.split()
        if len(words) == 3 and words[0] == "element" and re.fullmatch(r"\d{1,12}", words[2]):
            elements.append(_Element(words[1][:40], int(words[2])))
        elif words and words[0] == "property" and elements:
            types = words[2:-1] if words[1] == "list" else words[1:-1]
            if len(types) != (2 if words[1] == "list" else 1) or any(t not in _TYPES for t in types):
                raise Refusal(f"its header's line {line[:60]!r} is no property of a known type")
            elements[-1].properties.append((*(_TYPES[t] for t in types), words[-1]))
    return elements


def _row(element: _Element, order: str) -> np.dtype:
    return np.dtype([(f"p{i}", order + kind) for i, (kind, _) in enumerate(element.properties)])


def _mixed_polygons(elements: list[_Element], body: bytes, order: str) -> np.ndarray | None:
    """(t, 3) fans of the faces; None for triangles alone and for quads alone, all that the decoder reads itself."""
    names = [element.name for element in elements]
    if "face" not in names or not all(element.scalars for element in elements[: names.index("face")]):
        return None
    face = elements[names.index("face")]
    lists = [p for p in face.properties if len(p) == 3]
    if len(lists) != 1 or lists[0][-1] not in _FACES or face.count == 0:
        return None
    start = sum(e.count * _row(e, order).itemsize for e in elements[: names.index("face")])
    at = face.properties.index(lists[0])
    before, after = (
        sum(np.dtype(kind).itemsize for kind, _ in part) for part in (face.properties[:at], face.properties[at + 1 :])
    )
    count_type, index_type = (np.dtype(order + kind) for kind in lists[0][:2])
    byteorder = "big" if order == ">" else "little"
    sizes, offsets, position = [], [], start
    for _ in range(face.count):
        position += before
        size = int.from_bytes(body[position : position + count_type.itemsize], byteorder)
        position += count_type.itemsize
        sizes.append(size)
        offsets.append(position)
        position += size * index_type.itemsize + after
        if position > len(body):
            raise Refusal(f"it declares {face.count:,} faces and ends in the middle of number {len(sizes):,}")
    if set(sizes) in ({3}, {4}):
        return None
    check_count(sum(max(size - 2, 0) for size in sizes), MAX_FACES, "faces")
    polygons = ((size, at) for size, at in zip(sizes, offsets, strict=True) if size > 2)
    fans = [_fan(np.frombuffer(body, index_type, size, at)) for size, at in polygons]
    return np.concatenate(fans) if fans else None


def _fan(polygon: np.ndarray) -> np.ndarray:
    corners = polygon.astype(np.int32)
    return np.stack([np.full(len(corners) - 2, corners[0]), corners[1:-1], corners[2:]], axis=1)  # (size - 2, 3)


def _rewritten(elements: list[_Element], body: bytes, triangles: np.ndarray, order: str) -> bytes:
    """Vertices and triangles alone, little-endian."""
    start = 0
    for element in elements:
        if element.name == "vertex":
            break
        start += element.count * _row(element, order).itemsize
    rows = np.frombuffer(body, _row(element, order), element.count, start)
    columns = {name: rows[f"p{i}"] for i, (_, name) in enumerate(element.properties)}
    vertices = np.stack([columns[axis] for axis in "xyz"], axis=1).astype("<f4")  # (v, 3)
    faces = np.empty(len(triangles), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, triangles
    header = [
        "ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}",
        *(f"property float {axis}" for axis in "xyz"),
        f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header\n",
    ]  # fmt: skip
    return "\n".join(header).encode() + vertices.tobytes() + faces.tobytes()
