"""Which assumption carries a verdict: contrasts at many points, one assumption varied at a time or all together.

A contrast is the paired difference of two mechanisms in one observable, one number for each replicate, at one point (a
setting of all assumptions); replicate k is the same replicate at every point. The verdict is the side of zero on which
the 95 % interval of the contrast lies.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadInput
from ucnp_abm.study.numbers.statistics import Mean, difference, mean

Values = NDArray[np.float64]

ROUNDING = 1e-12
"""Differences between points, as a share of the largest contrast, below which they are those of floating point."""


@dataclass(frozen=True)
class Influence:
    """What one assumption, changed alone, does to a contrast.

    Attributes
    ----------
    assumption, level : str
        What was changed, and to what.
    base : Mean
        The contrast with no assumption changed, in the unit of the observable.
    contrast : Mean
        With this one changed.
    change : Mean
        contrast - base, paired by replicate.
    """

    assumption: str
    level: str
    base: Mean
    contrast: Mean
    change: Mean

    @property
    def flips(self) -> bool:
        """Whether the interval left the base's side of zero: it includes zero, changed sign or is undefined.

        False if the base is on neither side.
        """
        return side(self.base) != 0 and side(self.contrast) != side(self.base)


@dataclass(frozen=True)
class Effect:
    """What one assumption does to a contrast, averaged over all settings of the others.

    Attributes
    ----------
    assumption : str
    n_points : int
        Of the factorial.
    overall : Mean
        The contrast, averaged over all points, in the unit of the observable.
    means : mapping of str to Mean
        By level: the contrast, averaged over the points with this level.
    span : Mean
        Highest less lowest of these, paired by replicate.
    first_order : float
        Share (0 to 1) of the variance between points that the means by level account for; NaN if no two points differ.
    total_order : float
        Share (0 to 1) to which the assumption contributes, alone or in an interaction; as above.
    flips_pct : mapping of str to float
        By level: share / % of its points whose verdict is not the overall one; NaN if the latter has no side.
    """

    assumption: str
    n_points: int
    overall: Mean
    means: Mapping[str, Mean]
    span: Mean
    first_order: float
    total_order: float
    flips_pct: Mapping[str, float]

    @property
    def flips(self) -> list[str]:
        """Levels at which the mean contrast has left the overall side, worst first."""
        found = [level for level, each in self.means.items() if side(self.overall) not in (0, side(each))]
        return sorted(found, key=lambda level: size(self.means[level].value - self.overall.value), reverse=True)


def side(contrast: Mean) -> int:
    """On which side of zero a 95 % interval lies: 1, -1, or 0 if it includes zero or there is none."""
    return int(contrast.low > 0) - int(contrast.high < 0)


def size(change: float) -> float:
    """How much a change counts in a ranking: its absolute value; more than any if it is undefined."""
    return math.inf if math.isnan(change) else abs(change)


def one_at_a_time(base: Values, alternatives: Mapping[tuple[str, str], Values]) -> list[Influence]:
    """Influences of assumptions that were changed one at a time, the largest change of the mean first.

    How assumptions act together it cannot tell; `factorial` can.

    Parameters
    ----------
    base : ndarray, shape (n,)
        The contrast of each replicate with no assumption changed.
    alternatives : mapping of (assumption, level) to ndarray, shape (n,)

    Raises
    ------
    BadInput
        If the points have not equally many replicates, or none.
    """
    _replicates([np.asarray(base), *map(np.asarray, alternatives.values())])
    found = [
        Influence(assumption, level, mean(base), mean(values), difference(values, base))
        for (assumption, level), values in alternatives.items()
    ]
    return sorted(found, key=lambda each: size(each.change.value), reverse=True)


def factorial(levels: Sequence[Mapping[str, str]], contrasts: Sequence[Values]) -> list[Effect]:
    """Effects of all assumptions of a full factorial, the largest total share first.

    Shares are those of the exact decomposition of the variance between points (see `variance_shares`): for assumption
    i, first order Var(mean over the others) / Var, total order mean(Var over i) / Var (Saltelli et al. 2010,
    doi:10.1016/j.cpc.2009.09.018). All points count alike. The contrast of a point is its mean over the replicates, so
    what chance leaves in it is counted as well, as interactions mostly.

    Parameters
    ----------
    levels : sequence of mappings
        For each point the level of every assumption.
    contrasts : sequence of ndarray, shape (n,)
        For each point the contrast of each replicate.

    Raises
    ------
    BadInput
        Unless every combination of levels is there exactly once, with equally many replicates.
    """
    axes, table = _table(levels, contrasts)
    points = table.mean(axis=-1)
    everywhere = tuple(range(len(axes)))
    overall = mean(table.mean(axis=everywhere))
    verdicts = np.reshape([side(mean(values)) for values in table.reshape(-1, table.shape[-1])], points.shape)
    flipped = verdicts != side(overall)
    found = []
    for number, (assumption, names) in enumerate(axes.items()):
        others = tuple(axis for axis in everywhere if axis != number)
        by_level = table.mean(axis=others)
        ends = by_level.mean(axis=1)
        share = 100.0 * flipped.mean(axis=others) if side(overall) else np.full(len(names), math.nan)
        found.append(
            Effect(
                assumption,
                points.size,
                overall,
                {name: mean(values) for name, values in zip(names, by_level, strict=True)},
                difference(by_level[ends.argmax()], by_level[ends.argmin()]),
                _share(points, _component(points, {number})),
                _share(points, points - points.mean(axis=number, keepdims=True)),
                {name: float(value) for name, value in zip(names, share, strict=True)},
            )
        )
    return sorted(found, key=lambda each: (size(each.total_order), size(each.first_order)), reverse=True)


def variance_shares(levels: Sequence[Mapping[str, str]], contrasts: Sequence[Values]) -> dict[tuple[str, ...], float]:
    """Share (0 to 1) of the variance between points for each set of assumptions: alone and in every interaction.

    Each set has the component of the contrast that is a function of its assumptions and averages to zero over each of
    them (analysis of variance; Sobol' 2001, doi:10.1016/S0378-4754(00)00270-6). The shares sum to 1; all are NaN if no
    two points differ. With k assumptions there are 2^k - 1 sets.

    Parameters and errors are those of `factorial`.
    """
    axes, table = _table(levels, contrasts)
    points, names = table.mean(axis=-1), list(axes)
    sets = [chosen for n in range(1, len(names) + 1) for chosen in itertools.combinations(range(len(names)), n)]
    return {tuple(names[k] for k in chosen): _share(points, _component(points, set(chosen))) for chosen in sets}


def _component(points: Values, chosen: set[int]) -> Values:
    """Of a factorial: what depends on the chosen axes together, and on no fewer."""
    for axis in range(points.ndim):
        average = points.mean(axis=axis, keepdims=True)
        points = points - average if axis in chosen else average
    return points


def _share(points: Values, component: Values) -> float:
    """Of a component in the variance between points; both average to zero."""
    scale = float(np.ptp(points))
    if not scale > ROUNDING * float(np.abs(points).max()):  # equal, or undefined
        return math.nan
    deviations = (points - points.mean()) / scale
    return float(np.mean((component / scale) ** 2) / np.mean(deviations**2))


def _table(levels: Sequence[Mapping[str, str]], contrasts: Sequence[Values]) -> tuple[dict[str, list[str]], Values]:
    """Levels by axis, and the contrasts, shape (levels of each axis ..., replicates)."""
    if len(levels) != len(contrasts) or not levels or not levels[0]:
        what = "at least one assumption, and a contrast for each point"
        raise BadInput(f"factorial: expected {what}, got {len(levels)} points and {len(contrasts)} contrasts")
    n = _replicates([np.asarray(values) for values in contrasts])
    names = list(levels[0])
    for point in levels:
        if set(point) != set(names):
            raise BadInput(f"factorial: expected a level of {', '.join(names)} at every point, got {_named(point)}")
    axes = {name: list(dict.fromkeys(point[name] for point in levels)) for name in names}
    rows = {tuple(point[name] for name in names): values for point, values in zip(levels, contrasts, strict=True)}
    wanted = list(itertools.product(*axes.values()))
    if len(levels) != len(wanted) or len(rows) != len(wanted):
        missing = [dict(zip(names, point, strict=True)) for point in wanted if point not in rows]
        wrong = f"without {_named(missing[0])}" if missing else "some of them twice"
        shape = " x ".join(str(len(found)) for found in axes.values())
        what = f"every combination of levels once ({shape} = {len(wanted)} points)"
        raise BadInput(f"factorial: expected {what}, got {len(levels)} points, {wrong}")
    shape_of = [len(found) for found in axes.values()]
    return axes, np.array([rows[point] for point in wanted], dtype=float).reshape(*shape_of, n)


def _replicates(contrasts: Sequence[Values]) -> int:
    shapes = {values.shape for values in contrasts}
    first = contrasts[0].shape
    if len(shapes) != 1 or len(first) != 1 or first[0] == 0:
        found = ", ".join(sorted({"x".join(map(str, shape)) or "a number" for shape in shapes}))
        raise BadInput(f"sensitivity: expected equally many replicates (1 or more) at every point, got {found}")
    return int(first[0])


def _named(point: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {level}" for name, level in point.items()) or "none"
