"""Directions in weight space that mean something: towards a class, and differences of instances."""

import numpy as np
from jaxtyping import Float

from wsr.errors import WsrError, unknown_name

METHODS = ("mean", "logistic")


def class_direction(
    weights: Float[np.ndarray, "n p"], labels: list[str] | np.ndarray, cls: str, method: str = "mean", seed: int = 0
) -> Float[np.ndarray, "p"]:
    """The direction "more like this class". Weights + t · direction moves along it; with t = 1 by as far as the means
    of the class and of all others are apart in that direction.

    mean: from the mean of all others to the mean of the class. logistic: the normal of the plane that a logistic
    regression puts between them, which leaves out what varies within both.
    """
    labels = np.asarray(labels)
    if cls not in labels:
        raise unknown_name("class", cls, sorted(set(labels)))
    if method not in METHODS:
        raise unknown_name("direction", method, METHODS)
    own = labels == cls
    if own.all():
        raise WsrError(f"All instances are of class {cls!r}: a direction needs others to lead away from.")
    step = weights[own].mean(0) - weights[~own].mean(0)
    if method == "mean":
        return step
    from sklearn.linear_model import LogisticRegression

    spread = weights.std(0) + 1e-8
    scaled = (weights - weights.mean(0)) / spread
    normal = LogisticRegression(C=1e-2, max_iter=2000, class_weight="balanced").fit(scaled, own).coef_[0]
    normal = (normal * spread).astype(weights.dtype)  # of the steps that raise its logit, the likeliest
    return normal * (step @ normal / (normal @ normal))


def arithmetic(
    a: Float[np.ndarray, "*n p"], b: Float[np.ndarray, "*n p"], c: Float[np.ndarray, "*n p"]
) -> Float[np.ndarray, "*n p"]:
    """a − b + c."""
    return a - b + c
