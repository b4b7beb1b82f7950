"""Observables: named numbers with units, read from a simulation.

A name carries its unit, as in `t_s` or `outside_core_pct`. A *family* gives several numbers at once, by column; its
columns depend on particle and mechanism only, so that they are the same at every moment of a run.

One room holds the register and everything that ships in it: an observable is a few lines that call a probe.
"""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ucnp_abm.crystal.species import IONS
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.probes import census, order, profiles

Reading = float | Mapping[str, float]
SUFFIXES = {"s": "s", "K": "K", "nm": "nm", "%": "pct", "eV": "eV", "1/s": "per_s"}
"""How a name must end if its unit is one of these."""


@dataclass(frozen=True)
class Observable:
    """A number, or a family of numbers by column, that can be read at any moment.

    Attributes
    ----------
    name : str
        Column name, or name of the family; ends with its unit.
    unit, doc : str
        The unit is empty for counts and plain numbers; the description is one line.
    read : callable
        Gives a number (nan where it is not defined) or a dict from column name to number.
    """

    name: str
    unit: str
    doc: str
    read: Callable[[Simulation], Reading]

    def columns(self, simulation: Simulation) -> dict[str, float]:
        """Numbers by column name; one column of this name unless it is a family.

        Raises
        ------
        BadInput
            If reading fails or gives no numbers; the message names observable and time.
        """
        where = f"observable '{self.name}' at {simulation.time:.6g} s"
        try:
            seen = self.read(simulation)
        except Exception as error:
            raise BadInput(f"{where} failed with {type(error).__name__}: {error}") from error
        found = dict(seen) if isinstance(seen, Mapping) else {self.name: seen}
        for column, value in found.items():
            fits = isinstance(column, str) and column.isidentifier()
            if not fits or isinstance(value, bool) or not isinstance(value, numbers.Real) or math.isinf(value):
                raise BadInput(f"{where}: expected a column and a finite number or nan, got {column!r}: {value!r}")
        return {c: int(value) if isinstance(value, numbers.Integral) else float(value) for c, value in found.items()}

    def __call__(self, simulation: Simulation) -> Any:
        return self.read(simulation)


def observable(name: str, *, unit: str) -> Callable[[Callable[[Simulation], Reading]], Observable]:
    """Make a function of a simulation an `Observable`; the first line of its docstring says what it is.

    Examples
    --------
    >>> @observable("exposed_vacancies", unit="")
    ... def exposed_vacancies(simulation):
    ...     \"\"\"Vacancies on sites where a neighbour is missing.\"\"\"
    ...     return simulation.state.n_exposed_vacancies
    """

    def declare(read: Callable[[Simulation], Reading]) -> Observable:
        return Observable(name, unit, (getattr(read, "__doc__", None) or "").strip().partition("\n")[0], read)

    return declare


OBSERVABLES: dict[str, Observable] = {}


def register(added: Observable) -> Observable:
    """Make an observable known by its name.

    Raises
    ------
    BadInput
        If its name is taken, no Python name or without its unit, or if anything is missing.
    """
    if not isinstance(added, Observable):
        raise BadInput(f"observables: expected an Observable, made with @observable(name, unit=…), got {added!r}")
    name, unit, wrong = added.name, added.unit, None
    if not isinstance(name, str) or not name.isidentifier():
        wrong = "expected a name such as 'r_nm'"
    elif name in OBSERVABLES:
        wrong = f"the name is taken ({OBSERVABLES[name].doc})"
    elif not isinstance(unit, str):
        wrong = f"expected a unit such as 'nm', or '' for a plain number, got {unit!r}"
    elif unit in SUFFIXES and not f"_{name}".endswith(f"_{SUFFIXES[unit]}"):
        wrong = f"its unit is {unit}, so its name must end with '_{SUFFIXES[unit]}'"
    elif not callable(added.read):
        wrong = f"expected a function of a simulation, got {added.read!r}"
    elif not isinstance(added.doc, str) or not added.doc.strip():
        wrong = "its function needs a docstring: one line that says what it is"
    if wrong:
        raise BadInput(f"observable {name!r}: {wrong}")
    OBSERVABLES[name] = added
    return added


def describe() -> list[tuple[str, str, str]]:
    """(name, unit, what it is) of all observables, in the order in which they were registered."""
    return [(each.name, each.unit, each.doc) for each in OBSERVABLES.values()]


DEFAULT = ("t_s", "steps", "events", "vacancies", "outside_core_pct", "docked", "charge_budget", "reversals_pct")
"""What a run records unless told otherwise."""


def read(simulation: Simulation, names: Iterable[str] = DEFAULT) -> dict[str, float]:
    """Several observables at once, families flattened into their columns.

    Raises
    ------
    BadInput
        If a name is unknown, an observable fails, or two of them disagree about a column.
    """
    found: dict[str, float] = {}
    for name in dict.fromkeys(names):
        if name not in OBSERVABLES:
            raise BadInput(f"unknown observable '{name}'{nearest(name, OBSERVABLES)}")
        for column, value in OBSERVABLES[name].columns(simulation).items():
            # a family may repeat what has a name of its own, as the share outside the core
            if column in found and (column not in OBSERVABLES or repr(found[column]) != repr(value)):
                raise BadInput(f"observable '{name}': its column '{column}' is that of another observable")
            found[column] = value
    return found


def _column(*parts: str) -> str:
    """A column name from words: ('outside', 'shell 1', 'pct') gives 'outside_shell_1_pct'."""
    return re.sub(r"\W+", "_", "_".join(parts))


def _ships(name: str, *, unit: str) -> Callable[[Callable[[Simulation], Reading]], Observable]:
    return lambda function: register(observable(name, unit=unit)(function))


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
