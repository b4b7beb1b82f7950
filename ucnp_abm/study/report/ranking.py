"""In which order mechanisms stand, and whether it is the same at all settings."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from ucnp_abm.study.numbers import statistics

if TYPE_CHECKING:
    from ucnp_abm.study.compare import Comparison
    from ucnp_abm.study.outcome import StudyResult

_ORDERS = 3
"""So many orders are told at most."""
TINY = 1e-3
"""Means that differ by a smaller share are told as alike, however sure the difference."""


def order(result: StudyResult, light: bool) -> str:
    """Whether three or more mechanisms have the same order at all settings; '≈' where a difference could be chance.

    Settings at which a mean is undefined have none.

    Parameters
    ----------
    result : StudyResult
    light : bool
        Whether the first observable is light, which is compared in decades.
    """
    if len(result.labels) < 3:
        return ""
    orders = Counter(
        _ranked(comparison, result.column, light)
        for comparison in result.comparisons
        if all(math.isfinite(comparison.mean(label, result.column).value) for label in result.labels)
    )
    if not orders:
        return ""
    (order, n), total = orders.most_common(1)[0], sum(orders.values())
    if n == total:
        return f"The order of the means {order} holds at every setting."
    others = [f"{other} at {m}" for other, m in orders.most_common()[1:_ORDERS]]
    more = "; others elsewhere" if len(orders) > _ORDERS else ""
    return (
        f"The order of the means is {order} at {n} of {total} settings, {', '.join(others)}{more}"
        f"{' (≈: could be chance)' if '≈' in ''.join([order, *others]) else ''}."
    )


def _ranked(comparison: Comparison, column: str, light: bool) -> str:
    """'y-complex = gd-complex < no-complex'; those that cannot be told apart stand in the order of the study."""
    means = {label: comparison.mean(label, column).value for label in comparison.labels}
    ordered = sorted(means, key=lambda label: means[label])
    groups = [[ordered[0]]]
    for before, label in itertools.pairwise(ordered):
        if _is_clear(comparison, (before, label), column, light):
            groups.append([])
        groups[-1].append(label)
    found = []
    for group in groups:
        equal = len({means[label] for label in group}) == 1
        found.append((" = " if equal else " ≈ ").join(sorted(group, key=comparison.labels.index)))
    return " < ".join(found)


def _is_clear(comparison: Comparison, labels: tuple[str, str], column: str, light: bool) -> bool:
    """Whether the paired difference of two mechanisms, of light in decades, is on one side of zero and not tiny."""
    low, high = labels
    a, b = comparison.values(low, column, beside=high), comparison.values(high, column, beside=low)
    if abs(b.mean() - a.mean()) <= TINY * max(abs(a.mean()), abs(b.mean())):
        return False
    if light and min(a.min(), b.min()) > 0:
        a, b = np.log10(a), np.log10(b)
    found = statistics.mean_of_any(b - a)
    return found.low > 0 or found.high < 0
