"""Files as programs write them: every kind gives the closed L or one sentence, and never another shape."""

import numpy as np
import pytest
from data.mesh_files import (
    EDGES,
    GLB,
    LITTLE,
    OBJ,
    OFF,
    PLY,
    POLYGONS,
    STL,
    VERTICES,
    obj,
    off,
    ply,
    stl,
    stl_text,
    strip_and_fans,
    triangles_glb,
)  # fmt: skip
from data.shapes import AREA, VOLUME, in_l, normal_form

from wsr import isolation
from wsr.data import meshes
from wsr.data.inside import inside
from wsr.data.meshes import read_arrays, read_mesh
from wsr.errors import WsrError


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


WRITTEN = {"obj": OBJ, "off": OFF, "stl": STL, "ply": PLY, "glb": GLB}


@pytest.mark.parametrize(("ending", "kind"), [(ending, kind) for ending in WRITTEN for kind in WRITTEN[ending]])
def test_every_kind_of_file_gives_the_shape(ending, kind, tmp_path):
    assert is_l(read(tmp_path, f"a.{ending}", WRITTEN[ending][kind]))


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
    mesh = read(tmp_path, "a.glb", triangles_glb(rotation=[0, 0, half, half]).bytes())  # a quarter turn from x to y
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
    assert any("1 polygon crosses itself and was cut into a fan" in note for note in mesh.metadata["wsr repairs"][1])


def test_a_spiral_is_cut_inside_its_outline(tmp_path):
    turn = np.linspace(0, 4 * np.pi, 60)
    line = np.column_stack([np.cos(turn), np.sin(turn)]) * (turn + 2)[:, None]
    outline = np.concatenate([line * 1.1, line[::-1]])
    vertices = np.column_stack([outline, outline[:, 0] * 0.2])  # the polygon lies in a tilted plane
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


FAR = {
    "far.obj": "".join(f"v {x}e200 {y} {z}\n" for x, y, z in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)))
    + "f 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n",
    "farther.obj": obj() + "v 1e400 0 0\nf 1 2 13\n",
    "place.obj": "".join("v 1e200 2e200 3e200\n" for _ in range(3)) + "f 1 2 3\n",
    "far.off": off().replace("\n2 0 0\n", "\n2e155 0 0\n"),
    "far.stl": stl_text().replace("vertex 2.0", "vertex 2e99"),
    "pentagon.obj": "".join(f"v {x}e200 {y}e200 0\n" for x, y in ((0, 0), (2, 0), (1, 1), (2, 2), (0, 2)))
    + "f 1 2 3 4 5\n",
}


@pytest.mark.parametrize("name", FAR)
@pytest.mark.filterwarnings("error")
def test_coordinates_that_overflow_are_said_to_be_too_large(name, tmp_path):
    (tmp_path / name).write_text(FAR[name])
    with pytest.raises(WsrError, match="coordinates of up to .*e.*Scale it down|too large for a float") as error:
        read_arrays(str(tmp_path / name))
    assert name in str(error.value)


def test_what_spans_no_shape_says_which_way(tmp_path):
    tiny = "".join(f"v {x}e-40 {y}e-40 0\n" for x, y in ((0, 0), (1, 0), (0, 1))) + "f 1 2 3\n"
    for text, said in ((tiny, "extent of 1e-40.*scale it up"), ("v 1 1 1\n" * 3 + "f 1 2 3\n", "in one place")):
        (tmp_path / "a.obj").write_text(text)
        with pytest.raises(WsrError, match=said):
            read_mesh(tmp_path / "a.obj")
