"""Samples are told to be like real fits, or not, by distances between real fits alone."""

import numpy as np
import pytest

from wsr.analysis.realism import Realism, load_realism, own_distances
from wsr.errors import WsrError


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(0).normal(size=(400, 6)).astype(np.float32)


def test_new_fits_are_called_unlike_at_the_stated_rate_and_others_always(features):
    made = Realism.calibrated("toy", 8, features[:200])
    assert np.median(own_distances(made.known)) == pytest.approx(made.unit)
    assert np.isclose((own_distances(made.known) / made.unit > made.threshold).mean(), made.rate, atol=0.01)
    assert 0.01 < 1 - made.like_real(features[200:]).mean() < 0.12
    assert not made.like_real(features + 10).any()
    assert np.allclose(made.distances(features[:5]), 0, atol=1e-6)


def test_the_unit_is_that_of_the_plane(features):
    from wsr.analysis.plane import feature_distances

    made = Realism.calibrated("toy", 8, features[:200])
    others = feature_distances(made.known, made.known, features)
    np.fill_diagonal(others, np.inf)
    wanted = feature_distances(features[200:], made.known, features).min(1) / np.median(others.min(1))
    assert np.allclose(made.distances(features[200:]), wanted)


def test_a_stored_measure_is_the_same(features, tmp_path):
    made = Realism.calibrated("toy", 8, features[:64].astype(np.float16).astype(np.float32))
    made.save(tmp_path / "kept.safetensors")
    again = load_realism(tmp_path / "kept.safetensors")
    assert (again.unit, again.threshold, again.rate) == (made.unit, made.threshold, made.rate)
    assert (again.extractor, again.resolution) == ("toy", 8) and np.array_equal(again.known, made.known)


def test_what_cannot_be_measured_is_said(features, tmp_path):
    with pytest.raises(WsrError, match="40 validation fits or more, not 39 fits"):
        Realism.calibrated("toy", 8, features[:39])
    with pytest.raises(WsrError, match="equal another one"):
        Realism.calibrated("toy", 8, np.ones((60, 3), np.float32))
    Realism("toy", 8, features[:1], -1.0, 1.0, 0.05).save(tmp_path / "wrong.safetensors")
    with pytest.raises(WsrError, match="should be positive"):
        load_realism(tmp_path / "wrong.safetensors")
