"""The kind of a file is recognised by its content, whatever its name says."""

import io

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image
from safetensors.torch import save

from wsr.data.images import read_image
from wsr.data.meshes import SUFFIXES, read_mesh
from wsr.errors import WsrError
from wsr.formats.recognise import content_of

BOX = trimesh.creation.box()
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d" * 32 + b"\nsize 31360\n"
PAGES = (
    b"<!DOCTYPE html>\n<html><body>404</body></html>",
    b"\n <html lang='en'><svg></svg>",
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    b"<!-- v 0 0 0 --><html><pre>v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n</pre>",
)


def mesh(kind: str) -> bytes:
    if kind == "stl text":
        return BOX.export(file_type="stl_ascii").encode()
    if kind == "obj utf-16":
        return BOX.export(file_type="obj").encode("utf-16")
    data = BOX.export(file_type=kind)
    return data.encode() if isinstance(data, str) else data


def picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(buffer, kind)
    return buffer.getvalue()


MESHES = {"obj": "OBJ", "obj utf-16": "OBJ", "off": "OFF", "stl": "STL", "stl text": "STL", "ply": "PLY", "glb": "GLB"}
OTHERS = {
    "a PNG picture": picture("PNG"), "a JPEG picture": picture("JPEG"), "a WebP picture": picture("WEBP"),
    "a ZIP archive": b"PK\3\4" + bytes(60), "a gzip archive": b"\x1f\x8b\x08" + bytes(60), "an FBX scene":
    b"Kaydara FBX Binary  \0" + bytes(60), "a Blender scene": b"BLENDER-v300" + bytes(60), "COLLADA":
    b"<?xml version='1.0'?>\n<COLLADA xmlns='x'></COLLADA>", "glTF scene as text": b'{"asset": {"version": "2.0"}}',
    "a JSON text": b'{"message": "Not Found"}', "a PDF document": b"%PDF-1.7\n", "a safetensors file":
    save({"x": torch.zeros(3)}),
}  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("held", MESHES)
def test_a_mesh_under_another_kinds_name_is_named(held, suffix, tmp_path):
    path, kind = tmp_path / f"chair{suffix}", MESHES[held]
    path.write_bytes(mesh(held))
    if suffix == f".{kind.lower()}":
        assert len(read_mesh(path).faces) == 12
        return
    with pytest.raises(WsrError, match=f"'chair{suffix}' .* holds an? {kind} mesh: .* end in .{kind.lower()}"):
        read_mesh(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_no_mesh_at_all_is_named(suffix, tmp_path):
    path = tmp_path / f"chair{suffix}"
    for said, data in {**OTHERS, "is a Git LFS pointer.*git lfs pull": LFS}.items():
        path.write_bytes(data)
        with pytest.raises(WsrError, match=said) as error:
            read_mesh(path)
        assert "\n" not in str(error.value) and "'chair" in str(error.value)
    for page in PAGES:
        path.write_bytes(page)
        with pytest.raises(WsrError, match="is a web page.*fetch the file itself"):
            read_mesh(path)


def test_what_is_no_picture_is_named(tmp_path):
    path = tmp_path / "me.png"
    known = {f"an? {kind} mesh": mesh(held) for held, kind in MESHES.items()}
    known |= {said: data for said, data in OTHERS.items() if "picture" not in said}
    known |= {"is a Git LFS pointer.*git lfs pull": LFS} | {"is a web page": PAGES[0]}
    for said, data in known.items():
        path.write_bytes(data)
        with pytest.raises(WsrError, match=said) as error:
            read_image(path)
        assert "'me.png'" in str(error.value)


def test_what_nobody_knows_has_no_name():
    assert content_of(b"") == content_of(b"hello there") == content_of(bytes(100)) == ""


def test_a_good_file_of_an_odd_beginning_is_read(tmp_path):
    """Recognition by content explains why a file cannot be read. It never refuses a file that can be read."""
    binary = bytearray(mesh("stl"))
    for begin in (b"solid v 1 2 3", b"ply ", b"OFF", b"v 0 0 0", b"{"):
        binary[:80] = begin.ljust(80)
        (tmp_path / "a.stl").write_bytes(binary)
        assert len(read_mesh(tmp_path / "a.stl").faces) == 12
    (tmp_path / "a.obj").write_bytes(b"solid thing\n" + mesh("obj"))
    assert len(read_mesh(tmp_path / "a.obj").faces) == 12
