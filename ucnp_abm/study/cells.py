"""One cell of a study: one crystal, grown from a seed and annealed by one mechanism, and what that leaves behind."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from ucnp_abm import observables, registry
from ucnp_abm.crystal.particle import CoreShell, Particle
from ucnp_abm.crystal.species import SPECIES, VACANCY
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadMechanism, UcnpError
from ucnp_abm.observables import Observable, light
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.runs import trajectory

if TYPE_CHECKING:
    from ucnp_abm.photons.optics import Optics

PAPER_PARTICLE = CoreShell(core="NaGdF4: 49% Yb, 1% Tm", diameter="6.7 nm", shell="NaYF4", thickness="1.65 nm")
"""The particle of Chen et al. 2023 (doi:10.1021/acs.nanolett.3c01621); its shell follows from 10 nm in all."""
PAPER_STEPS = (0.0, 100.0, 500.0, 1000.0)
"""Steps at which the paper shows its crystals."""


class Recipe(Interface):
    """How particles are grown: the same seed gives the same particle."""

    def build(self, seed: int = 0) -> Particle:
        """Grow one particle."""


@dataclass(frozen=True)
class Cell:
    """All that decides one run.

    Attributes
    ----------
    label : str
        What the study calls the mechanism.
    mechanism : Mechanism
    recipe : Recipe
    protocol : Protocol
    replicate : int
    seed : int
        Of the crystal and of the events (streams of their own, see `ucnp_abm.seeds`).
    samples : tuple of float
        Steps at which observables are read, growing; costly ones only at those that are marks too.
    marks : tuple of float
    snapshots : tuple of float
        Steps at which all occupants are kept.
    observables : tuple of str
    optics : Optics or None
        At which light is read; None: the default.
    point : str
        What the study calls the setting; '' if there is but one.
    brought : tuple of Observable
        Observables that no other process may know: they came with a file or were made in Python.
    directory : Path or None
        Where a run directory is written as well.
    """

    label: str
    mechanism: Mechanism
    recipe: Recipe
    protocol: Protocol
    replicate: int
    seed: int
    samples: tuple[float, ...]
    marks: tuple[float, ...]
    snapshots: tuple[float, ...]
    observables: tuple[str, ...]
    optics: Optics | None = None
    point: str = ""
    brought: tuple[Observable, ...] = ()
    directory: Path | None = None

    def __str__(self) -> str:
        return f"{self.label}{f' at {self.point}' * bool(self.point)}, seed {self.seed}"


@dataclass(frozen=True, eq=False)
class CellResult:
    """What one run leaves behind, small enough to travel between processes and to be kept by the thousand.

    Attributes
    ----------
    seed : int
    columns : tuple of str
        Observables; families as their columns.
    values : (samples, columns) float64
        NaN where an observable is not defined, or was not read.
    snapshots : mapping
        Occupant codes, shape (N,), by step.
    digest : str
        SHA-256 of the final state.
    fingerprint : str
        SHA-256 of the rate table.
    mixed_pct : float
        Share / % of this crystal's core ions that lie outside the core at complete mixing.
    """

    seed: int
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    snapshots: Mapping[float, NDArray[np.uint8]] = field(repr=False)
    digest: str
    fingerprint: str
    mixed_pct: float

    @cached_property
    def _column(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.columns)}

    def course(self, column: str) -> NDArray[np.float64]:
        """One observable, shape (samples,); NaN throughout where this mechanism has no such column."""
        number = self._column.get(column)
        return np.full(len(self.values), np.nan) if number is None else self.values[:, number]

    def row(self, sample: int) -> dict[str, float]:
        """All observables at one sample by column; counts as whole numbers."""
        return dict(zip(self.columns, map(whole, self.values[sample].tolist()), strict=True))


def run_cell(cell: Cell) -> CellResult:
    """Grow the crystal and anneal it.

    Raises
    ------
    UcnpError
        In one sentence with mechanism, setting and seed, whatever went wrong.
    OSError
        If its run directory cannot be written.
    """
    try:
        _know(cell)
        simulation = Simulation(cell.recipe.build(cell.seed), cell.mechanism, cell.protocol, seed=cell.seed)
        recorded = _recorded(cell, simulation)
    except UcnpError as error:
        raise type(error)(f"{cell}: {error}") from error
    except Exception as error:
        raise BadMechanism(f"{cell}: failed with {type(error).__name__}: {error}") from error
    if cell.directory:
        trajectory.write(recorded, cell.directory, observables=cell.observables)
    return CellResult(
        seed=cell.seed,
        columns=tuple(recorded.rows[0]),
        values=np.array([list(row.values()) for row in recorded.rows], dtype=float),
        snapshots=recorded.snapshots,
        digest=simulation.digest(),
        fingerprint=simulation.table.fingerprint(),
        mixed_pct=mixed_pct(simulation.particle),
    )


def _know(cell: Cell) -> None:
    """Make the cell's observables known: a process that was not forked has loaded no plugin, and no file.

    What the cell brings holds: a worker that lives long may know an earlier version by the same name.
    """
    observables.OBSERVABLES.update({brought.name: brought for brought in cell.brought})
    registry.find_observables(cell.observables)


def _recorded(cell: Cell, simulation: Simulation) -> trajectory.Trajectory:
    """The trajectory; between the marks costly observables are nan."""
    costly = [name for name in cell.observables if observables.OBSERVABLES[name].costly]
    quick = [name for name in cell.observables if name not in costly]
    coming = iter(cell.samples)

    def read(now: Simulation) -> dict[str, float]:
        here = next(coming) in cell.marks
        return observables.read(now, quick) | (
            observables.read(now, costly) if here else dict.fromkeys(costly, math.nan)
        )

    with light.under(cell.optics):
        return trajectory.record(simulation, read, cell.samples, cell.snapshots)


def warm_up(cell: Cell) -> None:
    """The beginning of a cell: it compiles the loop, or reads it from its cache, once and not in every worker.

    On a terminal it says so if it takes a while, which it does once after an installation.
    """
    told = "compiling the event loop, once after an installation; about a minute …"
    late = threading.Timer(1.5, print, (told,), {"file": sys.stderr})
    if sys.stderr.isatty():
        late.start()
    try:
        run_cell(beginning(cell, 1e-6))
    finally:
        late.cancel()


def beginning(cell: Cell, share: float) -> Cell:
    """The first part of a cell, which is read at its end only; nothing is kept of it."""
    end = (share * cell.marks[-1],)
    return replace(cell, samples=end, marks=end, snapshots=(), directory=None)


def mixed_pct(particle: Particle) -> float:
    """Share / % of core ions outside the core at complete mixing: that of the mobile core ions times 1 - N_core/N.

    N counts the sites on which a mobile ion or a vacancy sits at the start.
    """
    core = particle.crystal.layer == 0
    spectator = np.isin(particle.occupants, [SPECIES[symbol].code for symbol in particle.immobile])
    ion = particle.occupants != VACANCY
    moving = float((core & ion & ~spectator).sum()) / max(1, int((core & ion).sum()))
    return 100.0 * moving * (1.0 - float(core[~spectator].mean()))


def whole(number: float) -> float | int:
    """A whole number without its '.0'."""
    return int(number) if float(number).is_integer() else number
