"""Breakpoints, and the search for the next event at which one of them holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.species import IONS, SYMBOLS
from ucnp_abm.engine.moves import Event
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.server.conditions import Condition
from ucnp_abm.server.line import Line

AHEAD = 100_000
"""Events that are told and tested at once, at most; further than this the chronicle does not run ahead of the run."""
_FIRST = 1024
STATES = frozenset({"vacancies", "outside_core", "steps", "time"})
"""Names of what the crystal is, whatever event made it so."""
VERBS = ("hop", "dock", "undock", "etch", "swap", "unswap", "sink")


@dataclass
class Breakpoint:
    """A condition that is tested after every event, and how often it held.

    Attributes
    ----------
    number : int
    condition : Condition
    on : bool
    hits : int
        How often the run stopped here.
    """

    number: int
    condition: Condition
    on: bool = True
    hits: int = 0


def condition(text: str, simulation: Simulation) -> Condition:
    """A condition whose verbs, species, zones and layers are those of a simulation.

    Raises
    ------
    BadInput
        If it is none.
    """
    crystal = simulation.crystal
    zones, layers = list(crystal.zones), list(crystal.layers)
    allowed = {"event.verb": list(VERBS), "event.species": list(IONS)}
    allowed |= {f"{end}.zone": zones for end in ("site", "to")} | {f"{end}.layer": layers for end in ("site", "to")}
    return Condition(text, allowed)


class Looked(NamedTuple):
    """What a search found: the event of the first hit or None, how far it looked, and whether that is all there is."""

    hit: int | None
    upto: int | None
    all: bool


class Columns:
    """The columns of events that conditions read, made when they are asked for."""

    def __init__(self, line: Line, after: int, upto: int, costly: Mapping[str, float] | None = None) -> None:
        self.line, self.events = line, line.told(after, upto)
        self.numbers = np.arange(after + 1, upto + 1)
        self.costly = costly or {}

    def __call__(self, name: str) -> Any:
        """One column."""
        if name in self.costly:
            return np.full(self.numbers.size, self.costly[name])
        simulation, events = self.line.simulation, self.events
        owner, _, what = name.rpartition(".")
        if name == "event.verb":
            return np.array(self.line.channel_words(self._table())[0])[events["channel"]]
        if name == "event.species":
            return _symbols()[events["species"]]
        if name in ("time", "event.time"):
            return events["t_s"]
        if name == "steps":
            return np.array([simulation.protocol.steps(t, simulation.crystal.z) for t in events["t_s"].tolist()])
        if name == "event.number":
            return self.numbers
        if owner == "event" or name in ("vacancies", "outside_core"):
            field = {"vacancy": "other", "outside_core": "outside"}.get(what, what)
            return events[field].astype(np.float64)
        return _of_sites(simulation, what, events["site" if owner == "site" else "to"])

    def _table(self) -> Any:
        return self.line.chronicle.table_of(int(self.numbers[-1]) if self.numbers.size else self.line.chronicle.last)


def _symbols() -> NDArray[np.str_]:
    return np.array([SYMBOLS.get(code, "") for code in range(256)])


def _of_sites(simulation: Simulation, what: str, sites: NDArray[np.uint32]) -> NDArray[Any]:
    """A property of the sites that events touch."""
    crystal = simulation.crystal
    if what == "zone":
        return np.array(crystal.zones)[crystal.zone[crystal.place[crystal.sites[sites]]]]
    if what == "layer":
        return np.array(crystal.layers)[crystal.layer[sites]]
    if what == "coordination":
        return crystal.coordination[crystal.place[crystal.sites[sites]]].astype(np.float64)
    radii: NDArray[np.float64] = np.linalg.norm(crystal.positions(sites), axis=1) / 10
    return radii


def costs_of(event: Event) -> dict[str, float]:
    """The columns for which the laws must be asked, of one event."""
    move = event.move
    return {
        "event.rate": move.rate,
        "event.barrier": move.barrier,
        "event.activation": move.activation,
        "event.probability": event.probability,
    }


def next_hit(
    line: Line, breakpoints: list[Breakpoint], upto: int | None, time: float | None, goes_on: Callable[[], bool]
) -> Looked:
    """Look for the first event after now at which a breakpoint holds, among those that need no rates.

    Parameters
    ----------
    line : Line
        Its simulation stays where it is; its chronicle tells ahead.
    breakpoints : list of Breakpoint
        Those that are on.
    upto : int or None
        Last event to look at.
    time : float or None
        s; do not look beyond.
    goes_on : callable
        Whether there is time for more.
    """
    after, piece = line.simulation.state.events, _FIRST
    edge = after + AHEAD if upto is None else min(after + AHEAD, upto)
    while after < edge:
        end = min(after + piece, edge)
        line.chronicle.tell(event=end, time=time)
        told = min(end, line.chronicle.last if time is None else max(line.chronicle.at(time), after))
        if told > after and (found := first_hit(line, breakpoints, after, told)) is not None:
            return Looked(found, found, False)
        if told < end:  # the time has come, or nothing more can happen
            return Looked(None, told, True)
        after, piece = told, 2 * piece
        if not goes_on():
            break
    return Looked(None, after, after == upto)


def first_hit(
    line: Line, breakpoints: list[Breakpoint], after: int, upto: int, costly: Mapping[str, float] | None = None
) -> int | None:
    """The first of some told events at which one of the breakpoints is hit."""
    found = [np.flatnonzero(_hit(line, one.condition, after, upto, costly)) for one in breakpoints]
    return min((after + 1 + int(hits[0]) for hits in found if hits.size), default=None)


def _hit(
    line: Line, condition: Condition, after: int, upto: int, costly: Mapping[str, float] | None
) -> NDArray[np.bool_]:
    """Where a condition on events holds; one on the crystal alone (vacancies < 300) is hit when it comes to hold."""
    comes = condition.reads <= STATES
    before = after - 1 if comes and after > line.chronicle.kept_after else after
    holds = condition.where(Columns(line, before, upto, costly), upto - before)
    if not comes:
        return holds
    held = holds if before < after else np.concatenate([[False], holds])
    return held[1:] & ~held[:-1]
