"""The comparison of how sure classifiers are of samples and of unseen fits."""

import numpy as np
import pandas as pd
import pytest

from precompute.experiments.certainty import EXPERIMENT, compared


@pytest.mark.parametrize("shift", [0.0, -0.1])
def test_a_difference_has_an_interval_that_holds_the_truth(shift):
    rng = np.random.default_rng(1)
    fits, samples = (pd.DataFrame(rng.normal(0.7, 0.1, (200, 3)), columns=list("abc")) for _ in range(2))
    *rows, mean = compared(fits, samples + shift)
    assert [row["attribute"] for row in rows] == ["a", "b", "c"] and mean["attribute"] == "mean"
    assert mean["low"] < shift < mean["high"] and mean["high"] - mean["low"] < 0.05
    assert mean["difference"] == pytest.approx(np.mean([row["difference"] for row in rows]))
    assert mean["unseen fits"] == pytest.approx(fits.mean().mean())


def test_it_is_a_final_table():
    assert EXPERIMENT.final and EXPERIMENT.data == ("faces",)
