"""Pictures of matrices, one pixel for each entry."""

import numpy as np
from jaxtyping import Float, UInt8

from app.shared.palette import DIVERGING

_STOPS = np.array([stop for stop, _ in DIVERGING])
_COLOURS = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for _, colour in DIVERGING], float)  # (5, 3)


def matrix_picture(matrix: Float[np.ndarray, "h w"], span: float) -> UInt8[np.ndarray, "h w 3"]:
    """Returns a matrix as bytes (h, w, 3): blue below 0 and vermillion above, on a scale of ±span. NaN is grey."""
    position = np.clip(np.nan_to_num(matrix) / (2 * span) + 0.5, 0, 1)
    channels = [np.interp(position, _STOPS, _COLOURS[:, channel]) for channel in range(3)]
    picture = np.stack(channels, axis=-1).round().astype(np.uint8)
    picture[~np.isfinite(matrix)] = 128
    return picture
