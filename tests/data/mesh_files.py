"""The closed L of `shapes.py` in files as many programs write them, by kind of file and by name."""

import struct

import numpy as np
from data.shapes import GlbBuilder, l_polygons, l_triangles

VERTICES, POLYGONS = l_polygons()
_, TRIANGLES = l_triangles()


def obj(polygons=POLYGONS, vertices=VERTICES):
    lines = [f"v {x:g} {y:g} {z:g}" for x, y, z in vertices]
    return "\n".join([*lines, *("f " + " ".join(str(i + 1) for i in polygon) for polygon in polygons), ""])


def off(polygons=POLYGONS, header="OFF\n", after=""):
    rows = [f"{x:g} {y:g} {z:g}" for x, y, z in VERTICES]
    faces = [f"{len(p)} {' '.join(map(str, p))}{after}" for p in polygons]
    return f"{header}{len(VERTICES)} {len(polygons)} 0\n" + "\n".join([*rows, *faces, ""])


def relative(polygons):
    return "\n".join("f " + " ".join(str(i - 12) for i in polygon) for polygon in polygons)


with_colours = [line + " 0.1 0.2 0.3" if line.startswith("v") else line for line in obj().split("\n")]
OBJ = {
    "concave polygons": obj(),
    "comment that ends in a backslash": obj().replace("\nf", "\n# a path: C:\\models\\\nf"),
    "material that ends in a backslash": "mtllib C:\\models\\\n" + obj().replace("\nf", "\nusemtl a\\\nf", 3),
    "lines that go on": obj().replace(" 7 8 9", " 7 \\\n 8 \\\r\n9"),
    "comment after a face": obj().replace("\nf", " # a corner\\\nf"),
    "negative numbers": obj([]) + relative(POLYGONS) + "\nv 9 9 9\n",
    "references": obj().replace("f 7 8", "f 7/1/2 8//3"),
    "colours": "\n".join(with_colours),
    "weights": obj().replace("\nf", " 1.0\nf", 1),
    "tabs and carriage returns": obj().replace(" ", "\t").replace("\n", "\r"),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + ("# café\n" + obj()).encode(),
    "UTF-16 little-endian": obj().encode("utf-16-le"),
    "UTF-16 big-endian": obj().encode("utf-16-be"),
    "UTF-16 with a mark": ("# café\n" + obj()).encode("utf-16"),
    "a vertex number out of sight": obj() + "v nan nan nan\n",
}
OFF = {
    "polygons": off(),
    "ModelNet's header": off(header="OFF"),
    "one line of header": off(header="OFF "),
    "colours of faces": off(after=" 255 0 0"),
    "comments and blank lines": off(header="# made by hand\n\nOFF # here\n").replace("\n8 ", "\n\n8 "),
    "colours of vertices": off(header="COFF\n").replace(" 0\n2 0 0\n", " 0 9 9 9 255\n2 0 0 9 9 9 255\n"),
    "lines beyond": off() + "3 0 1 2\n",
}


def stl_text(end="endsolid L"):
    facets = ["facet normal 0 0 0 outer loop " + " ".join("vertex {} {} {}".format(*VERTICES[i]) for i in t)
              + "\nendloop\n endfacet" for t in TRIANGLES]  # fmt: skip
    return "solid L\n" + "\n".join([*facets, end])


def stl(title=b"", attribute=b"", size=0, beyond=b""):
    facets = [struct.pack("<12f", 0, 0, 0, *VERTICES[t].reshape(-1)) + struct.pack("<H", size) + attribute
              for t in TRIANGLES]  # fmt: skip
    return title.ljust(80, b"\0") + struct.pack("<I", len(facets)) + b"".join(facets) + beyond


STL = {
    "text": stl_text(),
    "text in capitals": stl_text().upper(),
    "end solid": stl_text("end solid L"),
    "a name of STL's words": stl_text("endsolid vertex outer loop").replace("solid L", "solid vertex outer loop", 1),
    "two solids": stl_text() + "\nsolid empty\nendsolid empty\n",
    "text in UTF-16": stl_text().encode("utf-16"),
    "binary": stl(),
    "binary that begins with solid": stl(b"solid made by a program"),
    "bytes beyond": stl(beyond=b"made by a program"),
    "solid, and bytes beyond": stl(b"solid L", beyond=b"\0\0"),
    "attributes that are colours": stl(size=0x7FFF),
    "attributes with their bytes": stl(attribute=b"\x9a\x99\xd9\x3f", size=4),
    "the same under solid": stl(b"solid L", attribute=b"abc", size=3),
}


def ply(form="ascii", polygons=POLYGONS, reals="float", after="", between=(), face="vertex_indices", tail=b""):
    order = ">" if "big" in form else "<"
    header = (
        f"ply\nformat {form} 1.0\ncomment made by hand\nelement vertex 12\n"
        f"property {reals} x\nproperty {reals} y\nproperty {reals} z\n"
        f"{''.join(f'property {kind} {name}{chr(10)}' for kind, name in between)}"
        f"element face {len(polygons)}\nproperty list uchar int {face}\n{after}end_header\n"
    )
    if form == "ascii":
        rows = [" ".join(map(str, [*v, *[7] * len(between)])) for v in VERTICES]
        rows += [" ".join(map(str, [len(p), *p])) for p in polygons]
        return header.encode() + "\n".join(rows).encode() + b"\n" + tail
    kind = {"float": "f", "double": "d"}[reals]
    body = b"".join(struct.pack(f"{order}3{kind}", *v) + b"\7" * len(between) for v in VERTICES)
    body += b"".join(struct.pack(f"{order}B{len(p)}i", len(p), *p) for p in polygons)
    return header.encode() + body + tail


LITTLE, BIG = "binary_little_endian", "binary_big_endian"
EDGES = "element edge 2\nproperty int vertex1\nproperty int vertex2\n"
PLY = {
    "text": ply(),
    "text with carriage returns": ply().replace(b"\n", b"\r\n"),
    "binary polygons": ply(LITTLE),
    "binary triangles": ply(LITTLE, TRIANGLES.tolist()),
    "big-endian": ply(BIG),
    "doubles": ply(BIG, reals="double"),
    "vertex_index": ply(LITTLE, face="vertex_index"),
    "more of a vertex": ply(LITTLE, between=[("uchar", "red"), ("uchar", "green")]),
    "more of a vertex, in text": ply(between=[("uchar", "red")]),
    "bytes beyond": ply(LITTLE, tail=b"made by a program"),
    "lines beyond": ply(tail=b"made by a program\n"),
    "further elements": ply(LITTLE, after=EDGES, tail=struct.pack("<4i", 0, 1, 1, 2)),
    "further elements in text": ply(after=EDGES, tail=b"0 1\n1 2\n"),
    "a further list": ply(LITTLE, after="element patch 1\nproperty list uchar float w\n", tail=b"\1\0\0\0\0"),
    "more of a face": ply(LITTLE, TRIANGLES.tolist()).replace(
        b"end_header", b"element range 0\nproperty int a\nend_header"
    ),
}


def strip_and_fans(positions=None, mode_of_caps=6):
    """Caps as fans around the corner that sees all of them, and the walls as one strip."""
    made = GlbBuilder()
    at = made.accessor(VERTICES.astype("<f4") if positions is None else positions)
    low, high = np.array([0, 5, 4, 3, 2, 1], "<u1"), np.array([6, 7, 8, 9, 10, 11], "<u1")
    walls = np.array([[i + 6, i] for i in (0, 1, 2, 3, 4, 5, 0)], "<u2").reshape(-1)
    pieces = [{"attributes": {"POSITION": at}, "indices": made.accessor(i), "mode": mode}
              for i, mode in ((low, mode_of_caps), (high, mode_of_caps), (walls, 5))]  # fmt: skip
    made.nodes.append({"mesh": made.mesh(*pieces)})
    return made


def triangles_glb(**more):
    made = GlbBuilder()
    piece = {"attributes": {"POSITION": made.accessor(VERTICES.astype("<f4"))}}
    made.mesh(piece | {"indices": made.accessor(TRIANGLES.astype("<u4").reshape(-1))})
    made.nodes.append({"mesh": 0, **more})
    return made


def sparse_glb(whole):
    """Vertices that a sparse accessor puts into their places: some, or all (then there is nothing below them)."""
    made, wrong = triangles_glb(), VERTICES.astype("<f4").copy()
    rows = np.arange(12 if whole else 3)
    wrong[rows] = 77
    where = {"bufferView": made.view(rows.astype("<u2").tobytes()), "componentType": 5123}
    new = {"count": len(rows), "indices": where,
           "values": {"bufferView": made.view(VERTICES[rows].astype("<f4").tobytes())}}  # fmt: skip
    made.accessors[0]["sparse"] = new
    if whole:
        del made.accessors[0]["bufferView"]
    else:
        made.accessors[0]["bufferView"] = made.view(wrong.tobytes())
    return made


def quantised_glb():
    made = strip_and_fans(np.round((VERTICES - 1) * 32767).astype("<i2"))
    made.accessors[0]["normalized"] = True
    made.nodes[0]["scale"] = [0.01, 0.01, 0.01]
    return made


def padded_glb():
    """16 bytes a vertex."""
    made, rows = triangles_glb(), np.zeros((12, 4), "<f4")
    rows[:, :3] = VERTICES
    made.accessors[0]["bufferView"] = made.view(rows.tobytes())
    made.views[-1]["byteStride"] = 16
    return made


def lines_glb():
    made = triangles_glb()
    made.meshes[0]["primitives"].append({"attributes": {"POSITION": 0}, "mode": 1})
    return made


GLB = {
    "triangles": triangles_glb().bytes(),
    "strips and fans": strip_and_fans().bytes(),
    "quantised": quantised_glb().bytes(extensionsRequired=["KHR_mesh_quantization"]),
    "some sparse": sparse_glb(False).bytes(),
    "all sparse": sparse_glb(True).bytes(),
    "stride": padded_glb().bytes(),
    "lines beside triangles": lines_glb().bytes(),
    "moved": triangles_glb(translation=[5, 6, 7], scale=[3, 3, 3]).bytes(),
    "mirrored twice": triangles_glb(scale=[-1, 1, 1], rotation=[0, 0, 0, 1]).bytes(
        nodes=[{"children": [1], "scale": [-1, 1, 1]}, {"mesh": 0, "scale": [-1, 1, 1]}], scenes=[{"nodes": [0]}]
    ),
    "a node that is not in the scene": triangles_glb().bytes(
        nodes=[{"mesh": 0}, {"mesh": 0, "translation": [9, 9, 9]}], scenes=[{"nodes": [0]}]
    ),
}
