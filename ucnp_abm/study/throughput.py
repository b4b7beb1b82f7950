"""Throughput on this machine: accepted events per CPU second of one core, with acceptance and candidates beside it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from ucnp_abm.crystal.particle import Box, Particle
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.registry import mechanism as resolve
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.study.replicas import PAPER_PARTICLE
from ucnp_abm.units import BOLTZMANN

TEMPERATURE = 573.15
RELATIVE_RATES = {"Y": 1.0, "Gd": 0.7, "Yb": 0.5, "Tm": 0.2}
"""Hop rates of the four-species workload; their mean is the acceptance, about 60 %."""


@dataclass(frozen=True)
class Workload:
    """What is measured: a name and how to build it."""

    name: str
    lattice: str
    cells: int
    four_rates: bool


WORKLOADS = (
    Workload("equal rates, 7k sites", "fcc", 12, False),
    Workload("four species, 7k sites", "fcc", 12, True),
    Workload("four species, 64k sites", "fcc", 25, True),
    Workload("four species, 1M sites", "fcc", 63, True),
    Workload("paper's particle, no-complex", "beta", 0, False),
)


@dataclass(frozen=True)
class Measurement:
    """One line of the table."""

    workload: str
    sites: int
    vacancies: int
    events_per_s: float
    candidates_per_s: float

    @property
    def acceptance(self) -> float:
        return self.events_per_s / self.candidates_per_s


def four_species(equal: bool) -> Mechanism:
    """Hops of Y, Gd, Yb and Tm at the relative rates above, or at equal rates."""
    mechanism = Mechanism("bench", summary="A workload, not a mechanism.", source="Assumption: round ratios")
    for symbol, ratio in RELATIVE_RATES.items():
        energy = 1.65 if equal else 1.65 - BOLTZMANN * TEMPERATURE * math.log(ratio)
        mechanism.hop(mover=symbol)(lambda env, energy=energy: energy)
    return mechanism


def simulation_of(workload: Workload) -> Simulation:
    """The simulation that a workload measures: 1 % vacancies in a box, or the paper's particle."""
    if workload.cells == 0:
        return Simulation(PAPER_PARTICLE.build(1), resolve("no-complex"), TEMPERATURE, seed=1)
    recipe = Box(workload.lattice, (workload.cells,) * 3, "Y: 25% Gd, 25% Yb, 25% Tm", vacancies=0.01)
    particle: Particle = recipe.build(1)
    return Simulation(particle, four_species(not workload.four_rates), TEMPERATURE, seed=1)


def measure(workload: Workload, events: int = 4_000_000, repeats: int = 3) -> Measurement:
    """The best of several stretches, after a warm-up.

    Parameters
    ----------
    workload : Workload
    events : int
        Accepted events in each stretch.
    repeats : int
    """
    simulation = simulation_of(workload)
    simulation.run(events=events // 10)
    best = (0.0, 0.0)
    for _ in range(repeats):
        before, begin = simulation.state.candidates, time.process_time()
        simulation.run(events=events)
        spent = time.process_time() - begin
        best = max(best, (events / spent, (simulation.state.candidates - before) / spent))
    return Measurement(workload.name, simulation.crystal.n_sites, simulation.state.n_vacancies, *best)
