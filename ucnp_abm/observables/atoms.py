"""Observables of the atoms: time and events, vacancies, mixing, dockings, order."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from ucnp_abm.crystal.species import IONS
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.observables.named import Observable, Reading, observable
from ucnp_abm.probes import census, order, profiles

SHIPPED: list[Observable] = []
"""In the order in which they are told."""


def _column(*parts: str) -> str:
    """A column name from words: ('outside', 'shell 1', 'pct') gives 'outside_shell_1_pct'."""
    return re.sub(r"\W+", "_", "_".join(parts))


def _ships(name: str, *, unit: str) -> Callable[[Callable[[Simulation], Reading]], Observable]:
    def declare(function: Callable[[Simulation], Reading]) -> Observable:
        SHIPPED.append(observable(name, unit=unit)(function))
        return SHIPPED[-1]

    return declare


@_ships("t_s", unit="s")
def time(simulation: Simulation) -> float:
    """Time reached / s."""
    return simulation.time


@_ships("steps", unit="")
def steps(simulation: Simulation) -> float:
    """Steps passed: mean hops of a bulk vacancy at the reference barrier."""
    return simulation.steps


@_ships("events", unit="")
def n_events(simulation: Simulation) -> float:
    """Events so far."""
    return simulation.state.events


@_ships("vacancies", unit="")
def n_vacancies(simulation: Simulation) -> float:
    """Vacancies now."""
    return simulation.state.n_vacancies


@_ships("outside_core_pct", unit="%")
def outside_core(simulation: Simulation) -> float:
    """Share / % of the core's ions still in the crystal that lie outside the core, by identity; nan in a box."""
    if simulation.crystal.periodic:
        return math.nan
    return 100.0 * next(iter(census.outside_by_layer(simulation.crystal, simulation.state).values()))


@_ships("docked", unit="")
def docked(simulation: Simulation) -> float:
    """Dockings minus undockings so far."""
    signs = {"dock": 1, "undock": -1}  # what is etched, swapped or sunk was not docked
    counted = zip(simulation.table.channels, simulation.state.counts()[1:], strict=True)
    return sum(signs.get(channel.verb, 0) * int(n) for channel, n in counted)


@_ships("charge_budget", unit="")
def charge_budget(simulation: Simulation) -> float:
    """Fluoride / count that the docked ions would need (3 each) and the bath does not supply. Assumption: ignored."""
    needed: float = 3 * docked(simulation)
    return needed


@_ships("reversals_pct", unit="%")
def reversals(simulation: Simulation) -> float:
    """Share / % of events that took a vacancy straight back, or filled one where it had just opened."""
    return 100.0 * simulation.state.reversals / max(1, simulation.state.events)


@_ships("T_K", unit="K")
def temperature(simulation: Simulation) -> float:
    """Temperature now / K, drives included."""
    return simulation.temperature


@_ships("candidates", unit="")
def n_candidates(simulation: Simulation) -> float:
    """Candidates drawn so far, null ones included."""
    return simulation.state.candidates


@_ships("acceptance_pct", unit="%")
def acceptance(simulation: Simulation) -> float:
    """Share / % of candidates that became events."""
    return 100.0 * simulation.state.events / max(1, simulation.state.candidates)


@_ships("voids", unit="")
def voids(simulation: Simulation) -> float:
    """Sites lost to sinks so far."""
    return composition(simulation).get("void", 0)


@_ships("rms_displacement_nm", unit="nm")
def rms_displacement(simulation: Simulation) -> float:
    """Root mean square displacement / nm of the ions that no complex brought."""
    return census.rms_displacement(simulation.crystal, simulation.state) / 10


@_ships("events_by_channel", unit="")
def events_by_channel(simulation: Simulation) -> Reading:
    """Family: hops, and events of each one-site verb and species, so far (`events_hop`, `events_dock_Y`, …)."""
    found = {"events_hop": int(simulation.state.counts()[0])}
    for channel, n in zip(simulation.table.channels, simulation.state.counts()[1:], strict=True):
        column = _column("events", channel.name)
        found[column] = found.get(column, 0) + int(n)  # a mechanism and its drives may share a verb
    return found


@_ships("vacancies_by_zone", unit="")
def vacancies_by_zone(simulation: Simulation) -> Reading:
    """Family: vacancies in each zone (`vacancies_core`, …)."""
    found = census.vacancies_by_zone(simulation.crystal, census.occupants(simulation.crystal, simulation.state))
    return {_column("vacancies", zone): n for zone, n in found.items()}


@_ships("docked_by_species", unit="")
def docked_by_species(simulation: Simulation) -> Reading:
    """Family: ions present that came out of a complex, docked or exchanged, by species (`docked_Y`, …)."""
    placed = {channel.after for channel in simulation.table.channels}
    found = census.from_complexes(simulation.crystal, simulation.state)
    return {_column("docked", symbol): n for symbol, n in found.items() if symbol in placed}


@_ships("reservoir_left", unit="")
def reservoir_left(simulation: Simulation) -> Reading:
    """Family: complexes left in the bath, for each finite reservoir (`reservoir_Y`, …)."""
    baths = zip(simulation.table.reservoirs, simulation.state.reservoir, strict=True)
    return {_column("reservoir", bath.species): int(left) for bath, left in baths if bath.size is not None}


@_ships("outside_by_layer_pct", unit="%")
def outside_by_layer(simulation: Simulation) -> Reading:
    """Family: share / % of each layer's own ions found outside it, by identity (`outside_core_pct`, …)."""
    found = census.outside_by_layer(simulation.crystal, simulation.state)
    return {_column("outside", layer, "pct"): 100.0 * share for layer, share in found.items()}


@_ships("width_10_90_nm", unit="nm")
def width_10_90(simulation: Simulation) -> float:
    """10-90 % width / nm of the share of core ions, by identity, against radius in 40 bins; nan where too mixed."""
    return profiles.width_10_90(*profiles.binned(*profiles.members(simulation.crystal, simulation.state)))


@_ships("width_erf_nm", unit="nm")
def width_erf(simulation: Simulation) -> float:
    """Blur w / nm (standard deviation) of the core's boundary: erfc fit to its ions, by identity; nan if none fits."""
    return profiles.fit_erf(*profiles.members(simulation.crystal, simulation.state)).width_nm


@_ships("warren_cowley", unit="")
def warren_cowley(simulation: Simulation) -> Reading:
    """Family: Warren-Cowley parameter of each pair of ions over nearest neighbours (`warren_cowley_Gd_Yb`, …)."""
    symbols = tuple(symbol for symbol in simulation.table.species if symbol in IONS)
    held = census.occupants(simulation.crystal, simulation.state)
    alpha = order.warren_cowley(simulation.crystal, held, symbols).alpha
    pairs = [(i, j) for i in range(len(symbols)) for j in range(i, len(symbols))]
    return {_column("warren_cowley", symbols[i], symbols[j]): float(alpha[i, j]) for i, j in pairs}


def composition(simulation: Simulation) -> dict[str, int]:
    """Sites that each species holds."""
    return census.composition(census.occupants(simulation.crystal, simulation.state))
