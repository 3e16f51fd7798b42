"""Meshes and files for tests, made from numbers only: an L, whose caps are concave hexagons."""

import json
import struct

import numpy as np

OUTLINE = np.array([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)], float)  # counter-clockwise, area 3
AREA, VOLUME = 2 * 3 + 8, 3.0  # surface and volume of the prism of height 1 over it


def l_polygons():
    """Vertices (12, 3) and outward polygons: two hexagons and six quads."""
    low = np.column_stack([OUTLINE, np.zeros(6)])
    vertices = np.concatenate([low, low + [0, 0, 1]])
    sides = [[i, (i + 1) % 6, (i + 1) % 6 + 6, i + 6] for i in range(6)]
    return vertices, [[5, 4, 3, 2, 1, 0], [6, 7, 8, 9, 10, 11], *sides]


def l_triangles():
    """The same as 20 triangles, cut by hand."""
    vertices, (_, _, *sides) = l_polygons()
    low = [[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5]]  # seen from vertex 0, all of the L is visible
    walls = [t for a, b, c, d in sides for t in ([a, b, c], [a, c, d])]
    return vertices, np.array([[c, b, a] for a, b, c in low] + [[a + 6, b + 6, c + 6] for a, b, c in low] + walls)


def normal_form(vertices):
    """Scales like `read_mesh`, and returns the factor too."""
    middle = (vertices.min(0) + vertices.max(0)) / 2
    radius = np.linalg.norm(vertices - middle, axis=1).max()
    return (vertices - middle) / radius, radius


def in_l(points):
    """Tells which points lie inside the normalized L, and which are not too close to its surface to say."""
    _, radius = normal_form(l_polygons()[0])
    x, y, z = (points * radius + [1, 1, 0.5]).T
    inner = lambda e: (z > e) & (z < 1 - e) & (x > e) & (y > e) & (  # noqa: E731
        ((x < 2 - e) & (y < 1 - e)) | ((x < 1 - e) & (y < 2 - e)))  # fmt: skip
    return inner(0), inner(0.01) == inner(-0.01)


def glb(header, binary=b""):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    head = struct.pack("<4s4I", b"glTF", 2, 28 + len(text) + len(binary), len(text), 0x4E4F534A)
    return head + text + struct.pack("<2I", len(binary), 0x004E4942) + binary


class GlbBuilder:
    """Builds a GLB piece by piece."""

    def __init__(self):
        self.binary, self.views, self.accessors, self.meshes, self.nodes = b"", [], [], [], []

    def view(self, data):
        self.binary += b"\0" * (-len(self.binary) % 4)
        self.views.append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)})
        self.binary += data
        return len(self.views) - 1

    def accessor(self, array, **more):
        array = np.ascontiguousarray(array)
        kind = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}[array.dtype.str[1:]]
        entry = {"componentType": kind, "count": len(array), "type": "VEC3" if array.ndim == 2 else "SCALAR"}
        self.accessors.append(entry | {"bufferView": self.view(array.tobytes())} | more)
        return len(self.accessors) - 1

    def mesh(self, *primitives):
        self.meshes.append({"primitives": list(primitives)})
        return len(self.meshes) - 1

    def bytes(self, **more):
        scene = {"scene": 0, "scenes": [{"nodes": list(range(len(self.nodes)))}], "nodes": self.nodes}
        header = {"asset": {"version": "2.0"}, "meshes": self.meshes, "accessors": self.accessors, **scene}
        header |= {"bufferViews": self.views, "buffers": [{"byteLength": len(self.binary)}], **more}
        return glb(header, self.binary)
