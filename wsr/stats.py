"""Confidence intervals and verdicts: the only place that says "confirmed".

A statement "a is better than b" is judged by the confidence interval of the difference: it is confirmed if the whole
interval is above 0, refuted if the whole interval is below 0, and open otherwise. If a and b were equally good in
truth, a share 1 − level of all experiments would still give one of the two wrong verdicts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy import stats

from wsr.errors import WsrError

Verdict = Literal["confirmed", "refuted", "open"]
LEVEL = 0.95

Values = Float[np.ndarray, " n"] | Sequence[float]


@dataclass(frozen=True)
class Difference:
    """An estimated difference with its confidence interval, positive if the first of the two is better.

    count: number of values, of the smaller side if the sides differ. level: share of experiments whose interval
    contains the true difference.
    """

    mean: float
    low: float
    high: float
    count: int
    level: float = LEVEL

    @property
    def half(self) -> float:
        """Half the width of the interval, for "mean ± half"."""
        return (self.high - self.low) / 2

    @property
    def verdict(self) -> Verdict:
        """Verdict on the statement that the first of the two is better: "confirmed", "refuted" or "open"."""
        if not self.low <= self.high:  # NaN: no interval
            return "open"
        return "confirmed" if self.low > 0 else "refuted" if self.high < 0 else "open"


def mean_interval(values: Values, level: float = LEVEL) -> Difference:
    """Returns the mean of values (n,) with its confidence interval by Student's t. WsrError for fewer than two values.
    """
    values = _checked(values, level)
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(level)
    return _difference(values.mean(), interval, len(values), level)


def paired(first: Values, second: Values, level: float = LEVEL) -> Difference:
    """Returns by how much the first is larger on the same n instances: paired t test of values (n,) and (n,).

    WsrError for fewer than two instances, sides of different lengths, or values that are not finite.
    """
    first, second = _checked(first, level), _checked(second, level)
    if first.shape != second.shape:
        raise WsrError(f"Pairs need as many first values as second ones, not {len(first)} and {len(second)}.")
    return mean_interval(first - second, level)


def unpaired(first: Values, second: Values, level: float = LEVEL) -> Difference:
    """Returns by how much the first is larger on average: Welch's t test of independent values (n,) and (m,), which
    does not assume equal variances. WsrError as in `paired`, but the sides may differ in length."""
    first, second = _checked(first, level), _checked(second, level)
    interval = stats.ttest_ind(first, second, equal_var=False).confidence_interval(level)
    return _difference(first.mean() - second.mean(), interval, min(len(first), len(second)), level)


def resampled(first: Values, second: Values, test_share: float, level: float = LEVEL) -> Difference:
    """Returns by how much the first is larger over n random splits of one data set into training and test parts, which
    are the same for both: the corrected resampled t test of Nadeau and Bengio (2003).

    The training parts of the splits overlap, so their results vary less than those of new data would. The variance of
    the mean is therefore (1/n + test/train) times that of the differences, where a plain t test has 1/n. test_share:
    share of the instances in the test part, in (0, 1). WsrError as in `paired`.
    """
    plain = paired(first, second, level)
    if not 0 < test_share < 1:
        raise WsrError(f"The test part is a share of the instances between 0 and 1, not {test_share!r}.")
    wider = math.sqrt(1 + plain.count * test_share / (1 - test_share))
    half = plain.half * wider
    return Difference(plain.mean, plain.mean - half, plain.mean + half, plain.count, level)


def _difference(mean: float, interval, count: int, level: float) -> Difference:
    low, high = float(interval.low), float(interval.high)
    if math.isnan(low):  # all values equal: scipy divides 0 by 0
        low = high = float(mean)
    return Difference(float(mean), low, high, count, level)


def _checked(values: Values, level: float) -> Float[np.ndarray, " n"]:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise WsrError(
            f"An interval needs two or more finite values in one dimension, not {values.size} of shape {values.shape}."
        )
    if not 0 < level < 1:
        raise WsrError(f"The level of an interval lies between 0 and 1, not at {level!r}.")
    return values
