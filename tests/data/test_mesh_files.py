"""Files as programs write them: every kind gives the closed L, or one sentence; never another shape."""

import struct

import numpy as np
import pytest
from data.shapes import AREA, VOLUME, GlbBuilder, in_l, l_polygons, l_triangles, normal_form

from wsr import isolation
from wsr.data import meshes
from wsr.data.inside import inside
from wsr.data.meshes import read_arrays, read_mesh
from wsr.errors import WsrError

VERTICES, POLYGONS = l_polygons()
_, TRIANGLES = l_triangles()


def read(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_mesh(path)


def is_l(mesh):
    _, radius = normal_form(VERTICES)
    points = np.random.default_rng(0).uniform(-1, 1, (2000, 3))
    expected, clear = in_l(points)
    return (
        mesh.is_watertight and mesh.is_winding_consistent and len(mesh.vertices) == 12 and len(mesh.faces) == 20
        and mesh.volume == pytest.approx(VOLUME / radius**3, rel=1e-4)
        and mesh.area == pytest.approx(AREA / radius**2, rel=1e-4)
        and np.array_equal(inside(mesh, points)[clear], expected[clear])
    )  # fmt: skip


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


@pytest.mark.parametrize("kind", OBJ)
def test_obj(kind, tmp_path):
    assert is_l(read(tmp_path, "a.obj", OBJ[kind]))


OFF = {
    "polygons": off(),
    "ModelNet's header": off(header="OFF"),
    "one line of header": off(header="OFF "),
    "colours of faces": off(after=" 255 0 0"),
    "comments and blank lines": off(header="# made by hand\n\nOFF # here\n").replace("\n8 ", "\n\n8 "),
    "colours of vertices": off(header="COFF\n").replace(" 0\n2 0 0\n", " 0 9 9 9 255\n2 0 0 9 9 9 255\n"),
    "lines beyond": off() + "3 0 1 2\n",
}


@pytest.mark.parametrize("kind", OFF)
def test_off(kind, tmp_path):
    assert is_l(read(tmp_path, "a.off", OFF[kind]))


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


@pytest.mark.parametrize("kind", STL)
def test_stl(kind, tmp_path):
    assert is_l(read(tmp_path, "a.stl", STL[kind]))


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


@pytest.mark.parametrize("kind", PLY)
def test_ply(kind, tmp_path):
    assert is_l(read(tmp_path, "a.ply", PLY[kind]))


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


@pytest.mark.parametrize("kind", GLB)
def test_glb(kind, tmp_path):
    assert is_l(read(tmp_path, "a.glb", GLB[kind]))


def test_a_mirrored_node_keeps_its_front_outside(tmp_path):
    made = triangles_glb()
    made.nodes.append({"mesh": 0, "scale": [-1, 1, 1], "translation": [-1, 0, 0]})
    mesh = read(tmp_path, "a.glb", made.bytes())
    expected = 2 * VOLUME / normal_form(mesh_of_two())[1] ** 3
    assert mesh.is_watertight and mesh.volume == pytest.approx(expected, rel=1e-4)


def mesh_of_two():
    return np.concatenate([VERTICES, VERTICES * [-1, 1, 1] - [1, 0, 0]])


def test_a_turned_node_is_turned(tmp_path):
    half = 0.5**0.5
    mesh = read(tmp_path, "a.glb", triangles_glb(rotation=[0, 0, half, half]).bytes())  # a quarter, x to y
    x, y, z = VERTICES.T
    expected = normal_form(np.column_stack([-y, x, z]))[0]
    assert {tuple(v) for v in np.round(mesh.vertices, 5)} == {tuple(v) for v in np.round(expected, 5) + 0.0}


def test_views_that_cover_all_bytes_take_no_memory(tmp_path):
    made = triangles_glb()
    made.binary += bytes(8 * 2**20)
    for _ in range(300):
        made.views.append({"buffer": 0, "byteOffset": 0, "byteLength": len(made.binary)})
    for view in range(3, 300):
        made.accessors.append({"bufferView": view, "componentType": 5126, "count": 600_000, "type": "VEC3"})
    path = tmp_path / "a.glb"
    path.write_bytes(made.bytes())
    limits = isolation.Limits(seconds=20, memory=128 * 2**20, what="It")
    assert len(isolation.call(read_arrays, str(path), limits=limits)[1]) == 20


REFUSED = {
    "two.obj": (obj().replace("v 2 0 0", "v 2 0"), "vertex 2 has 2 coordinates and 3 are needed"),
    "long.obj": (obj() + "f 1 2 99999999999999999999\n", "more than 64 bits"),
    "zero.obj": (obj() + "f 0 1 2\n", "counted from 1"),
    "beyond.obj": (obj() + "f 1 2 13\n", "number 13, counted from 1, of 12"),
    "before.obj": (obj() + "f 1 2 -13\n", "number 0, counted from 1, of 12"),
    "word.obj": (obj().replace("v 2 0 0", "v two 0 0"), "'two' where a number is needed"),
    "utf32.obj": (obj().encode("utf-32-le")[:-1], "plain text"),
    "short.off": (off(POLYGONS + [[0, 1]]).rsplit("\n", 2)[0], "ends after 20 lines"),
    "binary.off": (b"OFF BINARY\n" + bytes(99), "binary OFF"),
    "corners.off": (off().replace("\n4 0 1 7 6", "\n9 0 1 7 6"), "face of 9 corners in a line of 4"),
    "cut.stl": (stl_text().rsplit("facet normal", 1)[0], "ends without endsolid"),
    "quads.stl": (stl_text().replace("outer loop ", "outer loop vertex 0 0 0 ", 1), "three in each"),
    "short.stl": (stl()[:-50], "declares 20 triangles and holds the bytes of 19.0"),
    "both.stl": (stl(attribute=b"abcd", size=4, beyond=b"e"), "1,165 bytes, where its 20 triangles take 1,084"),
    "short.ply": (ply().rsplit(b"\n", 2)[0] + b"\n", "declares 20 lines of elements and has 19"),
    "missed.ply": (ply(after=EDGES, tail=b"0 1\n1 2\n").replace(b"0.0 0.0 0.0\n", b""), "has 21"),
    "cut.ply": (ply(LITTLE)[:-3], "ends in the middle"),
    "vertices.ply": (ply(LITTLE)[:300], "ends"),
    "strips.ply": (ply().replace(b"element face 8", b"element tristrips 8"), "tristrips"),
    "type.ply": (ply().replace(b"list uchar", b"list float"), "no property of a known type"),
    "axis.ply": (ply().replace(b"float z", b"float w"), "no property 'z'"),
    "draco.glb": (triangles_glb().bytes(extensionsRequired=["KHR_draco_mesh_compression"]), "without compression"),
    "copies.glb": (triangles_glb().bytes(extensionsRequired=["EXT_mesh_gpu_instancing"]), "without instancing"),
    "mode.glb": (strip_and_fans(mode_of_caps=9).bytes(), "mode 9"),
    "outside.glb": (triangles_glb().bytes(accessors=[]), "number 0 of its 0 accessors"),
    "scene.glb": (triangles_glb().bytes(scene=7), "scene 7 of 1"),
    "huge.glb": (triangles_glb().bytes(scene=10**30), "scene 1000000000"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_right_is_one_sentence(name, tmp_path):
    content, says = REFUSED[name]
    with pytest.raises(WsrError, match=says) as error:
        read(tmp_path, name, content)
    assert name in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(("field", "value", "says"), [
    ("count", 10**30, "up to"), ("count", -1, "not in its binary"), ("count", "many", "damaged"),
    ("byteOffset", -4, "bytes of fewer"), ("byteOffset", 10**30, "bytes of fewer"), ("componentType", 1, "type 1"),
    ("bufferView", 99, "number 99"), ("bufferView", -1, "number -1"), ("type", "MAT4", "not in its binary"),
])  # fmt: skip
def test_accessors_stay_within_their_bytes(field, value, says, tmp_path):
    made = triangles_glb()
    made.accessors[0][field] = value
    with pytest.raises(WsrError, match=says):
        read(tmp_path, "a.glb", made.bytes())


def test_polygons_that_cross_themselves_are_named(tmp_path):
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0.5, 0.5, 1]])
    mesh = read(tmp_path, "a.obj", obj([[0, 1, 2, 3], [0, 1, 4]], vertices))
    assert any("cross themselves" in note for note in mesh.metadata["wsr repairs"][1])


def test_a_spiral_is_cut_inside_its_outline(tmp_path):
    turn = np.linspace(0, 4 * np.pi, 60)
    line = np.column_stack([np.cos(turn), np.sin(turn)]) * (turn + 2)[:, None]
    outline = np.concatenate([line * 1.1, line[::-1]])
    vertices = np.column_stack([outline, outline[:, 0] * 0.2])  # in a tilted plane
    x, y = outline.T
    expected = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2 * (1 + 0.2**2) ** 0.5 / normal_form(vertices)[1] ** 2
    assert read(tmp_path, "a.obj", obj([range(120)], vertices)).area == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("kind", "content"), [
    ("obj", obj()), ("off", off()), ("stl", stl_text()), ("stl", stl()), ("ply", ply()), ("ply", ply(LITTLE)),
    ("glb", strip_and_fans().bytes()),
])  # fmt: skip
def test_in_a_child_and_here_is_the_same(kind, content, tmp_path):
    there = read(tmp_path, f"a.{kind}", content)
    vertices, faces, done, notes = read_arrays(str(tmp_path / f"a.{kind}"))
    np.testing.assert_array_equal(vertices, there.vertices)
    np.testing.assert_array_equal(faces, there.faces)
    assert (done, notes) == there.metadata["wsr repairs"]


def test_what_takes_too_long_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(meshes, "READ_SECONDS", 0.05)
    with pytest.raises(WsrError, match="'a.obj' took more than 0.05 s"):
        read(tmp_path, "a.obj", obj() + "f 1 2 3\n" * 300_000)
    monkeypatch.setattr(meshes, "READ_SECONDS", 20.0)
    assert is_l(read(tmp_path, "a.obj", obj()))
