"""The report of a comparison: a directory with one HTML page, figures and CSV files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ucnp_abm.runs.trajectory import whole_directory
from ucnp_abm.study import findings, statistics, tables
from ucnp_abm.study.page import write_page

if TYPE_CHECKING:
    from ucnp_abm.study.compare import Comparison
    from ucnp_abm.viz.figures import Panel, Slab

COURSES = ("vacancies", "outside_core_pct")
"""Observables whose time courses are drawn, where they are compared; otherwise the first two."""
MAX_SLABS = 5


def write_report(result: Comparison, directory: Path) -> Path:
    """Write the directory as a whole or not at all; see `Comparison.report`.

    Raises
    ------
    BadInput
        If it exists or cannot be made.
    """
    with whole_directory(directory) as partial:
        write_files(result, partial)
    return directory


def write_files(result: Comparison, out: Path, differences: bool = True) -> None:
    """Figures, CSV files, provenance and the page, into a directory that exists.

    Parameters
    ----------
    result : Comparison
    out : Path
    differences : bool
        Whether the figure shows them below the time courses; it is called `comparison` or `time_courses`.
    """
    from ucnp_abm.viz import figures

    pages = []
    rows = slabs(result)
    if rows:
        figures.save(figures.slab_panels(result.design.first.crystal, rows), out / "panels")
        pages.append((out / "panels.png", "1-nm slab through the first particle, c axis upright."))
    drawn = panels(result) if differences else [replace(panel, differences={}) for panel in panels(result)]
    name = "comparison" if differences else "time_courses"
    figures.save(figures.comparison(drawn), out / name)
    pages.append((out / f"{name}.png", findings.caption(result, differences)))
    tables.write_csv(out / f"{name}.csv", plotted(drawn))
    tables.write_csv(out / "table.csv", result.rows)
    tables.write_csv(out / "cells.csv", tables.by_cell(result))
    origin = json.dumps(findings.provenance(result), indent=1, ensure_ascii=False)
    (out / "comparison.json").write_text(origin + "\n", encoding="utf-8")
    write_page(
        out / "index.html",
        title=findings.title(result),
        finding=findings.finding(result),
        notes=findings.notes(result),
        figures=pages,
        tables=tables.captioned(result),
        provenance=findings.provenance_lines(result),
        command=result.command,
    )


def panels(result: Comparison) -> list[Panel]:
    """What the comparison's figure draws."""
    from ucnp_abm.viz.figures import Panel

    columns = [column for column in COURSES if column in result.design.columns] or result.design.columns[:2]
    return [
        Panel(
            column=column,
            title=tables.TITLES.get(column, column),
            steps=np.array(result.design.samples),
            courses={label: _band(result, label, column) for label in result.labels},
            differences={label: _ends(result.difference(label, column)) for label in result.labels[1:]},
            reference=result.labels[0],
            limit=result.mixed_pct if column == "outside_core_pct" else None,
        )
        for column in columns
    ]


def plotted(drawn: list[Panel]) -> list[dict[str, Any]]:
    """The plotted points: one row for each point of a course and for each paired difference."""
    rows = []
    for panel in drawn:
        points = [
            ("course", name, s, p) for name, c in panel.courses.items() for s, p in zip(panel.steps, c.T, strict=True)
        ]
        points += [("difference", name, panel.steps[-1], ends) for name, ends in panel.differences.items()]
        for kind, name, step, (mean, low, high) in points:
            row = {"panel": kind, "observable": panel.column, "mechanism": name, "steps": tables.whole(float(step))}
            row |= {"mean": float(mean), "low": float(low), "high": float(high)}
            rows.append({key: tables.defined(value) for key, value in row.items()})
    return rows


def slabs(result: Comparison) -> dict[str, list[Slab]]:
    """Panels of the first particle by mechanism; none for a crystal without a surface."""
    from ucnp_abm.viz.figures import Slab

    marks = result.design.marks
    chosen = [marks[n] for n in sorted({round(n) for n in np.linspace(0, len(marks) - 1, MAX_SLABS)})]
    if result.design.first.crystal.periodic:
        return {}
    rows = {}
    for cell in result.cells[: len(result.labels)]:
        at = {mark: cell.rows[result.design.samples.index(mark)] for mark in chosen}
        rows[cell.label] = [
            Slab(
                "as grown" if mark == 0 else f"{mark:.4g} steps", findings.slab_caption(at[mark]), cell.snapshots[mark]
            )
            for mark in chosen
        ]
    return rows


def _band(result: Comparison, label: str, column: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    means = [_ends(statistics.mean(values)) for values in result.course(label, column).T]
    return np.array(means).T


def _ends(found: statistics.Mean) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([found.value, found.low, found.high])
