"""Whether runs were long enough and replicates many enough."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadInput
from ucnp_abm.study.numbers.statistics import Mean, Numbers, mean, quantile

UNSETTLED = 0.02
"""Change in the last tenth of a run, as a share of its range, above which a reader is warned. Assumption."""
LAST = 0.1
"""Part at the end of a run in which it should not change any more."""
MOST = 100_000
"""Replicates that `needed` asks for at most."""


@dataclass(frozen=True)
class Settled:
    """How much an observable still changed in the last tenth of a run.

    Attributes
    ----------
    change : Mean
        Value at the end minus value at nine tenths, paired by replicate, in the unit of the observable.
    share : float
        Size of the mean change over the range of the mean course (0 to 1); 0 for a course that never changes; NaN where
        a value is missing, or with one sample.
    """

    change: Mean
    share: float

    @property
    def is_settled(self) -> bool:
        """Whether the share is at most 0.02; False where it is undefined."""
        return self.share <= UNSETTLED


def settled(course: NDArray[np.float64], at: NDArray[np.float64]) -> Settled:
    """Change of an observable over the last tenth of its run.

    Between two samples the observable is taken to be linear, so that sparse samples are judged too. That a run has
    settled does not prove that it has reached equilibrium: a slower change may be hidden in its scatter.

    Parameters
    ----------
    course : ndarray, shape (replicates, samples)
    at : ndarray, shape (samples,)
        When the samples were taken / steps or s, rising from the start of the run.

    Raises
    ------
    BadInput
        If there is no sample, the samples and their times are not equally many, or the times do not rise.
    """
    rows, times = np.asarray(course, dtype=float), np.asarray(at, dtype=float)
    if rows.ndim != 2 or rows.size == 0 or times.shape != rows.shape[1:]:
        what = "values of shape (replicates, samples) and a time for each sample"
        raise BadInput(f"settled: expected {what}, got shapes {rows.shape} and {times.shape}")
    if not (np.diff(times) > 0).all():
        raise BadInput(f"settled: expected rising times, got {times.tolist()[:8]}")
    if times.size == 1:
        return Settled(mean(np.full(len(rows), math.nan)), math.nan)
    start = times[-1] - LAST * (times[-1] - times[0])
    last = int(np.searchsorted(times, start, side="right"))
    weight = (start - times[last - 1]) / (times[last] - times[last - 1])
    before = rows[:, last - 1] + weight * (rows[:, last] - rows[:, last - 1])
    change = mean(rows[:, -1] - before)
    whole = rows.mean(axis=0)
    span = float(whole.max() - whole.min())
    return Settled(change, 0.0 if span == 0 else abs(change.value) / span)


def needed(values: Numbers, half_width: float) -> int:
    """How many replicates would probably bring the 95 % interval of the mean to a half-width.

    The smallest n with t(n - 1) s / sqrt(n) <= half_width, where t is the quantile of Student's t and s the standard
    deviation of the present values; a forecast, as s is known no better than these values tell it.

    Parameters
    ----------
    values : sequence of float
        Of the replicates so far, two at least.
    half_width : float
        In the unit of the values.

    Returns
    -------
    int
        From 2 to 100 000; the latter also where more would be needed.

    Raises
    ------
    BadInput
        If there are fewer than two values, one is not finite, or the half-width is not above zero.
    """
    numbers = np.asarray(values, dtype=float)
    if numbers.size < 2 or not np.isfinite(numbers).all():
        raise BadInput(f"needed: expected at least two finite values, got {numbers.size}: {numbers.tolist()[:8]}")
    if not half_width > 0:
        raise BadInput(f"needed: expected a half-width above zero, got {half_width:g}")
    scatter = mean(numbers).error * math.sqrt(numbers.size)
    sizes = range(2, MOST)
    at = bisect_left(sizes, True, key=lambda n: quantile(n - 1) * scatter / math.sqrt(n) <= half_width)
    return sizes[at] if at < len(sizes) else MOST
