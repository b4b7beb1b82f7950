"""What a reader must know before any figure: failed and missing runs, what has not settled, what was assumed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ucnp_abm.study.axes import FACTORIAL, short_names
from ucnp_abm.study.numbers.convergence import settled
from ucnp_abm.study.report import findings, paired, tables

if TYPE_CHECKING:
    from ucnp_abm.study.compare import Comparison
    from ucnp_abm.study.outcome import StudyResult

_TOLD = 6
"""So many warnings of one kind are told one by one."""


def notes(result: StudyResult) -> list[tuple[str, str]]:
    """What a reader must know, each with its subject: warnings, what each mechanism declares, then the model."""
    if len(result.comparisons) == 1:
        return [*_warnings(result), *findings.notes(result.comparisons[0])]
    mechanisms = result.comparisons[result.shown].design.mechanisms
    declared = [(label, findings.declared(mechanism)) for label, mechanism in mechanisms.items()]
    return [*_warnings(result), *_aggregated(result), *declared, *findings.ASSUMPTIONS]


def _warnings(result: StudyResult) -> list[tuple[str, str]]:
    """Of the runs themselves: failed, missing, damaged, short of precision."""
    found = [("Files", note) for note in result.notes]
    for failed in result.failures[:_TOLD]:
        where = f" Traceback: {failed.file.name}." if failed.file else ""
        found.append(("Failed", f"{failed.said}.{where}"))
    if len(result.failures) > _TOLD:
        found.append(("Failed", f"{len(result.failures)} runs in all; the others are in failures/."))
    missing = result.n_wanted - result.n_finished - sum(failed.runs for failed in result.failures)
    if missing > 0:
        found.append(("Not finished", f"{missing} of {result.n_wanted} runs are still to come: numbers will change."))
    if short := result.imprecise():
        asked = ", ".join(f"{column} ± {half:g}" for column, half in result.study.precision.items())
        found.append(("Precision", f"{len(short)} of {len(result.comparisons)} settings are short of {asked}."))
    return found


def _aggregated(result: StudyResult) -> list[tuple[str, str]]:
    """Warnings that each setting may have, told together."""
    found = []
    few = min((n for comparison in result.comparisons if (n := comparison.crystals[0])), default=0)
    if 0 < few < findings.FEW:
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
    idle = f"Changes nothing: {name} is the same at each of its levels, to the last digit."
    found += [(axis, idle) for axis in idle_axes(result)]
    if moving:
        found.append(("Not settled", f"{name} still changed in the last tenth of the runs: {_listed(moving)}."))
    if flicker:
        most = f"{findings.FLICKER_PCT:.0f} %"
        found.append(("Flicker", f"More than {most} of the events took the previous one back: {_listed(flicker)}."))
    light = tables.is_light(result.column)
    ends = paired.bootstraps(result, result.column, decades=True) if light else result.bootstraps(result.column)
    both = zip(result.tests(result.column), ends, strict=True)
    doubtful = [test for test, (low, high) in both if test.is_clear != (low > 0 or high < 0) and math.isfinite(low)]
    if doubtful and few >= findings.FEW:
        names = [f"{t.label} at {result.study.points[t.point].name}" for t in doubtful]
        found.append(("Intervals", f"Student's t and the bootstrap disagree about zero: {_listed(names)}."))
    return found


def idle_axes(result: StudyResult) -> list[str]:
    """Axes of a finished factorial that change no value of the first observable at the end, of any mechanism."""
    found, defined = [], False
    short = short_names(result.study.axes)
    for axis, levels in result.study.axes.items():
        groups: dict[tuple[str, ...], set[bytes]] = {}
        for point, comparison in zip(result.study.points, result.comparisons, strict=True):
            others = tuple(level for name, level in point.levels.items() if name != axis)
            values = np.concatenate([comparison.values(label, result.column) for label in result.labels])
            defined = defined or bool(np.isfinite(values).any())
            groups.setdefault(others, set()).add(values.tobytes())
        whole = defined and result.study.arrangement == FACTORIAL and result.n_finished == result.n_wanted
        if whole and len(levels) > 1 and all(len(group) == 1 for group in groups.values()):
            found.append(short[axis])
    return found


def unsettled(comparison: Comparison, label: str, column: str) -> float:
    """Change in the last tenth of the runs if the observable has not settled; 0 if it has, or nothing is known."""
    course = comparison.course(label, column)
    if tables.is_light(column) or not len(course):  # light is read at the marks only
        return 0.0
    end = settled(course, np.array(comparison.design.samples))
    return end.change.value if math.isfinite(end.share) and not end.is_settled else 0.0


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return "; ".join(names[:_TOLD]) + more
