"""Probes of the class information in weights: 1-NN, logistic regression and k-means (section 4.4, table 4).

Flattened weights are read as they are (`raw`), as in the paper, or prepared. Prepared, 1-NN by cosine takes them minus
the mean of the training part, because a start that all fits share brings every cosine near 1; logistic regression,
whose penalty weighs all parameters equally, takes each parameter in units of its standard deviation.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped

from wsr.errors import WsrError, unknown_name

Rows = Int[np.ndarray, " _"]  # of the instances
RAW, PREPARED = "raw", "prepared"
PROTOCOLS = (RAW, PREPARED)
PENALTY = {RAW: 1.0, PREPARED: 1e-2}  # C of logistic regression: scikit-learn's own for raw weights
RUNS = 10
TEST = 0.2  # of the instances, in the same share of every class


@dataclass(frozen=True)
class Probe:
    """Results of each run, in [0, 1], all on unseen instances: accuracy of 1-NN and of logistic regression, and the
    Adjusted Rand Index (which may be negative) of the clusters that k-means, with one for each class, found in the
    training part."""

    nearest: Float[np.ndarray, "runs"]
    logistic: Float[np.ndarray, "runs"]
    ari: Float[np.ndarray, "runs"]


def probe(
    weights: Float[np.ndarray, "n p"],
    labels: list[str] | Shaped[np.ndarray, "n"],
    runs: int = RUNS,
    seed: int = 0,
    progress: Callable[[int], None] = lambda run: None,
    protocol: str = RAW,
) -> Probe:
    """Computes table 4 for one zoo, over `runs` random splits and initialisations. protocol: `raw` or `prepared`.
    WsrError for another protocol, fewer than two classes, or a class of fewer than five."""
    from sklearn.model_selection import train_test_split

    if protocol not in PROTOCOLS:
        raise unknown_name("protocol", protocol, PROTOCOLS)
    labels = np.asarray(labels)
    names, counts = np.unique(labels, return_counts=True)
    if len(names) < 2 or counts.min() < 5:
        raise WsrError(
            f"Probes need two classes or more of five instances or more; here are {len(names)}, the smallest of "
            f"{counts.min() if len(counts) else 0}."
        )
    found, spanned = [], _spanned(weights)
    for run in range(runs):
        train, test = train_test_split(np.arange(len(labels)), test_size=TEST, stratify=labels, random_state=seed + run)
        centred, scaled = spanned, spanned
        if protocol == PREPARED:
            std = weights[train].std(0)
            centred = spanned - spanned[train].mean(0)
            scaled = _spanned((weights - weights[train].mean(0)) / np.where(std > 0, std, 1))  # 0: frozen by the mask
        found.append((
            _nearest(centred, labels, train, test),
            _logistic(scaled, labels, train, test, PENALTY[protocol]),
            _clustered(spanned, labels, train, test, seed + run),
        ))  # fmt: skip
        progress(run + 1)
    return Probe(*np.array(found).T)


def _spanned(weights: Float[np.ndarray, "n p"]) -> Float[np.ndarray, "n k"]:
    """Returns the coordinates of weights in the span of all of them, in an orthonormal basis. Distances, cosines and a
    quadratic penalty are the same there, and everything is faster, because there are fewer instances than
    parameters."""
    return weights @ np.linalg.qr(weights.T.astype(np.float64))[0]


def _nearest(weights: Float[np.ndarray, "n k"], labels: Shaped[np.ndarray, " n"], train: Rows, test: Rows) -> float:
    from sklearn.neighbors import KNeighborsClassifier

    nearest = KNeighborsClassifier(1, metric="cosine", algorithm="brute").fit(weights[train], labels[train])
    return nearest.score(weights[test], labels[test])


def _logistic(
    weights: Float[np.ndarray, "n k"], labels: Shaped[np.ndarray, " n"], train: Rows, test: Rows, penalty: float
) -> float:
    from sklearn.linear_model import LogisticRegression

    logistic = LogisticRegression(C=penalty, max_iter=2000).fit(weights[train], labels[train])
    return logistic.score(weights[test], labels[test])


def _clustered(
    weights: Float[np.ndarray, "n k"], labels: Shaped[np.ndarray, " n"], train: Rows, test: Rows, seed: int
) -> float:
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    clusters = KMeans(len(np.unique(labels)), n_init=10, random_state=seed).fit(weights[train])
    return adjusted_rand_score(labels[test], clusters.predict(weights[test]))
