"""Images from files, PIL and arrays: (h, w, 3) float32 RGB in [0, 1], rows from the top. Files are read in a child
process with limits of memory and time."""

import hashlib
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from PIL import Image
from skimage.transform import resize

from wsr.data.readers.image import LONGEST_NAME, MAX_PIXELS, brief, pixels_of, read_picture
from wsr.data.resampling import fitted, local_mean
from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError, shown
from wsr.formats import files
from wsr.isolation import Limits, call
from wsr.modalities import IMAGE
from wsr.picture_formats import NAMES, SUFFIXES

SECONDS = 20.0  # 40 megapixels take 2 s on an idle core
MEMORY = 700 * 2**20  # bytes that a child may use in addition; a lossless WebP of 40 megapixels takes 350 MB
MEMORY_WHOLE = 2**31  # the same for a picture at its full size, as float32

Picture = Float[np.ndarray, "h w 3"]


def read_image(source: str | Path | Image.Image | Shaped[Any, "..."], longest: int | None = None) -> Picture:
    """Reads an image as float32 sRGB in [0, 1], with alpha composited on white and EXIF's orientation applied.

    source: a file (PNG, JPEG, WebP, HEIC, AVIF, GIF, BMP, TIFF; the first frame of an animation), a PIL image of any
    mode, or an array (h, w), (h, w, 1), (h, w, 3) or (h, w, 4): floats in [0, 1], or integers 0..255, or uint16.
    longest: scale down so that the longer side is at most this many pixels, during decoding where the format allows it.
    Each pixel is then the mean over its area.

    Colours of files and PIL images are converted to sRGB by their ICC profile, or by a PNG's gamma and primaries. EXIF
    and profiles that cannot be read are ignored. WsrError for a missing, empty, damaged or foreign file, for one of
    more than 32 MB or 40 megapixels or with a side of over 65,535 (checked before anything is decoded), for one that
    takes more than 20 s, and for an array of another shape or range or with NaN.
    """
    if isinstance(source, (str, Path)):
        return _from_file(Path(source), longest)
    if isinstance(source, Image.Image):
        return _from_array(_from_pil(source, longest))
    picture = _from_array(source)
    return resize_image(picture, longest) if longest is not None and max(picture.shape[:2]) > longest else picture


def _from_file(path: Path, longest: int | None, square: bool = False) -> Picture:
    if longest is not None and longest < 1:
        raise WsrError(f"The longer side of a resized image is 1 pixel or more, not {longest}.")
    return _from_array(call(read_picture, str(path), longest, square, limits=limits_of(path, longest)))


def limits_of(path: Path, longest: int | None) -> Limits:
    """Returns the limits under which a picture file is read. longest: see `read_image`."""
    return Limits(seconds=SECONDS, memory=MEMORY if longest else MEMORY_WHOLE, what=shown(path.name, LONGEST_NAME))


def _from_pil(image: Image.Image, longest: int | None) -> Shaped[np.ndarray, "h w 3"]:
    try:
        return pixels_of(image, "The image").array(longest, square=False)
    except WsrError:
        raise
    except Exception as error:  # a lazy image decodes here
        raise WsrError(f"The image is damaged and cannot be decoded ({brief(error)}).") from error


def _from_array(array: np.ndarray) -> Picture:
    try:
        array = np.asarray(array)
    except (ValueError, TypeError) as error:  # rows of different lengths, a tensor on a GPU
        raise WsrError(f"A {type(array).__name__} is not an image array ({brief(error)}).") from error
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
    """Returns the array as float32 in [0, 1], or raises a WsrError that says why that is not possible."""
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
    """Scales an image so that its longer side is `longest` pixels. The aspect is kept, and no side is shorter than one
    pixel.

    When scaling down each pixel is the mean over its area; when scaling up interpolation is bilinear.
    """
    if longest < 1:
        raise WsrError(f"The longer side of a resized image is 1 pixel or more, not {longest}.")
    size = image.shape[:2]
    shape = fitted(size, longest)
    if shape == size:
        return image
    if longest < max(size):
        return local_mean(lambda top, bottom: np.asarray(image[top:bottom], np.float32), size, shape)
    resized = resize(image, (*shape, 3), order=1, mode="edge", anti_aliasing=False)
    return np.clip(resized, 0, 1).astype(np.float32)  # (h2, w2, 3)


def square_crop(image: Picture) -> Float[np.ndarray, "s s 3"]:
    """Crops the largest centred square."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def stable_split(identifier: str) -> str:
    """Returns `heldout` for one id in ten and `train` for the others, by a hash of the id, so that adding files changes
    no split."""
    return "heldout" if int(hashlib.sha256(identifier.encode()).hexdigest(), 16) % 10 == 0 else "train"


def load_image_folder(folder: str | Path, resolution: int = 128) -> Signals:
    """Loads every picture of a supported format (by its ending) below a folder, as centred squares (resolution,
    resolution, 3).

    ids are paths relative to the folder; the class is the first sub-folder, "" where there is none and for FFHQ's
    numbered blocks of a thousand. Files are read when asked for; a damaged one is a WsrError then.
    """
    folder = Path(folder)
    if not files.there(folder, Path.is_dir):
        raise WsrError(f"There is no folder {shown(folder)}.")
    found = sorted(path for path in folder.rglob("*") if _is_picture(path, folder))
    if not found:
        raise WsrError(f"The folder {str(folder)!r} holds no images: {NAMES} files are needed.")
    signals = []
    for path in found:
        parts = path.relative_to(folder).parts
        numbered = re.fullmatch(r"\d{2}000", parts[0])  # FFHQ: 00000/ to 69000/, chunks and not classes
        cls = parts[0] if len(parts) > 1 and not numbered else ""
        name = "/".join(parts)
        signals.append(Signal(name, cls, stable_split(name), IMAGE.dim, partial(_read_square, path, resolution)))
    return Signals(f"images:{folder}", IMAGE.dim, signals, IMAGE)


def _is_picture(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()


def _read_square(path: Path, resolution: int) -> Picture:
    return resize_image(_from_file(path, resolution, square=True), resolution)
