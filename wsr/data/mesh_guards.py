"""What a mesh file declares, checked before it is decoded, and all but its geometry left out of it.

Every guard takes a file's bytes and returns the bytes to decode. It raises a Refusal where they declare more than the
limits or more than they hold, so that no decoder is asked for memory or time that the file's size does not bound.
Nothing the bytes refer to (material libraries, textures, URIs) is left for a decoder to open.
"""

import re
import struct
from itertools import islice

from wsr.data.glb_guard import guard_glb
from wsr.data.mesh_limits import MAX_FACES, MAX_PARTS, MAX_VERTICES, Refusal, check_count, plain_text
from wsr.data.ply_guard import guard_ply


def guard_obj(data: bytes) -> bytes:
    """Only `v` and `f` lines, faces as positive vertex numbers alone; counts the triangles of its polygons."""
    text = plain_text(data).replace(b"\\\n", b" ")
    found = re.finditer(rb"^ *([vf] [^\n]*)$", text, re.MULTILINE)
    lines = [match[1] for match in islice(found, MAX_VERTICES + MAX_FACES + 1)]
    check_count(len(lines), MAX_VERTICES + MAX_FACES, "vertices and faces")
    vertices = [line for line in lines if line.startswith(b"v")]
    faces = [line for line in lines if line.startswith(b"f")]
    check_count(len(vertices), MAX_VERTICES, "vertices")
    check_count(sum(max(len(face.split()) - 3, 0) for face in faces), MAX_FACES, "faces")
    faces = _absolute_faces(lines) if any(b"-" in face for face in faces) else faces
    corners = re.sub(rb"/\S*", b"", b"\n".join(faces))
    return b"\n".join([*vertices, corners, b""])


def _absolute_faces(lines: list[bytes]) -> list[bytes]:
    """A negative number counts back from the last vertex before its own line."""
    seen, faces = 0, []
    for line in lines:
        if line.startswith(b"v"):
            seen += 1
            continue
        corners = [int(corner.split(b"/")[0]) for corner in line.split()[1:]]
        faces.append(b"f " + b" ".join(b"%d" % (c if c > 0 else seen + 1 + c) for c in corners))
    return faces


def guard_off(data: bytes) -> bytes:
    text = re.sub(rb"#[^\n]*", b"", plain_text(data))
    text = re.sub(rb"\n\s*\n", b"\n", text.strip())
    header = re.match(rb"C?OFF\s+(\d{1,12})[ \t]+(\d{1,12})[^\n]*(?:\n|$)", text)
    if header is None:
        raise Refusal("it does not begin with OFF and the numbers of vertices and faces")
    vertices, faces = int(header[1]), int(header[2])
    check_count(vertices, MAX_VERTICES, "vertices")
    check_count(faces, MAX_FACES, "faces")
    lines = text[header.end() :].split(b"\n", vertices + faces)[: vertices + faces]
    if len(lines) < vertices + faces:
        raise Refusal(f"it declares {vertices:,} vertices and {faces:,} faces and ends after {len(lines):,} lines")
    check_count(sum(max(len(polygon.split()) - 3, 0) for polygon in lines[vertices:]), MAX_FACES, "faces")
    return b"\n".join([b"OFF", b"%d %d 0" % (vertices, faces), *lines])


def guard_stl(data: bytes) -> bytes:
    if len(data) >= 84:
        (count,) = struct.unpack_from("<I", data, 80)
        if len(data) == 84 + 50 * count:
            check_count(count, MAX_FACES, "faces")
            return data
    if not data[:512].lstrip().lower().startswith(b"solid"):
        if len(data) < 84:
            raise Refusal("it ends before its first triangle")
        check_count(count, MAX_FACES, "faces")
        raise Refusal(f"it declares {count:,} triangles and holds the bytes of {(len(data) - 84) / 50:,.1f}")
    text = plain_text(data).lower()
    check_count(text.count(b"vertex") // 3, MAX_FACES, "faces")
    check_count(text.count(b"normal"), MAX_FACES, "faces")
    check_count(text.count(b"endsolid"), MAX_PARTS, "solids")
    return text


GUARDS = {"obj": guard_obj, "off": guard_off, "stl": guard_stl, "ply": guard_ply, "glb": guard_glb}
