"""Throughput on this machine: accepted events per CPU second of one core, with acceptance and candidates beside it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from ucnp_abm.crystal.particle import Box, Particle
from ucnp_abm.engine.simulation import Scheduler, Simulation
from ucnp_abm.registry import mechanism as resolve
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.study.replicas import PAPER_PARTICLE
from ucnp_abm.units import BOLTZMANN

TEMPERATURE = 573.15
RATIOS, STIFF = (1.0, 0.7, 0.5, 0.2), (1.0, 1e-2, 1e-3, 1e-4)
"""Relative hop rates of Y, Gd, Yb and Tm; the mean of the first is the acceptance, about 60 %."""


@dataclass(frozen=True)
class Workload:
    """What is measured: 1 % vacancies in a box, or the paper's particle.

    Attributes
    ----------
    name : str
    kind : str
        'equal', 'four', 'stiff', 'neighbours', 'stiff neighbours' (see `mechanism_of`), or the name of an installed mechanism.
    lattice : str
    cells : int
        Cells along each axis of a periodic box; 0: the paper's particle.
    """

    name: str
    kind: str
    lattice: str = "fcc"
    cells: int = 0


def _sizes(what: str, kind: str, lattice: str, **cells: int) -> tuple[Workload, ...]:
    return tuple(Workload(f"{what}, {size.strip('_')}", kind, lattice, n) for size, n in cells.items())


WORKLOADS = (
    *_sizes("equal rates", "equal", "fcc", _7k=12, _64k=25, _512k=50, _4M=100),
    *_sizes("four species", "four", "fcc", _7k=12, _64k=25, _512k=50, _4M=100),
    *_sizes("neighbour energies", "neighbours", "fcc", _7k=12, _64k=25, _512k=50, _4M=100),
    *_sizes("four species, beta", "four", "beta", _7k=17, _64k=35),
    *_sizes("stiff species", "stiff", "fcc", _7k=12, _64k=25),
    *_sizes("stiff neighbours", "stiff neighbours", "fcc", _7k=12, _64k=25),
    *_sizes("stiff neighbours, beta", "stiff neighbours", "beta", _7k=17),
    Workload("paper's particle, no-complex", "no-complex", "beta"),
)


@dataclass(frozen=True)
class Measurement:
    """One line of the table."""

    workload: str
    lattice: str
    sites: int
    vacancies: int
    scheduler: str
    events_per_s: float
    candidates_per_s: float

    @property
    def acceptance(self) -> float:
        return self.events_per_s / self.candidates_per_s


def mechanism_of(kind: str) -> Mechanism:
    """The rules of a workload.

    'equal': one hop rate for all. 'four': Y, Gd, Yb and Tm at the relative rates above. 'stiff': at 1, 0.01, 0.001 and
    0.0001. 'neighbours': one barrier that grows by 0.2 meV with each Gd next to either end (24 neighbours are read on
    fcc, 16 on beta). 'stiff neighbours': by 30 meV, so that few hops are fast.
    """
    ratios = {"equal": (1.0,) * 4, "four": RATIOS, "stiff": STIFF, "neighbours": (1.0,) * 4, "stiff neighbours": RATIOS}
    slope = {"neighbours": 0.0002, "stiff neighbours": 0.03}.get(kind, 0.0)
    if kind not in ratios:
        return resolve(kind)
    mechanism = Mechanism("bench", summary="A workload, not a mechanism.", source="Assumption: round numbers")
    for symbol, ratio in zip(("Y", "Gd", "Yb", "Tm"), ratios[kind], strict=True):
        energy = 1.65 - BOLTZMANN * TEMPERATURE * math.log(ratio)
        if slope:
            mechanism.hop(mover=symbol)(lambda env, energy=energy: energy + slope * env.n["Gd"])
        else:
            mechanism.hop(mover=symbol)(lambda env, energy=energy: energy)
    return mechanism


def simulation_of(workload: Workload, scheduler: Scheduler = "auto") -> Simulation:
    """The simulation that a workload measures."""
    mechanism = mechanism_of(workload.kind)
    if workload.cells == 0:
        return Simulation(PAPER_PARTICLE.build(1), mechanism, TEMPERATURE, seed=1, scheduler=scheduler)
    recipe = Box(workload.lattice, (workload.cells,) * 3, "Y: 25% Gd, 25% Yb, 25% Tm", vacancies=0.01)
    particle: Particle = recipe.build(1)
    return Simulation(particle, mechanism, TEMPERATURE, seed=1, scheduler=scheduler)


def measure(
    workload: Workload, events: int = 1_000_000, repeats: int = 12, scheduler: Scheduler = "auto"
) -> Measurement:
    """The best of several stretches, after a warm-up.

    Parameters
    ----------
    workload : Workload
    events : int
        Accepted events in each stretch.
    repeats : int
    scheduler : {'auto', 'rejection', 'sum-tree'}
    """
    simulation = simulation_of(workload, scheduler)
    simulation.run(events=events)
    best = (0.0, 0.0)
    for _ in range(repeats):
        before, begin = simulation.state.candidates, time.process_time()
        simulation.run(events=events)
        spent = time.process_time() - begin
        best = max(best, (events / spent, (simulation.state.candidates - before) / spent))
    return Measurement(
        workload.name,
        workload.lattice,
        simulation.crystal.n_sites,
        simulation.state.n_vacancies,
        simulation.scheduler,
        *best,
    )
