import json
import struct

import numpy as np
import pytest
import trimesh

from wsr.data.mesh_limits import MAX_FACES
from wsr.data.meshes import load_mesh_folder, normalise, read_mesh
from wsr.data.readers.ply import read_ply
from wsr.errors import WsrError

KINDS = ("obj", "ply", "stl", "glb", "off")
SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


@pytest.fixture
def ellipsoid():
    mesh = trimesh.creation.icosphere(subdivisions=2)
    mesh.apply_scale((3, 1, 1))
    return mesh.apply_translation((5, 0, -2))


def write(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def glb(header, binary=b""):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4s4I", b"glTF", 2, 28 + len(text) + len(binary), len(text), 0x4E4F534A)
    return head + text + struct.pack("<2I", len(binary), 0x004E4942) + binary


def glb_parts(mesh):
    data = mesh.export(file_type="glb")
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length]), data[28 + length :]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_normalised_mesh(kind, ellipsoid, tmp_path):
    mesh = read_mesh(write(tmp_path / f"shape.{kind}", ellipsoid.export(file_type=kind)))
    assert len(mesh.faces) == len(ellipsoid.faces)
    assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0
    np.testing.assert_allclose(mesh.bounds, [[-1, -1 / 3, -1 / 3], [1, 1 / 3, 1 / 3]], atol=1e-6)


def test_normalise_centres_the_box_and_reaches_the_sphere():
    mesh = normalise(trimesh.Trimesh([[0, 0, 0], [4, 0, 0], [0, 2, 0], [0, 0, 1]], [[0, 2, 1], [0, 1, 3]]))
    np.testing.assert_allclose(mesh.bounds.sum(axis=0), 0, atol=1e-12)
    assert np.linalg.norm(mesh.vertices, axis=1).max() == pytest.approx(1)
    np.testing.assert_allclose(normalise(mesh).vertices, mesh.vertices, atol=1e-12)


def test_an_inside_out_mesh_is_turned(ellipsoid):
    ellipsoid.invert()
    assert read_mesh(ellipsoid).volume > 0


def test_the_given_mesh_is_left_as_it_is(ellipsoid):
    before = ellipsoid.vertices.copy()
    read_mesh(ellipsoid)
    np.testing.assert_array_equal(ellipsoid.vertices, before)


def test_scenes_are_joined_in_place():
    scene = trimesh.Scene([trimesh.creation.box(), trimesh.creation.box().apply_translation((3, 0, 0))])
    assert read_mesh(scene).bounds[1] == pytest.approx([4 / 18**0.5, 1 / 18**0.5, 1 / 18**0.5])


def test_tiny_and_huge_units_survive_merging(ellipsoid):
    for scale in (1e-9, 1e9):
        assert read_mesh(ellipsoid.copy().apply_scale(scale)).is_watertight


def test_obj_of_quads_negative_numbers_and_references(tmp_path):
    text = "mtllib ../../secret.mtl\n" + SQUARE + "usemtl a\nf -4/1/1 -3//2 -2/7 -1\nv 0 0 1\nf 1 2 5\n"
    assert len(read_mesh(write(tmp_path / "a.obj", text)).faces) == 3


def test_binary_ply_of_mixed_polygons(tmp_path):
    header = (
        "ply\nformat binary_little_endian 1.0\nelement vertex 5\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 3\nproperty list uchar int vertex_indices\nproperty uchar flag\nend_header\n"
    )
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, 0.5, 1]], "<f4").tobytes()
    polygons = [(0, 1, 2, 3), (0, 4, 1), (4, 3, 2, 1, 0)]
    body = b"".join(struct.pack(f"<B{len(p)}iB", len(p), *p, 9) for p in polygons)
    path = write(tmp_path / "a.ply", header.encode() + vertices + body)
    assert len(read_ply(path.read_bytes()).faces) == 2 + 1 + 3
    assert len(read_mesh(path).faces) > 0
    write(path, header.encode() + vertices + body[:-4])
    with pytest.raises(WsrError, match="ends in the middle"):
        read_mesh(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", ["empty", "junk", "half", "zeros"])
def test_damaged_files_are_one_sentence(kind, damage, ellipsoid, tmp_path):
    data = ellipsoid.export(file_type=kind)
    data = data.encode() if isinstance(data, str) else data
    junk = np.random.default_rng(0).bytes(3000)
    content = {"empty": b"", "junk": junk, "half": data[: len(data) // 2], "zeros": data[:100] + bytes(3000)}[damage]
    with pytest.raises(WsrError) as error:
        read_mesh(write(tmp_path / f"bad.{kind}", content))
    assert "bad." in str(error.value) and "\n" not in str(error.value) and len(str(error.value)) < 250


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bytes_never_escape_as_another_error(kind, ellipsoid, tmp_path):
    data = ellipsoid.export(file_type=kind)
    data = bytearray(data.encode() if isinstance(data, str) else data)
    rng = np.random.default_rng(1)
    for _ in range(40):
        damaged = bytearray(data)
        for position in rng.integers(0, min(len(data), 2000), 4):
            damaged[position] = rng.integers(256)
        try:
            read_mesh(write(tmp_path / f"flip.{kind}", bytes(damaged)))
        except WsrError:
            pass


PLY_MILLION = (
    "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nelement face 1000000\n"
    "property list uchar int vertex_indices\nend_header\n"
)
TOO_BIG = {
    "a.off": "OFF\n3 1000000 0\n0 0 0\n",
    "a.ply": PLY_MILLION,
    "a.stl": bytes(80) + struct.pack("<I", 1_000_000) + bytes(50),
    "a.obj": SQUARE + "f 1 2 3\n" * (MAX_FACES + 1),
    "polygon.obj": SQUARE + "f" + " 1 2 3" * (MAX_FACES // 2),
    "ascii.stl": "solid\n" + "vertex 0 0 0\n" * (3 * MAX_FACES + 3),
}


@pytest.mark.parametrize("name", TOO_BIG)
def test_too_many_faces_are_refused(name, tmp_path):
    with pytest.raises(WsrError, match=r"cannot be read: it has [\d,]+ .* up to [\d,]+ are read"):
        read_mesh(write(tmp_path / name, TOO_BIG[name]))


def test_too_many_bytes_are_refused_unread(tmp_path):
    with open(tmp_path / "big.stl", "wb") as file:
        file.truncate(33 * 2**20)
    with pytest.raises(WsrError, match="33 MB"):
        read_mesh(tmp_path / "big.stl")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda h: h["accessors"][0].update(count=10**12), "1,000,000,000,000"),
        (lambda h: [a.pop("bufferView") for a in h["accessors"]], "not in its binary data"),
        (lambda h: h["bufferViews"][0].update(byteLength=10**10), "declares data"),
        (lambda h: h.update(nodes=[{"children": [1]}, {"children": [0]}]), "not a tree"),
        (lambda h: h.update(nodes=[{"children": [1, 1], "mesh": 0}, {}]), "not a tree"),
        (lambda h: h.update(nodes=[*({"children": [i + 1]} for i in range(500)), {}]), "levels"),
        (lambda h: h.update(nodes=[{"mesh": 0}] * 3900, scenes=[{"nodes": list(range(3900))}]), "up to 500,000"),
        (lambda h: h.update(nodes=[{}] * 9000), "nodes"),
        (lambda h: h.update(extensionsRequired=["KHR_draco_mesh_compression"]), "without compression"),
        (lambda h: h.update(meshes=7), "damaged"),
    ],
)
def test_hostile_glb(change, says, ellipsoid, tmp_path):
    header, binary = glb_parts(ellipsoid)
    change(header)
    with pytest.raises(WsrError, match=says):
        read_mesh(write(tmp_path / "a.glb", glb(header, binary)))


def test_glb_opens_nothing_but_itself(ellipsoid, tmp_path):
    header, binary = glb_parts(ellipsoid)
    header["buffers"][0]["uri"] = "secret.bin"
    header["images"] = [{"uri": "secret.png"}]
    assert len(read_mesh(write(tmp_path / "a.glb", glb(header, binary))).faces) == len(ellipsoid.faces)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("v 0 0 0\nv 1 0 0\n", "no faces"),
        (SQUARE + "f 1 2\n", "no faces"),
        (SQUARE + "f 1 2 2\n", "three different corners"),
        (SQUARE + "f 1 2 9\n", "number 9, counted from 1, of 4"),
        ("v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "NaN"),
        ("v 1 2 3\nv 1 2 3\nv 1 2 3\nf 1 2 3\n", "extent"),
        ("v 1e308 0 0\nv -1e308 0 0\nv 0 1 0\nf 1 2 3\n", r"up to 1e\+308"),
    ],
)
def test_meshes_that_are_no_shape(text, says, tmp_path):
    with pytest.raises(WsrError, match=says):
        read_mesh(write(tmp_path / "a.obj", text))


def test_unknown_sources_name_what_is_right(tmp_path):
    with pytest.raises(WsrError, match="OBJ"):
        read_mesh(write(tmp_path / "a.fbx", "x"))
    with pytest.raises(WsrError, match="no mesh file"):
        read_mesh(tmp_path / "nothing.obj")


def test_folders_of_classes_and_of_shapenet(ellipsoid, tmp_path):
    shapenet = ("0211/abc/models/model_normalized.ply", "0211/abd/model.ply")
    for name in ("chair/a.ply", "chair/b.ply", "lamp/a.ply", *shapenet):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        ellipsoid.export(tmp_path / name)
    write(tmp_path / "chair" / "notes.txt", "x")
    signals = load_mesh_folder(tmp_path)
    assert dict(zip(signals.ids, signals.classes, strict=True)) == {
        "chair/a": "chair", "chair/b": "chair", "lamp/a": "lamp", "0211/abc": "0211", "0211/abd": "0211",
    }  # fmt: skip
    assert signals.dim == 3 and len(signals[0].read().faces) == len(ellipsoid.faces)


def test_folder_without_meshes_or_none(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(WsrError):
            load_mesh_folder(folder)


def test_splits_hold_a_tenth_out_and_stay(ellipsoid, tmp_path):
    for i in range(200):
        write(tmp_path / f"{i}.stl", "")
    first = load_mesh_folder(tmp_path)
    splits = dict(zip(first.ids, first.splits, strict=True))
    assert 5 < sum(split == "heldout" for split in splits.values()) < 40
    write(tmp_path / "new.stl", "")
    again = load_mesh_folder(tmp_path)
    assert {signal.id: signal.split for signal in again if signal.id != "new"} == splits
