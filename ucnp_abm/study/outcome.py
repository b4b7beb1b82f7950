"""What a study found: a comparison at each setting, what failed, and how it was run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.study.axes import ONE_AT_A_TIME, short_names, typical
from ucnp_abm.study.cells import CellResult
from ucnp_abm.study.compare import Comparison
from ucnp_abm.study.grid import Point, Study, Task
from ucnp_abm.study.numbers.statistics import Mean, mean_of_any

if TYPE_CHECKING:
    from ucnp_abm.study.report.paired import Test


@dataclass(frozen=True)
class Failed:
    """A cell that failed: what was said, the file of its traceback, and how many of the study's runs it stands for."""

    cell: str
    said: str
    file: Path | None = None
    runs: int = 1


@dataclass(frozen=True)
class Account:
    """How the cells came about; it differs from run to run.

    Attributes
    ----------
    wanted, ran, found : int
        Cells of the study, those that ran now, those that were there already.
    shared : int
        Runs that need no cell of their own: their mechanism does not have what varies.
    compute_s : float
        Wall time of the cells that ran now, added up.
    wall_s : float
    workers : int
        Processes that sent results.
    """

    wanted: int
    ran: int = 0
    found: int = 0
    shared: int = 0
    compute_s: float = 0.0
    wall_s: float = 0.0
    workers: int = 0


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    Attributes
    ----------
    study : Study
    comparisons : tuple of Comparison
        One for each setting, in the order of `study.points`.
    failures : tuple of Failed
    notes : tuple of str
        What a reader must know of the files.
    account : Account
    directory : Path or None
        Where it is kept.
    """

    study: Study
    comparisons: tuple[Comparison, ...] = field(repr=False)
    failures: tuple[Failed, ...] = ()
    notes: tuple[str, ...] = ()
    account: Account = field(default_factory=lambda: Account(0))
    directory: Path | None = None

    @classmethod
    def of(cls, comparison: Comparison) -> StudyResult:
        """A comparison as a study of one setting."""
        design = comparison.design
        study = Study(
            "comparison", "", {}, (Point({}, design),), replicates=len(design.seeds), command=comparison.command
        )
        return cls(study, (comparison,), account=Account(study.n_cells, found=len(comparison.found)))

    @classmethod
    def from_cells(
        cls, study: Study, tasks: Sequence[Task], cells: Mapping[str, CellResult], **rest: Any
    ) -> StudyResult:
        """A result from the cells that are there.

        Parameters
        ----------
        study : Study
        tasks : sequence of Task
        cells : mapping
            Result by identity.
        rest
            The other attributes.
        """
        at: list[dict[tuple[str, int], CellResult]] = [{} for _ in study.points]
        most = [0] * len(study.points)
        seeds: list[dict[int, int]] = [{} for _ in study.points]
        for task in tasks:
            cell = task.cell
            most[task.point] = max(most[task.point], cell.replicate + 1)
            seeds[task.point][cell.replicate] = cell.seed
            if task.identity in cells:
                at[task.point][cell.label, cell.replicate] = cells[task.identity]
        comparisons = [
            Comparison(point.design.with_seeds([seen[n] for n in range(n_most)]), found, study.command)
            for point, found, n_most, seen in zip(study.points, at, most, seeds, strict=True)
        ]
        return cls(study, tuple(comparisons), **rest)

    @property
    def labels(self) -> list[str]:
        """The mechanisms; all are compared with the first."""
        return self.study.labels

    @property
    def n_finished(self) -> int:
        """Runs that are finished."""
        return sum(len(comparison.found) for comparison in self.comparisons)

    @property
    def n_wanted(self) -> int:
        """Runs that there are to be."""
        return sum(len(c.design.seeds) * len(self.labels) for c in self.comparisons)

    @cached_property
    def column(self) -> str:
        """The observable that decides the verdict."""
        return self.study.columns[0]

    def at(self, **levels: str) -> Comparison:
        """The comparison at one setting; axes by their short names or, in ``**{"particle.core": …}``, the long ones.

        Raises
        ------
        BadInput
            If there is no such setting, or more than one.

        Examples
        --------
        ``result.at(thickness="1 nm").difference("y-complex", "outside_core_pct")``
        """
        short = short_names(self.study.axes)
        long = {name: axis for axis, name in short.items()} | {axis: axis for axis in short}
        for name, level in levels.items():
            if name not in long:
                raise BadInput(f"at: unknown axis '{name}'{nearest(name, short.values())}")
            if str(level) not in self.study.axes[long[name]]:
                raise BadInput(f"at: {name} has no level '{level}'{nearest(str(level), self.study.axes[long[name]])}")
        wanted = {long[name]: str(level) for name, level in levels.items()}
        found = [
            comparison
            for point, comparison in zip(self.study.points, self.comparisons, strict=True)
            if all(point.levels[axis] == level for axis, level in wanted.items())
        ]
        if len(found) != 1:
            how_many = f"{len(found)} settings" if found else "no setting"
            raise BadInput(f"at: {levels} is {how_many}; axes: {', '.join(short.values())}")
        return found[0]

    def halves(self, comparison: Comparison) -> dict[str, float]:
        """Largest half-width of the 95 % intervals that `precision` is about, by observable; inf if there is none."""
        return {
            column: max((_half(mean) for mean in _decisive(comparison, column)), default=math.inf)
            for column in self.study.precision
        }

    def imprecise(self) -> list[int]:
        """Numbers of the settings that are short of the precision asked for."""
        return [
            number
            for number, comparison in enumerate(self.comparisons)
            if any(half > self.study.precision[column] for column, half in self.halves(comparison).items())
        ]

    def more_replicates(self) -> tuple[int, ...] | None:
        """How many replicates each setting should have; None if all are precise enough, or can have no more."""
        now = [len(comparison.design.seeds) for comparison in self.comparisons]
        wanted = list(now)
        for number in self.imprecise():
            wanted[number] = max(now[number], min(self.study.max_replicates, self._next(number)))
        return tuple(wanted) if wanted != now else None

    def _next(self, number: int) -> int:
        """So many as the scatter asks for, from half as many again to three times as many; none for what is NaN."""
        from ucnp_abm.study.numbers.convergence import needed

        comparison = self.comparisons[number]
        now, asked = len(comparison.design.seeds), 0
        for column, half in self.study.precision.items():
            for label in self.labels[1:] or self.labels:
                scatter = comparison.contrast(label, column)
                if not any(map(math.isnan, scatter)):  # more replicates do not define a mean that one leaves undefined
                    asked = max(asked, now + (needed(scatter, half) - scatter.size if scatter.size > 1 else 1))
        return min(3 * now, max(math.ceil(1.5 * now), asked)) if asked > now else now

    def tests(self, column: str) -> list[Test]:
        """Paired tests of all mechanisms but the first at all settings, in one observable at the end of the runs."""
        if column not in self._tests:
            from ucnp_abm.study.report import paired

            self._tests[column] = paired.tests(self, column)
        return self._tests[column]

    def bootstraps(self, column: str) -> list[tuple[float, float]]:
        """95 % BCa intervals of the mean differences, in the order of `tests`."""
        if column not in self._bootstraps:
            from ucnp_abm.study.report import paired

            self._bootstraps[column] = paired.bootstraps(self, column)
        return self._bootstraps[column]

    @cached_property
    def _tests(self) -> dict[str, list[Test]]:
        return {}

    @cached_property
    def _bootstraps(self) -> dict[str, list[tuple[float, float]]]:
        return {}

    @property
    def shown(self) -> int:
        """Number of the setting of which time courses and crystals are shown.

        The base; of a factorial the middle of every axis of numbers and the first level of every other one.
        """
        if self.study.arrangement == ONE_AT_A_TIME:
            return 0
        levels = typical(self.study.axes)
        return next(number for number, point in enumerate(self.study.points) if point.levels == levels)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Means, intervals, differences and tests as tidy rows: one for each setting, mechanism and mark."""
        from ucnp_abm.study.report import summary

        return summary.tidy(self)

    def table(self) -> str:
        """Means and paired differences at the end of every run, as text for a terminal."""
        from ucnp_abm.study.report import summary

        return summary.text(self)

    @property
    def finding(self) -> str:
        """What was found, in a sentence or two."""
        from ucnp_abm.study.report import conclusions

        return conclusions.finding(self)

    def report(self, directory: str | Path) -> Path:
        """Write one HTML page, figures, tables, methods and provenance into a new directory.

        Raises
        ------
        BadInput
            If the directory exists or cannot be made.
        """
        from ucnp_abm.study.report.writing import write_report

        return write_report(self, Path(directory))

    def keep_report(self) -> bool:
        """Write the same into the study's own directory, unless it is up to date; whether it was written."""
        from ucnp_abm.study.report.kept import keep_report

        return keep_report(self)

    def _repr_html_(self) -> str:
        """The table, for notebooks."""
        from ucnp_abm.study.report import summary

        return summary.html(self)


def _decisive(comparison: Comparison, column: str) -> list[Mean]:
    """Paired differences, or the mean where there is but one mechanism; of light in decades."""
    deciding = comparison.labels[1:] or comparison.labels
    return [mean_of_any(comparison.contrast(label, column)) for label in deciding]


def _half(mean: Mean) -> float:
    half = (mean.high - mean.low) / 2
    return half if half == half else math.inf
