"""Meaningful directions in weight space: towards a class, and differences of instances."""

import numpy as np
from jaxtyping import Float, Shaped

from wsr.errors import WsrError, unknown_name

METHODS = ("mean", "logistic")


def class_direction(
    weights: Float[np.ndarray, "n p"],
    labels: list[str] | Shaped[np.ndarray, "n"],
    cls: str,
    method: str = "mean",
    seed: int = 0,
) -> Float[np.ndarray, "p"]:
    """Returns the direction (p,) from all other classes towards this one. weights + t · direction moves along it; at t
    = 1 by the distance, in that direction, between the mean of the class and the mean of all others.

    mean: difference of the two means. logistic: normal of the separating plane of a logistic regression, which leaves
    out directions that vary within both groups. WsrError for an unknown class or method, or if all instances are of the
    class.
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

    std = weights.std(0) + 1e-8
    scaled = (weights - weights.mean(0)) / std
    normal = LogisticRegression(C=1e-2, max_iter=2000, class_weight="balanced").fit(scaled, own).coef_[0]
    normal = (normal * std).astype(weights.dtype)  # the most likely step that raises the logit
    return normal * (step @ normal / (normal @ normal))


def arithmetic(
    a: Float[np.ndarray, "*n p"], b: Float[np.ndarray, "*n p"], c: Float[np.ndarray, "*n p"]
) -> Float[np.ndarray, "*n p"]:
    """a − b + c."""
    return a - b + c
