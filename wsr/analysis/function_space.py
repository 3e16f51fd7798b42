"""Distances between what weights decode to, by features of it."""

import numpy as np
import torch
from jaxtyping import Float


def feature_distances(
    x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "m d"], scale: Float[np.ndarray, "k d"] | None = None
) -> Float[np.ndarray, "n m"]:
    """Returns root mean squared differences of features, in units of the standard deviation of all features in `scale`,
    if it is given."""
    found = torch.cdist(torch.from_numpy(x).double(), torch.from_numpy(y).double()).numpy()
    unit = 1.0 if scale is None else float(scale.std()) or 1.0
    return found / unit / x.shape[1] ** 0.5


def own_distances(
    x: Float[np.ndarray, "n d"], scale: Float[np.ndarray, "k d"] | None = None
) -> Float[np.ndarray, " n"]:
    """Returns the distance of each row to the nearest other row: a fit is not its own reference."""
    apart = feature_distances(x, x, scale)
    np.fill_diagonal(apart, np.inf)
    return apart.min(1)
