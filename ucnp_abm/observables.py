"""Observables: named numbers with units, read from a simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ucnp_abm.crystal.species import SYMBOLS, VACANCY, VOID
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput, nearest


@dataclass(frozen=True)
class Observable:
    """A number that can be read at any moment.

    Attributes
    ----------
    name : str
        Column name, unit included.
    doc : str
    read : callable
    """

    name: str
    doc: str
    read: Callable[[Simulation], float]


OBSERVABLES: dict[str, Observable] = {}


def observable(name: str) -> Callable[[Callable[[Simulation], float]], Callable[[Simulation], float]]:
    """Register a function under a column name; its docstring's first line says what it is."""

    def declare(read: Callable[[Simulation], float]) -> Callable[[Simulation], float]:
        OBSERVABLES[name] = Observable(name, (read.__doc__ or "").strip().splitlines()[0], read)
        return read

    return declare


@observable("t_s")
def time(simulation: Simulation) -> float:
    """Time reached / s."""
    return simulation.time


@observable("steps")
def steps(simulation: Simulation) -> float:
    """Steps passed: mean hops of a bulk vacancy at the reference barrier."""
    return simulation.steps


@observable("events")
def n_events(simulation: Simulation) -> float:
    """Events so far."""
    return simulation.state.events


@observable("vacancies")
def n_vacancies(simulation: Simulation) -> float:
    """Vacancies now."""
    return simulation.state.n_vacancies


@observable("outside_core_pct")
def outside_core(simulation: Simulation) -> float:
    """Share / % of the core's own ions found outside the core, by identity; complete mixing is 1 - N_core/N."""
    crystal, state = simulation.crystal, simulation.state
    ion = ~np.isin(state.species[crystal.sites], (VACANCY, VOID))
    from_core = ion & (state.origin[state.slot[crystal.sites]] == 0)
    return 100.0 * float((from_core & (crystal.layer != 0)).sum()) / max(1, int(from_core.sum()))


@observable("docked")
def docked(simulation: Simulation) -> float:
    """Dockings minus undockings so far."""
    total = 0
    for number, channel in enumerate(simulation.table.channels, 1):
        sign = 1 if channel.before == "vacancy" else -1 if channel.after == "vacancy" else 0
        total += sign * int(simulation.state.counts()[number])
    return total


@observable("charge_budget")
def charge_budget(simulation: Simulation) -> float:
    """Fluoride / count that the docked ions would need (3 each) and the bath does not supply. Assumption: ignored."""
    return 3 * docked(simulation)


@observable("reversals_pct")
def reversals(simulation: Simulation) -> float:
    """Share / % of events that took a vacancy straight back, or filled one where it had just opened."""
    return 100.0 * simulation.state.reversals / max(1, simulation.state.events)


DEFAULT = tuple(OBSERVABLES)


def read(simulation: Simulation, names: Iterable[str] = DEFAULT) -> dict[str, float]:
    """Several observables at once.

    Raises
    ------
    BadInput
        If a name is unknown.
    """
    for name in names:
        if name not in OBSERVABLES:
            raise BadInput(f"unknown observable '{name}'{nearest(name, OBSERVABLES)}")
    return {name: OBSERVABLES[name].read(simulation) for name in names}


def vacancies_by_zone(simulation: Simulation) -> dict[str, int]:
    """Vacancies in each zone."""
    crystal = simulation.crystal
    vacant = simulation.state.species[crystal.sites] == VACANCY
    return {zone: int((vacant & (crystal.site_zone == n)).sum()) for n, zone in enumerate(crystal.zones)}


def composition(simulation: Simulation) -> dict[str, int]:
    """Sites that each species holds."""
    codes, counts = np.unique(simulation.state.species[simulation.crystal.sites], return_counts=True)
    return {SYMBOLS[int(c)]: int(n) for c, n in zip(codes, counts, strict=True)}
