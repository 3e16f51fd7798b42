"""Probes on data with a known answer."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wsr import WsrError
from wsr.analysis.probes import PROTOCOLS, probe


def clusters(apart: float, count: int = 40, dims: int = 30) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(0)
    centres = apart * rng.normal(size=(3, dims))
    weights = np.concatenate([centre + rng.normal(size=(count, dims)) for centre in centres]).astype(np.float32)
    return weights + 7.0, ["chair"] * count + ["lamp"] * count + ["car"] * count


def test_classes_far_apart_are_read_and_classes_that_are_none_are_not():
    weights, labels = clusters(5.0)
    found = probe(weights, labels, runs=3)
    assert (found.nearest == 1).all() and (found.logistic == 1).all() and (found.ari == 1).all()
    weights, labels = clusters(0.0)
    found = probe(weights, labels, runs=3)
    assert found.nearest.mean() < 0.6 and found.logistic.mean() < 0.6 and abs(found.ari.mean()) < 0.1


def test_raw_weights_are_read_as_they_are_and_prepared_ones_without_what_all_share():
    weights, labels = clusters(0.3)
    raw, prepared = (probe(weights, labels, runs=3, protocol=protocol) for protocol in PROTOCOLS)
    known, unseen, classes, hidden = train_test_split(weights, labels, test_size=0.2, stratify=labels, random_state=0)
    for found, centre in ((raw, 0), (prepared, known.mean(0))):
        nearest = KNeighborsClassifier(1, metric="cosine", algorithm="brute").fit(known - centre, classes)
        assert found.nearest[0] == nearest.score(unseen - centre, hidden)
    assert raw.logistic[0] == LogisticRegression(max_iter=2000).fit(known, classes).score(unseen, hidden)
    scaled = make_pipeline(StandardScaler(), LogisticRegression(C=1e-2, max_iter=2000)).fit(known, classes)
    assert prepared.logistic[0] == scaled.score(unseen, hidden)
    assert not np.array_equal(raw.nearest, prepared.nearest)
    assert np.array_equal(raw.ari, prepared.ari), "k-means takes weights as they are"
    with pytest.raises(WsrError, match="prepared"):
        probe(weights, labels, protocol="whole")


def test_the_same_seed_gives_the_same_splits():
    weights, labels = clusters(0.5)
    assert np.array_equal(probe(weights, labels, 2, seed=4).logistic, probe(weights, labels, 2, seed=4).logistic)


def test_too_few_to_split_is_explained():
    weights, labels = clusters(1.0, count=3)
    with pytest.raises(WsrError, match="five instances"):
        probe(weights, labels)
