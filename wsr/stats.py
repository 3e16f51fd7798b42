"""Confidence intervals and verdicts: the only place that says "confirmed".

A statement "a is better than b" is judged by the confidence interval of the difference: it is confirmed if the whole
interval is above 0, refuted if the whole interval is below 0, and open otherwise. If a and b were equally good in
truth, a share 1 − level of all experiments would still give one of the two wrong verdicts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy import stats

from wsr.errors import WsrError

Verdict = Literal["confirmed", "refuted", "open"]
Judgement = Verdict | Literal["not comparable"]  # the last one: what was measured says nothing about the statement
LEVEL = 0.95

Values = Float[np.ndarray, " n"] | Sequence[float]


@dataclass(frozen=True)
class Difference:
    """An estimated difference with its confidence interval, positive if the first of the two is better.

    count: number of values, of the smaller side if the sides differ. level: share of experiments whose interval
    contains the true difference. freedom: degrees of freedom of Student's t behind the interval; NaN if unknown, and
    for what is computed exactly.
    """

    mean: float
    low: float
    high: float
    count: int
    level: float = LEVEL
    freedom: float = field(default=math.nan, compare=False)

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

    @property
    def p(self) -> float:
        """The two-sided p-value of "no difference", from the interval; NaN if the degrees of freedom are unknown."""
        if math.isnan(self.freedom) or not self.low <= self.high:
            return math.nan
        if self.half == 0:
            return float(self.mean == 0)
        error = self.half / stats.t.ppf((1 + self.level) / 2, self.freedom)
        return float(2 * stats.t.sf(abs(self.mean) / error, self.freedom))


def mean_interval(values: Values, level: float = LEVEL) -> Difference:
    """Returns the mean of values (n,) with its confidence interval by Student's t. WsrError for fewer than two values.
    """
    values = _checked(values, level)
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(level)
    return _difference(values.mean(), interval, len(values), level, len(values) - 1)


def paired(first: Values, second: Values, level: float = LEVEL) -> Difference:
    """Returns by how much the first is larger on the same n instances: paired t test of values (n,) and (n,).

    WsrError for fewer than two instances, sides of different lengths, or values that are not finite.
    """
    first, second = _checked(first, level), _checked(second, level)
    if first.shape != second.shape:
        raise WsrError(f"Pairs need as many first values as second ones, not {len(first)} and {len(second)}.")
    return mean_interval(first - second, level)


def crossed(values: Float[np.ndarray, "k n"], level: float = LEVEL) -> Difference:
    """Returns the mean of values (k, n) of n instances in k draws of what else is random, such as starts and seeds,
    with its confidence interval for other instances and other draws. For a difference, give the differences.

    The variance of the mean is that between instances (of their means over draws) by n and that between draws (of their
    means over instances) by k. What is left to chance in a single value counts in both, so that intervals are rather
    too wide than too narrow. Student's t has Satterthwaite's degrees of freedom, and `count` is n. WsrError for fewer
    than two of either.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or min(values.shape) < 2 or not np.isfinite(values).all():
        what = f"of shape {values.shape}" if np.isfinite(values).all() else "some that are not finite"
        raise WsrError(f"Crossed values are finite, of two draws and two instances or more, and not {what}.")
    draws, instances = (values.mean(axis=axis).var(ddof=1) / values.shape[1 - axis] for axis in (1, 0))
    variance, (k, n) = draws + instances, values.shape
    freedom = variance**2 / (draws**2 / (k - 1) + instances**2 / (n - 1)) if variance else k - 1
    half = math.sqrt(variance) * stats.t.ppf((1 + level) / 2, freedom)
    return stated(float(values.mean()), float(half), float(freedom), values.shape[1], level)


def unpaired(first: Values, second: Values, level: float = LEVEL) -> Difference:
    """Returns by how much the first is larger on average: Welch's t test of independent values (n,) and (m,), which
    does not assume equal variances. WsrError as in `paired`, but the sides may differ in length."""
    first, second = _checked(first, level), _checked(second, level)
    found = stats.ttest_ind(first, second, equal_var=False)
    count = min(len(first), len(second))
    return _difference(first.mean() - second.mean(), found.confidence_interval(level), count, level, found.df)


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
    return Difference(plain.mean, plain.mean - half, plain.mean + half, plain.count, level, plain.freedom)


def summarised(first: tuple[float, float], second: tuple[float, float], count: int, level: float = LEVEL) -> Difference:
    """Returns what `unpaired` does of values of which only their mean and standard deviation (by n − 1) are known, with
    `count` values on either side. WsrError for fewer than two."""
    if count < 2:
        raise WsrError(f"An interval needs two or more values on either side, not {count}.")
    variances = [std**2 / count for _, std in (first, second)]
    error, mean = math.sqrt(sum(variances)), first[0] - second[0]
    if error == 0:
        return Difference(mean, mean, mean, count, level, 2 * count - 2)
    freedom = sum(variances) ** 2 / sum(variance**2 / (count - 1) for variance in variances)
    return stated(mean, error * stats.t.ppf((1 + level) / 2, freedom), freedom, count, level)


def stated(mean: float, half: float, freedom: float, count: int, level: float = LEVEL) -> Difference:
    """Returns the difference that a report states as "mean ± half"."""
    return Difference(mean, mean - half, mean + half, count, level, freedom)


def exact(margin: float) -> Difference:
    """Returns a difference that is computed and not measured, such as how far an identity is from being broken: its
    interval is the number itself."""
    return Difference(margin, margin, margin, 1)


def holm(family: Sequence[Difference]) -> list[float]:
    """Returns Holm's (1979) p-values of statements that are judged together: if none of the differences existed, the
    share of experiments in which any of these p-values is below 1 − level would be 1 − level at the most. What has no
    p-value counts for nothing, and its own is NaN."""
    order = sorted((one.p, place) for place, one in enumerate(family) if not math.isnan(one.p))
    found, least = [math.nan] * len(family), 0.0
    for rank, (p, place) in enumerate(order):
        least = max(least, min(1.0, (len(order) - rank) * p))
        found[place] = least
    return found


def judged(family: Sequence[Difference]) -> list[Verdict]:
    """Returns the verdict on each of the statements that are judged together: its own, and "open" unless Holm's
    p-value decides it too. What is computed exactly keeps its own."""
    kept = [math.isnan(p) or p < 1 - one.level for one, p in zip(family, holm(family), strict=True)]
    return [one.verdict if sure else "open" for one, sure in zip(family, kept, strict=True)]


def together(parts: Sequence[Judgement]) -> Judgement:
    """Returns the verdict on a statement that holds if all its parts do: refuted if one part is, confirmed if all are,
    not comparable if nothing comparable was measured for any of them, and otherwise open."""
    for word in ("confirmed", "not comparable"):
        if parts and all(part == word for part in parts):
            return word
    return "refuted" if "refuted" in parts else "open"


def _difference(mean: float, interval, count: int, level: float, freedom: float) -> Difference:
    low, high = float(interval.low), float(interval.high)
    if math.isnan(low):  # all values equal: scipy divides 0 by 0
        low = high = float(mean)
    return Difference(float(mean), low, high, count, level, float(freedom))


def _checked(values: Values, level: float) -> Float[np.ndarray, " n"]:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise WsrError(
            f"An interval needs two or more finite values in one dimension, not {values.size} of shape {values.shape}."
        )
    if not 0 < level < 1:
        raise WsrError(f"The level of an interval lies between 0 and 1, not at {level!r}.")
    return values
