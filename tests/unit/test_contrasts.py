"""Ratios, effect sizes, paired tests, corrections for many of them, and bootstrap intervals."""

import math
import time

import numpy as np
import pytest
from scipy import stats

from ucnp_abm.errors import BadInput
from ucnp_abm.study.numbers import contrasts
from ucnp_abm.study.numbers.contrasts import (
    bootstrap,
    bootstrap_rows,
    consistent_pct,
    effect_size,
    holm,
    multiple_comparison_note,
    p_value,
    ratio,
)
from ucnp_abm.study.numbers.statistics import difference, mean

VALUES = [16.8, 17.3, 16.9, 17.6, 17.0]
REFERENCE = [16.1, 16.9, 16.7, 16.6, 16.9]


def bca_by_hand(values, seed=1, n_resamples=40_000):
    """Efron's formulas as they are written, with another generator."""
    values, rng = np.asarray(values, dtype=float), np.random.default_rng(seed)
    means = rng.choice(values, size=(n_resamples, len(values))).mean(axis=1)
    below = (np.mean(means < values.mean()) + np.mean(means <= values.mean())) / 2
    jackknife = (values.sum() - values) / (len(values) - 1)
    turned = jackknife.mean() - jackknife
    acceleration = (turned**3).sum() / (6 * (turned**2).sum() ** 1.5)
    shift, ends = stats.norm.ppf(below), stats.norm.ppf([0.025, 0.975])
    return np.quantile(means, stats.norm.cdf(shift + (shift + ends) / (1 - acceleration * (shift + ends))))


def test_bootstrap_interval_is_that_of_efrons_formulas():
    values = np.random.default_rng(3).exponential(size=8)
    error = 0.04 * np.ptp(bca_by_hand(values))  # ends are quantiles of resamples: 2 to 3 % of the width by chance
    assert bootstrap(values) == pytest.approx(tuple(bca_by_hand(values)), abs=error)
    percentile = np.quantile(np.random.default_rng(1).choice(values, size=(40_000, 8)).mean(axis=1), [0.025, 0.975])
    assert abs(bootstrap(values)[1] - percentile[1]) > 2 * error


def test_same_values_have_the_same_bootstrap_interval_alone_and_among_others(monkeypatch):
    monkeypatch.setattr(contrasts, "ROWS", 100)
    rows = np.random.default_rng(3).lognormal(size=(102, 12))
    found = bootstrap_rows(rows)
    assert np.array_equal(found[:9], bootstrap_rows(rows[:9]))
    assert all(bootstrap(rows[k]) == tuple(found[k]) for k in (0, 7, 99, 100, 101))
    assert all(low < row.mean() < high for row, (low, high) in zip(rows, found, strict=True))


def test_thousand_bootstrap_intervals_take_less_than_five_seconds():
    rows = np.random.default_rng(4).normal(size=(1000, 8))
    bootstrap(rows[0])  # imports
    start = time.perf_counter()
    bootstrap_rows(rows)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("few", [[], [1.0], [1.0, 2.0], [3.0, 3.0], [1.0, 2.0, math.nan], [1.0, 2.0, math.inf]])
def test_fewer_than_three_values_or_undefined_ones_have_no_bootstrap_interval(few):
    assert all(math.isnan(end) for end in bootstrap(few))


def test_degenerate_values_have_a_bootstrap_interval_and_no_warning():
    assert bootstrap([0.1] * 7) == (0.1, 0.1)
    for values in ([0, 0, 1], [0.1, 0.1, math.nextafter(0.1, 1)], [0, 0, 1e-300], [1e15, 1e15, 1e15 + 1, 1e15 + 2]):
        low, high = bootstrap(values)
        assert min(values) <= low < high <= max(values)
    rows = bootstrap_rows(np.array([[1.0, 1.0, 1.0], [1.0, math.nan, 2.0], [1.0, 2.0, 4.0]]))
    assert tuple(rows[0]) == (1.0, 1.0)
    assert np.isnan(rows[1]).all()
    assert tuple(rows[2]) == bootstrap([1.0, 2.0, 4.0])
    assert bootstrap_rows(np.empty((0, 5))).shape == (0, 2)
    with pytest.raises(BadInput, match="shape"):
        bootstrap_rows(np.zeros(3))


def test_ratio_is_the_geometric_mean_with_an_interval_of_the_logarithms():
    found = ratio([2.0, 16.0, 4.0], [1.0, 2.0, 1.0])  # 2, 8, 4
    logs = stats.t.interval(0.95, 2, loc=math.log(4), scale=math.log(2) / math.sqrt(3))
    assert found.value == pytest.approx(4.0, rel=1e-14)
    assert (found.low, found.high) == pytest.approx(tuple(np.exp(logs)), rel=1e-12)
    assert found.error == pytest.approx(4 * math.log(2) / math.sqrt(3), rel=1e-12)
    assert found.n_values == 3


def test_ratio_turned_round_is_its_inverse():
    ahead, back = ratio(VALUES, REFERENCE), ratio(REFERENCE, VALUES)
    assert (1 / ahead.value, 1 / ahead.high, 1 / ahead.low) == pytest.approx((back.value, back.low, back.high))


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_ratio_needs_finite_values_above_zero(wrong):
    assert ratio([1.0, wrong], [1.0, 2.0]) is None
    assert ratio([1.0, 2.0], [1.0, wrong]) is None


def test_ratio_of_one_replicate_has_no_interval_and_wild_ones_have_a_wide_one():
    assert ratio([3.0], [2.0]).value == pytest.approx(1.5)
    assert math.isnan(ratio([3.0], [2.0]).high)
    assert ratio([1e-90, 1e90], [1.0, 1.0]).high == math.inf


def test_interval_of_a_ratio_holds_the_true_gain_95_times_in_100():
    rng, trials, n = np.random.default_rng(5), 2000, 5
    common = rng.lognormal(sigma=1.0, size=(trials, n))
    gains = 3.0 * rng.lognormal(sigma=0.4, size=(trials, n))
    found = [ratio(base * gain, base) for base, gain in zip(common, gains, strict=True)]
    held = sum(each.low <= 3.0 <= each.high for each in found)
    assert stats.binomtest(held, trials, 0.95).pvalue > 1e-4


def test_effect_size_is_that_of_lakens():
    # means 6 and 3, standard deviations 2 and 1: 3 / 1.5, times 1 - 3 / (8 * 3 - 9)
    assert effect_size([4.0, 6.0, 8.0], [2.0, 4.0, 3.0]) == pytest.approx(2.0 * 0.8, rel=1e-14)
    assert effect_size([2.0, 4.0, 3.0], [4.0, 6.0, 8.0]) == pytest.approx(-1.6, rel=1e-14)


def test_effect_size_has_a_limit_where_nothing_scatters():
    assert effect_size([2.0, 2.0], [1.0, 1.0]) == math.inf
    assert effect_size([0.1] * 7, [0.3] * 7) == -math.inf
    assert effect_size([0.1] * 7, [0.1] * 7) == 0.0
    assert effect_size([1.0, 2.0], [1.0, 2.0]) == 0.0
    assert math.isnan(effect_size([1.0], [2.0]))
    assert math.isnan(effect_size([1.0, math.nan], [2.0, 1.0]))


def test_effect_size_is_nearly_unbiased_where_its_docstring_says_so():
    rng, draws = np.random.default_rng(6), 4000
    base = rng.normal(size=(draws, 8))
    found = [effect_size(a + 1, b) for a, b in zip(rng.normal(size=(draws, 8)), base, strict=True)]
    error = np.std(found) / math.sqrt(draws)
    assert abs(np.mean(found) - 1.02) < 4 * error
    assert 4 * error < 0.05  # without J it is 1.077


def test_consistent_share_counts_pairs_on_the_side_of_the_mean():
    assert consistent_pct([1.0, 2.0, 9.0, 0.0], [0.0, 3.0, 1.0, 0.0]) == 50.0
    assert consistent_pct([-1.0, -2.0], [0.0, 0.0]) == 100.0
    assert consistent_pct([3.0], [2.0]) == 100.0
    assert math.isnan(consistent_pct([1.0, -1.0], [0.0, 0.0]))
    assert math.isnan(consistent_pct([math.nan, 1.0], [0.0, 0.0]))


def test_p_value_is_that_of_the_paired_t_test():
    assert p_value(VALUES, REFERENCE) == pytest.approx(stats.ttest_rel(VALUES, REFERENCE).pvalue, rel=1e-12)
    # differences 0 and 1: t = 1 with one degree of freedom, a Cauchy variable
    assert p_value([1.0, 3.0], [1.0, 2.0]) == pytest.approx(0.5, rel=1e-12)


def test_p_value_has_a_limit_where_differences_do_not_scatter():
    assert p_value(VALUES, VALUES) == 1.0
    assert p_value([2.0, 3.0], [1.0, 2.0]) == 0.0
    assert math.isnan(p_value([2.0], [1.0]))
    assert math.isnan(p_value([2.0, math.nan], [1.0, 1.0]))


def test_p_value_is_below_5_pct_where_the_interval_leaves_zero_out():
    rng, clear = np.random.default_rng(7), 0
    for _ in range(300):
        values, reference = rng.normal(0.8, 1.0, size=5), rng.normal(size=5)
        found = difference(values, reference)
        assert (p_value(values, reference) < 0.05) == (not found.low <= 0 <= found.high)
        clear += p_value(values, reference) < 0.05
    assert 30 < clear < 270


def test_holm_multiplies_the_kth_smallest_by_how_many_are_left():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02], rel=1e-12)
    assert holm([0.6, 0.9, 0.04]) == pytest.approx([1.0, 1.0, 0.12], rel=1e-12)
    assert holm([0.02]) == pytest.approx([0.02])


def test_holm_does_not_count_tests_that_were_not_made():
    found = holm([0.02, math.nan, 0.01, math.nan])
    assert np.array_equal(np.isnan(found), [False, True, False, True])
    assert found[[0, 2]] == pytest.approx([0.02, 0.02], rel=1e-12)
    assert holm([]).shape == (0,)
    with pytest.raises(BadInput, match=r"0 to 1, got 1\.5"):
        holm([0.5, 1.5])


def test_holm_raises_a_false_alarm_in_at_most_5_of_100_families():
    rng, families = np.random.default_rng(8), 2000
    alarms = sum(holm(rng.uniform(size=10)).min() < 0.05 for _ in range(families))
    # for independent tests without any effect: 1 - (1 - 0.05 / 10)^10
    assert stats.binomtest(alarms, families, 1 - 0.995**10).pvalue > 1e-4


def test_note_says_how_many_false_alarms_chance_gives():
    text = multiple_comparison_note(40, 17, 12)
    assert "40 paired tests" in text
    assert "about 2 clear differences by chance" in text
    assert text.endswith("Taken alone, 17 are clear; with Holm's correction for all 40, 12.")
    assert "about 0.15 clear" in multiple_comparison_note(3, 1, 0)
    assert multiple_comparison_note(1, 0, 0).endswith("its difference is not clear.")
    assert multiple_comparison_note(1, 1, 1).endswith("its difference is clear.")
    assert multiple_comparison_note(0, 0, 0) == "No paired test could be made."


@pytest.mark.parametrize("name", ["ratio", "effect_size", "consistent_pct", "p_value"])
def test_pairs_are_equally_many(name):
    with pytest.raises(BadInput, match="equally many values, got 1 and 2"):
        getattr(contrasts, name)([1.0], [1.0, 2.0])


def test_bootstrap_is_narrower_than_student_at_few_replicates():
    rows = np.random.default_rng(9).normal(size=(200, 4))
    student = [mean(row) for row in rows]
    assert np.mean(np.ptp(bootstrap_rows(rows), axis=1)) < 0.7 * np.mean([each.high - each.low for each in student])
