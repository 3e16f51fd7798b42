"""Probes of the class information in weights: 1-NN, logistic regression and k-means (section 4.4, table 4).

Flattened weights are read as they are (`raw`), as in the paper, or prepared. Prepared, 1-NN by cosine takes them minus
the mean of the training part, because a start that all fits share brings every cosine near 1; logistic regression,
whose penalty weighs all parameters equally, takes each parameter in units of its standard deviation.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from wsr.errors import WsrError, unknown_name

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
    found = []
    for run in range(runs):
        parts = train_test_split(weights, labels, test_size=TEST, stratify=labels, random_state=seed + run)
        found.append(_read(*parts, seed + run, protocol))
        progress(run + 1)
    return Probe(*np.array(found).T)


def _read(
    known: Float[np.ndarray, "n p"],
    unseen: Float[np.ndarray, "m p"],
    classes: Shaped[np.ndarray, " n"],
    hidden: Shaped[np.ndarray, " m"],
    seed: int,
    protocol: str,
) -> tuple[float, float, float]:
    """Returns the results of one run: of the weights of the training part and their classes, and of the others."""
    from sklearn.cluster import KMeans
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import adjusted_rand_score
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    centred, scaled = ((), ()) if protocol == RAW else ((StandardScaler(with_std=False),), (StandardScaler(),))
    nearest = make_pipeline(*centred, KNeighborsClassifier(1, metric="cosine", algorithm="brute"))
    logistic = make_pipeline(*scaled, LogisticRegression(C=PENALTY[protocol], max_iter=2000))
    clusters = KMeans(len(np.unique(classes)), n_init=10, random_state=seed).fit(known)
    return (
        nearest.fit(known, classes).score(unseen, hidden),
        logistic.fit(known, classes).score(unseen, hidden),
        adjusted_rand_score(hidden, clusters.predict(unseen)),
    )
