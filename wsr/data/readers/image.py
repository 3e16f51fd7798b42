"""Reads pictures from files inside a child process, up to 40 megapixels and in little memory."""

import re
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Shaped
from PIL import Image, UnidentifiedImageError

from wsr.data.readers import colour, png, webp
from wsr.data.readers.pixels import Pixels, channels_of
from wsr.errors import WsrError, shown
from wsr.formats.recognise import content_of, stand_in
from wsr.picture_formats import NAMES, PictureFormat, offered

MAX_BYTES = 32 * 2**20
MAX_PIXELS = 40_000_000
MAX_SIDE = 65_535  # the longest side that JPEG and GIF can have
LONGEST_NAME = 80  # characters of a file's name in a message
_DRAFT = 4_000_000  # pixels from which a JPEG is decoded at a reduced size; smaller ones are decoded exactly

Result = TypeVar("Result")

_AVIF_EXIF = re.compile(rb"(infe[\x02\x03].{3}.{4}(?:..)?)Exif", re.DOTALL)  # an item's entry, with its type
_ORIENTATION, _COLOUR_SPACE, _INTEROP = 0x0112, 0xA001, 0xA005


def read_picture(path: str, longest: int | None = None, square: bool = False) -> Shaped[np.ndarray, "h w 3"]:
    """Reads a picture file as sRGB on white, oriented by EXIF: uint8, or float32 in [0, 1] if it has more than 8 bits a
    channel.

    longest: scale down so that the longer side is at most this many pixels. square: crop the central square before
    scaling. WsrError for a file that is not a picture of a supported format, is damaged, or has over 40 megapixels or
    65,535 pixels along a side. The size is checked before anything is decoded, and at most 4 bytes a pixel are kept.
    """
    return with_pixels(path, lambda opened: opened.pixels.array(longest, square), longest, square)


@dataclass(frozen=True)
class Opened:
    """A decoded file: its format, its bytes and its pixels."""

    kind: PictureFormat
    data: bytes
    pixels: Pixels


def with_pixels(
    path: str, use: Callable[[Opened], Result], longest: int | None = None, square: bool = False
) -> Result:  # fmt: skip
    """Decodes a file and returns `use(opened)`. The options and the WsrErrors are those of `read_picture`; any
    exception of `use` means that the file is damaged."""
    file = Path(path)
    name, data = shown(file.name, LONGEST_NAME), _content(file)
    kind = offered(data[:64])
    if kind is None:
        if clause := stand_in(data, "a picture"):
            raise WsrError(f"{name} {clause}.")
        raise WsrError(f"{name} holds {content_of(data) or 'no picture'}: {NAMES} is needed.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about unknown tags, which do not matter here
            return use(Opened(kind, data, _pixels(data, kind, name, longest, square)))
    except (WsrError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise WsrError(f"{name} has far too many pixels: up to {MAX_PIXELS // 10**6} megapixels are read.") from None
    except UnidentifiedImageError:
        raise WsrError(f"{name} begins as a {kind.name} picture, and the rest is damaged or is none.") from None
    except Exception as error:  # what a decoder raises on hostile bytes is open-ended
        raise WsrError(f"{name} holds a damaged {kind.name} picture: it cannot be decoded ({brief(error)}).") from error


def brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def pixels_of(image: Image.Image, name: str) -> Pixels:
    """Returns the pixels of a picture that is open in Pillow. WsrError for too many pixels, or none."""
    check_size(image.size, name)
    image.load()
    exif = _exif(image)
    key = image.info.get("transparency") if image.mode in ("1", "L", "RGB", "I;16", "I") else None
    key = key if key is None or isinstance(key, tuple) else (key,)
    if key is not None and not all(isinstance(part, int) for part in key):
        key = None
    convert = colour.from_profile(image.info.get("icc_profile"), channels_of(image))
    if convert is None and "icc_profile" not in image.info and _is_adobe_rgb(exif):
        convert = colour.adobe_rgb(channels_of(image))
    return Pixels(image, name, convert, _orientation(exif), key)


def check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height == 0:
        raise WsrError(f"{name} has no pixels ({width}x{height}).")
    if width * height > MAX_PIXELS:
        raise WsrError(f"{name} has {width}x{height} pixels: up to {MAX_PIXELS // 10**6} megapixels are read.")
    if max(width, height) > MAX_SIDE:
        raise WsrError(f"{name} has {width}x{height} pixels: a side may have up to {MAX_SIDE:,}.")


def _content(path: Path) -> bytes:
    name = shown(path.name, LONGEST_NAME)
    try:
        if not path.is_file():
            raise WsrError(f"There is no image file {str(path)!r}.")
        size = path.stat().st_size
        if size == 0:
            raise WsrError(f"{name} is empty: {NAMES} is needed.")
        if size > MAX_BYTES:
            raise WsrError(f"{name} has {size / 2**20:.0f} MB: images may have up to {MAX_BYTES // 2**20} MB.")
        return path.read_bytes()
    except OSError as error:
        raise WsrError(f"{name} cannot be read: {error.strerror or error}.") from error


def _pixels(data: bytes, kind: PictureFormat, name: str, longest: int | None, square: bool) -> Pixels:
    if kind.name == "PNG":
        return _from_png(data, name)
    if kind.name == "AVIF":
        return _from_avif(data, name)
    if kind.name == "WebP" and webp.library() is not None:
        found = webp.layout(data)
        check_size(found.size, name)
        return pixels_of(webp.decoded(found), name)
    image = _heic(data, name) if kind.name == "HEIC" else Image.open(BytesIO(data), formats=(kind.decoder,))
    check_size(image.size, name)
    if kind.name == "WebP":
        image = _webp(image)
    elif kind.name == "JPEG" and not square:  # at a reduced size the central square is slightly different
        _draft(image, longest)
    frame = _frame(image) if kind.name == "GIF" else None
    inverted = kind.name == "TIFF" and image.mode.startswith("I;16") and image.tag_v2.get(262) == 0
    found = pixels_of(image, name)
    found.frame, found.inverted = frame, inverted
    if found.convert is None and "icc_profile" not in image.info and (nclx := image.info.get("nclx_profile")):
        code = nclx.get("color_primaries"), nclx.get("transfer_characteristics")
        found.convert = colour.from_code_points(*code, channels_of(image))
    return found


def _from_png(data: bytes, name: str) -> Pixels:
    lean = png.lean(data)
    image = Image.open(BytesIO(lean.data), formats=("PNG",))
    check_size(image.size, name)
    frame, depth, low = _frame(image), data[24], None
    found = pixels_of(image, name)
    if found.key is not None:  # Pillow returns the key as stored, but pixels of fewer bits scaled to 8
        scale = 255 // (2**depth - 1) if image.mode == "L" else 1
        bits = 255 if image.mode == "1" else 2**depth - 1
        found.key = tuple((part & bits) * scale for part in found.key)
        if depth == 16 and image.mode == "RGB":
            low = _low_bytes(lean.data)
    exif = _exif(image, lean.chunks.get(b"eXIf"))
    found.convert = colour.from_chunks(lean.chunks, lean.profile, channels_of(image))
    found.orientation, found.frame, found.low = _orientation(exif), frame, low
    return found


def _low_bytes(data: bytes) -> Image.Image:
    """Returns the low bytes of a PNG with 16 bits a channel, of which Pillow decodes the high bytes only."""
    image = Image.open(BytesIO(data), formats=("PNG",))
    image.tile = [tile._replace(args="RGB;16L") for tile in image.tile]
    image.load()
    return image


def _frame(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Returns the box that the first frame covers, or None if it covers the whole canvas."""
    boxes = [tuple(tile.extents) for tile in image.tile if tile.extents]
    return boxes[0] if len(boxes) == 1 and boxes[0] != (0, 0, *image.size) else None


def _heic(data: bytes, name: str) -> Image.Image:
    try:
        from pillow_heif.as_plugin import HeifImageFile
    except ImportError:
        hint = "install pillow-heif to read it, or export it as JPEG"
        raise WsrError(f"{name} holds a HEIC picture, as phones make them: {hint}.") from None
    return HeifImageFile(BytesIO(data))


def _webp(image: Image.Image) -> Image.Image:
    """Decodes a WebP with uncovered parts of the canvas transparent (Pillow drops alpha if no frame has it), and
    without the copy that Pillow makes."""
    pixels, _ = image._decoder.get_next() or (None, None)
    if pixels is None:
        raise ValueError("its first frame is damaged")
    image._decoder = None  # the decoder holds two more canvases
    found = Image.frombuffer("RGBA", image.size, pixels, "raw", "RGBA", 0, 1)
    found.info = {key: image.info[key] for key in ("icc_profile", "exif", "xmp") if key in image.info}
    return found


def _draft(image: Image.Image, longest: int | None) -> None:
    """Sets a large JPEG to be decoded at 1/2, 1/4 or 1/8 of its size, at least twice the wanted size."""
    width, height = image.size
    if longest is None or width * height <= _DRAFT:
        return
    scale = next((scale for scale in (8, 4, 2) if max(width, height) >= 2 * scale * longest), 1)
    if scale > 1 and min(width, height) >= scale:
        image.draft(None, (width // scale, height // scale))


def _from_avif(data: bytes, name: str) -> Pixels:
    """Decodes an AVIF by Pillow's decoder, without its plugin and without EXIF: both would refuse a picture whose EXIF
    they cannot read, and AVIF stores its orientation elsewhere."""
    from PIL import _avif

    decoder = _avif.AvifDecoder(_AVIF_EXIF.sub(rb"\1skip", data), "auto", 2)
    size, _, mode, profile, _, orientation, _ = decoder.get_info()
    check_size(size, name)
    image = Image.frombytes(mode, size, decoder.get_frame(0)[0])
    convert = colour.from_profile(profile, channels_of(image))
    if not profile and (at := data.find(b"colrnclx")) >= 0 and len(data) >= at + 12:
        convert = colour.from_code_points(*struct.unpack_from(">HH", data, at + 8), channels_of(image))
    return Pixels(image, name, convert, orientation)


def _exif(image: Image.Image, chunk: bytes | None = None) -> Image.Exif:
    """Returns the EXIF data, empty if there is none or it cannot be read."""
    try:
        if chunk is None:
            return image.getexif()
        exif = Image.Exif()
        exif.load(b"Exif\0\0" + chunk)
        return exif
    except Exception:
        return Image.Exif()


def _orientation(exif: Image.Exif) -> int:
    try:
        found = exif.get(_ORIENTATION, 1)
    except Exception:  # tags are read when they are asked for
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _is_adobe_rgb(exif: Image.Exif) -> bool:
    """Returns whether EXIF declares Adobe RGB without a profile, by DCF's rule for the optional colour space."""
    try:
        details, interop = exif.get_ifd(0x8769), exif.get_ifd(_INTEROP)
        return details.get(_COLOUR_SPACE) == 0xFFFF and str(interop.get(1, "")).startswith("R03")
    except Exception:
        return False
