"""One cell of a study: one crystal, grown from a seed and annealed by one mechanism."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from ucnp_abm import observables, registry
from ucnp_abm.crystal.particle import CoreShell, Particle
from ucnp_abm.crystal.species import SPECIES, VACANCY
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadMechanism, UcnpError
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.runs import trajectory

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
    marks : tuple of float
        Steps at which observables are read.
    snapshots : tuple of float
        Steps at which all occupants are kept.
    observables : tuple of str
    directory : Path or None
        Where a run directory is written as well.
    """

    label: str
    mechanism: Mechanism
    recipe: Recipe
    protocol: Protocol
    replicate: int
    seed: int
    marks: tuple[float, ...]
    snapshots: tuple[float, ...]
    observables: tuple[str, ...]
    directory: Path | None = None


@dataclass(frozen=True)
class CellResult:
    """What one run leaves behind, small enough to travel between processes.

    Attributes
    ----------
    label : str
    replicate, seed : int
    rows : list of dict
        Observables by column name, one row for each mark and snapshot.
    snapshots : mapping
        Occupant codes, shape (N,), by step; left out where two results are compared.
    digest : str
        SHA-256 of the final state.
    fingerprint : str
        SHA-256 of the rate table.
    mixed_pct : float
        Share / % of this crystal's core ions that lie outside the core at complete mixing.
    seconds : float
        Wall-clock time; the only entry that differs from run to run.
    """

    label: str
    replicate: int
    seed: int
    rows: list[dict[str, float]]
    snapshots: Mapping[float, NDArray[np.uint8]] = field(compare=False)
    digest: str
    fingerprint: str
    mixed_pct: float
    seconds: float = field(compare=False)


def run_cell(cell: Cell) -> CellResult:
    """Grow the crystal and anneal it.

    Raises
    ------
    UcnpError
        In one sentence with mechanism and seed, whatever went wrong.
    """
    begin = time.perf_counter()
    try:
        registry.find_observables(cell.observables)  # a process that was not forked has loaded no plugin
        simulation = Simulation(cell.recipe.build(cell.seed), cell.mechanism, cell.protocol, seed=cell.seed)
        recorded = trajectory.record(
            simulation, lambda now: observables.read(now, cell.observables), cell.marks, cell.snapshots
        )
        if cell.directory:
            trajectory.write(recorded, cell.directory, observables=cell.observables)
    except UcnpError as error:
        raise type(error)(f"{cell.label}, seed {cell.seed}: {error}") from error
    except OSError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise BadMechanism(f"{cell.label}, seed {cell.seed}: failed with {reason}") from error
    return CellResult(
        cell.label,
        cell.replicate,
        cell.seed,
        recorded.rows,
        recorded.snapshots,
        simulation.digest(),
        simulation.table.fingerprint(),
        mixed_pct(simulation.particle),
        time.perf_counter() - begin,
    )


def mixed_pct(particle: Particle) -> float:
    """Share / % of core ions outside the core at complete mixing: that of the mobile core ions times 1 - N_core/N.

    N counts the sites on which a mobile ion or a vacancy sits at the start.
    """
    core = particle.crystal.layer == 0
    spectator = np.isin(particle.occupants, [SPECIES[symbol].code for symbol in particle.immobile])
    ion = particle.occupants != VACANCY
    moving = float((core & ion & ~spectator).sum()) / max(1, int((core & ion).sum()))
    return 100.0 * moving * (1.0 - float(core[~spectator].mean()))
