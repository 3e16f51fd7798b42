"""Images from files, PIL and arrays: (h, w, 3) float32 RGB in [0, 1], rows from the top. Nothing too big is decoded."""

import hashlib
import re
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from PIL import Image, ImageOps, UnidentifiedImageError
from skimage.transform import resize, resize_local_mean

from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError

MAX_IMAGE_BYTES = 32 * 2**20
MAX_PIXELS = 40_000_000

# Decoders that only decode: Pillow's others include EPS, which runs a PostScript interpreter on the file.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

# Modes that hold more than 8 bits a channel, with what their white is.
_DEEP = {"I;16": 65535, "I;16L": 65535, "I;16B": 65535, "I;16N": 65535, "I": 65535, "F": 1}

Picture = Float[np.ndarray, "h w 3"]


def read_image(source: str | Path | Image.Image | Shaped[Any, "..."], longest: int | None = None) -> Picture:
    """An image as float32 RGB in [0, 1]; alpha is composited on white, and EXIF orientation applied.

    source: a file (PNG, JPEG, WebP, GIF, BMP, TIFF, PPM; the first frame of an animation), a PIL image of any mode, or
    an array (h, w), (h, w, 1), (h, w, 3) or (h, w, 4): floats in [0, 1], or integers 0..255, or uint16.
    longest: scale down so that the longer side is at most this. Before the colours become floats, so a large photograph
    costs four bytes a pixel instead of twenty.

    WsrError for a missing, empty, damaged or foreign file, for one of more than 32 MB or 40 megapixels (checked before
    anything is decoded), and for an array of another shape or range or with NaN.
    """
    if isinstance(source, Image.Image):
        picture = _from_pil(source, longest, "The image")
    elif isinstance(source, (str, Path)):
        picture = _from_file(Path(source), longest)
    else:
        picture = _from_array(source)
    if longest is not None and max(picture.shape[:2]) > longest:
        picture = resize_image(picture, longest)
    return picture


def _from_file(path: Path, longest: int | None) -> Picture:
    name = repr(path.name)
    if not path.is_file():
        raise WsrError(f"There is no image file {str(path)!r}.")
    size = path.stat().st_size
    if size == 0:
        raise WsrError(f"{name} is empty: a PNG, JPEG or WebP image is needed.")
    if size > MAX_IMAGE_BYTES:
        raise WsrError(f"{name} has {size / 2**20:.0f} MB: images may have up to {MAX_IMAGE_BYTES // 2**20} MB.")
    try:
        image = Image.open(BytesIO(path.read_bytes()), formats=FORMATS)  # the header only
    except UnidentifiedImageError:
        raise WsrError(f"{name} is not an image that can be read: PNG, JPEG or WebP is needed.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise WsrError(f"{name} has far too many pixels: up to {MAX_PIXELS // 10**6} megapixels are read.") from None
    except Exception as error:  # what a decoder raises on hostile bytes is open-ended
        raise WsrError(f"{name} is damaged and cannot be read as an image ({_brief(error)}).") from error
    with image:
        return _from_pil(image, longest, name)


def _from_pil(image: Image.Image, longest: int | None, name: str) -> Picture:
    width, height = image.size
    if width * height == 0:
        raise WsrError(f"{name} has no pixels ({width}x{height}).")
    if width * height > MAX_PIXELS:
        raise WsrError(f"{name} has {width}x{height} pixels: up to {MAX_PIXELS // 10**6} megapixels are read.")
    try:
        image = ImageOps.exif_transpose(image)
        if image.mode in _DEEP:
            return _from_array(_deep_pixels(image))
        image = image.convert("LA") if image.mode == "La" else image  # the only way out of this mode
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        if longest is not None and max(image.size) >= 2 * longest:
            image = image.reduce(max(image.size) // longest)  # whole-pixel averages, alpha weighted
    except WsrError:
        raise
    except Exception as error:  # what a decoder raises on hostile bytes is open-ended
        raise WsrError(f"{name} is damaged and cannot be decoded ({_brief(error)}).") from error
    return _from_array(np.asarray(image))


def _deep_pixels(image: Image.Image) -> np.ndarray:
    pixels = np.asarray(image, dtype=np.float64)  # (h, w)
    return pixels / _DEEP[image.mode]


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _from_array(array: np.ndarray) -> Picture:
    try:
        array = np.asarray(array)
    except (ValueError, TypeError) as error:  # rows of different lengths, a tensor on a GPU
        raise WsrError(f"A {type(array).__name__} is no image array ({_brief(error)}).") from error
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[-1] not in (1, 3, 4) or array.size == 0:
        raise WsrError(f"An array of shape {array.shape} is no image: (h, w), (h, w, 3) or (h, w, 4) is needed.")
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise WsrError(f"An array of shape {array.shape} has over {MAX_PIXELS // 10**6} megapixels.")
    pixels = _unit_range(array)
    if pixels.shape[-1] == 4:
        alpha = pixels[..., 3:]
        pixels = pixels[..., :3] * alpha + (1 - alpha)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))  # (h, w, 3)


def _unit_range(array: np.ndarray) -> np.ndarray:
    """float32 in [0, 1], or a WsrError that says why not."""
    if array.dtype.kind not in "buif":
        raise WsrError(f"An image array holds numbers, not {array.dtype}: floats in [0, 1] or integers 0..255.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise WsrError("The image array holds NaN or infinite values: floats in [0, 1] are needed.")
    white = {"f": 1.0, "b": 1.0}.get(array.dtype.kind, 65535.0 if array.dtype == np.uint16 else 255.0)
    lowest, highest = float(array.min()), float(array.max())
    # room for the rounding of a decode or a resize, no more: 0..255 as floats must not pass
    slack = 1e-3 if array.dtype.kind == "f" else 0.0
    if lowest < -slack or highest > white + slack:
        raise WsrError(
            f"The {array.dtype} image array ranges from {lowest:g} to {highest:g}: "
            f"0 to {white:g} is needed (floats 0..1, integers 0..255, uint16 0..65535)."
        )
    pixels = array.astype(np.float32)  # a copy; in place from here, for 40 megapixels make half a gigabyte of floats
    np.divide(pixels, np.float32(white), out=pixels)
    return np.clip(pixels, 0, 1, out=pixels)


def resize_image(image: Picture, longest: int) -> Float[np.ndarray, "h2 w2 3"]:
    """Scaled so that the longer side is `longest` pixels, aspect kept, no side under one pixel.

    Down: each pixel is the mean over its area. Up: bilinear.
    """
    if longest < 1:
        raise WsrError(f"The longer side of a resized image is 1 pixel or more, not {longest}.")
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    shape = tuple(longest if side == max(height, width) else max(1, round(side * scale)) for side in (height, width))
    if shape == (height, width):
        return image
    if scale < 1:
        resized = resize_local_mean(image, shape, channel_axis=-1)
    else:
        resized = resize(image, (*shape, 3), order=1, mode="edge", anti_aliasing=False)
    return np.clip(resized, 0, 1).astype(np.float32)  # (h2, w2, 3)


def square_crop(image: Picture) -> Float[np.ndarray, "s s 3"]:
    """The largest square around the centre."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def stable_split(identifier: str) -> str:
    """`heldout` for one id in ten, `train` for the others: from the id alone, so adding files moves none."""
    return "heldout" if int(hashlib.sha256(identifier.encode()).hexdigest(), 16) % 10 == 0 else "train"


def load_image_folder(folder: str | Path, resolution: int = 128) -> Signals:
    """Every PNG, JPEG and WebP below a folder, as centred squares (resolution, resolution, 3).

    ids are paths relative to the folder; the class is the first sub-folder, "" where there is none and for FFHQ's
    numbered blocks of a thousand. Files are read when asked for; a damaged one is a WsrError then.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise WsrError(f"There is no folder {str(folder)!r}.")
    files = sorted(path for path in folder.rglob("*") if _is_picture(path, folder))
    if not files:
        raise WsrError(f"The folder {str(folder)!r} holds no images: PNG, JPEG or WebP files are needed.")
    signals = []
    for path in files:
        parts = path.relative_to(folder).parts
        numbered = re.fullmatch(r"\d{2}000", parts[0])  # FFHQ: 00000/ to 69000/, chunks and not classes
        cls = parts[0] if len(parts) > 1 and not numbered else ""
        name = "/".join(parts)
        signals.append(Signal(name, cls, stable_split(name), 2, partial(_read_square, path, resolution)))
    return Signals(f"images:{folder}", 2, signals)


def _is_picture(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()


def _read_square(path: Path, resolution: int) -> Picture:
    return resize_image(square_crop(read_image(path)), resolution)
