"""Readers of mesh files: bytes to vertices and triangles, with what was left out or mended on the way.

A reader takes a file's bytes and returns `Soup`. It raises a Refusal where the file says what it does not hold, or has
more than the limits; whatever else it raises means a damaged file. Readers run in a child process with limits of
memory and time (`wsr.isolation`), so they check what protects the result, not what protects the machine. Nothing that
a file refers to (material libraries, textures, URIs) is opened.
"""

from wsr.data.readers.glb import read_glb
from wsr.data.readers.obj import read_obj
from wsr.data.readers.off import read_off
from wsr.data.readers.ply import read_ply
from wsr.data.readers.polygons import Soup
from wsr.data.readers.stl import read_stl

__all__ = ["READERS", "Soup"]

READERS = {"obj": read_obj, "off": read_off, "stl": read_stl, "ply": read_ply, "glb": read_glb}
