"""A study in numbers: its size, how it was run, the table of all settings, tidy rows with tests and effect sizes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ucnp_abm.study.axes import ONE_AT_A_TIME, named, short_names
from ucnp_abm.study.grid import Study
from ucnp_abm.study.numbers import convergence
from ucnp_abm.study.numbers.statistics import Mean
from ucnp_abm.study.report import paired, tables
from ucnp_abm.study.report.paired import Test
from ucnp_abm.study.report.tables import Table

if TYPE_CHECKING:
    from ucnp_abm.study.compare import Comparison
    from ucnp_abm.study.outcome import StudyResult


def design(study: Study) -> str:
    """'384 runs: 4 mechanisms x 12 settings (4 thickness x 3 core) x 8 crystals'."""
    parts = [_many(len(study.labels), "mechanism")]
    if study.axes:
        sizes = map(len, study.axes.values())
        listed = " x ".join(f"{n} {name}" for n, name in zip(sizes, axes_named(study), strict=True))
        how = "" if study.arrangement == "factorial" else ", one at a time"
        parts.append(f"{_many(len(study.points), 'setting')} ({listed}{how})")
    parts.append(_many(study.replicates, "crystal"))
    sites = sorted({point.design.room.n_sites for point in study.points})
    steps = sorted({point.design.steps for point in study.points})
    return f"{_many(study.n_cells, 'run')}: {' x '.join(parts)} of {_range(sites)} sites, {_range(steps)} steps"


def axes_named(study: Study) -> list[str]:
    """Short names of the axes."""
    return list(short_names(study.axes).values())


def account(result: StudyResult) -> str:
    """How the runs came about, in a sentence."""
    told = result.account
    how = f"{_many(told.ran, 'run')} in {wall(told.wall_s)} by {_many(told.workers, 'worker')}"
    parts = [how] if told.ran else []
    parts += [f"{told.found} were there already"] if told.found else []
    parts += [f"{told.shared} {'are' if told.shared > 1 else 'is'} the same at another setting"] if told.shared else []
    missing = told.wanted - told.ran - told.found - len(result.failures)
    parts += [f"{missing} still to come"] if missing else []
    parts += [f"{_many(len(result.failures), 'run')} failed"] if result.failures else []
    return "; ".join(parts) or "nothing to run"


def failures(result: StudyResult) -> str:
    """The first failures, and where their tracebacks are."""
    shown = [f"  {f.said}" + (f"\n    traceback: {f.file}" if f.file else "") for f in result.failures[:5]]
    more = [f"  … and {len(result.failures) - 5} more"] if len(result.failures) > 5 else []
    others = ", the others are finished" if result.n_finished else ""
    return "\n".join([f"{_many(len(result.failures), 'run')} failed{others}:", *shown, *more])


def ends(result: StudyResult, most: int | None = None) -> Table:
    """Means and paired differences at the end of every run: a row for each setting and mechanism.

    Parameters
    ----------
    result : StudyResult
    most : int or None
        So many observables at most.
    """
    columns, (axes, levels) = result.study.columns[:most], _settings(result)
    first, several = result.labels[0], len(result.labels) > 1
    head = [*axes, "mechanism", "n"]
    for column in columns:
        head += [tables.title(column), *(["times as grown"] if tables.is_light(column) else [])]
        compared = f"times {first}" if _by_factors(result, column) else f"difference from {first}"
        head += [compared] if several else []
    rows = [head]
    for setting, comparison in zip(levels, result.comparisons, strict=True):
        for label in comparison.labels:
            row = [*setting, label, str(len(comparison.replicates(label)))]
            for column in columns:
                factors = _by_factors(result, column)
                row.append(_shown(comparison, label, column))
                if tables.is_light(column):
                    gain = comparison.gain(label, column)
                    row.append(gain.factor() if gain else "–")
                if several:
                    row.append("" if label == first else _compared(comparison, label, column, factors))
            rows.append(row)
    return rows


def _settings(result: StudyResult) -> tuple[list[str], list[list[str]]]:
    """Heads of the columns that say of which setting a row is, and their texts: what changed, if one thing did."""
    study = result.study
    if study.arrangement == ONE_AT_A_TIME:
        return ["setting"], [[point.name] for point in study.points]
    axes = short_names(study.axes)
    return list(axes.values()), [[point.levels[axis] for axis in axes] for point in study.points]


def effect_table(result: StudyResult) -> Table:
    """Ratio, Hedges' g, consistency and p-values of every paired difference at the end, in the first observable."""
    axes, levels = _settings(result)
    names = ["ratio", "Hedges' g", "pairs agree / %", "p", "p (Holm)", "bootstrap interval"]
    column = result.study.columns[0]
    decades = _by_factors(result, column)
    rows = [[*axes, "mechanism", "difference / decades" if decades else "difference", *names]]
    ends = paired.bootstraps(result, column, decades=True) if decades else result.bootstraps(column)
    for test, (low, high) in zip(result.tests(column), ends, strict=True):
        rows.append(
            [
                *levels[test.point],
                test.label,
                _in_decades(test.ratio).interval("+") if decades and test.ratio else test.difference.interval("+"),
                test.ratio.factor() if test.ratio else "–",
                _brief(test.effect, 3),
                _brief(test.consistent_pct, 3),
                _brief(test.p, 2),
                _brief(test.p_holm, 2),
                f"[{low:+#.3g}, {high:+#.3g}]".replace(".,", ",").replace(".]", "]") if math.isfinite(low) else "–",
            ]
        )
    return rows


def text(result: StudyResult) -> str:
    """The table for a terminal; of one setting, all its marks."""
    if len(result.comparisons) == 1:
        return tables.text(result.comparisons[0])
    over = "Mean [95 % interval] at the end of the runs; every setting's crystals are annealed by every mechanism."
    if result.study.arrangement == ONE_AT_A_TIME:
        over += f"\nBase: {named(result.study.points[0].levels, result.study.axes)}."
    if _by_factors(result, result.column):
        over += "\nMeans of light are geometric, and so are those of its ratios."
    others = result.study.columns[1:]
    more = f"\n\nOther observables ({', '.join(others)}) stand in table.csv of the report." if others else ""
    return f"{over}\n\n{tables.aligned(ends(result, 1))}{more}"


def html(result: StudyResult) -> str:
    """The table for a notebook, under the finding."""
    head, *rows = ends(result)
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<p>{escape(result.finding)}</p><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def tidy(result: StudyResult) -> list[dict[str, Any]]:
    """One row for each setting, mechanism and mark; tests and effect sizes at the last mark; None: not defined."""
    tested = {
        (test.point, test.label, column): (test, ends)
        for column in result.study.columns
        for test, ends in zip(result.tests(column), result.bootstraps(column), strict=True)
    }
    rows = []
    for number, (point, comparison) in enumerate(zip(result.study.points, result.comparisons, strict=True)):
        for row in tables.tidy(comparison):
            last = math.isclose(row["steps"], comparison.design.steps, rel_tol=1e-9)
            label = row["mechanism"]
            for column in result.study.columns:
                row |= _test_columns(column, tested.get((number, label, column)) if last else None)
                row |= _settled(comparison, label, column) if last else {f"{column}_change_last_tenth": None}
            rows.append({**point.levels, **row})
    return rows


def runs(result: StudyResult) -> Iterator[dict[str, Any]]:
    """One row for each run and mark, with everything that was read there."""
    for point, comparison in zip(result.study.points, result.comparisons, strict=True):
        for row in tables.by_cell(comparison):
            yield {**point.levels, **row}


def _test_columns(column: str, tested: tuple[Test, tuple[float, float]] | None) -> dict[str, float | None]:
    none = Mean(math.nan, math.nan, math.nan, math.nan, 0)
    test, (low, high) = tested or (None, (math.nan, math.nan))
    ratio = (test.ratio if test else None) or none
    found = {
        "bootstrap_low": low,
        "bootstrap_high": high,
        "ratio": ratio.value,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "hedges_g": test.effect if test else math.nan,
        "p": test.p if test else math.nan,
        "p_holm": test.p_holm if test else math.nan,
    }
    return {f"{column}_{name}": value if math.isfinite(value) else None for name, value in found.items()}


def _settled(comparison: Comparison, label: str, column: str) -> dict[str, float | None]:
    course = comparison.course(label, column)
    found = convergence.settled(course, np.array(comparison.design.samples)) if len(course) else None
    return {f"{column}_change_last_tenth": tables.defined(found.change.value) if found else None}


def _in_decades(ratio: Mean) -> Mean:
    value, low, high = (math.log10(end) if end > 0 else math.nan for end in (ratio.value, ratio.low, ratio.high))
    return Mean(value, ratio.error / ratio.value / math.log(10), low, high, ratio.n_values)


def _by_factors(result: StudyResult, column: str) -> bool:
    """Whether geometric means and ratios are shown: light, all above zero."""
    values = [comparison.values(label, column) for comparison in result.comparisons for label in comparison.labels]
    return tables.is_light(column) and all(bool((found > 0).all()) for found in values)


def _compared(comparison: Comparison, label: str, column: str, factors: bool) -> str:
    if not factors:
        return tables.change(comparison, label, column, None)
    found = tables.factor(comparison, label, column)
    return found.factor() if found else "–"


def _shown(comparison: Comparison, label: str, column: str) -> str:
    return tables.level(comparison, label, column) if comparison.mean(label, column).n_values else "no run"


def _brief(number: float, digits: int) -> str:
    return f"{number:.{digits}g}" if math.isfinite(number) else "–" if math.isnan(number) else "no scatter"


def wall(seconds: float) -> str:
    """Wall time in words.

    Examples
    --------
    >>> wall(0.0201), wall(12.34), wall(200), wall(9000)
    ('20 ms', '12 s', '3.3 min', '2.5 h')
    """
    for limit, size, unit in ((1.0, 1e-3, "ms"), (120.0, 1.0, "s"), (7200.0, 60.0, "min")):
        if seconds < limit:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return f"{seconds / 3600:.2g} h"


def _many(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"


def _range(numbers: list[Any]) -> str:
    low, high = f"{numbers[0]:.4g}", f"{numbers[-1]:.4g}"
    low, high = (str(n) if isinstance(n, int) else s for n, s in ((numbers[0], low), (numbers[-1], high)))
    return low if low == high else f"{low} to {high}"
