"""Scales pictures down, a band of rows at a time: each pixel is the exact mean over the area that it covers."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array

BAND = 2**20  # source pixels at a time

# Reads the rows from `top` to `bottom` of a picture, as float32 in [0, 1].
Rows = Callable[[int, int], Float[np.ndarray, "rows w 3"]]


def fitted(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Returns the (height, width) of a picture scaled so that its longer side is `longest`. No side is shorter than one
    pixel."""
    scale = longest / max(size)
    return tuple(longest if side == max(size) else max(1, round(side * scale)) for side in size)


def local_mean(rows: Rows, size: tuple[int, int], shape: tuple[int, int]) -> Float[np.ndarray, "h w 3"]:
    """Scales a picture of `size` (height, width), read through `rows`, to `shape`, which must not be larger."""
    (height, width), (new_height, new_width) = size, shape
    down, across = _weights(height, new_height), _weights(width, new_width)
    at_once = max(1, int(BAND / width / (height / new_height)))  # new rows
    found = np.empty((new_height, new_width, 3), np.float32)
    for start in range(0, new_height, at_once):
        part = down[start : start + at_once]  # (rows, height), of which few columns are used
        top, bottom = part.indices.min(), part.indices.max() + 1
        band = _mean_rows(rows, part, int(top), int(bottom), width)  # (rows, width, 3)
        columns = np.ascontiguousarray(band.transpose(1, 0, 2)).reshape(width, -1)
        found[start : start + at_once] = (across @ columns).reshape(new_width, -1, 3).transpose(1, 0, 2)
    return np.clip(found, 0, 1, out=found)


def _mean_rows(rows: Rows, part: csr_array, top: int, bottom: int, width: int) -> Float[np.ndarray, "n w 3"]:
    """Returns weighted sums of source rows. One new row may cover more of them than one band holds."""
    total, step = np.zeros((part.shape[0], 3 * width), np.float32), max(1, BAND // width)
    for start in range(top, bottom, step):
        end = min(start + step, bottom)
        total += part[:, start:end] @ rows(start, end).reshape(end - start, -1)
    return total.reshape(-1, width, 3)


def _weights(old: int, new: int) -> csr_array:
    """Returns the share (new, old) of each new pixel that comes from each old pixel. Rows sum to 1 and are mostly
    zeros."""
    edges = np.linspace(0, old, new + 1)
    first = np.floor(edges[:-1]).astype(np.int64)
    last = np.maximum(np.ceil(edges[1:] - 1e-9).astype(np.int64), first + 1).clip(max=old)
    counts = last - first
    row = np.repeat(np.arange(new), counts)
    column = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    share = np.minimum(edges[row + 1], column + 1) - np.maximum(edges[row], column)
    share /= np.repeat(np.diff(edges), counts)
    return csr_array((share.astype(np.float32), (row, column)), shape=(new, old))
