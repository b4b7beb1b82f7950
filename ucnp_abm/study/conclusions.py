"""A study in words: what was found at all settings, which assumption carries it, and what a reader must know first."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.observables import OBSERVABLES
from ucnp_abm.study import findings, sensitivity, tables
from ucnp_abm.study.convergence import settled
from ucnp_abm.study.grid import FACTORIAL, ONE_AT_A_TIME, short_names
from ucnp_abm.study.identity import readings
from ucnp_abm.study.sensitivity import Effect, Influence
from ucnp_abm.study.summary import Test, tests

if TYPE_CHECKING:
    from ucnp_abm.study.compare import Comparison
    from ucnp_abm.study.outcome import StudyResult

_TOLD = 6
"""So many warnings of one kind are told one by one."""
_FACTORS = 2
"""A factorial of at least so many axes is asked which of them matters."""


def finding(result: StudyResult) -> str:
    """What was found, and what carries it, in a few sentences."""
    if len(result.comparisons) == 1:
        return findings.finding(result.comparisons[0])
    parts = [_across(result, label) for label in result.labels[1:]] or [_span(result)]
    return " ".join(part for part in [*parts, _order(result), verdict(result)] if part)


def verdict(result: StudyResult) -> str:
    """Which assumption carries the verdict, in one line; '' where nothing was varied for it, or runs are missing."""
    found = influences(result) or effects(result)
    return (
        sensitivity.verdict(found, unit(result.column), tables.title(result.column), contrasted(result))
        if found
        else ""
    )


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


def contrasted(result: StudyResult) -> str:
    """What the contrast is: 'y-complex against no-complex', or the one mechanism."""
    first, *others = result.labels
    return f"{others[0]} against {first}" if others else first


def unit(column: str) -> str:
    """Of a contrast: 'points' for shares, 'decades' for light, '' for counts."""
    return "points" if column.endswith("_pct") else "decades" if is_light(column) else ""


def is_light(column: str) -> bool:
    """Whether an observable spans orders of magnitude, so that ratios tell more than differences."""
    return column in OBSERVABLES and OBSERVABLES[column].costly


def _contrasts(result: StudyResult) -> list[NDArray[np.float64]] | None:
    """The contrast of each replicate at each setting, of as many replicates as all have; None if some have none.

    That of the second mechanism from the first, or the value itself of a single one; decades for light.
    """
    column, found = result.column, []
    for comparison in result.comparisons:
        if len(comparison.labels) > 1:
            values, reference = comparison.pairs(comparison.labels[1], column)
        else:
            values = comparison.values(comparison.labels[0], column)
            reference = np.ones_like(values) if is_light(column) else np.zeros_like(values)
        if is_light(column):
            with np.errstate(divide="ignore", invalid="ignore"):
                found.append(np.log10(values / reference))
        else:
            found.append(values - reference)
    n = min(values.size for values in found)
    cut = [values[:n] for values in found]
    return cut if n and all(np.isfinite(values).all() for values in cut) else None


def notes(result: StudyResult) -> list[tuple[str, str]]:
    """What a reader must know, each with its subject: warnings, what each mechanism declares, then the model."""
    if len(result.comparisons) == 1:
        return [*_warnings(result), *findings.notes(result.comparisons[0])]
    mechanisms = result.comparisons[result.shown].design.mechanisms
    declared = [(label, findings.declared(mechanism)) for label, mechanism in mechanisms.items()]
    return [*_warnings(result), *_aggregated(result), *declared, *findings.ASSUMPTIONS]


def provenance(result: StudyResult) -> dict[str, Any]:
    """Study, settings, seeds, and for each mechanism what run.json holds of the first replicate of the setting shown."""
    shown = result.comparisons[result.shown]
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
        "shown": result.study.points[result.shown].name,
        "observables": readings(shown.design.observables),
        **{key: value for key, value in findings.provenance(shown).items() if key != "command"},
        "failures": [{"run": failed.cell, "said": failed.said} for failed in result.failures],
        "notes": result.notes,
    }


def _across(result: StudyResult, label: str) -> str:
    """How one mechanism differs from the first over all settings."""
    column, first = result.column, result.labels[0]
    tested = [t for t in tests(result, column) if t.label == label and math.isfinite(t.difference.value)]
    if not tested:
        return ""
    low, high = (pick(tested, key=lambda t: t.difference.value) for pick in (min, max))
    what = tables.title(column).removesuffix(" / %")
    points = " points" if column.endswith("_pct") else ""

    def told(test: Test) -> str:
        return f"{test.difference.interval('+')}{points} ({result.study.points[test.point].name})"

    clear = sum(t.p_holm < 0.05 for t in tested)
    ratios = [t.ratio for t in tested if t.ratio is not None]
    gains = (
        f", a factor of {min(r.value for r in ratios):.3g} to {max(r.value for r in ratios):.3g}"
        if (is_light(column) and len(ratios) == len(tested))
        else ""
    )
    return (
        f"Against {first}, {label} changes {what} by between {told(low)} and {told(high)}{gains}; "
        f"{'all' if clear == len(tested) else clear} of {len(tested)} differences hold after Holm's correction."
    )


def _span(result: StudyResult) -> str:
    """Where the observable of a single mechanism is lowest and highest."""
    label, column = result.labels[0], result.column
    means = [
        (comparison.mean(label, column), point.name)
        for comparison, point in zip(result.comparisons, result.study.points, strict=True)
    ]
    known = [each for each in means if math.isfinite(each[0].value)]
    if not known:
        return "No run is finished."
    low, high = (pick(known, key=lambda each: each[0].value) for pick in (min, max))
    name = tables.title(column)
    return (
        f"{label}: {name} is lowest at {low[1]}, {low[0].interval()}, and highest at {high[1]}, {high[0].interval()}."
    )


def _order(result: StudyResult) -> str:
    """Whether three or more mechanisms have the same order at all settings."""
    if len(result.labels) < 3:
        return ""
    orders = Counter(
        tuple(sorted(result.labels, key=lambda label: comparison.mean(label, result.column).value))
        for comparison in result.comparisons
        if all(math.isfinite(comparison.mean(label, result.column).value) for label in result.labels)
    )
    if not orders:
        return ""
    (order, n), total = orders.most_common(1)[0], sum(orders.values())
    where = "at every setting" if n == total else f"at {n} of {total} settings"
    return f"The order of the means {' < '.join(order)} holds {where}."


def _warnings(result: StudyResult) -> list[tuple[str, str]]:
    """Of the runs themselves: failed, missing, damaged, short of precision."""
    found = [("Files", note) for note in result.notes]
    for failed in result.failures[:_TOLD]:
        where = f" Traceback: {failed.file.name}." if failed.file else ""
        found.append(("Failed", f"{failed.said}.{where}"))
    if len(result.failures) > _TOLD:
        found.append(("Failed", f"{len(result.failures)} runs in all; the others are in failures/."))
    missing = result.n_wanted - result.n_finished - len(result.failures)
    if missing > 0:
        found.append(("Not finished", f"{missing} of {result.n_wanted} runs are still to come: numbers will change."))
    if short := result.imprecise():
        asked = ", ".join(f"{column} ± {half:g}" for column, half in result.study.precision.items())
        found.append(("Precision", f"{len(short)} of {len(result.comparisons)} settings are short of {asked}."))
    return found


def _aggregated(result: StudyResult) -> list[tuple[str, str]]:
    """Warnings that each setting may have, told together."""
    found = []
    few = min(len(comparison.design.seeds) for comparison in result.comparisons)
    if few < findings.FEW:
        found.append(
            (f"{few} crystal{'s' * (few > 1)}", "Intervals are wide." if few > 1 else "No interval can be given.")
        )
    moving, flicker = [], []
    for comparison, point in zip(result.comparisons, result.study.points, strict=True):
        for label in comparison.labels:
            if not comparison.replicates(label):
                continue
            if change := unsettled(comparison, label, result.column):
                moving.append(f"{label} at {point.name} ({change:+.2g})")
            if comparison.mean(label, "reversals_pct").value > findings.FLICKER_PCT:
                flicker.append(f"{label} at {point.name}")
    name = tables.title(result.column)
    if moving:
        found.append(("Not settled", f"{name} still changed in the last tenth of the runs: {_listed(moving)}."))
    if flicker:
        most = f"{findings.FLICKER_PCT:.0f} %"
        found.append(("Flicker", f"More than {most} of the events took the previous one back: {_listed(flicker)}."))
    doubtful = [t for t in tests(result, result.column) if t.is_clear != (t.bootstrap[0] > 0 or t.bootstrap[1] < 0)]
    if doubtful and few >= findings.FEW:
        names = [f"{t.label} at {result.study.points[t.point].name}" for t in doubtful]
        found.append(("Intervals", f"Student's t and the bootstrap disagree about zero: {_listed(names)}."))
    return found


def unsettled(comparison: Comparison, label: str, column: str) -> float:
    """Change in the last tenth of the runs if the observable has not settled; 0 if it has, or nothing is known."""
    course = comparison.course(label, column)
    if is_light(column) or not len(course):  # light is read at the marks only
        return 0.0
    end = settled(course, np.array(comparison.design.samples))
    return end.change.value if math.isfinite(end.share) and not end.is_settled else 0.0


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return "; ".join(names[:_TOLD]) + more
