"""The table of supported picture formats: names, file endings and first bytes.

The command line, folders of pictures and the page's file picker all use it. The format of a file is recognised by its
content, whatever its ending says. This module imports nothing heavy.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class PictureFormat:
    """One format: its name in sentences, the endings of its files, and Pillow's decoder ("" for pillow-heif's)."""

    name: str
    suffixes: tuple[str, ...]
    decoder: str


OFFERED = (
    PictureFormat("PNG", (".png", ".apng"), "PNG"),
    PictureFormat("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"),
    PictureFormat("WebP", (".webp",), "WEBP"),
    PictureFormat("HEIC", (".heic", ".heif", ".hif"), ""),
    PictureFormat("AVIF", (".avif",), "AVIF"),
    PictureFormat("GIF", (".gif",), "GIF"),
    PictureFormat("BMP", (".bmp",), "BMP"),
    PictureFormat("TIFF", (".tif", ".tiff"), "TIFF"),
)
SUFFIXES = tuple(suffix for kind in OFFERED for suffix in kind.suffixes)
NAMES = ", ".join(kind.name for kind in OFFERED[:-1]) + f" or {OFFERED[-1].name}"

_BY_NAME = {kind.name: kind for kind in OFFERED}
_BEGINNINGS = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
}
# Names of pictures that people may try and that are not supported, as a sentence names them.
_NOT_OFFERED = {
    "a JPEG XL picture": (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"),
    "a JPEG 2000 picture": (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    "a Photoshop document": (b"8BPS",),
    "a PPM picture": (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7", b"PF", b"Pf"),
    "an icon": (b"\0\0\1\0",),
    "an OpenEXR picture": (b"\x76\x2f\x31\x01",),
    "a PostScript document": (b"%!PS", b"\xc5\xd0\xd3\xc6"),
    "a PDF document": (b"%PDF",),
    "an SVG drawing": (b"<svg",),
}
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_AVIF = (b"avif", b"avis")
_EITHER = (b"mif1", b"msf1", b"miaf", b"mif2")


def offered(head: bytes) -> PictureFormat | None:
    """Returns the format of a file from its first bytes (64 or more), or None if it is not supported."""
    if head[4:8] == b"ftyp":
        return _BY_NAME.get(_boxed(head))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _BY_NAME["WebP"]
    return next((_BY_NAME[name] for name, begin in _BEGINNINGS.items() if head.startswith(begin)), None)


def described(head: bytes) -> str:
    """Returns what an unsupported file holds, as a noun with its article, or "" if its first bytes do not tell."""
    if head[4:8] == b"ftyp":
        return "a video or another container of pictures"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<?xml") and b"<svg" in head:
        return "an SVG drawing"
    return next((what for what, begin in _NOT_OFFERED.items() if start.startswith(begin) or head.startswith(begin)), "")


def _boxed(head: bytes) -> str:
    """Returns "HEIC", "AVIF" or "" by the brands in the header of an ISO media file. The first brand may be one that
    both formats use."""
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, min(size, len(head)) - 3, 4))]
    for brand in brands if brands[0] in _EITHER else brands[:1]:
        if brand in _HEIC:
            return "HEIC"
        if brand in _AVIF:
            return "AVIF"
    return "HEIC" if brands[0] in _EITHER else ""
