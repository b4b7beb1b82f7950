"""Means, 95 % intervals and paired differences."""

import math

import numpy as np
import pytest
from scipy import stats

from ucnp_abm.errors import BadInput
from ucnp_abm.study.numbers.statistics import Mean, difference, mean, relative

VALUES = [16.8, 17.3, 16.9, 17.6, 17.0]


def test_interval_is_that_of_student_t():
    found = mean(VALUES)
    low, high = stats.t.interval(0.95, len(VALUES) - 1, loc=np.mean(VALUES), scale=stats.sem(VALUES))
    assert (found.value, found.error) == (np.mean(VALUES), pytest.approx(stats.sem(VALUES)))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)
    assert found.n_values == 5


@pytest.mark.parametrize("n", [4, 8, 16])
def test_interval_holds_the_mean_of_normal_data_95_times_in_100(n):
    rng, trials = np.random.default_rng(n), 2000
    found = [mean(row) for row in rng.normal(3.0, 2.0, size=(trials, n))]
    held = sum(each.low <= 3.0 <= each.high for each in found)
    assert stats.binomtest(held, trials, 0.95).pvalue > 1e-4


def test_one_value_has_no_interval():
    found = mean([3.0])
    assert found.value == 3.0
    assert all(math.isnan(x) for x in (found.error, found.low, found.high))
    assert found.interval() == "3"


def test_equal_values_have_an_interval_of_zero_width():
    found = mean([0.1] * 7)
    assert (found.value, found.error, found.low, found.high) == (0.1, 0.0, 0.1, 0.1)


def test_a_value_that_is_undefined_makes_the_mean_undefined():
    assert mean([1.0, math.nan]).interval() == "undefined"
    assert mean([math.nan]).interval() == "undefined"


def test_no_value_has_no_mean():
    with pytest.raises(BadInput, match="at least one value"):
        mean([])


def test_paired_difference_takes_the_common_scatter_out():
    common = np.array([0.0, 5.0, -3.0, 8.0])
    first, second = 10 + common, 7 + common + np.array([0.1, -0.1, 0.1, -0.1])
    found = difference(second, first)
    assert found.value == pytest.approx(-3.0)
    assert found.high - found.low < 0.5 < mean(second).high - mean(second).low
    with pytest.raises(BadInput, match="equally many"):
        difference([1.0], [1.0, 2.0])


def test_relative_difference_needs_a_reference_above_zero():
    assert relative([2.0, 6.0], [1.0, 4.0]).value == pytest.approx(75.0)
    assert relative([2.0, 6.0], [1.0, 0.0]) is None


@pytest.mark.parametrize(
    ("values", "sign", "text"),
    [
        (VALUES, "-", "17.12 [16.71, 17.53]"),
        ([633.0, 633.0], "-", "633 [633, 633]"),
        ([-38.0, -39.0, -38.5], "+", "-38.5 [-39.7, -37.3]"),
        ([500.0, 700.0, 600.0], "+", "+600 [+352, +848]"),
        ([0.5, 0.5], "-", "0.5 [0.5, 0.5]"),
        ([1.1e-9, 1.8e-9, 2.5e-9], "-", "1.8e-9 [0.1e-9, 3.5e-9]"),
        ([1.0e-4, 1.2e-4, 1.1e-4], "+", "+1.10e-4 [+0.85e-4, +1.35e-4]"),
        ([6.049e-11], "-", "6.05e-11"),
        ([0.042], "-", "0.042"),
        ([0.0, 0.0], "-", "0 [0, 0]"),
    ],
)
def test_interval_is_written_with_the_digits_that_it_gives(values, sign, text):
    assert mean(values).interval(sign) == text


def test_mean_is_written_with_its_standard_error():
    assert str(mean(VALUES)) == "17.1 ± 0.1"
    assert str(mean([9.25, 9.31])) == "9.28 ± 0.03"


def test_an_interval_over_decades_never_shows_a_factor_of_zero() -> None:
    assert Mean(8.4e5, 1e5, 4.4e4, 1.49e7, 6).factor() == "8.4e5 [44000, 1.5e7]"
    assert Mean(3e-4, 1e-4, 1e-7, 0.1, 6).factor() == "3.0e-4 [1.0e-7, 0.10]"
    narrow, single = Mean(1.2, 0.1, 0.9, 1.5, 6), Mean(2840.0, math.nan, math.nan, math.nan, 1)
    assert narrow.factor() == narrow.interval()
    assert single.factor() == single.interval()
