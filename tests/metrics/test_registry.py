"""Metrics are registered once, with their units and the direction of better values."""

import numpy as np
import pytest

from wsr import metrics
from wsr.errors import WsrError
from wsr.metrics import Metric, named, needing, register, registered
from wsr.metrics.registry import OF_SETS, measured


def test_what_the_paper_measures_is_registered():
    assert [metric.symbol for metric in needing(*OF_SETS)] == [
        "FD", "MMD-G", "MMD-P", "precision", "recall", "floating pieces", "mMD", "COV", "1-NNA",
    ]  # fmt: skip
    assert [metric.name for metric in needing("images", "occupancies", "points")] == ["psnr", "iou", "chamfer"]
    assert named("psnr").function is metrics.psnr and named("iou").direction == "higher"


def test_what_is_at_hand_is_measured_by_every_metric_that_needs_it():
    x, y = np.random.default_rng(0).normal(size=(2, 30, 4))
    found = measured({"features": (x, y)})
    assert found == {"FD": metrics.frechet_distance(x, y), "MMD-G": metrics.mmd(x, y),
                     "MMD-P": metrics.mmd(x, y, "polynomial"), "precision": metrics.precision(x, y),
                     "recall": metrics.recall(x, y)}  # fmt: skip
    clouds = np.random.default_rng(1).normal(size=(2, 3, 20, 3))
    pairs = [(0, 0), (0, 1), (1, 1)]
    known = tuple(metrics.pairwise_chamfer(clouds[i], clouds[j]) for i, j in pairs)
    every = measured({"distances": known})
    assert tuple(every.values()) == metrics.set_metrics(*clouds) and list(every) == ["mMD", "COV", "1-NNA"]


def test_a_value_is_shown_in_its_unit():
    assert named("mmd_g").heading == "MMD-G ×10³" and named("mmd_g").in_unit(2e-3) == 2e-3 / 1e-3
    assert named("cov").text(0.384) == "38" and named("fd").text(0.1618) == "0.162"
    assert named("psnr").text(31.25) == "31.2" and named("psnr").heading == "PSNR dB"
    assert named("fd").text(float("nan")) == "–"
    assert [named("cov").text(share) for share in (0.0, 0.004, 0.006)] == ["0", "<1", "1"]
    assert named("fd").text(0.0004) == "<0.001" and named("fd").text(0.0) == "0.000"


def test_less_loss_is_better_whatever_the_direction():
    values = np.array([0.4, 0.5, 0.8])
    assert named("fd").loss(values) is values
    assert np.array_equal(named("cov").loss(values), 1 - values)
    assert np.array_equal(named("1nna").loss(values), np.abs(values - 0.5))
    assert named("psnr").loss(30.0) < named("psnr").loss(20.0)


def test_names_and_needs_are_checked():
    with pytest.raises(WsrError, match="did you mean 'psnr'"):
        named("psrn")
    with pytest.raises(WsrError, match="need of a metric"):
        Metric("x", "X", len, "feature")
    with registered(Metric("x", "X", len, "weights")):
        assert needing("weights") == [named("x")]
        for taken in (Metric("x", "Y", len, "weights"), Metric("y", "FD", len, "weights")):
            with pytest.raises(WsrError, match="registered already"):
                register(taken)
    assert not needing("weights")
