"""What the figures of a study draw, as plain values: crystals, time courses, series, maps, differences, assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.study.axes import FACTORIAL, numbers, short_names
from ucnp_abm.study.cells import whole
from ucnp_abm.study.numbers import contrasts, statistics
from ucnp_abm.study.report import conclusions, findings, tables
from ucnp_abm.viz.figures import Panel, Slab
from ucnp_abm.viz.forest import ForestRow
from ucnp_abm.viz.heat import HeatMap
from ucnp_abm.viz.series import SeriesPanel
from ucnp_abm.viz.tornado import TornadoRow

if TYPE_CHECKING:
    from ucnp_abm.study.compare import Comparison
    from ucnp_abm.study.outcome import StudyResult

COURSES = ("vacancies", "outside_core_pct")
"""Observables whose time courses are drawn, where they are compared; otherwise the first two."""
MAX_SLABS = 5
MAX_SERIES = 9
"""Panels of one figure; the first observable has all of its own."""

Rows = list[dict[str, Any]]
"""The points of a figure, for its CSV file."""
Ends = NDArray[np.float64]


def slabs(result: Comparison) -> dict[str, list[Slab]]:
    """Panels of the first particle by mechanism; none for a crystal without a surface, or before it is annealed."""
    marks = result.design.marks
    chosen = [marks[n] for n in sorted({round(n) for n in np.linspace(0, len(marks) - 1, MAX_SLABS)})]
    if result.design.room.periodic:
        return {}
    rows = {}
    for label in result.labels:
        cell = result.found.get((label, 0))
        if cell is None:
            continue
        at = {mark: cell.row(result.design.samples.index(mark)) for mark in chosen}
        rows[label] = [
            Slab(_when(result, mark), findings.slab_caption(at[mark]), cell.snapshots[mark]) for mark in chosen
        ]
    return rows


def _when(result: Comparison, mark: float) -> str:
    """'as grown', '100 steps' or, of a run whose length is a time, '148.8 steps (10 min)'."""
    if mark == 0:
        return "as grown"
    text = f"{mark:.4g} steps"
    if not np.isfinite(result.design.protocol.duration):
        return text
    seconds = result.design.time(mark)
    unit, size = ("s", 1.0) if seconds < 60 else ("min", 60.0) if seconds < 3600 * (1 - 1e-9) else ("h", 3600.0)
    return f"{text} ({seconds / size:.3g} {unit})"


def panels(result: Comparison) -> list[Panel]:
    """Time courses and paired differences at the end, of observables that were read all along."""
    labels = [label for label in result.labels if result.replicates(label)]
    read = [column for column in result.design.columns if not tables.is_light(column)]
    columns = [column for column in COURSES if column in read] or read[:2]
    return [
        Panel(
            column=column,
            title=tables.title(column),
            steps=np.array(result.design.samples),
            courses={label: _band(result, label, column) for label in labels},
            differences={
                label: _ends(result.difference(label, column)) for label in result.labels[1:] if label in labels
            },
            reference=result.labels[0],
            limit=result.mixed_pct if column == "outside_core_pct" else None,
        )
        for column in columns
    ]


def plotted(drawn: list[Panel]) -> Rows:
    """The points of `panels`: one row for each point of a course and for each paired difference."""
    rows = []
    for panel in drawn:
        points = [
            ("course", name, s, p) for name, c in panel.courses.items() for s, p in zip(panel.steps, c.T, strict=True)
        ]
        points += [("difference", name, panel.steps[-1], ends) for name, ends in panel.differences.items()]
        for kind, name, step, ends in points:
            row = {"panel": kind, "observable": panel.column, "mechanism": name, "steps": whole(float(step))}
            rows.append({**row, **_three(ends)})
    return rows


def series(result: StudyResult) -> tuple[list[SeriesPanel], Rows]:
    """Each observable against each axis, the other axes as in the setting that is shown; of light geometric means.

    Of several observables those that fit, each with all axes.
    """
    study, short = result.study, short_names(result.study.axes)
    n_axes = sum(len(levels) > 1 for levels in study.axes.values())
    shown = study.points[result.shown].levels
    drawn: list[SeriesPanel] = []
    rows: Rows = []
    for column in study.columns[: max(1, MAX_SERIES // max(1, n_axes))]:
        for axis, levels in study.axes.items():
            if len(levels) < 2:
                continue
            along = [_at(result, {**shown, axis: level}) for level in levels]
            values = {label: np.array([_level(c, label, column) for c in along]).T for label in result.labels}
            drawn.append(
                SeriesPanel(
                    title=tables.title(column),
                    axis=short[axis],
                    levels=levels,
                    numbers=numbers(levels),
                    values=values,
                    log=tables.is_light(column),
                )
            )
            rows += [
                {"observable": column, "axis": axis, "level": level, "mechanism": label, **_three(values[label][:, n])}
                for label in result.labels
                for n, level in enumerate(levels)
            ]
    return drawn, rows


def maps(result: StudyResult) -> tuple[list[HeatMap], Rows]:
    """The first observable on the two longest axes, others as in the setting shown: differences, or plain means."""
    study, column = result.study, result.column
    axes = sorted((axis for axis, levels in study.axes.items() if len(levels) > 1), key=lambda a: -len(study.axes[a]))
    if study.arrangement != FACTORIAL or len(axes) < 2 or len(study.axes[axes[1]]) < 2:
        return [], []
    x, y = sorted(axes[:2], key=list(study.axes).index)
    short, shown = short_names(study.axes), study.points[result.shown].levels
    several = len(result.labels) > 1
    drawn, rows = [], []
    for label in result.labels[1:] if several else result.labels:
        values = np.full((len(study.axes[y]), len(study.axes[x])), np.nan)
        for i, high in enumerate(study.axes[y]):
            for j, right in enumerate(study.axes[x]):
                at = _at(result, {**shown, x: right, y: high})
                if at is not None:
                    found = statistics.mean_of_any(at.contrast(label, column)) if several else at.mean(label, column)
                    values[i, j] = found.value
                    rows.append({"mechanism": label, x: right, y: high, "observable": column, **_three(_ends(found))})
        title = tables.title(column)
        if several:
            unit = " in decades" if tables.is_light(column) else ""
            title = f"{title}: {label}, difference from {result.labels[0]}{unit}"
        drawn.append(HeatMap(title, short[x], short[y], study.axes[x], study.axes[y], values, diverging=several))
    return drawn, rows


def differences(result: StudyResult) -> tuple[list[ForestRow], Rows]:
    """Paired differences from the first mechanism at every setting, in the first observable; of light in decades."""
    drawn, rows = [], []
    for test in result.tests(result.column):
        found, ends = result.study.points[test.point], _ends(test.difference)
        if in_decades(result):
            ends = np.log10(_ends(test.ratio)) if test.ratio else np.full(3, np.nan)
        drawn.append(ForestRow(found.name, test.label, *ends.tolist()))
        rows.append({**found.levels, "mechanism": test.label, "observable": test.column, **_three(ends)})
    return drawn, rows


def in_decades(result: StudyResult) -> bool:
    """Whether differences are those of logarithms: light, all above zero."""
    return tables.is_light(result.column) and all(test.ratio for test in result.tests(result.column))


def assumptions(result: StudyResult) -> tuple[list[TornadoRow], tuple[float, float, float], Rows]:
    """The contrast with each assumption changed alone, and the base."""
    found = conclusions.influences(result)
    if not found:
        return [], (np.nan, np.nan, np.nan), []
    base = found[0].base
    drawn = [
        TornadoRow(each.assumption, each.level, each.contrast.value, each.contrast.low, each.contrast.high, each.flips)
        for each in found
    ]
    rows = [
        {"assumption": each.assumption, "level": each.level, **_three(_ends(each.contrast)), "turns": each.flips}
        for each in found
    ]
    return drawn, (base.value, base.low, base.high), rows


def _at(result: StudyResult, levels: Mapping[str, str]) -> Comparison | None:
    for point, comparison in zip(result.study.points, result.comparisons, strict=True):
        if point.levels == levels:
            return comparison
    return None


def _level(comparison: Comparison | None, label: str, column: str) -> list[float]:
    if comparison is None or not comparison.replicates(label):
        return [np.nan] * 3
    values = comparison.values(label, column)
    geometric = contrasts.ratio(values, np.ones_like(values)) if tables.is_light(column) else None
    found: list[float] = _ends(geometric or comparison.mean(label, column)).tolist()
    return found


def _band(result: Comparison, label: str, column: str) -> Ends:
    means = [_ends(statistics.mean(values)) for values in result.course(label, column).T]
    return np.array(means).T


def _ends(found: statistics.Mean) -> Ends:
    return np.array([found.value, found.low, found.high])


def _three(ends: Any) -> dict[str, float | None]:
    return {name: tables.defined(float(end)) for name, end in zip(("mean", "low", "high"), ends, strict=True)}
