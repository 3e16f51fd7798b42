"""STL, binary and text."""

import re
import struct

import numpy as np

from wsr.data.mesh_limits import MAX_FACES, Refusal, check_count
from wsr.data.readers.polygons import Soup, numbers
from wsr.data.readers.text import plain_text
from wsr.errors import counted, were

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])  # 50 bytes
_HEAD = 84


def read_stl(data: bytes) -> Soup:
    """Reads three vertices for each face. Normals, colours and other attributes are left out."""
    count = struct.unpack_from("<I", data, 80)[0] if len(data) >= _HEAD else None
    if count is not None and len(data) == _HEAD + _RECORD.itemsize * count:
        return _binary(data, count)  # even if it begins with "solid", as text does
    if re.match(rb"\W*s\0?o\0?l\0?i\0?d", data[:600].lower()) and (b"\0" not in data[_HEAD:] or _is_utf16(data)):
        return _text(plain_text(data).lower())
    if count is None:
        raise Refusal("it ends before its first triangle")
    check_count(count, MAX_FACES, "faces")
    if len(data) < _HEAD + _RECORD.itemsize * count:
        held = (len(data) - _HEAD) / _RECORD.itemsize
        raise Refusal(f"it declares {counted(count, 'triangle')} and holds the bytes of {held:,.1f}")
    return _longer(data, count)


def _is_utf16(data: bytes) -> bool:
    return data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4]


def _binary(data: bytes, count: int, notes: tuple[str, ...] = ()) -> Soup:
    check_count(count, MAX_FACES, "faces")
    corners = np.frombuffer(data, _RECORD, count, _HEAD)["corners"]  # (f, 3, 3)
    return _soup(corners.astype(np.float64), notes)


def _longer(data: bytes, count: int) -> Soup:
    """Reads a binary file with more bytes than its triangles take: either each triangle's attribute count says how many
    bytes follow it, as some programs write, or data follows the last triangle."""
    position, starts = _HEAD, []
    for _ in range(count):
        if position + 50 > len(data):
            break
        starts.append(position)
        position += 50 + int.from_bytes(data[position + 48 : position + 50], "little")
    beyond = len(data) - _HEAD - 50 * count
    if position == len(data) and len(starts) == count:
        records = b"".join([data[start : start + 50] for start in starts])
        note = f"{counted(beyond, 'byte')} of attributes {were(beyond)} left out"
        return _binary(bytes(_HEAD) + records, count, (note,))
    attributes = np.frombuffer(data, _RECORD, count, _HEAD)["attribute"]
    if attributes.any() and position < len(data) and len(starts) == count:
        take, stated = were(count, "takes", "take"), _HEAD + _RECORD.itemsize * count
        raise Refusal(
            f"it has {counted(len(data), 'byte')}, where its {counted(count, 'triangle')} {take} {stated:,} and with "
            f"the attributes that are declared {position:,}"
        )
    return _binary(data, count, (f"{counted(beyond, 'byte')} after the last triangle {were(beyond)} left out",))


def _text(text: bytes) -> Soup:
    ended = re.search(rb"^ *end *solid\b[^\n]*\s*$", text.rstrip()[-500:], re.MULTILINE)
    text = re.sub(rb"^ *(?:end *)?solid\b[^\n]*", b"", text, flags=re.MULTILINE)  # a name may contain any words
    found = re.findall(rb"\bvertex +(\S+)\s+(\S+)\s+(\S+)", text)
    check_count(len(found) // 3, MAX_FACES, "faces")
    loops = len(re.findall(rb"\bouter +loop\b", text))
    if not ended:
        raise Refusal("it ends without endsolid")
    ends = len(re.findall(rb"\bend *loop\b", text))
    if len(found) != 3 * loops or ends != loops or text.count(b"vertex") != len(found):
        held = f"{counted(len(found), 'vertex', 'vertices')} in {counted(loops, 'facet')}"
        raise Refusal(f"it has {held}, and three in each are needed")
    return _soup(numbers([token for row in found for token in row], float).reshape(-1, 3, 3))


def _soup(corners: np.ndarray, notes: tuple[str, ...] = ()) -> Soup:
    return Soup(corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3), list(notes))
