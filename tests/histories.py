"""Runs whose history is worth going back through: all that ships, drives, boxes, baths, laws that read neighbours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from oracle.test_twins import counting, lists_are_right, reversible, small

from ucnp_abm import Mechanism, Particle, Simulation, mechanism
from ucnp_abm.crystal.species import SPECIES

SCHEDULERS = ("rejection", "sum-tree", "linear-scan")


@cache
def grown() -> Particle:
    """611 sites, 69 of them vacant."""
    return Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", seed=1)


@cache
def boxed(lattice: str = "fcc", cells: tuple[int, int, int] = (4, 5, 6), vacancies: float = 0.03) -> Particle:
    """A periodic box, so small that vacancies go round it."""
    return Particle.box(
        lattice=lattice,
        cells=cells,
        composition="Gd: 30% Yb, 20% Y" if lattice == "fcc" else "NaGdF4: 30% Yb, 20% Y",
        vacancies=vacancies,
        seed=2,
    )


def crowded() -> Mechanism:
    """Bulk laws that read neighbours, and pair energies."""
    kind = Mechanism("crowded", summary="Hops among neighbours.", source="Assumption: a test")
    kind.hop(("Gd", "Y"))(lambda env: 1.60 + 0.004 * env.n["Yb"] + 0.03 * env.n["vacancy"])
    kind.hop("Yb")(lambda env: 1.62)
    kind.pair_energy({("Gd", "vacancy"): 0.01, ("Yb", "Y"): -0.008})
    return kind


def reading() -> Mechanism:
    """The same laws without pair energies: rows are found by counting alone."""
    kind = crowded()
    kind.pair_energies = {}
    return kind


@dataclass(frozen=True)
class Case:
    rules: Callable[[], Mechanism]
    particle: Callable[[], Particle] = grown
    protocol: str = "300 °C"

    def simulation(self, scheduler: str = "rejection", seed: int = 17, interpreted: bool = False) -> Simulation:
        return Simulation(
            self.particle(), self.rules(), self.protocol, seed=seed, scheduler=scheduler, interpreted=interpreted
        )


PULSES = {"shape": "pulses", "pulse_time": "0.1 s", "period": "0.3 s", "pulses": 2000}
CASES = {
    "reflecting": Case(lambda: mechanism("no-complex")),
    "sink": Case(lambda: mechanism("no-complex", surface="sink")),
    "etch": Case(lambda: mechanism("no-complex", surface="etch", etch_barrier="1.9 eV")),
    "y-complex": Case(lambda: mechanism("y-complex")),
    "gd-complex": Case(lambda: mechanism("gd-complex", why="weaker-binding", chemical_potential="50 meV")),
    "mixed-complex": Case(lambda: mechanism("mixed-complex", y_reservoir=30, gd_reservoir=10)),
    "cation-exchange": Case(lambda: mechanism("cation-exchange", swap_barrier="1.6 eV", reservoir=50)),
    "energies": Case(lambda: reversible("0.15 eV"), protocol="300 °C for 2 min, 330 °C for 30 s, 290 °C"),
    "counting": Case(counting, lambda: small(0.05)),
    "finite": Case(lambda: mechanism("y-complex", dock_barrier="1.6 eV", chemical_potential="50 meV", reservoir=40)),
    "thermal pulses": Case(lambda: mechanism("no-complex+laser-thermal", **PULSES)),
    "stripped": Case(lambda: mechanism("no-complex+laser-strip", ion_yield=1.0, intensity="0.05 W/cm²", **PULSES)),
    "driven docking": Case(
        lambda: mechanism("y-complex+laser-dock", dock_barrier="1.6 eV", chemical_potential="50 meV", **PULSES)
    ),
    "stripped and docked": Case(
        lambda: mechanism("y-complex+laser-strip", ion_yield=1.0, intensity="1 W/cm²", dock_barrier="1.6 eV")
    ),
    "athermal": Case(lambda: mechanism("no-complex+laser-athermal", intensity="10 kW/cm²")),
    "box": Case(lambda: mechanism("no-complex"), boxed),
    "crowded box": Case(crowded, boxed),
    "reading box": Case(reading, lambda: boxed("beta", (3, 3, 4))),
}


def is_whole(run: Simulation) -> None:
    """Lists fit the occupants; crystal and bath hold what the start and the counted events say, species by species."""
    lists_are_right(run)
    counts = run.state.counts().tolist()
    assert sum(counts) == run.state.events
    expected = {s: run.particle.counts.get(s, 0) for s in SPECIES}
    baths = [bath.size or 0 for bath in run.table.reservoirs]
    for channel, n in zip(run.table.channels, counts[1:], strict=True):
        expected[channel.before] -= n
        expected[channel.after] += n
        if channel.takes >= 0:
            baths[channel.takes] -= n
        if channel.gives >= 0:
            baths[channel.gives] += n
    held = np.bincount(run.state.species[run.crystal.sites], minlength=32)
    assert {s: int(held[SPECIES[s].code]) for s in SPECIES} == expected
    assert run.state.reservoir.tolist() == baths
    if run.crystal.periodic:
        vacant = run.state.species[run.crystal.sites] == 0
        assert (run.state.image.sum(axis=0) == 0).all() or not vacant.any()
