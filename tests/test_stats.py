"""Intervals agree with scipy's, and verdicts are right on simulated data with known truth."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from wsr.errors import WsrError
from wsr.paths import assets_dir
from wsr.stats import (
    LEVEL,
    Difference,
    crossed,
    exact,
    holm,
    judged,
    mean_interval,
    paired,
    resampled,
    stated,
    summarised,
    together,
    unpaired,
)

SIMULATIONS = 1000
# Five standard errors of a share of 0.05 among so many simulations, so that one run in a million fails by chance.
SLACK = 5 * math.sqrt(0.05 * 0.95 / SIMULATIONS)

numbers = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30)


@pytest.fixture(scope="module")
def tables():
    """Quality of the same held-out shapes by two representations, from the published zoos."""
    zoos = [pd.read_parquet(assets_dir() / f"zoos/shapes10-{name}/index.parquet") for name in ("mlora-asym", "mlora")]
    held = [zoo[zoo["split"] == "heldout"].set_index("id")["quality"] for zoo in zoos]
    return held[0].to_numpy(), held[1].reindex(held[0].index).to_numpy()


def test_paired_is_scipys_paired_t_test_on_a_real_table(tables):
    found, wanted = paired(*tables), scipy_stats.ttest_rel(*tables)
    interval = wanted.confidence_interval(LEVEL)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert (found.verdict == "open") == (wanted.pvalue > 1 - LEVEL)
    assert found.count == len(tables[0])


def test_unpaired_is_welchs_t_test_on_a_real_table(tables):
    first, second = tables[0][:40], tables[1][40:150]
    wanted = scipy_stats.ttest_ind(first, second, equal_var=False).confidence_interval(LEVEL)
    found = unpaired(first, second)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))


@pytest.mark.filterwarnings("ignore:Precision loss")
@settings(deadline=None)
@given(numbers)
def test_the_mirrored_statement_has_the_mirrored_verdict(values):
    other = [value / 2 + 1 for value in values]
    there, back = paired(values, other), paired(other, values)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert {"confirmed": "refuted", "refuted": "confirmed", "open": "open"}[there.verdict] == back.verdict


@pytest.mark.filterwarnings("ignore:Precision loss")
@settings(deadline=None)
@given(numbers, st.floats(0.05, 0.9))
def test_overlapping_splits_never_narrow_an_interval(values, share):
    other = np.zeros(len(values))
    assert resampled(values, other, share).half >= paired(values, other).half


def false_verdicts(draw, judge) -> float:
    rng = np.random.default_rng(0)
    return np.mean([judge(*draw(rng)).verdict != "open" for _ in range(SIMULATIONS)])


@pytest.mark.parametrize("count", [3, 10, 200])
def test_equals_are_told_apart_as_often_as_the_level_says(count):
    def pairs(rng):
        common = rng.normal(size=count)  # instances differ in difficulty, in the same way for both methods
        return common + 0.3 * rng.normal(size=count), common + 0.3 * rng.normal(size=count)

    assert false_verdicts(pairs, paired) == pytest.approx(1 - LEVEL, abs=SLACK)


def test_sides_that_scatter_differently_are_told_apart_no_more_often():
    def sides(rng):
        return rng.normal(size=12), 4 * rng.normal(size=30)

    assert false_verdicts(sides, unpaired) == pytest.approx(1 - LEVEL, abs=SLACK)


def test_seeds_of_two_equal_methods_are_told_apart_no_more_often_than_stated():
    """Each side has three seeds, as in the tables of generation."""

    def sides(rng):
        return rng.normal(size=3), rng.normal(size=3)

    assert false_verdicts(sides, unpaired) <= 1 - LEVEL + SLACK


def test_random_splits_of_one_data_set_need_the_correction():
    """Two rules that are equally good on new data are compared by their accuracy over ten splits of one data set. The
    plain test finds a difference far too often, the corrected one as often as stated."""

    def splits(rng, size=100, runs=10):
        labels = rng.random(size) < 0.5
        # each rule is right for seven of ten instances, independently of the other
        answers = rng.random((2, size)) < 0.7
        right = answers == labels
        tests = [rng.permutation(size)[: size // 5] for _ in range(runs)]
        return [np.array([side[test].mean() for test in tests]) for side in right]

    plain = false_verdicts(splits, paired)
    corrected = false_verdicts(splits, lambda a, b: resampled(a, b, 0.2))
    assert plain > 0.25
    assert corrected == pytest.approx(1 - LEVEL, abs=SLACK)


@pytest.mark.parametrize(("between", "alone"), [(1.0, 0.1), (0.1, 1.0), (1.0, 1.0)])
def test_of_draws_and_instances_both_count(between, alone):
    """Five draws move all instances together, which intervals of one draw do not know: they are wrong half the time."""
    rng, wrong, blind = np.random.default_rng(0), 0, 0
    for _ in range(SIMULATIONS):
        values = rng.normal(0, between, (5, 1)) + rng.normal(0, 1, (1, 50)) + rng.normal(0, alone, (5, 50))
        wrong += crossed(values).verdict != "open"
        blind += mean_interval(values[0]).verdict != "open"
    assert wrong / SIMULATIONS < 0.05 + SLACK
    assert between < 1 or blind / SIMULATIONS > 0.5


def test_an_interval_over_draws_and_instances_is_known_exactly():
    """Both means over draws and means over instances are 1 and 3: each adds 2/2 to the variance, with one degree."""
    found = crossed([[0, 2], [2, 4]])
    assert (found.mean, found.freedom, found.count) == (2, 2, 2)
    assert found.half == pytest.approx(math.sqrt(2) * scipy_stats.t.ppf(0.975, 2))


def test_draws_that_agree_add_nothing():
    values = np.random.default_rng(0).normal(1, 1, 40)
    found, alone = crossed([values] * 3), mean_interval(values)
    assert (found.mean, found.low, found.high) == pytest.approx((alone.mean, alone.low, alone.high))
    assert (found.count, found.freedom) == (40, pytest.approx(39)) and found.verdict == alone.verdict
    assert crossed(np.ones((2, 3))).half == 0


@pytest.mark.parametrize("values", [np.ones(4), np.ones((1, 4)), np.ones((4, 1)), [[1.0, math.nan], [1.0, 2.0]]])
def test_one_draw_has_no_interval_for_others(values):
    with pytest.raises(WsrError, match="two draws and two instances or more, and not (of shape|some)"):
        crossed(values)


def test_a_real_difference_is_found():
    rng = np.random.default_rng(1)
    first = rng.normal(1.0, 1.0, 200)
    assert paired(first, first - rng.normal(0.5, 1.0, 200)).verdict == "confirmed"
    assert unpaired(first, first + 1).verdict == "refuted"


@pytest.mark.filterwarnings("ignore:Precision loss")
def test_equal_values_have_an_interval_of_no_width():
    assert paired([1.0, 2.0], [1.0, 2.0]) == Difference(0.0, 0.0, 0.0, 2)
    assert paired([2.0, 3.0], [1.0, 2.0]).verdict == "confirmed"
    assert Difference(math.nan, math.nan, math.nan, 2).verdict == "open"


@pytest.mark.parametrize("values", [[], [1.0], [1.0, math.nan], [[1.0, 2.0], [3.0, 4.0]]])
def test_what_has_no_interval_is_refused(values):
    with pytest.raises(WsrError, match="two or more finite values"):
        mean_interval(values)


def test_sides_and_shares_are_checked():
    with pytest.raises(WsrError, match="3 and 2"):
        paired([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(WsrError, match="share"):
        resampled([1.0, 2.0], [1.0, 3.0], 1.0)
    with pytest.raises(WsrError, match="level"):
        mean_interval([1.0, 2.0], 95)


def test_an_interval_and_its_p_value_tell_the_same(tables):
    assert paired(*tables).p == pytest.approx(scipy_stats.ttest_rel(*tables).pvalue)
    sides = tables[0][:40], tables[1][40:150]
    assert unpaired(*sides).p == pytest.approx(scipy_stats.ttest_ind(*sides, equal_var=False).pvalue)
    assert stated(1.0, 0.5, 9, 10).p == pytest.approx(2 * scipy_stats.t.sf(2 * scipy_stats.t.ppf(0.975, 9), 9))
    assert math.isnan(exact(1.0).p) and paired([2.0, 3.0], [1.0, 2.0]).p == 0


def test_means_and_deviations_say_what_the_values_do(tables):
    first, second = tables[0][:50], tables[1][50:100]
    found = summarised(*((side.mean(), side.std(ddof=1)) for side in (first, second)), 50)
    wanted = unpaired(first, second)
    assert (found.low, found.high, found.p) == pytest.approx((wanted.low, wanted.high, wanted.p))
    assert summarised((2.0, 0.0), (1.0, 0.0), 5).verdict == "confirmed"
    with pytest.raises(WsrError, match="not 1"):
        summarised((2.0, 0.0), (1.0, 0.0), 1)


def test_statements_that_are_judged_together_need_more_each():
    """Holm's own procedure: with p-values of 0.01, 0.02 and 0.04, the factors are 3, 2 and 1."""
    family = [_with_p(p) for p in (0.04, 0.01, 0.02)]
    assert holm(family) == pytest.approx([0.04, 0.03, 0.04])
    assert judged(family) == ["confirmed"] * 3 and judged([_with_p(0.04), *family[1:], _with_p(0.9)])[0] == "open"
    assert judged([_with_p(0.03), exact(-1.0), _with_p(0.04)]) == ["open", "refuted", "open"]
    assert holm([]) == [] and judged([Difference(math.nan, math.nan, math.nan, 2)]) == ["open"]


def test_of_many_statements_without_substance_hardly_one_is_decided():
    rng, wrong, families = np.random.default_rng(0), 0, SIMULATIONS // 4  # twelve statements each
    for _ in range(families):
        family = [paired(rng.normal(size=10), rng.normal(size=10)) for _ in range(12)]
        wrong += set(judged(family)) != {"open"}
    assert wrong / families <= 1 - LEVEL + 2 * SLACK


def test_a_statement_of_parts_holds_if_all_of_them_do():
    assert together(["confirmed", "confirmed"]) == "confirmed"
    assert together(["confirmed", "refuted", "open"]) == "refuted"
    assert together(["confirmed", "not comparable"]) == together(["confirmed", "open"]) == together([]) == "open"
    assert together(["not comparable"] * 2) == "not comparable"


def _with_p(p: float) -> Difference:
    half = scipy_stats.t.ppf(0.975, 9) / scipy_stats.t.isf(p / 2, 9)
    return stated(1.0, float(half), 9, 10)
