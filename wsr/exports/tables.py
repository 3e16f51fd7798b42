"""Columns that tables for other programs share."""

import io

import numpy as np
import pyarrow as pa
from jaxtyping import UInt8
from PIL import Image

from wsr.exports.base import Exported
from wsr.formats.tables import attribute_of, is_attribute

THUMBNAIL = 96  # pixels of a side
ABOUT = ("id", "class", "split", "quality")
# Names of columns that tables have besides; an attribute of such a name keeps that of its column in the index.
KEPT = {*ABOUT, "image", "weights", "neighbors", "projection_x", "projection_y"}


def described(exported: Exported) -> dict[str, pa.Array]:
    """Returns the columns of the index that mean something elsewhere: id, class, split, quality and attributes."""
    index = exported.index
    chosen = [*ABOUT, *(name for name in index if is_attribute(name))]
    return {_named(name): pa.Array.from_pandas(index[name]) for name in chosen}


def _named(column: str) -> str:
    own = attribute_of(column)
    return column if own in KEPT else own


def thumbnails(exported: Exported, size: int = THUMBNAIL) -> pa.Array:
    """Returns a PNG of each instance as {"bytes", "path"}, which is how Hugging Face's tables hold images."""
    rows = [{"bytes": png(picture, size), "path": None} for _, picture in exported.pictures(size)]
    return pa.array(rows, pa.struct({"bytes": pa.binary(), "path": pa.string()}))


def png(picture: UInt8[np.ndarray, "h w 3"], longest: int) -> bytes:
    """Returns a picture as a PNG, reduced so that no side is longer than `longest` pixels."""
    image, stream = Image.fromarray(picture), io.BytesIO()
    image.thumbnail((longest, longest))
    image.save(stream, "PNG")
    return stream.getvalue()
