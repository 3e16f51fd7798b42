"""Converts the pixels of an opened picture of any mode to sRGB on white, a band of rows at a time."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped
from PIL import Image

from wsr.data.readers.colour import Converter
from wsr.data.resampling import fitted, local_mean
from wsr.errors import WsrError

# Modes with more than 8 bits a channel, and their value of white.
DEEP = {"I;16": 65535, "I;16L": 65535, "I;16B": 65535, "I;16N": 65535, "I": 65535, "F": 1}
_GREY = ("1", "L", "LA", "La", *DEEP)
_BAND = 2**20  # pixels at a time

# How to turn the stored rows and columns, by EXIF's orientation.
_TURNS = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a[::-1].transpose(1, 0, 2),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: a[:, ::-1].transpose(1, 0, 2),
}


def channels_of(image: Image.Image) -> int:
    """Returns the number of colour channels: 1 (grey), 3 or 4 (CMYK)."""
    return 1 if image.mode in _GREY else 4 if image.mode == "CMYK" else 3


@dataclass
class Pixels:
    """A decoded picture.

    key: the transparent colour, in the picture's own values, or None. frame: (left, top, right, bottom) of the drawn
    part if the rest of the canvas is empty, or None. low: low bytes of a picture with 16 bits a channel, used for `key`
    only. inverted: whether 0 is white.
    """

    image: Image.Image
    name: str
    convert: Converter | None = None
    orientation: int = 1
    key: tuple[int, ...] | None = None
    frame: tuple[int, int, int, int] | None = None
    low: Image.Image | None = None
    inverted: bool = False

    def array(self, longest: int | None, square: bool) -> Shaped[np.ndarray, "h w 3"]:
        """Returns the picture with its longer side at most `longest`, cropped to the central square if `square`: uint8
        if it has 8 bits a channel and needs no conversion, else float32 in [0, 1]."""
        if square:
            self._crop()
        width, height = self.image.size
        if longest is not None and longest < max(width, height):
            shape = fitted((height, width), longest)
            found = local_mean(self.rows, (height, width), shape)
        elif self.plain:
            found = np.asarray(self.image.convert("RGB"))
        else:
            found = self._whole()
        return np.ascontiguousarray(_TURNS.get(self.orientation, lambda a: a)(found))

    @property
    def plain(self) -> bool:
        opaque = self.key is None and self.frame is None and not self.image.has_transparency_data
        return opaque and self.convert is None and self.image.mode not in DEEP and not self.inverted

    def rows(self, top: int, bottom: int) -> Float[np.ndarray, "r w 3"]:
        """Returns rows as float32 in [0, 1], composited on white."""
        band = self.image.crop((0, top, self.image.width, bottom))
        values, alpha = self._deep(band) if band.mode in DEEP else self._eight(band)
        if self.inverted:
            values = 1 - values
        if self.convert is not None:
            values = self.convert(values)
        if self.key is not None:
            alpha = self._keyed(band, top)
        if alpha is not None:
            values = values * alpha + (1 - alpha)
        values = np.broadcast_to(values, (*values.shape[:2], 3))
        if self.frame is not None:
            values = self._framed(values, top)
        return values

    def _whole(self) -> Float[np.ndarray, "h w 3"]:
        width, height = self.image.size
        found, step = np.empty((height, width, 3), np.float32), max(1, _BAND // width)
        for top in range(0, height, step):
            found[top : top + step] = self.rows(top, min(top + step, height))
        return np.clip(found, 0, 1, out=found)

    def _crop(self) -> None:
        width, height = self.image.size
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        if width == height:
            return
        box = (left, top, left + side, top + side)
        self.image, self.low = self.image.crop(box), self.low and self.low.crop(box)
        if self.frame is not None:
            self.frame = tuple(edge - (left, top)[i % 2] for i, edge in enumerate(self.frame))

    def _deep(self, band: Image.Image) -> tuple[np.ndarray, None]:
        values = np.asarray(band, np.float64)[..., None] / DEEP[band.mode]
        if not np.isfinite(values).all() or values.min() < -1e-3 or values.max() > 1 + 1e-3:
            raise WsrError(
                f"{self.name} holds numbers from {values.min() * DEEP[band.mode]:g} to "
                f"{values.max() * DEEP[band.mode]:g}: 0 to {DEEP[band.mode]} is needed."
            )
        return np.clip(values, 0, 1).astype(np.float32), None

    def _eight(self, band: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
        """Returns colours (r, w, c) with 1, 3 or 4 channels, and alpha (r, w, 1) or None."""
        if band.mode == "La":
            band = band.convert("LA")  # the only way out of this mode
        if band.mode == "RGBa" or (band.has_transparency_data and band.mode not in ("1", "L", "RGB", "LA", "RGBA")):
            band = band.convert("RGBA")
        elif band.mode == "1":
            band = band.convert("L")
        elif band.mode not in ("L", "RGB", "LA", "RGBA") and not (band.mode == "CMYK" and self.convert is not None):
            band = band.convert("RGB")
        values = np.asarray(band, np.float32) / 255
        if values.ndim == 2:
            return values[..., None], None
        if band.mode in ("LA", "RGBA"):
            return values[..., :-1], values[..., -1:]
        return values, None

    def _keyed(self, band: Image.Image, top: int) -> Float[np.ndarray, "r w 1"]:
        """Returns 0 where a pixel has the transparent colour, 1 elsewhere."""
        stored = np.asarray(band.convert("L") if band.mode == "1" else band).astype(np.int64)
        if self.low is not None:
            stored = stored * 256 + np.asarray(self.low.crop((0, top, band.width, top + band.height)))
        stored = stored[..., None] if stored.ndim == 2 else stored
        return (stored != np.array(self.key)).any(-1, keepdims=True).astype(np.float32)

    def _framed(self, values: np.ndarray, top: int) -> Float[np.ndarray, "r w 3"]:
        left, above, right, below = (max(0, edge) for edge in self.frame)
        white, inside = np.ones_like(values), slice(max(0, above - top), max(0, below - top))
        white[inside, left:right] = values[inside, left:right]
        return white
