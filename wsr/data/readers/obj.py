"""Wavefront OBJ: its `v` and `f` lines."""

import re

import numpy as np

from wsr.data.mesh_limits import MAX_FACES, MAX_VERTICES, Refusal, check_count
from wsr.data.readers.polygons import Soup, numbers, soup_of_polygons
from wsr.data.readers.text import plain_text
from wsr.errors import counted

_STATEMENT = re.compile(rb"^ *([vf] [^\n]*)", re.MULTILINE)
# A backslash at the end of a line joins it with the next line, but only for vertices and faces: a comment or the path
# of a material may end in a backslash too.
_CONTINUED = re.compile(rb"^( *[vf] (?:[^\n]*\\ *\n)+[^\n]*)", re.MULTILINE)


def read_obj(data: bytes) -> Soup:
    """Reads all groups and objects as one mesh. Normals, texture coordinates and anything after a vertex's three
    coordinates (a weight, colours) are left out. A negative index counts back from the last vertex before the face's
    line."""
    text = plain_text(data)
    if b"#" in text:
        text = re.sub(rb"#[^\n]*", b"", text)
    if b"\\" in text:
        text = _CONTINUED.sub(lambda match: re.sub(rb"\\ *\n", b" ", match[1]), text)
    lines = _STATEMENT.findall(text)
    vertex_lines = [line for line in lines if line.startswith(b"v")]
    check_count(len(vertex_lines), MAX_VERTICES, "vertices")
    check_count(len(lines) - len(vertex_lines), MAX_FACES, "faces")
    coordinates = [line.split(None, 4)[1:4] for line in vertex_lines]
    short = next((i for i, row in enumerate(coordinates) if len(row) < 3), None)
    if short is not None:
        raise Refusal(f"its vertex {short + 1:,} has {counted(len(coordinates[short]), 'coordinate')} and 3 are needed")
    vertices = numbers([token for row in coordinates for token in row], float).reshape(-1, 3)
    sizes, corners = _faces(lines)
    return soup_of_polygons(vertices, sizes, corners)


def _faces(lines: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the number of corners of each `f` line, and the vertex indices of all corners, from 0."""
    rows, before, seen = [], [], 0
    for line in lines:
        if line.startswith(b"v"):
            seen += 1
        else:
            rows.append((re.sub(rb"/\S*", b"", line) if b"/" in line else line).split()[1:])
            before.append(seen)
    sizes = np.fromiter(map(len, rows), np.int64, len(rows))
    check_count(int(np.maximum(sizes - 2, 0).sum()), MAX_FACES, "faces")
    found = numbers([token for row in rows for token in row], int)
    if (found == 0).any():
        raise Refusal("it has a face of vertex 0, but vertices are counted from 1")
    return sizes, np.where(found > 0, found - 1, np.repeat(np.array(before, np.int64), sizes) + found)
