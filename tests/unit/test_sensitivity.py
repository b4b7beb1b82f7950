"""Which assumption carries a verdict: one at a time, in full factorials, and in words."""

import itertools
import math

import numpy as np
import pytest

from ucnp_abm.errors import BadInput
from ucnp_abm.study.numbers.sensitivity import factorial, one_at_a_time, variance_shares
from ucnp_abm.study.numbers.statistics import difference, mean
from ucnp_abm.study.numbers.verdict import verdict

NOISE = np.array([-1.0, 0.0, 1.0, 0.0])
MOVED = np.array([5.0, 5.0, 5.0, 9.0])
WORDS = ("points", "core ions outside", ("y-complex", "no-complex"))


def full(contrast, **axes):
    """Points of a full factorial and their contrasts, from a function of the levels' numbers."""
    numbers = list(itertools.product(*(range(n) for n in axes.values())))
    points = [{axis: f"{axis}{k}" for axis, k in zip(axes, each, strict=True)} for each in numbers]
    return points, [contrast(*each) + NOISE for each in numbers]


def by_name(effects):
    return {each.assumption: each for each in effects}


def test_influence_is_the_paired_change():
    base = -40.0 + NOISE
    (found,) = one_at_a_time(base, {("surface", "sink"): base + MOVED})
    assert (found.assumption, found.level) == ("surface", "sink")
    assert found.base == mean(base)
    assert found.contrast == mean([-36.0, -35.0, -34.0, -31.0])
    assert found.change == difference(base + MOVED, base)
    assert found.change.value == 6.0


def test_influences_are_sorted_by_the_size_of_their_change():
    base = 10 + NOISE
    found = one_at_a_time(base, {("a", "1"): base + 2, ("b", "1"): base - 7, ("a", "2"): base + 5, ("c", "1"): base})
    assert [(each.assumption, each.level) for each in found] == [("b", "1"), ("a", "2"), ("a", "1"), ("c", "1")]
    undefined = one_at_a_time(base, {("a", "1"): base + 99, ("b", "1"): base * math.nan})[0]
    assert undefined.assumption == "b"
    assert undefined.flips


@pytest.mark.parametrize(
    ("shift", "flips"),
    [(-30.0, False), (30.0, False), (38.0, False), (39.5, True), (40.0, True), (41.0, True), (60.0, True)],
)
def test_verdict_flips_where_the_interval_includes_zero_or_changes_sign(shift, flips):
    base = -40.0 + NOISE  # half-width 1.3
    assert one_at_a_time(base, {("a", "1"): base + shift})[0].flips is flips
    assert one_at_a_time(-base, {("a", "1"): -base - shift})[0].flips is flips


def test_base_without_a_side_cannot_flip():
    assert not one_at_a_time(NOISE, {("a", "1"): NOISE + 50})[0].flips
    assert not one_at_a_time(np.array([3.0]), {("a", "1"): np.array([-3.0])})[0].flips


def test_points_have_equally_many_replicates():
    with pytest.raises(BadInput, match=r"equally many replicates .* got 3, 4"):
        one_at_a_time(NOISE, {("a", "1"): NOISE[:3]})
    with pytest.raises(BadInput, match="1 or more"):
        one_at_a_time(np.array([]), {})
    with pytest.raises(BadInput, match="equally many replicates"):
        factorial([{"a": "0"}, {"a": "1"}], [NOISE, NOISE[:2]])


def test_two_by_two_is_that_worked_out_by_hand():
    # table [[0, 2], [4, 14]]: mean 5; a: 1 and 9; b: 2 and 8; interaction +-2; variances 16 + 9 + 4 = 29
    points, contrasts = full(lambda a, b: [[0, 2], [4, 14]][a][b], a=2, b=2)
    assert variance_shares(points, contrasts) == pytest.approx({("a",): 16 / 29, ("b",): 9 / 29, ("a", "b"): 4 / 29})
    found = factorial(points, contrasts)
    assert [each.assumption for each in found] == ["a", "b"]
    assert found[0].overall.value == 5.0
    assert found[0].n_points == 4
    assert {level: each.value for level, each in found[0].means.items()} == {"a0": 1.0, "a1": 9.0}
    assert {level: each.value for level, each in found[1].means.items()} == {"b0": 2.0, "b1": 8.0}
    assert (found[0].span.value, found[1].span.value) == (8.0, 6.0)
    assert (found[0].first_order, found[0].total_order) == pytest.approx((16 / 29, 20 / 29))
    assert (found[1].first_order, found[1].total_order) == pytest.approx((9 / 29, 13 / 29))


def test_two_cubed_has_the_squares_of_its_walsh_coefficients():
    weights = {(0,): 3.0, (1,): -2.0, (2,): 0.5, (0, 1): 1.0, (0, 2): 0.0, (1, 2): -1.5, (0, 1, 2): 0.25}

    def contrast(*levels):
        signs = [2 * level - 1 for level in levels]
        return 7.0 + sum(weight * math.prod(signs[k] for k in chosen) for chosen, weight in weights.items())

    points, contrasts = full(contrast, a=2, b=2, c=2)
    total = sum(weight**2 for weight in weights.values())
    expected = {tuple("abc"[k] for k in chosen): weight**2 / total for chosen, weight in weights.items()}
    assert variance_shares(points, contrasts) == pytest.approx(expected, abs=1e-14)
    found = by_name(factorial(points, contrasts))
    for axis in "abc":
        assert found[axis].first_order == pytest.approx(expected[(axis,)])
        assert found[axis].total_order == pytest.approx(sum(s for names, s in expected.items() if axis in names))
    assert found["b"].span.value == 4.0


def test_additive_contrast_has_no_interactions():
    points, contrasts = full(lambda a, b, c: a**2 + 5 * b + (3 if c == 1 else 0), a=3, b=2, c=4)
    shares = variance_shares(points, contrasts)
    # variances of 0, 1, 4; of 0, 5; of 0, 3, 0, 0
    variances = {("a",): 26 / 9, ("b",): 6.25, ("c",): 27 / 16}
    assert {names: shares[names] for names in variances} == pytest.approx(
        {names: each / sum(variances.values()) for names, each in variances.items()}
    )
    assert max(share for names, share in shares.items() if len(names) > 1) < 1e-28
    assert all(each.total_order == pytest.approx(each.first_order) for each in factorial(points, contrasts))


def test_shares_of_any_table_sum_to_one_and_give_the_effects():
    rng = np.random.default_rng(1)
    for _ in range(20):
        points, contrasts = full(lambda *_: rng.normal(1e3, 1.0), a=3, b=1, c=2, d=4)
        shares = variance_shares(points, contrasts)
        assert len(shares) == 15
        assert sum(shares.values()) == pytest.approx(1.0, abs=1e-12)
        for each in factorial(points, contrasts):
            of_axis = {names: share for names, share in shares.items() if each.assumption in names}
            assert each.first_order == pytest.approx(of_axis[(each.assumption,)], abs=1e-12)
            assert each.total_order == pytest.approx(sum(of_axis.values()), abs=1e-12)


def test_order_of_points_changes_nothing():
    points, contrasts = full(lambda a, b: [[0, 2, 1], [4, 14, 3]][a][b], a=2, b=3)
    order = np.random.default_rng(2).permutation(6)
    shuffled = factorial([points[k] for k in order], [contrasts[k] for k in order])
    for one, other in zip(factorial(points, contrasts), shuffled, strict=True):
        assert (one.assumption, one.means, one.flips_pct) == (other.assumption, other.means, other.flips_pct)
        assert one.total_order == pytest.approx(other.total_order)


def test_means_of_a_factorial_are_paired_by_replicate():
    common = np.array([0.0, 50.0, -30.0, 20.0])
    points, contrasts = full(lambda a, b: 3 * a + common, a=2, b=2)
    found = by_name(factorial(points, contrasts))["a"]
    assert found.span == mean([3.0] * 4)
    assert found.means["a1"] == mean(3.0 + common + NOISE)


def test_flips_are_counted_level_by_level():
    # -10 everywhere but at a1 with b2 (+3) and with b1 (0)
    points, contrasts = full(lambda a, b: [[-10, -10, -10], [-10, 0, 3]][a][b], a=2, b=3)
    found = by_name(factorial(points, contrasts))
    assert found["a"].flips_pct == pytest.approx({"a0": 0.0, "a1": 200 / 3})
    assert found["b"].flips_pct == pytest.approx({"b0": 0.0, "b1": 50.0, "b2": 50.0})
    assert found["a"].flips == found["b"].flips == []  # means -10, -2.3; -10, -5, -3.5
    undecided = factorial(*full(lambda a: 10 * a - 5, a=2))[0]
    assert all(math.isnan(pct) for pct in undecided.flips_pct.values())
    assert undecided.flips == []


def test_equal_points_have_no_shares():
    points, contrasts = full(lambda a, b: -3.0, a=2, b=2)
    assert all(math.isnan(share) for share in variance_shares(points, contrasts).values())
    assert all(math.isnan(each.total_order) for each in factorial(points, contrasts))
    assert verdict(factorial(points, contrasts), *WORDS).endswith("No two settings differ.")


def test_what_is_no_full_factorial_is_refused_in_one_sentence():
    points, contrasts = full(lambda a, b: a + b, a=3, b=2)
    with pytest.raises(BadInput, match=r"\(3 x 2 = 6 points\), got 5 points, without a = a2, b = b1"):
        factorial(points[:-1], contrasts[:-1])
    with pytest.raises(BadInput, match="got 7 points, some of them twice"):
        factorial([*points, points[0]], [*contrasts, contrasts[0]])
    with pytest.raises(BadInput, match="got 6 points, without a = a2, b = b1"):
        factorial([*points[:-1], points[0]], contrasts)
    with pytest.raises(BadInput, match="a level of a, b at every point, got a = a0"):
        factorial([*points[:-1], {"a": "a0"}], contrasts)
    with pytest.raises(BadInput, match="got 6 points and 5 contrasts"):
        factorial(points, contrasts[:-1])
    with pytest.raises(BadInput, match="at least one assumption"):
        factorial([], [])


def told(base, **changes):
    alternatives = {tuple(name.split("_")): base + change for name, change in changes.items()}
    return verdict(one_at_a_time(base, alternatives), *WORDS)


def test_verdict_rests_on_the_assumption_that_turns_it():
    assert told(-40.0 + NOISE, surface_sink=38.9, surface_etch=9.0, bath_finite=-6.25, barrier_high=2.0) == (
        "The verdict (core ions outside: y-complex below no-complex) rests on surface: with surface = sink the "
        "difference falls from -40.0 [-41.3, -38.7] to -1.1 [-2.4, +0.2] points; no other assumption changes it by "
        "more than 6.2 points."
    )


def test_all_assumptions_that_turn_the_verdict_are_named_worst_first():
    text = told(5.0 + NOISE, bath_finite=-5.0, surface_sink=-15.0, surface_etch=-9.0)
    assert "(core ions outside: y-complex above no-complex) rests on surface and bath: with surface = sink" in text
    assert "turns from +5.0 [+3.7, +6.3] to -10.0 [-11.3, -8.7] points" in text
    parts = ["surface = sink", "surface = etch", "bath = finite"]
    assert sorted(parts, key=text.index) == parts
    assert "no other" not in text


def test_verdict_that_nothing_turns_says_how_far_it_moves():
    assert told(-40.0 + NOISE, surface_sink=12.0, bath_finite=-6.0) == (
        "The verdict (core ions outside: y-complex below no-complex) is turned by no assumption tried here: the "
        "difference stays between -46.0 and -28.0 points, changed furthest by surface = sink."
    )


def test_flip_that_could_itself_be_chance_is_called_so():
    base = 2.0 + NOISE
    text = told(base, bath_finite=np.array([3.0, -3.0, 2.0, -3.0]))
    assert "is turned by no assumption tried here" in text
    assert text.endswith(
        "With bath = finite there is no clear difference, but the change could itself be chance: "
        "more crystals would tell."
    )
    assert "chance" not in told(base, bath_finite=-2.0)


def test_base_without_a_clear_sign_has_no_verdict():
    text = told(NOISE, surface_sink=-10.0, bath_finite=0.1)
    assert text.startswith(
        "There is no verdict to turn: in core ions outside, y-complex differs from no-complex by +0.0"
    )
    assert text.endswith("(no clear sign). It is clear with surface = sink (-10.0 [-11.3, -8.7] points).")
    assert told(NOISE, bath_finite=0.1).endswith("No assumption tried here makes it clear.")
    assert "one replicate says nothing about chance" in told(NOISE[:1] + 5, bath_finite=0.1)


def test_verdict_of_a_factorial_names_the_level_that_turns_the_mean():
    text = verdict(factorial(*full(lambda a, b: -30 + 32 * a + b, a=2, b=2)), *WORDS)
    assert "rests on a: with a = a1 the mean difference is +2.5 [+1.2, +3.8] points instead of -13.5 " in text
    assert "over all 4 settings, and 100 % of its settings have another verdict. " in text
    assert text.endswith("Of the variance between settings, a accounts for 100 %.")


def test_levels_that_turn_the_mean_of_a_factorial_are_named_worst_first():
    # means 5.2 overall, -14.8 with a2, -19 with b5; a accounts for more variance, as its level is not as rare
    effects = factorial(*full(lambda a, b: 20 - 30 * (a == 2) - 29 * (b == 5), a=3, b=6))
    assert [each.assumption for each in effects] == ["a", "b"]
    text = verdict(effects, *WORDS)
    assert "rests on b and a: with b = b5" in text
    assert "; with a = a2" in text


def test_verdict_of_a_factorial_tells_of_assumptions_that_turn_it_together():
    text = verdict(factorial(*full(lambda a, b: 5 - 20 * (1 - a * b), a=2, b=2)), *WORDS)
    assert "is turned by no assumption alone (its mean at any one level stays between -15.0 and -5.0 points)" in text
    assert "but by some of them together, at 25 % of the 4 settings, most often with a = a1 (50 %)" in text
    assert text.endswith("a accounts for 33 % alone and 67 % with its interactions, b for 67 % with its own.")


def test_verdict_of_a_factorial_that_holds_everywhere_says_so():
    text = verdict(factorial(*full(lambda a, b: 30 + a + b, a=2, b=3)), *WORDS)
    assert "above no-complex) holds at all 6 settings: its mean at any one level stays between 30.5 and" not in text
    assert (
        "above no-complex) holds at all 6 settings: its mean at any one level stays between +30.5 and +32.5 points"
        in text
    )
    undecided = verdict(factorial(*full(lambda a: 10 * a - 5, a=2)), *WORDS)
    assert "by +0.0 [-1.3, +1.3] points (no clear sign)" in undecided
    assert "on average over 2 settings" in undecided


def test_nothing_varied_has_no_verdict():
    with pytest.raises(BadInput, match="at least one assumption"):
        verdict([], *WORDS)


def test_chance_flips_a_true_verdict_as_seldom_as_its_intervals_say():
    # at two standard errors of Student's interval above zero, and an alternative that differs by chance alone
    rng, trials, flips = np.random.default_rng(3), 1000, 0
    for _ in range(trials):
        base, other = 4.0 + rng.normal(size=(2, 6))
        flips += one_at_a_time(base, {("a", "1"): other})[0].flips
    assert flips / trials < 0.01
