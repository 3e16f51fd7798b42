import math

import numpy as np
import pytest
import trimesh

from wsr import fit
from wsr.fitting.verdict import verdict


@pytest.mark.parametrize(("dim", "quality", "status"), [
    (2, 15.0, "ok"), (2, 14.9, "poor"), (3, 0.5, "ok"), (3, 0.49, "poor"), (3, 0.0, "poor"), (2, math.nan, "diverged"),
])  # fmt: skip
def test_bounds(dim, quality, status):
    assert verdict(dim, quality, True, 500, 0.2).split(":")[0] == status
    assert verdict(dim, quality, False, 500).startswith("diverged")


def test_reasons():
    assert "5 steps may be too few" in verdict(2, 9.0, True, 5)
    assert "thin against the grid" in verdict(3, 0.0, True, 500, 0.002)
    assert "is empty" in verdict(3, 0.0, True, 500, 0.0)
    assert "thinner walls" in verdict(3, 0.4, True, 500, 0.3)


def test_a_fit_of_a_thin_plate_says_that_it_is_poor():
    result = fit(trimesh.creation.box((1, 1, 0.004)), steps=3)
    assert result.quality[0] < 0.5 and result.status[0].startswith("poor: an IoU of ")
    assert "thin against the grid" in result.status[0]


def test_a_fit_of_noise_says_that_it_is_poor():
    result = fit(np.random.default_rng(0).random((2, 32, 32, 3), np.float32), steps=3)
    assert all(status.startswith("poor:") and "steps may be too few" in status for status in result.status)
