"""Mechanisms side by side: the same crystals, equal steps, means with intervals, paired differences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.study.cells import PAPER_PARTICLE, CellResult, Recipe, run_cell, warm_up
from ucnp_abm.study.conduct import in_processes
from ucnp_abm.study.design import Design, design, replicate_seeds
from ucnp_abm.study.numbers import contrasts, statistics
from ucnp_abm.study.numbers.statistics import Mean
from ucnp_abm.study.report import findings, tables


@dataclass(frozen=True)
class Comparison:
    """What a comparison found at one setting.

    Attributes
    ----------
    design : Design
    found : mapping
        What each run left behind, by mechanism and replicate; a run that failed or is still to come has none.
    command : str
        What gives the same again.
    """

    design: Design
    found: Mapping[tuple[str, int], CellResult] = field(repr=False)
    command: str

    @property
    def labels(self) -> list[str]:
        """The mechanisms; all are compared with the first."""
        return list(self.design.mechanisms)

    def replicates(self, *labels: str) -> list[int]:
        """Replicates that all of these mechanisms have finished."""
        for label in labels:
            if label not in self.design.mechanisms:
                raise BadInput(f"unknown mechanism '{label}'{nearest(str(label), self.labels)}")
        return [n for n in range(len(self.design.seeds)) if all((label, n) in self.found for label in labels)]

    @property
    def crystals(self) -> tuple[int, int]:
        """Fewest and most replicates that a mechanism has finished, those without any left out; both 0 if all are."""
        counts = [n for label in self.labels if (n := len(self.replicates(label)))]
        return min(counts, default=0), max(counts, default=0)

    def course(self, label: str, column: str, beside: str | None = None) -> NDArray[np.float64]:
        """One observable, shape (replicates, samples); NaN where this mechanism has no such column.

        With `beside`, only of the replicates that this other mechanism has finished too.
        """
        chosen = self.replicates(label, *([beside] if beside else []))
        known = {name for cell in self.found.values() for name in cell.columns} | set(self.design.columns)
        if column not in known:
            raise BadInput(f"unknown observable '{column}'{nearest(str(column), sorted(known))}")
        courses = [self.found[label, n].course(column) for n in chosen]
        return np.array(courses).reshape(len(courses), len(self.design.samples))

    def values(
        self, label: str, column: str, mark: float | None = None, beside: str | None = None
    ) -> NDArray[np.float64]:
        """One observable of each replicate at a mark (steps; None: at the end), shape (replicates,)."""
        samples = np.array(self.design.samples)
        step = self.design.steps if mark is None else float(mark)
        number = int(np.argmin(np.abs(samples - step)))
        if not abs(samples[number] - step) <= 1e-9 * self.design.steps:
            raise BadInput(f"mark: nothing was read at {step:g} steps; marks: {tables.steps_list(self.design.marks)}")
        return self.course(label, column, beside)[:, number]

    def pairs(
        self, label: str, column: str, mark: float | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Values of a mechanism and of the first one on the same crystals, where both are finished."""
        first = self.labels[0]
        return self.values(label, column, mark, first), self.values(first, column, mark, label)

    def mean(self, label: str, column: str, mark: float | None = None) -> Mean:
        """Mean over the replicates at a mark, with its 95 % interval."""
        return statistics.mean_of_any(self.values(label, column, mark))

    def difference(self, label: str, column: str, mark: float | None = None) -> Mean:
        """Mean of the differences from the first mechanism on the same crystal, with its 95 % interval."""
        values, reference = self.pairs(label, column, mark)
        return statistics.mean_of_any(values - reference)

    def relative(self, label: str, column: str, mark: float | None = None) -> Mean | None:
        """As `difference`, in % of the first mechanism's value; None where that is not above zero."""
        values, reference = self.pairs(label, column, mark)
        return statistics.relative(values, reference) if values.size else None

    def contrast(self, label: str, column: str) -> NDArray[np.float64]:
        """What decides, of each crystal at the end: the difference from the first mechanism, or the first's own value.

        Of light in decades (log10 of the ratio, or of the value); NaN where it is not above zero.
        """
        if label == self.labels[0]:
            values = self.values(label, column)
            reference = np.ones_like(values) if tables.is_light(column) else np.zeros_like(values)
        else:
            values, reference = self.pairs(label, column)
        if not tables.is_light(column):
            return values - reference
        above = (values > 0) & (reference > 0)
        return np.log10(np.where(above, values, np.nan)) - np.log10(np.where(above, reference, np.nan))

    def gain(self, label: str, column: str, mark: float | None = None) -> Mean | None:
        """Geometric mean of the ratios to the same crystal as grown; None unless all values are above zero."""
        values = self.values(label, column, mark)
        return contrasts.ratio(values, self.values(label, column, 0.0)) if values.size else None

    @property
    def mixed_pct(self) -> float:
        """Share / % of core ions outside the core at complete mixing, mean over the crystals."""
        return float(np.mean([cell.mixed_pct for cell in self.found.values()])) if self.found else math.nan

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Means, intervals and differences as tidy rows, one for each mechanism and mark; units stand in the names."""
        return tables.tidy(self)

    def table(self) -> str:
        """Means and paired differences with 95 % intervals, as text for a terminal."""
        return tables.text(self)

    def figure(self) -> Any:
        """Time courses with 95 % bands, and the paired differences at the end: a `matplotlib.figure.Figure`."""
        from ucnp_abm.study.report import pictures
        from ucnp_abm.viz import figures

        return figures.comparison(pictures.panels(self))

    def report(self, directory: str | Path) -> Path:
        """Write one HTML page, figures, tables and comparison.json into a new directory.

        Parameters
        ----------
        directory : path

        Raises
        ------
        BadInput
            If the directory exists or cannot be made.
        """
        from ucnp_abm.study.outcome import StudyResult

        return StudyResult.of(self).report(directory)

    def __repr__(self) -> str:
        replicates, steps = len(self.design.seeds), self.design.steps
        return f"<Comparison of {', '.join(self.labels)}: {replicates} replicates, {steps:g} steps>"


def compare(
    mechanisms: Iterable[str | Mechanism] | Mapping[str, str | Mechanism],
    particle: Recipe = PAPER_PARTICLE,
    protocol: str | float = "300 °C",
    replicates: int = 8,
    steps: float | None = None,
    seed: int = 0,
    observables: Sequence[str] | None = None,
    marks: Sequence[float] | None = None,
    jobs: int | None = None,
    progress: bool = True,
) -> Comparison:
    """Anneal the same crystals by every mechanism, to the same number of steps.

    Parameters
    ----------
    mechanisms : list of names or Mechanism, or mapping
        A mapping gives labels, as in ``{"slow": mechanism("y-complex", dock_barrier="1.6 eV")}``. All are compared
        with the first.
    particle : recipe
        Grows one crystal for each replicate; the paper's particle by default.
    protocol : str or float
        ``'300 °C for 1 h'``; a bare number is a temperature / K.
    replicates : int
        Crystals to grow. Each has a seed of its own for crystal and events: one more mechanism or replicate changes no
        other run.
    steps : float or None
        Length of every run. None: as long as the protocol says, else up to the last mark, else 1000.
    seed : int
    observables : list of names or None
        What is compared: by default share outside the core, vacancies, docked ions.
    marks : list of float or None
        Steps of the table and the snapshots; by default 10 %, 50 % and 100 % of the length.
    jobs : int or None
        Processes; None: one for each core that this process may use. The results are the same for any number.
    progress : bool
        Show a bar on stderr, if that is a terminal.

    Raises
    ------
    UcnpError
        In one sentence, with mechanism and seed if a run failed.

    Examples
    --------
    >>> result = compare(["no-complex", "y-complex"], replicates=2, steps=20, jobs=1)
    >>> result.mean("no-complex", "docked").value
    0.0
    """
    chosen = design(mechanisms, particle, protocol, replicate_seeds(seed, replicates), steps, observables, marks)
    given: dict[str, Any] = {"particle": particle, "protocol": protocol, "replicates": replicates, "steps": steps}
    given |= {"seed": seed, "observables": observables, "marks": marks}
    return run_design(chosen, findings.python_call(chosen.mechanisms, given), jobs, progress)


def run_design(
    chosen: Design, command: str, jobs: int | None = None, progress: bool = True, directory: Path | None = None
) -> Comparison:
    """Run all cells of a design.

    Parameters
    ----------
    chosen : Design
    command : str
        What gives the same again.
    jobs, progress
        As for `compare`.
    directory : Path or None
        Where each run writes a run directory `<label>/seed-<n>`.
    """
    cells = chosen.cells(directory)
    done = in_processes(run_cell, cells, jobs, progress, "run", first=lambda: warm_up(cells[0]))
    found = {(cell.label, cell.replicate): result for cell, result in zip(cells, done, strict=True)}
    return Comparison(chosen, found, command)
