"""Object File Format."""

import re

import numpy as np

from wsr.data.mesh_limits import MAX_FACES, MAX_VERTICES, Refusal, check_count
from wsr.data.readers.polygons import Soup, numbers, soup_of_polygons
from wsr.data.readers.text import filled_lines, plain_text
from wsr.errors import counted

# Many files of ModelNet have no line end after OFF. Colours (C), normals (N) and texture coordinates (ST) follow a
# vertex's coordinates and are left out. Vertices of four (4OFF) or n dimensions (nOFF) are not read.
_HEADER = re.compile(rb"\s*(?:ST)?C?N?OFF\s*(\d{1,12})\s+(\d{1,12})[^\n]*(?:\n|$)")


def read_off(data: bytes) -> Soup:
    """Reads polygons of any size. Colours are left out, and so are lines beyond those that the header declares."""
    text = re.sub(rb"#[^\n]*", b"", plain_text(data)) if re.match(rb"\s*\w*OFF\s+BINARY", data) is None else b"binary"
    header = _HEADER.match(text)
    if header is None:
        raise Refusal(
            "it is a binary OFF, and only text is read" if text == b"binary"
            else "it does not begin with OFF and the numbers of vertices and faces"
        )  # fmt: skip
    vertices, faces = int(header[1]), int(header[2])
    check_count(vertices, MAX_VERTICES, "vertices")
    check_count(faces, MAX_FACES, "faces")
    lines = filled_lines(text[header.end() :])
    if len(lines) < vertices + faces:
        declared = f"{counted(vertices, 'vertex', 'vertices')} and {counted(faces, 'face')}"
        raise Refusal(f"it declares {declared} and ends after {counted(len(lines), 'line')}")
    rows = [line.split(None, 3)[:3] for line in lines[:vertices]]
    if any(len(row) < 3 for row in rows):
        raise Refusal("it has a vertex of fewer than 3 coordinates")
    points = numbers([token for row in rows for token in row], float).reshape(-1, 3)
    return soup_of_polygons(points, *_polygons(lines[vertices : vertices + faces]))


def _polygons(lines: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    rows = [line.split() for line in lines]
    sizes = numbers([row[0] for row in rows], int)
    check_count(int(np.maximum(sizes - 2, 0).sum()), MAX_FACES, "faces")
    for row, size in zip(rows, sizes.tolist(), strict=True):
        if not 0 <= size < len(row):
            raise Refusal(f"it has a face of {counted(size, 'corner')} in a line of {len(row) - 1:,}")
    tokens = [token for row, size in zip(rows, sizes.tolist(), strict=True) for token in row[1 : size + 1]]
    return sizes, numbers(tokens, int)
