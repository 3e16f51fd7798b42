"""Readers of mesh files: from bytes to vertices and triangles, with remarks about what was left out or repaired.

A reader takes a file's bytes and returns `Soup`. It raises a Refusal if the file contradicts itself or exceeds the
limits; any other exception means that the file is damaged. Readers run in a child process with limits of memory and
time (`wsr.isolation`), so their checks protect the result and not the machine. External files (material libraries,
textures, URIs) are never opened.
"""

from wsr.data.readers.glb import read_glb
from wsr.data.readers.obj import read_obj
from wsr.data.readers.off import read_off
from wsr.data.readers.ply import read_ply
from wsr.data.readers.polygons import Soup
from wsr.data.readers.stl import read_stl

__all__ = ["READERS", "Soup"]

READERS = {"obj": read_obj, "off": read_off, "stl": read_stl, "ply": read_ply, "glb": read_glb}
