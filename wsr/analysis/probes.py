"""Probes of the class information in weights: 1-NN, logistic regression and k-means (section 4.4, table 4)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from wsr.errors import WsrError

RUNS = 10
TEST = 0.2  # of the instances, in the same share of every class


@dataclass(frozen=True)
class Probe:
    """Results of each run, in [0, 1] (the Adjusted Rand Index may be negative): accuracy of 1-NN and of logistic
    regression on unseen instances, and ARI of k-means on all instances with one cluster per class."""

    nearest: Float[np.ndarray, "runs"]
    logistic: Float[np.ndarray, "runs"]
    ari: Float[np.ndarray, "runs"]


def probe(
    weights: Float[np.ndarray, "n p"],
    labels: list[str] | Shaped[np.ndarray, "n"],
    runs: int = RUNS,
    seed: int = 0,
    progress: Callable[[int], None] = lambda run: None,
) -> Probe:
    """Computes table 4 for one zoo, over `runs` random splits and initialisations.

    k-means takes the flattened weights as they are. Logistic regression, whose penalty weighs all parameters equally,
    takes them standardised by the mean and standard deviation of each parameter in the training part. 1-NN compares by
    cosine, after subtracting the mean of the training part: all fits share a start, which brings every cosine near 1
    otherwise. WsrError for fewer than two classes, or a class of fewer than five.
    """
    from sklearn.cluster import KMeans
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import adjusted_rand_score
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler

    labels = np.asarray(labels)
    names, counts = np.unique(labels, return_counts=True)
    if len(names) < 2 or counts.min() < 5:
        raise WsrError(
            f"Probes need two classes or more of five instances or more; here are {len(names)}, the smallest of "
            f"{counts.min() if len(counts) else 0}."
        )
    found = []
    for run in range(runs):
        train, test = train_test_split(np.arange(len(labels)), test_size=TEST, stratify=labels, random_state=seed + run)
        centre = weights[train].mean(0)
        nearest = KNeighborsClassifier(1, metric="cosine", algorithm="brute").fit(
            weights[train] - centre, labels[train]
        )
        scaler = StandardScaler().fit(weights[train])
        scaled = scaler.transform(weights)
        logistic = LogisticRegression(C=1e-2, max_iter=2000).fit(scaled[train], labels[train])
        clusters = KMeans(len(names), n_init=10, random_state=seed + run).fit_predict(weights)
        found.append(
            (
                nearest.score(weights[test] - centre, labels[test]),
                logistic.score(scaled[test], labels[test]),
                adjusted_rand_score(labels, clusters),
            )
        )
        progress(run + 1)
    return Probe(*np.array(found).T)
