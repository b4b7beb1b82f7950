"""Paired tests of a study: every mechanism against the first, at every setting, corrected for their number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ucnp_abm.study.numbers import contrasts
from ucnp_abm.study.numbers.statistics import Mean
from ucnp_abm.study.report import tables

if TYPE_CHECKING:
    from ucnp_abm.study.outcome import StudyResult


@dataclass(frozen=True)
class Test:
    """A mechanism against the first one at one setting, in one observable at the end of the runs.

    Attributes
    ----------
    point : int
        Number of the setting.
    label, column : str
    difference : Mean
        Paired.
    ratio : Mean or None
        Geometric mean of the paired ratios, where all values are above zero.
    effect : float
        Hedges' g for pairs; as all that follows, of light that of its logarithms.
    consistent_pct : float
        Share / % of the pairs on the side of the mean difference.
    p, p_holm : float
        Of the paired t test, alone and adjusted for all tests of this observable (Holm).
    is_repeated : bool
        Whether an earlier setting has the very same runs, so that this is no test more.
    """

    point: int
    label: str
    column: str
    difference: Mean
    ratio: Mean | None
    effect: float
    consistent_pct: float
    p: float
    p_holm: float
    is_repeated: bool = False

    @property
    def is_clear(self) -> bool:
        """Whether the 95 % interval of the difference leaves out zero; of light, that of the ratio one."""
        if tables.is_light(self.column) and self.ratio:
            return not self.ratio.low <= 1 <= self.ratio.high
        return self.difference.low > 0 or self.difference.high < 0


def tests(result: StudyResult, column: str) -> list[Test]:
    """All mechanisms but the first at all settings, in one observable, with p-values adjusted for their number."""
    found = _pairs(result, column)
    if not found:
        return []
    tested = [_as_tested(column, a, b) for _, _, a, b in found]
    p = np.array([contrasts.p_value(a, b) if a.size else math.nan for a, b in tested])
    keys = [(label, a.tobytes(), b.tobytes()) for _, label, a, b in found]
    firsts = {key: number for number, key in reversed(list(enumerate(keys)))}  # the same runs are tested once
    alone = sorted(firsts.values())
    adjusted = dict(zip(alone, contrasts.holm(p[alone]).tolist(), strict=True))
    return [
        Test(
            number,
            label,
            column,
            difference=result.comparisons[number].difference(label, column),
            ratio=contrasts.ratio(a, b) if a.size else None,
            effect=contrasts.effect_size(*in_test) if a.size else math.nan,
            consistent_pct=contrasts.consistent_pct(*in_test) if a.size else math.nan,
            p=float(p[n]),
            p_holm=adjusted[firsts[keys[n]]],
            is_repeated=firsts[keys[n]] != n,
        )
        for n, ((number, label, a, b), in_test) in enumerate(zip(found, tested, strict=True))
    ]


def _as_tested(column: str, values: Any, reference: Any) -> tuple[Any, Any]:
    """Light in decades, where all is above zero: raw, the brightest crystal alone would decide its test."""
    if tables.is_light(column) and values.size and min(values.min(), reference.min()) > 0:
        return np.log10(values), np.log10(reference)
    return values, reference


def _pairs(result: StudyResult, column: str) -> list[tuple[int, str, Any, Any]]:
    """Setting, mechanism, its values and those of the first one, in the order of `tests`."""
    return [
        (number, label, *comparison.pairs(label, column))
        for number, comparison in enumerate(result.comparisons)
        for label in comparison.labels[1:]
    ]


def bootstraps(result: StudyResult, column: str, decades: bool = False) -> list[tuple[float, float]]:
    """95 % BCa intervals of the mean differences, of light in decades if asked, in the order of `tests`; else NaN."""
    listed = [(values, reference) for _, _, values, reference in _pairs(result, column)]
    changes = [a - b for a, b in ([_as_tested(column, *each) for each in listed] if decades else listed)]
    found = [(math.nan, math.nan)] * len(changes)
    for n in {change.size for change in changes} - {0}:
        rows = [number for number, change in enumerate(changes) if change.size == n and np.isfinite(change).all()]
        if rows:
            ends = contrasts.bootstrap_rows(np.array([changes[number] for number in rows]))
            for number, (low, high) in zip(rows, ends.tolist(), strict=True):
                found[number] = (low, high)
    return found
