"""Metrics of a reconstruction: PSNR of images, IoU of occupancies, Chamfer distance of point sets.

They take NumPy arrays or torch tensors and return floats or arrays. torch is not imported here, because that takes
seconds.
"""

from typing import Any

import numpy as np
from jaxtyping import Shaped
from scipy.spatial import cKDTree

from wsr.errors import WsrError
from wsr.metrics.registry import Metric, register


def psnr(a: Shaped[Any, "..."], b: Shaped[Any, "..."]) -> float | np.ndarray:
    """Peak signal-to-noise ratio in dB of images in [0, 1]: -10 log10 of the mean squared difference, inf where equal.

    A float for one image (h, w, c), an array (*n,) for a batch. Integer images are a WsrError: divide them by 255.
    """
    a, b = _pair(a, b, "Images")
    if a.ndim < 3:
        raise WsrError(f"PSNR takes images (..., h, w, 3), not arrays of shape {a.shape}.")
    if a.dtype.kind != "f" or b.dtype.kind != "f":
        raise WsrError(f"PSNR takes images as floats in [0, 1], not {a.dtype} and {b.dtype}: divide integers by 255.")
    error = np.square(a.astype(np.float64) - b).mean(axis=(-3, -2, -1))  # (*n,)
    with np.errstate(divide="ignore"):
        return _plain(-10 * np.log10(error))


def iou(a: Shaped[Any, "..."], b: Shaped[Any, "..."]) -> float | np.ndarray:
    """Intersection over union of occupancies; 1 where both are empty.

    Of points (p,) or one grid (d, h, w): a float. Of a batch (n, p) or (n, d, h, w): an array (n,).
    Anything but booleans (or integers 0 and 1) is a WsrError: compare logits with 0 first.
    """
    a, b = _pair(a, b, "Occupancies")
    if a.ndim not in (1, 2, 3, 4):
        raise WsrError(f"IoU takes points (p,), (n, p) or grids (d, h, w), (n, d, h, w), not shape {a.shape}.")
    for array in (a, b):
        if array.dtype.kind not in "bui" or not np.isin(array, (0, 1)).all():
            raise WsrError(f"IoU takes booleans, inside or not, not {array.dtype}: compare logits with 0 first.")
    axes = tuple(range(a.ndim)) if a.ndim in (1, 3) else tuple(range(1, a.ndim))
    a, b = a.astype(bool), b.astype(bool)
    both, either = (a & b).sum(axis=axes), (a | b).sum(axis=axes)  # (n,) or scalars
    return _plain(np.where(either == 0, 1.0, both / np.maximum(either, 1)))


def chamfer(x: Shaped[Any, "..."], y: Shaped[Any, "..."], squared: bool = False) -> float:
    """Chamfer distance of point sets (n, 3) and (m, 3).

    The mean distance to the nearest point of the other set, both directions summed. squared: use squared distances, as
    the literature does for mMD, COV and 1-NNA. Reconstruction and connectivity use plain distances.
    """
    x, y = as_numpy(x), as_numpy(y)
    for points in (x, y):
        if points.ndim != 2 or 0 in points.shape or points.shape[1] != x.shape[1] or points.dtype.kind not in "fiu":
            raise WsrError(f"Chamfer takes two sets of points (n, 3), not arrays of shape {x.shape} and {y.shape}.")
        if not np.isfinite(points).all():
            raise WsrError("Chamfer takes finite points, and these hold NaN or infinite ones.")
    forth, back = cKDTree(y).query(x)[0], cKDTree(x).query(y)[0]  # (n,) and (m,)
    if squared:
        forth, back = forth**2, back**2
    return float(forth.mean() + back.mean())


def as_numpy(array: Any) -> np.ndarray:
    if hasattr(array, "detach"):  # a torch tensor
        array = array.detach().cpu()
        half = array.is_floating_point() and array.element_size() < 4  # numpy has no bfloat16
        return (array.float() if half else array).numpy()
    return np.asarray(array)


def _pair(a: Any, b: Any, what: str) -> tuple[np.ndarray, np.ndarray]:
    a, b = as_numpy(a), as_numpy(b)
    if a.shape != b.shape or a.size == 0:
        raise WsrError(f"{what} are compared in pairs of one shape, not {a.shape} with {b.shape}.")
    return a, b


def _plain(values: np.ndarray | np.floating) -> float | np.ndarray:
    return float(values) if np.ndim(values) == 0 else values


register(Metric("psnr", "PSNR", psnr, "images", "higher", None, unit="dB", decimals=1))
register(Metric("iou", "IoU", iou, "occupancies", "higher", 1.0))
register(Metric("chamfer", "CD", chamfer, "points", unit="×10²", decimals=2))
