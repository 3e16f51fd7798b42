"""Picture files made byte by byte, of kinds that no encoder writes."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from wsr.data.images import read_image

QUARTERS = np.array([[(230, 30, 30), (30, 170, 60)], [(40, 60, 220), (240, 210, 40)]], np.uint8)
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
D65 = (0.3127, 0.3290)


def quarters() -> np.ndarray:
    """Red, green, blue and yellow quarters, (32, 48, 3)."""
    return np.kron(QUARTERS, np.ones((16, 24, 1), np.uint8))


def assert_quarters(picture: np.ndarray, tolerance: int = 12) -> None:
    assert picture.shape == (32, 48, 3)
    for (y, x), colour in zip(((8, 12), (8, 36), (24, 12), (24, 36)), QUARTERS.reshape(4, 3), strict=True):
        assert np.abs(picture[y, x] - colour).max() <= tolerance, (x, y)


def written(folder, data: bytes, name: str = "a.png"):
    path = folder / name
    path.write_bytes(data)
    return path


def encoded(kind: str, pixels: np.ndarray | None = None, **options) -> bytes:
    """Encodes the quarters, or pixels (h, w, 3), with Pillow's encoder of this name, or as HEIF."""
    buffer = io.BytesIO()
    picture = Image.fromarray(quarters() if pixels is None else pixels)
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").from_pillow(picture).save(buffer, quality=95, chroma=444, **options)
    else:
        picture.save(buffer, kind, **options)
    return buffer.getvalue()


def in_eight(path, **options) -> np.ndarray:
    """Reads a file and returns its values in 0..255."""
    return np.round(read_image(path, **options) * 255).astype(int)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(pixels: np.ndarray, colour: int, depth: int = 8, more: list[bytes] = (), canvas: tuple | None = None) -> bytes:
    """Makes a PNG of pixels (h, w) or (h, w, c), packed into `depth` bits. more: chunks before the pixels; canvas:
    (width, height)."""
    height, width = pixels.shape[:2]
    flat = pixels.reshape(height, -1)
    if depth == 16:
        rows = [row.astype(">u2").tobytes() for row in flat]
    elif depth == 8:
        rows = [row.astype(np.uint8).tobytes() for row in flat]
    else:
        bits = (flat[..., None] >> np.arange(depth - 1, -1, -1)) & 1
        rows = [np.packbits(row.reshape(-1).astype(np.uint8)).tobytes() for row in bits]
    head = struct.pack(">IIBBBBB", *(canvas or (width, height)), depth, colour, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(more) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"x\0\0" + zlib.compress(profile))


def to_xyz(primaries, white=D65) -> np.ndarray:
    columns = np.array([(x, y, 1 - x - y) for x, y in primaries]).T
    return columns * np.linalg.solve(columns, (white[0] / white[1], 1, (1 - sum(white)) / white[1]))


def in_srgb(rgb, primaries, exponent: float) -> np.ndarray:
    """Converts a colour (0..255) with these primaries (white is D65) and this gamma to sRGB."""
    linear = np.linalg.inv(to_xyz(SRGB)) @ to_xyz(primaries) @ (np.array(rgb) / 255) ** exponent
    linear = linear.clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def profile(space: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    """Makes an ICC profile of version 2."""
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(79), b"cprt": b"text\0\0\0\0x\0"} | tags
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"lcms", 0x02400000, kind, space, connection)
    head = head.ljust(36, b"\0") + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _fixed(values) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(65536 * value) for value in values))


def _gamma(exponent: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * exponent))


def rgb_profile(primaries=P3, exponent: float = 2.0) -> bytes:
    cone = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    white, d50 = np.array([0.9505, 1, 1.0891]), np.array([0.9642, 1, 0.8249])
    adapted = np.linalg.inv(cone) @ np.diag((cone @ d50) / (cone @ white)) @ cone @ to_xyz(primaries)
    tags = {name: b"XYZ \0\0\0\0" + _fixed(adapted[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _gamma(exponent))
    return profile(b"RGB ", {b"wtpt": b"XYZ \0\0\0\0" + _fixed(d50), **tags, **curves})


def grey_profile(exponent: float) -> bytes:
    return profile(b"GRAY", {b"wtpt": b"XYZ \0\0\0\0" + _fixed((0.9642, 1, 0.8249)), b"kTRC": _gamma(exponent)})


def cmyk_profile() -> bytes:
    """Makes a profile of unusual inks: what should be cyan is red."""
    corners = []
    for ink in np.ndindex(2, 2, 2, 2):  # cyan, magenta, yellow, black; the last changes fastest
        light, a, b = (0, 0, 0) if ink[3] else (53, 80, 67) if ink[0] else (100, 0, 0)
        corners += [round(light * 255 / 100), a + 128, b + 128]
    identity = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + _fixed(np.eye(3).reshape(-1))
    lut += identity * 4 + bytes(corners) + identity * 3
    return profile(b"CMYK", {b"wtpt": b"XYZ \0\0\0\0" + _fixed((0.9642, 1, 0.8249)), b"A2B0": lut}, b"Lab ", b"prtr")


def partial_webp(size: tuple[int, int], at: tuple[int, int], frame: Image.Image, frames: int = 2) -> bytes:
    """Makes an animation without alpha whose frames cover a part of the canvas."""
    buffer = io.BytesIO()
    frame.save(buffer, "WEBP", lossless=False, quality=95)
    still = buffer.getvalue()[12:]  # without the header of the file: its VP8 chunk
    u24 = lambda value: struct.pack("<I", value)[:3]  # noqa: E731

    def part(kind: bytes, data: bytes) -> bytes:
        return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    where = u24(at[0] // 2) + u24(at[1] // 2) + u24(frame.width - 1) + u24(frame.height - 1) + u24(100) + b"\0"
    body = part(b"VP8X", bytes([2, 0, 0, 0]) + u24(size[0] - 1) + u24(size[1] - 1))
    body += part(b"ANIM", bytes(6)) + part(b"ANMF", where + still) * frames
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def partial_gif(size: tuple[int, int], at: tuple[int, int], frame: Image.Image, palette: bytes) -> bytes:
    """Makes a GIF whose first frame covers a part of the canvas, with one palette for all."""
    buffer = io.BytesIO()
    frame.putpalette(palette)
    frame.save(buffer, "GIF")
    whole = bytearray(buffer.getvalue())
    struct.pack_into("<HH", whole, 6, *size)
    table = 13 + (3 << ((whole[10] & 7) + 1)) if whole[10] & 128 else 13
    struct.pack_into("<HH", whole, whole.index(b",", table) + 1, *at)
    return bytes(whole)


def many_scans(side: int, count: int) -> bytes:
    """Makes a progressive JPEG whose last scan is repeated many times."""
    buffer = io.BytesIO()
    Image.new("L", (side, side), 77).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"
