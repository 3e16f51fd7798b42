"""Distances between two sets of features: Fréchet distance, maximum mean discrepancy (section 9.1), precision and
recall.

All take features (n, d) of generated and of reference samples, NumPy or torch, and normalise them first by the scalar
mean and standard deviation of the reference set, so that numbers compare across extractors of unlike scale. They are
computed in float64, a block of rows at a time.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from scipy.spatial.distance import cdist

from wsr.errors import WsrError, unknown_name
from wsr.metrics.quality import as_numpy
from wsr.metrics.registry import Metric, register

NEIGHBOURS = 3  # the distance to this one is the radius around a sample, for precision and recall
BLOCK = 512  # rows of a kernel matrix that are computed at once; 8 MB for 2,048 columns
Features = Float[np.ndarray, "n d"]


def frechet_distance(gen: Shaped[Any, "n d"], ref: Shaped[Any, "m d"]) -> float:
    """FD: the Fréchet distance of Gaussians fitted to both sets, divided by the feature dimension d. WsrError for fewer
    than two samples.

    Tr (Σ_P Σ_Q)^½ equals the sum of the singular values of X Yᵀ / √((n − 1)(m − 1)), where X, Y are the centred
    features. This avoids the root of a nearly singular product, which loses precision with fewer samples than features.
    """
    gen, ref = _normalised(gen, ref)
    (mean_p, root_p), (mean_q, root_q) = _gaussian(gen), _gaussian(ref)
    cross = np.linalg.svd(root_p @ root_q.T, compute_uv=False).sum()
    traces = np.square(root_p).sum() + np.square(root_q).sum()
    return float(max(np.square(mean_p - mean_q).sum() + traces - 2 * cross, 0.0) / gen.shape[1])


def mmd(gen: Shaped[Any, "n d"], ref: Shaped[Any, "m d"], kernel: str = "rbf", unbiased: bool = False) -> float:
    """Squared maximum mean discrepancy.

    kernel: "rbf" (MMD-G), exp(−|x − y|² / (2 d²)), or "polynomial" (MMD-P), (x·y / d + 1)³. Expectations are means over
    all pairs, including pairs of a sample with itself, so that the distance of a set to itself is 0. `unbiased` leaves
    those pairs out, as KID does; the result may then be negative.

    With σ = d, as in section 9.1, MMD-G is small: 1 − ψ(x, y) ≤ |x − y|² / (2 d²), and normalised features have |y|² =
    d on average, so that two sets of similar variance are at most 4 / d apart (0.008 for the 512 features of CLIP; its
    root is 0.09). The paper prints values up to 0.2, so its code must have used another σ, and ours cannot be compared
    with its column.
    """
    kernels = {"rbf": _rbf, "polynomial": _polynomial}
    if kernel not in kernels:
        raise unknown_name("kernel", kernel, kernels)
    gen, ref = _normalised(gen, ref)
    of = kernels[kernel]
    return _mean(of, gen, gen, unbiased) + _mean(of, ref, ref, unbiased) - 2 * _mean(of, gen, ref, False)


def precision(gen: Shaped[Any, "n d"], ref: Shaped[Any, "m d"]) -> float:
    """Share of generated samples that lie among the reference samples, that is, within the radius of some reference
    sample. Its radius is the distance to its third nearest other one, or to the farthest if there are fewer
    (Kynkäänniemi et al. 2019).

    A copy lies among them too, so precision does not measure novelty.
    """
    gen, ref = _normalised(gen, ref)
    k = min(NEIGHBOURS, len(ref) - 1)
    radius = np.partition(cdist(ref, ref), k, axis=1)[:, k]  # (m,); the nearest one is the sample itself
    return float((cdist(gen, ref) <= radius).any(1).mean())


def recall(gen: Shaped[Any, "n d"], ref: Shaped[Any, "m d"]) -> float:
    """Share of reference samples that lie among the generated ones: `precision` with the sets exchanged."""
    return precision(ref, gen)


def _normalised(gen: Shaped[Any, "n d"], ref: Shaped[Any, "m d"]) -> tuple[Features, Features]:
    gen, ref = (np.asarray(as_numpy(features), np.float64) for features in (gen, ref))
    for features in (gen, ref):
        if features.ndim != 2 or len(features) < 2 or features.shape[1] != ref.shape[1]:
            raise WsrError(
                f"Features are (n, d), two samples or more, one d for both sets; these are {gen.shape} and {ref.shape}."
            )
        if not np.isfinite(features).all():
            raise WsrError("Features must be finite, and these hold NaN or infinite ones.")
    std = ref.std()
    if std == 0:
        raise WsrError("All features of the reference set are the same number: there is nothing to compare with.")
    return (gen - ref.mean()) / std, (ref - ref.mean()) / std


def _gaussian(x: Features) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, "k d"]]:
    """Returns the mean, and a square root R of the covariance, RᵀR = Σ, with at most d rows."""
    mean = x.mean(0)
    return mean, np.linalg.qr((x - mean) / np.sqrt(len(x) - 1), mode="r")


def _mean(kernel: Callable, x: Features, y: Features, others: bool) -> float:
    """Returns the mean of the kernel over all pairs. others: leave out the diagonal, for a set with itself."""
    total = sum(kernel(rows, y).sum() for rows in _blocks(x))
    if not others:
        return float(total / (len(x) * len(y)))
    return float((total - sum(kernel(row[None], row[None]).sum() for row in x)) / (len(x) * (len(x) - 1)))


def _blocks(x: Features) -> Iterator[Features]:
    return (x[start : start + BLOCK] for start in range(0, len(x), BLOCK))


def _rbf(x: Features, y: Features) -> Float[np.ndarray, "n m"]:
    squares = np.square(x).sum(1)[:, None] + np.square(y).sum(1)[None] - 2 * x @ y.T
    return np.exp(-np.maximum(squares, 0) / (2 * x.shape[1] ** 2))


def _polynomial(x: Features, y: Features) -> Float[np.ndarray, "n m"]:
    return (x @ y.T / x.shape[1] + 1) ** 3


register(Metric("fd", "FD", frechet_distance, "features"))
register(Metric("mmd_g", "MMD-G", mmd, "features", unit="×10³"))
register(Metric("mmd_p", "MMD-P", partial(mmd, kernel="polynomial"), "features", decimals=2))
register(Metric("precision", "precision", precision, "features", "higher", 1.0, unit="%", decimals=0))
register(Metric("recall", "recall", recall, "features", "higher", 1.0, unit="%", decimals=0))
