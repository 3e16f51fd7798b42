"""PLY: text, and binary of both byte orders."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from wsr.data.mesh_limits import MAX_FACES, MAX_VERTICES, Refusal, check_count
from wsr.data.readers.polygons import Soup, numbers, soup_of_polygons
from wsr.data.readers.text import filled_lines, plain_text
from wsr.errors import counted

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "float": "f4", "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2",
    "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8", "int64": "i8", "uint64": "u8",
}  # fmt: skip
_CORNERS = ("vertex_indices", "vertex_index")


@dataclass
class _Element:
    name: str
    count: int
    properties: list[tuple[str, ...]] = field(default_factory=list)  # (type, name), of a list (count type, type, name)

    def __str__(self) -> str:
        return counted(self.count, f"{self.name} element")

    def index(self, *names: str) -> int:
        """Returns the index of the first property with one of these names. A Refusal if there is none."""
        found = next((i for i, (*_, name) in enumerate(self.properties) if name in names), None)
        if found is None:
            raise Refusal(f"its {self.name} elements have no property {names[0]!r}")
        return found


def read_ply(data: bytes) -> Soup:
    """Reads the coordinates of vertices and the corners of faces. Other properties and elements, and anything after the
    last element, are left out."""
    header, body = _header(data)
    format_, elements = _parse(header)
    for element in elements:
        check_count(element.count, MAX_FACES if element.name == "face" else MAX_VERTICES, f"{element.name} elements")
    names = [element.name for element in elements]
    if "vertex" not in names:
        raise Refusal("it has no vertex elements")
    if "tristrips" in names and "face" not in names:
        raise Refusal("its faces are triangle strips (tristrips): save it with faces of their own")
    read = _text_elements if format_ == "ascii" else _binary_elements
    vertices, sizes, corners = np.zeros((0, 3)), np.zeros(0, np.int64), np.zeros(0, np.int64)
    for element, columns in read(elements, body, ">" if format_ == "binary_big_endian" else "<"):
        if element.name == "vertex":
            vertices = np.stack([np.asarray(columns(element.index(axis)), np.float64) for axis in "xyz"], axis=1)
        elif element.name == "face":
            at = element.index(*_CORNERS)
            if len(element.properties[at]) != 3:
                raise Refusal("the corners of its faces are no list")
            sizes, corners = columns(at)
    return soup_of_polygons(vertices, sizes, corners)


def _header(data: bytes) -> tuple[str, bytes]:
    found = re.match(rb"(?:\xef\xbb\xbf)?ply\s.{0,65536}?\bend_header[ \t]*(?:\r\n|\n|\r)", data, re.DOTALL)
    if found is None:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff") and (text := plain_text(data)).lstrip(b" ?").startswith(b"ply"):
            return _header(text.lstrip(b" ?"))
        raise Refusal("it has no PLY header that begins with ply and ends with end_header")
    return plain_text(found[0]).decode(), data[found.end() :]


def _parse(header: str) -> tuple[str, list[_Element]]:
    elements: list[_Element] = []
    format_ = ""
    for line in header.split("\n"):
        words = line.split()
        if words[:1] == ["format"] and len(words) > 1:
            format_ = words[1]
        elif len(words) == 3 and words[0] == "element" and re.fullmatch(r"\d{1,12}", words[2]):
            elements.append(_Element(words[1][:40], int(words[2])))
        elif words and words[0] == "element":
            raise Refusal(f"its header's line {line[:60]!r} is no element with its number")
        elif words and words[0] == "property" and elements:
            types = words[2:-1] if words[1:2] == ["list"] else words[1:-1]
            good = len(types) == (2 if words[1:2] == ["list"] else 1) and all(t in _TYPES for t in types)
            if not good or (len(types) == 2 and _TYPES[types[0]][0] == "f"):
                raise Refusal(f"its header's line {line[:60]!r} is no property of a known type")
            elements[-1].properties.append((*(_TYPES[t] for t in types), words[-1]))
    if format_ not in ("ascii", "binary_little_endian", "binary_big_endian"):
        raise Refusal(f"its format is {format_[:30]!r}, and ascii, binary_little_endian and binary_big_endian are read")
    return format_, elements


def _wanted(elements: list[_Element]) -> list[_Element]:
    """Returns the elements up to the last of vertices and faces; later ones need not be read."""
    return elements[: 1 + max(i for i, element in enumerate(elements) if element.name in ("vertex", "face"))]


def _text_elements(elements: list[_Element], body: bytes, _order: str) -> Iterator[tuple]:
    """Reads text with one line for each row of an element."""
    lines, total = filled_lines(plain_text(body)), sum(element.count for element in elements)
    if len(lines) < total:  # a line missing in the middle would turn vertices into faces, so all lines are required
        raise Refusal(f"it declares {counted(total, 'line')} of elements and has {len(lines):,}")
    first = 0
    for element in _wanted(elements):
        rows = [line.split() for line in lines[first : first + element.count]]
        first += element.count
        yield element, _text_columns(element, rows)


def _text_columns(element: _Element, rows: list[list[bytes]]):
    """Yields the values of each property: an array for a scalar property; sizes, then concatenated values for a list
    property."""
    lists = [len(p) == 3 for p in element.properties]
    if not any(lists):
        if any(len(row) != len(lists) for row in rows):
            raise Refusal(f"it has {element.name} elements that are not lines of {counted(len(lists), 'number')}")
        return lambda i: numbers([row[i] for row in rows], float)
    values = [[] for _ in lists]
    for row in rows:
        position = 0
        for is_list, found in zip(lists, values, strict=True):
            size = int(row[position]) if is_list and position < len(row) else 1
            begin = position + is_list
            position = begin + max(size, 0)
            if size < 0 or position > len(row):
                raise Refusal(f"it has {element.name} elements whose lines end before their numbers do")
            found.append(row[begin:position])

    def column(i: int):
        tokens = [token for row in values[i] for token in row]
        if not lists[i]:
            return numbers(tokens, float)
        return np.fromiter(map(len, values[i]), np.int64, len(values[i])), numbers(tokens, int)

    return column


def _binary_elements(elements: list[_Element], body: bytes, order: str) -> Iterator[tuple]:
    start = 0
    for element in _wanted(elements):
        sizes = _first_sizes(element, body, order, start)
        row = _row(element, order, sizes)
        end = start + element.count * row.itemsize
        if end <= len(body):
            records = np.frombuffer(body, row, element.count, start)
            if all((records[f"n{i}"] == size).all() for i, size in sizes.items()):  # lists of one length
                yield element, _record_columns(records, sizes)
                start = end
                continue
        if not sizes:
            raise Refusal(f"it declares {element} and ends before the last")
        columns, start = _walked(element, body, order, start)
        yield element, columns


def _row(element: _Element, order: str, sizes: dict[int, int]) -> np.dtype:
    fields = []
    for i, kinds in enumerate(element.properties):
        if len(kinds) == 3:
            fields += [(f"n{i}", order + kinds[0]), (f"p{i}", order + kinds[1], (sizes[i],))]
        else:
            fields.append((f"p{i}", order + kinds[0]))
    return np.dtype(fields)


def _first_sizes(element: _Element, body: bytes, order: str, start: int) -> dict[int, int]:
    """Returns the lengths of the lists in an element's first row."""
    sizes: dict[int, int] = {}
    for i, kinds in enumerate(element.properties):
        if len(kinds) == 3:
            sizes[i] = _size_at(element, body, order + kinds[0], start) if element.count else 0
            start += np.dtype(kinds[0]).itemsize + sizes[i] * np.dtype(kinds[1]).itemsize
        else:
            start += np.dtype(kinds[0]).itemsize
    return sizes


def _size_at(element: _Element, body: bytes, kind: str, position: int) -> int:
    dtype = np.dtype(kind)
    if position + dtype.itemsize > len(body):
        raise Refusal(f"it declares {element} and ends in the middle of one")
    size = int(np.frombuffer(body, dtype, 1, position)[0])
    if not 0 <= size <= len(body):
        raise Refusal(f"it has a list of {counted(size, 'number')} and {counted(len(body), 'byte')}")
    return size


def _record_columns(records: np.ndarray, sizes: dict[int, int]):
    def column(i: int):
        if i not in sizes:
            return records[f"p{i}"]
        return np.full(len(records), sizes[i]), records[f"p{i}"].astype(np.int64).reshape(-1)

    return column


def _walked(element: _Element, body: bytes, order: str, start: int):
    """Reads row by row, for elements whose lists differ in length."""
    byteorder = "big" if order == ">" else "little"
    kinds = [(np.dtype(order + k[0]), np.dtype(order + k[1]) if len(k) == 3 else None) for k in element.properties]
    parts = [(i, a.itemsize, a.kind == "i", None if b is None else b.itemsize) for i, (a, b) in enumerate(kinds)]
    found: list[list[tuple[int, int]]] = [[] for _ in kinds]  # (position, size) a row
    position, end = start, len(body)
    for _ in range(element.count):
        for i, width, signed, item in parts:
            if item is None:
                found[i].append((position, 1))
                position += width
                continue
            size = int.from_bytes(body[position : position + width], byteorder, signed=signed)
            found[i].append((position + width, size))
            position += width + size * item
            if size < 0 or position > end:
                raise Refusal(f"it declares {element} and ends in the middle of one")
        if position > end:
            raise Refusal(f"it declares {element} and ends in the middle of one")

    def column(i: int):
        scalar, item = kinds[i]
        dtype = scalar if item is None else item
        data = b"".join([body[at : at + size * dtype.itemsize] for at, size in found[i]])
        if item is None:
            return np.frombuffer(data, dtype)
        return np.array([size for _, size in found[i]], np.int64), np.frombuffer(data, dtype).astype(np.int64)

    return column, position
