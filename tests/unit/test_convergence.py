"""Whether runs were long enough and replicates many enough."""

import math

import numpy as np
import pytest
from scipy import stats

from ucnp_abm.errors import BadInput
from ucnp_abm.study.numbers.convergence import needed, settled
from ucnp_abm.study.numbers.statistics import mean

AT = np.linspace(0.0, 100.0, 11)


def test_change_over_the_last_tenth_is_paired_by_replicate():
    course = np.array([AT + 50.0, 2 * AT])
    course[:, -1] = [152.0, 205.0]
    found = settled(course, AT)
    assert found.change == mean([152.0 - 140.0, 205.0 - 180.0])
    assert found.share == pytest.approx(18.5 / (178.5 - 25.0), rel=1e-12)
    assert not found.is_settled


def test_steady_slope_changes_by_a_tenth_whatever_the_samples():
    for at in (AT, np.array([0.0, 100.0]), np.array([0.0, 1.0, 10.0, 100.0]), np.linspace(0, 100, 8), AT + 30):
        found = settled(np.array([3 * at, 5 * at]), at)
        assert found.share == pytest.approx(0.1, rel=1e-12)
        assert found.change.value == pytest.approx(40.0, rel=1e-12)


def test_falling_course_settles_as_a_rising_one():
    decay = np.exp(-AT / 20)
    falling, rising = settled(decay[None, :], AT), settled(-decay[None, :], AT)
    assert falling.share == rising.share == pytest.approx((math.exp(-4.5) - math.exp(-5)) / (1 - math.exp(-5)))
    assert falling.is_settled
    assert not settled(np.exp(-AT / 60)[None, :], AT).is_settled


def test_two_pct_of_the_range_is_the_limit():
    course = np.array([[0.0, 0.9801, 1.0]])
    assert settled(course, np.array([0.0, 9.0, 10.0])).is_settled
    assert not settled(course - [[0, 0.001, 0]], np.array([0.0, 9.0, 10.0])).is_settled


def test_course_that_never_changes_is_settled_exactly():
    found = settled(np.full((3, 11), 0.1), np.linspace(0, 1, 11))
    assert (found.change.value, found.change.low, found.change.high, found.share) == (0.0, 0.0, 0.0, 0.0)
    assert found.is_settled


def test_course_without_a_change_to_judge_is_not_called_settled():
    for found in (
        settled(np.array([[1.0]]), np.array([5.0])),
        settled(np.array([[1.0, math.nan]]), np.array([0, 1.0])),
    ):
        assert math.isnan(found.share)
        assert not found.is_settled


def test_samples_that_cannot_be_judged_are_refused():
    with pytest.raises(BadInput, match=r"got shapes \(2, 3\) and \(2,\)"):
        settled(np.zeros((2, 3)), np.zeros(2))
    with pytest.raises(BadInput, match="rising times"):
        settled(np.zeros((2, 3)), np.array([0.0, 2.0, 2.0]))


@pytest.mark.parametrize("half_width", [50.0, 3.0, 0.7, 0.1, 0.02])
def test_needed_replicates_are_the_fewest_whose_interval_is_as_narrow(half_width):
    values = [16.8, 17.3, 16.9, 17.6, 17.0]
    half = [stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / math.sqrt(n) for n in range(2, 2000)]
    found = needed(values, half_width)
    assert found == 2 + sum(each > half_width for each in half)
    assert found < 2000


def test_needed_replicates_are_two_at_least_and_capped():
    assert needed([3.0, 3.0], 1e-9) == 2
    assert needed([0.0, 1.0], 1e-9) == 100_000


def test_present_half_width_needs_the_present_replicates():
    values = np.random.default_rng(1).normal(size=23)
    now = mean(values)
    assert needed(values, (now.high - now.low) / 2 * (1 + 1e-12)) == 23


def test_needed_asks_for_scatter_and_a_width():
    with pytest.raises(BadInput, match="at least two finite values, got 1"):
        needed([1.0], 1.0)
    with pytest.raises(BadInput, match="at least two finite"):
        needed([1.0, math.nan], 1.0)
    with pytest.raises(BadInput, match="half-width above zero, got 0"):
        needed([1.0, 2.0], 0.0)
