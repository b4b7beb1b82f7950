"""Mechanisms side by side: each seed grows one crystal, and every mechanism anneals that same crystal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ucnp_abm import observables
from ucnp_abm.crystal.particle import CoreShell
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.engine.trajectory import Trajectory, record
from ucnp_abm.rules.mechanism import Mechanism

PAPER_PARTICLE = CoreShell(core="NaGdF4: 49% Yb, 1% Tm", diameter="6.7 nm", shell="NaYF4", thickness="1.65 nm")
"""The particle of Chen et al. 2023 (doi:10.1021/acs.nanolett.3c01621); its shell follows from 10 nm in all."""
PAPER_STEPS = (0, 100, 500, 1000)
"""Steps at which the paper shows its crystals."""


def anneal(
    mechanisms: Sequence[Mechanism],
    recipe: CoreShell,
    protocol: Protocol,
    seeds: Iterable[int],
    marks: Sequence[float],
    snapshots: Sequence[float] = (),
    progress: Callable[[str, int], object] | None = None,
) -> dict[str, list[Trajectory]]:
    """Anneal every crystal by every mechanism.

    Parameters
    ----------
    mechanisms : sequence of Mechanism
    recipe : CoreShell
    protocol : Protocol
    seeds : iterable of int
        One crystal and one stream of events for each.
    marks, snapshots : sequence of float
        Steps at which observables are read, and at which all occupants are kept.
    progress : callable or None
        Told the mechanism and seed that begin.

    Returns
    -------
    dict
        Trajectories by mechanism, in the order of the seeds.
    """
    runs: dict[str, list[Trajectory]] = {mechanism.name: [] for mechanism in mechanisms}
    for seed in seeds:
        particle = recipe.build(seed)
        for mechanism in mechanisms:
            if progress:
                progress(mechanism.name, seed)
            simulation = Simulation(particle, mechanism, protocol, seed=seed)
            runs[mechanism.name].append(record(simulation, observables.read, marks, snapshots))
    return runs
