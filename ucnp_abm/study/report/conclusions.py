"""A study in words: what was found at all settings, which assumption carries it, and what a reader must know first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.study.axes import FACTORIAL, ONE_AT_A_TIME, named, short_names
from ucnp_abm.study.identity import readings
from ucnp_abm.study.numbers import sensitivity
from ucnp_abm.study.numbers.sensitivity import Effect, Influence
from ucnp_abm.study.numbers.verdict import verdict as say
from ucnp_abm.study.report import findings, tables
from ucnp_abm.study.report.paired import Test
from ucnp_abm.study.report.ranking import order

if TYPE_CHECKING:
    from ucnp_abm.study.outcome import StudyResult

_FACTORS = 2
"""A factorial of at least so many axes is asked which of them matters."""


def finding(result: StudyResult) -> str:
    """What was found, in a few sentences; of assumptions changed one at a time, which of them carries it."""
    if len(result.comparisons) == 1:
        return findings.finding(result.comparisons[0]) or _nothing(result)
    if result.study.arrangement == ONE_AT_A_TIME and (carried := verdict(result)):
        return f"{findings.finding(result.comparisons[0])} {carried}".strip()
    parts = (
        [_across(result), order(result, tables.is_light(result.column))] if len(result.labels) > 1 else [_span(result)]
    )
    return " ".join(filter(None, parts)) or _nothing(result)


def verdict(result: StudyResult) -> str:
    """Which assumption carries the verdict, in one line; '' where nothing was varied for it, or runs are missing."""
    found = influences(result) or effects(result)
    if not found or len(result.labels) < 2:
        return ""
    return say(found, unit(result.column), tables.subject(result.column), (result.labels[1], result.labels[0]))


def influences(result: StudyResult) -> list[Influence]:
    """What each assumption does that was changed alone; empty for other studies, or if runs are missing."""
    if result.study.arrangement != ONE_AT_A_TIME or len(result.comparisons) < 2:
        return []
    contrasts = _contrasts(result)
    if contrasts is None:
        return []
    short, base = short_names(result.study.axes), result.study.points[0].levels
    changed = {}
    for point, values in zip(result.study.points[1:], contrasts[1:], strict=True):
        axis = next(axis for axis, level in point.levels.items() if level != base[axis])
        changed[short[axis], point.levels[axis]] = values
    return sensitivity.one_at_a_time(contrasts[0], changed)


def effects(result: StudyResult) -> list[Effect]:
    """What each axis of a factorial does; empty for other studies, for fewer than two axes, or if runs are missing."""
    axes = [axis for axis, levels in result.study.axes.items() if len(levels) > 1]
    if result.study.arrangement != FACTORIAL or len(axes) < _FACTORS:
        return []
    contrasts, short = _contrasts(result), short_names(result.study.axes)
    if contrasts is None:
        return []
    return sensitivity.factorial(
        [{short[axis]: p.levels[axis] for axis in axes} for p in result.study.points], contrasts
    )


def setting_shown(result: StudyResult) -> str:
    """The setting that is shown, with all its levels; '' if nothing varies."""
    return named(result.study.points[result.shown].levels, result.study.axes)


def contrasted(result: StudyResult) -> str:
    """What the contrast is: 'y-complex against no-complex', or the one mechanism."""
    first, *others = result.labels
    return f"{others[0]} against {first}" if others else first


def unit(column: str) -> str:
    """Of a contrast: 'points' for shares, 'decades' for light, '' for counts."""
    return "points" if column.endswith("_pct") else "decades" if tables.is_light(column) else ""


def _contrasts(result: StudyResult) -> list[NDArray[np.float64]] | None:
    """The contrast of each replicate at each setting, of the replicates that all have; None if they share none.

    That of the second mechanism from the first, or the value itself of a single one; decades for light.
    """
    finished = [comparison.replicates(*comparison.labels[:2]) for comparison in result.comparisons]
    shared = set.intersection(*map(set, finished))
    found = [comparison.contrast(comparison.labels[:2][-1], result.column) for comparison in result.comparisons]
    cut = [values[[n in shared for n in there]] for values, there in zip(found, finished, strict=True)]
    return cut if shared and all(np.isfinite(values).all() for values in cut) else None


def provenance(result: StudyResult) -> dict[str, Any]:
    """Study, settings and seeds, and what run.json holds of the first replicate at the setting that is shown."""
    shown = result.comparisons[result.shown]
    of_shown = findings.provenance(shown)
    of_shown.pop("command")
    return {
        "study": result.study.source,
        "command": result.study.command,
        "settings": [
            {
                **point.levels,
                "protocol": str(comparison.design.protocol),
                "particle": repr(comparison.design.recipe),
                "marks": comparison.design.marks,
                "table_fingerprints": comparison.design.fingerprints,
            }
            for point, comparison in zip(result.study.points, result.comparisons, strict=True)
        ],
        "shown": setting_shown(result),
        "observables": readings(shown.design.observables),
        **of_shown,
        "failures": [{"run": failed.cell, "said": failed.said} for failed in result.failures],
        "notes": result.notes,
    }


def _nothing(result: StudyResult) -> str:
    """Why nothing was found."""
    if not result.n_finished:
        return "No run is finished."
    return f"The finished runs define no {'difference' if len(result.labels) > 1 else 'mean'} in {result.column}."


def _across(result: StudyResult) -> str:
    """How the mechanisms differ from the first over all settings."""
    column, first = result.column, result.labels[0]
    told: dict[str, list[str]] = {}
    n_clear = n_all = 0
    for label in result.labels[1:]:
        tested = [t for t in result.tests(column) if t.label == label and math.isfinite(t.difference.value)]
        if tested:
            n_all, n_clear = n_all + len(tested), n_clear + sum(t.p_holm < 0.05 for t in tested)
            told.setdefault(_ends(result, tested), []).append(label)
    if not told:
        return ""
    by = [
        f"{' and '.join(labels)} differ{'s' * (len(labels) == 1)}{f' from {first}' * (n == 0)} by {ends}"
        for n, (ends, labels) in enumerate(told.items())
    ]
    clear = ("Both" if n_all == 2 else f"All {n_all}") if n_clear == n_all else f"{n_clear} of {n_all}"
    clear += f" differences hold{'s' * (n_clear == 1)} after Holm's correction." if n_all > 1 else " difference holds."
    return f"In {tables.subject(column)}, {'; '.join(by)}. {clear}"


def _ends(result: StudyResult, tested: list[Test]) -> str:
    """The smallest and the largest difference, and where; for light also as factors."""
    light = tables.is_light(result.column) and all(test.ratio for test in tested)
    points = " points" if result.column.endswith("_pct") else ""

    def told(test: Test) -> str:
        size = f"{test.difference.interval('+')}{points}"
        if light and test.ratio:
            size = f"a factor of {test.ratio.factor()}"
        return f"{size} ({result.study.points[test.point].name})"

    def rank(test: Test) -> float:
        return test.ratio.value if light and test.ratio else test.difference.value

    low, high = min(tested, key=rank), max(tested, key=rank)
    return f"{told(low)} to {told(high)}" if low is not high else told(low)


def _span(result: StudyResult) -> str:
    """Where the observable of a single mechanism is lowest and highest."""
    label, column = result.labels[0], result.column
    pairs = zip(result.comparisons, result.study.points, strict=True)
    means = [(comparison.mean(label, column), point.name) for comparison, point in pairs]
    known = [each for each in means if math.isfinite(each[0].value)]
    if not known:
        return ""
    low, high = (pick(known, key=lambda each: each[0].value) for pick in (min, max))
    name = tables.title(column)
    return (
        f"{label}: {name} is lowest at {low[1]}, {low[0].interval()}, and highest at {high[1]}, {high[0].interval()}."
    )
