import math

import numpy as np
import pytest
import trimesh

from wsr import fit
from wsr.fitting.verdict import verdict
from wsr.modalities import IMAGE, OCCUPANCY


@pytest.mark.parametrize(("modality", "quality", "status"), [
    (IMAGE, 15.0, "ok"), (IMAGE, 14.9, "poor"), (IMAGE, math.nan, "diverged"),
    (OCCUPANCY, 0.5, "ok"), (OCCUPANCY, 0.49, "poor"), (OCCUPANCY, 0.0, "poor"),
])  # fmt: skip
def test_bounds(modality, quality, status):
    assert verdict(modality, quality, True, 500, 0.2).split(":")[0] == status
    assert verdict(modality, quality, False, 500).startswith("diverged")


def test_reasons():
    assert "5 steps may be too few" in verdict(IMAGE, 9.0, True, 5)
    assert "thin against the grid" in verdict(OCCUPANCY, 0.0, True, 500, 0.002)
    assert "is empty" in verdict(OCCUPANCY, 0.0, True, 500, 0.0)
    assert "thinner walls" in verdict(OCCUPANCY, 0.4, True, 500, 0.3)


def test_a_fit_of_a_thin_plate_says_that_it_is_poor():
    result = fit(trimesh.creation.box((1, 1, 0.004)), steps=3)
    assert result.quality[0] < 0.5 and result.status[0].startswith("poor: an IoU of ")
    assert "thin against the grid" in result.status[0]


def test_a_fit_of_noise_says_that_it_is_poor():
    result = fit(np.random.default_rng(0).random((2, 32, 32, 3), np.float32), steps=3)
    assert all(status.startswith("poor:") and "steps may be too few" in status for status in result.status)
