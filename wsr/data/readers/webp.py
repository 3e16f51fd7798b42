"""Decodes WebP with the libwebp that Pillow ships, directly into one canvas.

Pillow treats every WebP as an animation and holds two more canvases, which for a picture of 40 megapixels take 480 MB
beside the decoder's own memory. Here one canvas takes 160 MB. A lossless picture takes as much again, because libwebp
decodes it as a whole.
"""

import ctypes
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image

_KEPT = {b"ICCP": "icc_profile", b"EXIF": "exif", b"XMP ": "xmp"}


@dataclass
class Layout:
    """The parts of a file. size: (width, height) of the canvas. box: (left, top, width, height) of the first frame on
    the canvas. frame: the bytes that libwebp decodes to that frame. info: metadata, by Pillow's names."""

    size: tuple[int, int]
    box: tuple[int, int, int, int]
    frame: bytes
    info: dict[str, bytes] = field(default_factory=dict)


@functools.cache
def library() -> ctypes.CDLL | None:
    """Returns libwebp; None if it is linked into Pillow statically, where its functions cannot be called."""
    try:
        from PIL import _webp

        found = ctypes.CDLL(_webp.__file__)
        found.WebPGetInfo.argtypes = [ctypes.c_char_p, ctypes.c_size_t, *[ctypes.POINTER(ctypes.c_int)] * 2]
        found.WebPDecodeRGBAInto.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int,
        ]  # fmt: skip
        found.WebPDecodeRGBAInto.restype = ctypes.c_void_p
    except (ImportError, OSError, AttributeError):
        return None
    return found


def layout(data: bytes) -> Layout:
    """Finds the first picture of a file without decoding it. ValueError for a damaged file."""
    chunks, info, canvas = list(_chunks(data, 12)), {}, None
    for kind, content in chunks:
        if kind in _KEPT:
            info.setdefault(_KEPT[kind], content)
        if kind == b"VP8X" and len(content) >= 10:
            canvas = _three(content, 4) + 1, _three(content, 7) + 1
    frame = next((content for kind, content in chunks if kind == b"ANMF"), None)
    if frame is None:
        size = _size(data)
        return Layout(size, (0, 0, *size), data, info)
    if canvas is None or len(frame) < 16:
        raise ValueError("its first frame is damaged")
    width, height = _size(frame[16:])
    left, top = 2 * _three(frame, 0), 2 * _three(frame, 3)
    if left + width > canvas[0] or top + height > canvas[1]:
        raise ValueError("its first frame reaches beyond the canvas")
    return Layout(canvas, (left, top, width, height), frame[16:], info)


def decoded(found: Layout) -> Image.Image:
    """Decodes the first picture as RGBA; parts of the canvas that it does not cover are transparent. ValueError for a
    damaged file."""
    width, height = found.size
    left, top, _, _ = found.box
    pixels, stride = bytearray(4 * width * height), 4 * width
    offset = top * stride + 4 * left
    target = (ctypes.c_ubyte * (len(pixels) - offset)).from_buffer(pixels, offset)
    if not library().WebPDecodeRGBAInto(found.frame, len(found.frame), target, len(target), stride):
        raise ValueError("its pixels are damaged or cut short")
    image = Image.frombuffer("RGBA", found.size, pixels, "raw", "RGBA", 0, 1)
    image.info = dict(found.info)
    return image


def _size(frame: bytes) -> tuple[int, int]:
    width, height = ctypes.c_int(), ctypes.c_int()
    if not library().WebPGetInfo(frame, len(frame), ctypes.byref(width), ctypes.byref(height)):
        raise ValueError("its header is damaged")
    return width.value, height.value


def _chunks(data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _three(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")
