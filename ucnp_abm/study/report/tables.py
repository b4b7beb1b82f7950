"""A comparison as tables: aligned text, tidy rows, CSV files."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ucnp_abm.observables import OBSERVABLES
from ucnp_abm.study.cells import whole
from ucnp_abm.study.numbers import contrasts
from ucnp_abm.study.numbers.statistics import Mean

if TYPE_CHECKING:
    from ucnp_abm.study.compare import Comparison

_TELLING = 1000.0
"""Per cent; a larger change is one from almost nothing, and its share says nothing."""
TITLES = {
    "outside_core_pct": "core ions outside the core / %",
    "qy": "upconverted / absorbed photons, qy",
    "i_450": "450 nm / (photons/s), i_450",
    "k_eff": "quench rate / (1/s), k_eff",
}
"""What tables and figures call an observable, if not by its name."""

_OUTSIDE = re.compile(r"outside_shell_(\d+)_pct")
SUBJECTS = {
    "outside_core_pct": "the share of core ions outside the core",
    "qy": "quantum yield",
    "i_450": "emission at 450 nm",
    "k_eff": "quench rate",
}
"""The same within a sentence."""

Table = list[list[str]]
"""Rows of cells; the first is the head."""


def title(column: str) -> str:
    """What readers call an observable."""
    layer = _OUTSIDE.fullmatch(column)
    return TITLES.get(column) or (f"ions of shell {layer[1]} outside it / %" if layer else column)


def subject(column: str) -> str:
    """The same within a sentence."""
    layer = _OUTSIDE.fullmatch(column)
    return SUBJECTS.get(column) or (f"the share of ions of shell {layer[1]} outside it" if layer else column)


def factor(result: Comparison, label: str, column: str, mark: float | None = None) -> Mean | None:
    """Geometric mean of the paired ratios to the first mechanism; None unless it is light, all above zero."""
    if not is_light(column) or not result.pairs(label, column, mark)[0].size:
        return None
    return contrasts.ratio(*result.pairs(label, column, mark))


def level(result: Comparison, label: str, column: str, mark: float | None = None) -> str:
    """A mean with its interval; of light, where all is above zero, the geometric one."""
    values = result.values(label, column, mark)
    geometric = contrasts.ratio(values, np.ones_like(values)) if is_light(column) and values.size else None
    return geometric.factor() if geometric else result.mean(label, column, mark).interval()


def means(result: Comparison, show: Callable[[Mean], str] | None = None) -> Table:
    """Observables by mechanism and mark.

    Parameters
    ----------
    result : Comparison
    show : callable or None
        Mean as text; None: with its interval, of light the geometric one.
    """
    columns = result.design.columns
    head = ["mechanism", "steps", *(title(column) for column in columns)]
    return [head] + [
        [
            label,
            f"{mark:.4g}",
            *(
                show(result.mean(label, column, mark)) if show else level(result, label, column, mark)
                for column in columns
            ),
        ]
        for label in result.labels
        for mark in result.design.marks
    ]


def differences(result: Comparison) -> Table:
    """Paired differences from the first mechanism by mechanism and mark, in brackets the interval, then in per cent."""
    columns = result.design.columns
    head = ["mechanism", "steps", *(title(column) for column in columns)]
    return [head] + [
        [label, f"{mark:.4g}", *(change(result, label, column, mark) for column in columns)]
        for label in result.labels[1:]
        for mark in result.design.marks[1:]
    ]


def is_light(column: str) -> bool:
    """Whether an observable spans orders of magnitude, so that ratios tell more than differences."""
    return column in OBSERVABLES and OBSERVABLES[column].costly


def aligned(table: Table) -> str:
    """A table as text, names to the left and numbers to the right."""
    widths = [max(len(row[n]) for row in table) for n in range(len(table[0]))]
    lines = []
    for first, *others in table:
        cells = [first.ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(cells))
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def text(result: Comparison) -> str:
    """Means and paired differences, as text for a terminal."""
    return "\n\n".join(f"{caption}\n\n{aligned(table)}" for caption, table in captioned(result))


def captioned(result: Comparison) -> list[tuple[str, Table]]:
    """The means, and the differences if there is more than one mechanism, each under a sentence."""
    over = f"Mean [95 % interval] over {counted(result)} particles, each annealed by every mechanism."
    found = [("One particle: no interval." if result.crystals == (1, 1) else over, means(result))]
    if len(result.labels) > 1:
        light = any(map(is_light, result.design.columns))
        over = f"Difference from {result.labels[0]} on the same particles{'; of light the ratio' if light else ''}."
        found.append((over, differences(result)))
    return found


def counted(result: Comparison) -> str:
    """How many crystals the means are of: '8', or '7 to 8' where runs are missing."""
    fewest, most = result.crystals
    return str(most) if fewest == most else f"{fewest} to {most}"


def tidy(result: Comparison) -> list[dict[str, Any]]:
    """One row for each mechanism and mark; None where a number is not defined."""
    rows = []
    for label in result.labels:
        for mark in result.design.marks:
            row: dict[str, Any] = {
                "mechanism": label,
                "steps": whole(mark),
                "t_s": float(f"{result.design.time(mark):.12g}"),  # 3600, also where steps were made of it
                "replicates": len(result.replicates(label)),
            }
            for column in result.design.columns:
                found = result.mean(label, column, mark)
                row |= {column: found.value, f"{column}_standard_error": found.error}
                row |= {f"{column}_low": found.low, f"{column}_high": found.high}
                other = label != result.labels[0]
                row |= _ends(f"{column}_difference", result.difference(label, column, mark) if other else None)
                if not is_light(column):
                    row |= _ends(f"{column}_relative_pct", result.relative(label, column, mark) if other else None)
                else:
                    row |= _ends(f"{column}_gain", result.gain(label, column, mark))
            rows.append({name: defined(value) for name, value in row.items()})
    return rows


def by_cell(result: Comparison) -> list[dict[str, Any]]:
    """One row for each run and mark, with everything that was read there."""
    positions = [result.design.samples.index(mark) for mark in result.design.marks]
    names = dict.fromkeys(name for cell in result.found.values() for name in cell.columns)
    return [
        {
            "mechanism": label,
            "replicate": replicate,
            "seed": cell.seed,
            **{name: defined(row.get(name)) for name in names},
        }
        for (label, replicate), cell in result.found.items()
        for row in map(cell.row, positions)
    ]


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows; what a row lacks stays empty."""
    listed = list(rows)
    names = dict.fromkeys(name for row in listed for name in row)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(names), lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed)


def write_parquet(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows with equal keys; needs pyarrow, the extra `[parquet]`."""
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)


def steps_list(marks: Sequence[float]) -> str:
    """'0, 100 and 1000'."""
    shown = [f"{mark:.4g}" for mark in marks]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def defined(value: Any) -> Any:
    """None instead of NaN, which neither JSON nor a reader of CSV understands."""
    return None if isinstance(value, float) and math.isnan(value) else value


def change(result: Comparison, label: str, column: str, mark: float | None) -> str:
    """A paired difference with its interval, and in per cent where that says something; of light 'x' the ratio."""
    if ratio := factor(result, label, column, mark):
        return f"x {ratio.factor()}"
    shown = result.difference(label, column, mark).interval("+")
    percent = result.relative(label, column, mark)
    if percent is None or column.endswith("_pct") or not abs(percent.value) < _TELLING:
        return shown
    return f"{shown} ({percent.value:+.0f} %)"


def _ends(name: str, found: Mean | None) -> dict[str, float | None]:
    if found is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
