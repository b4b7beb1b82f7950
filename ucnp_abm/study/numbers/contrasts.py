"""Paired contrasts of two mechanisms beside the mean difference: ratios, effect sizes, tests, bootstrap intervals.

All functions take the values of the replicates as plain numbers. `values` and `reference` are paired: replicate k of
both has seen the same crystal. The interval to rely on is Student's t (`statistics`); the bootstrap stands beside it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadInput
from ucnp_abm.study.numbers.statistics import CONFIDENCE, Mean, Numbers, difference, mean, pairs

RESAMPLES = 9999
BATCH, NUMBERS, ROWS = 100, 100_000, 1000
"""Resamples that are drawn together; numbers of which they are drawn, and means that are held, at most: 80 MB each."""
SEED = 20231206
"""Of every bootstrap: the same values have the same interval."""


def bootstrap(values: Numbers) -> tuple[float, float]:
    """Ends of the 95 % bootstrap interval of the mean, bias-corrected and accelerated (BCa).

    From 9999 resamples with a fixed seed (`scipy.stats.bootstrap`; Efron 1987, doi:10.1080/01621459.1987.10478410).
    At few replicates it is too narrow: see `statistics`.

    Parameters
    ----------
    values : sequence of float
        Of the replicates.

    Returns
    -------
    low, high : float
        In the unit of the values. Both NaN for fewer than three values or if one is not finite; both the common value
        if all are equal.
    """
    low, high = bootstrap_rows(np.asarray(values, dtype=float)[None, :])[0]
    return float(low), float(high)


def bootstrap_rows(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bootstrap intervals of many means at once, each exactly that which `bootstrap` gives for its row.

    Parameters
    ----------
    values : ndarray, shape (m, n)
        One row for each mean, one column for each replicate.

    Returns
    -------
    ndarray, shape (m, 2)
    """
    rows = np.asarray(values, dtype=float)
    if rows.ndim != 2:
        raise BadInput(f"bootstrap_rows: expected values of shape (means, replicates), got shape {rows.shape}")
    found = np.full((len(rows), 2), np.nan)
    if rows.shape[1] < 3:
        return found
    finite = np.isfinite(rows).all(axis=1)
    low, span = rows.min(axis=1), np.ptp(np.where(finite[:, None], rows, 0.0), axis=1)
    equal = finite & (span == 0)
    found[equal] = low[equal, None]
    scattered = np.flatnonzero(finite & (span > 0))
    size = max(1, min(ROWS, NUMBERS // rows.shape[1]))
    for start in range(0, len(scattered), size):
        block = scattered[start : start + size]
        # from 0 to 1, so that neither tiny nor nearly equal values lose their skewness to rounding
        unit = (rows[block] - low[block, None]) / span[block, None]
        found[block] = low[block, None] + span[block, None] * np.clip(_bca(unit), 0.0, 1.0)
    return found


def _bca(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import bootstrap as resample  # 0.6 s that only a bootstrap needs

    interval = resample(
        (rows,),
        _mean,
        n_resamples=RESAMPLES,
        batch=BATCH,
        axis=-1,
        vectorized=True,
        confidence_level=CONFIDENCE,
        method="BCa",
        random_state=np.random.default_rng(SEED),
    ).confidence_interval
    return np.column_stack([interval.low, interval.high])


def _mean(resamples: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Contiguous, so that a mean is summed in the same order whatever stands beside it."""
    return np.asarray(np.ascontiguousarray(resamples).mean(axis=axis))


def ratio(values: Numbers, reference: Numbers) -> Mean | None:
    """Geometric mean of the paired ratios values / reference, for gains.

    Its interval is Student's t on the logarithms, so it is not symmetric and never reaches zero; its standard error is
    that of the mean logarithm times the ratio.

    Returns
    -------
    Mean or None
        Without a unit; None unless all numbers are finite and above zero.
    """
    numbers, base = pairs(values, reference)
    both = np.concatenate([numbers, base])
    if not bool(((both > 0) & np.isfinite(both)).all()):
        return None
    found = mean(np.log(numbers / base))
    with np.errstate(over="ignore"):
        value, low, high = (float(np.exp(end)) for end in (found.value, found.low, found.high))
    return Mean(value, value * found.error, low, high, found.n_values)


def effect_size(values: Numbers, reference: Numbers) -> float:
    """Hedges' g_av of paired samples: the mean difference in units of the scatter between replicates.

    g_av = J (mean of values - mean of reference) / ((s_values + s_reference) / 2), J = 1 - 3 / (4 (n + n) - 9), with
    the standard deviations s over the n replicates (Lakens 2013, doi:10.3389/fpsyg.2013.00863). At an effect of 1 and
    a correlation of 0 to 0.9 between the pairs, its mean is 2 to 5 % too large at n = 8, 5 to 14 % at n = 4
    (400 000 draws).

    Returns
    -------
    float
        Without a unit. Infinite, with the sign of the difference, if neither scatters; 0 without a difference; NaN for
        one replicate.
    """
    numbers, base = pairs(values, reference)
    n = numbers.size
    change = difference(numbers, base).value
    if n < 2 or math.isnan(change):
        return math.nan
    scatter = (mean(numbers).error + mean(base).error) / 2 * math.sqrt(n)
    if change == 0 or scatter == 0:
        return math.copysign(math.inf, change) if change else 0.0
    return (1 - 3 / (8 * n - 9)) * change / scatter


def consistent_pct(values: Numbers, reference: Numbers) -> float:
    """Share / % of pairs in which the value lies on the same side of its reference as in the mean.

    NaN if the mean difference is zero: there is no side then.
    """
    numbers, base = pairs(values, reference)
    changes = numbers - base
    whole = math.fsum(changes)
    return 100.0 * float(np.mean(np.sign(changes) == math.copysign(1.0, whole))) if abs(whole) > 0 else math.nan


def p_value(values: Numbers, reference: Numbers) -> float:
    """Two-sided paired t test: how probable so large a mean difference is if the true one is zero.

    Below 0.05 exactly where the 95 % interval of `statistics.difference` leaves zero out.

    Returns
    -------
    float
        1 if there is no difference in any pair, 0 if all differ by the same amount, NaN for one replicate.
    """
    found = difference(values, reference)
    if found.n_values < 2 or math.isnan(found.value):
        return math.nan
    if found.error == 0:
        return 0.0 if found.value else 1.0
    from scipy.special import stdtr  # 0.3 s that only a test needs

    return 2.0 * float(stdtr(found.n_values - 1, -abs(found.value) / found.error))


def holm(p_values: Numbers) -> NDArray[np.float64]:
    """Holm-adjusted p-values: those below 0.05 hold together, with a 5 % risk that any of them is a false alarm.

    The k-th smallest of m becomes the largest of (m - j + 1) p_j over j <= k, at most 1 (Holm 1979,
    https://www.jstor.org/stable/4615733). It holds for tests that depend on each other.

    Parameters
    ----------
    p_values : sequence of float
        NaN where there was no test; it is not counted and stays NaN.

    Raises
    ------
    BadInput
        If one lies outside 0 to 1.
    """
    given = np.asarray(p_values, dtype=float)
    tests = np.flatnonzero(~np.isnan(given))
    wrong = [p for p in given[tests] if not 0 <= p <= 1]
    if wrong:
        raise BadInput(f"holm: expected p-values from 0 to 1, got {wrong[0]:g}")
    order = tests[np.argsort(given[tests], kind="stable")]
    adjusted = np.full(given.shape, np.nan)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(given[order] * np.arange(len(order), 0, -1)))
    return adjusted


def multiple_comparison_note(n_tests: int, n_clear_alone: int, n_clear_holm: int) -> str:
    """What many tests mean for a reader: false alarms to expect by chance, and what holds all the same.

    Parameters
    ----------
    n_tests : int
        Paired tests that were made.
    n_clear_alone, n_clear_holm : int
        How many of them have p < 0.05 alone, and Holm-adjusted.
    """
    if n_tests == 0:
        return "No paired test could be made."
    if n_tests == 1:
        return (
            f"One paired test was made, so none is corrected; its difference is {'' if n_clear_alone else 'not '}clear."
        )
    alarms = n_tests * (1 - CONFIDENCE)
    chance = f"{alarms:.0f}" if alarms >= 10 else f"{alarms:.2g}"
    return (
        f"{n_tests} paired tests were made: if nothing differed, 95 % intervals would still show about {chance} clear "
        f"differences by chance. Taken alone, {n_clear_alone} {'is' if n_clear_alone == 1 else 'are'} clear; "
        f"with Holm's correction for all {n_tests}, {n_clear_holm}."
    )
