"""What stops a run: breakpoints, the next event at which one holds, and what went wrong by itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ucnp_abm.engine.moves import Event
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.server import search
from ucnp_abm.server.line import Line
from ucnp_abm.server.words import Answer, numbered

MOST_BREAKPOINTS = 50
LAW_FAILS, NOT_CONSERVED = "a law disagrees with the table or fails", "ions are not conserved"


class Stops:
    """Breakpoints of a session.

    Attributes
    ----------
    breakpoints : list of Breakpoint
    events : list of int
        Numbers of the events at which it stopped.
    failures : dict
        How often it stopped by itself, by reason.
    """

    def __init__(self) -> None:
        self.breakpoints: list[search.Breakpoint] = []
        self.events: list[int] = []
        self.failures = {LAW_FAILS: 0, NOT_CONSERVED: 0}
        self._held: list[search.Breakpoint] = []

    @property
    def on(self) -> list[search.Breakpoint]:
        """The breakpoints that are switched on."""
        return [one for one in self.breakpoints if one.on]

    def add(self, text: str, simulation: Simulation) -> None:
        """One more breakpoint.

        Raises
        ------
        BadInput
            If it is no condition, or there are too many.
        """
        if len(self.breakpoints) >= MOST_BREAKPOINTS:
            raise BadInput(f"breakpoint: there are {MOST_BREAKPOINTS} already; remove one")
        condition = search.condition(text, simulation)
        number = 1 + max((one.number for one in self.breakpoints), default=0)
        self.breakpoints.append(search.Breakpoint(number, condition))

    def known(self, wanted: object) -> search.Breakpoint:
        """The breakpoint of a number.

        Raises
        ------
        BadInput
            If there is none.
        """
        return numbered(self.breakpoints, wanted, "breakpoint")

    def find(self, line: Line, target: int | None, end: float | None, goes_on: Callable[[], bool]) -> search.Looked:
        """Look for the first hit on the way to an event or a time / s.

        The line stays where it is, unless a condition asks for rates: then it goes on event by event, up to the hit.
        """
        if not self.on:
            return search.Looked(None, None, True)
        if not any(one.condition.costly for one in self.on):
            return search.next_hit(line, self.on, target, end, goes_on)
        simulation = line.simulation
        while target is None or simulation.state.events < target:
            event = simulation.fire(until=np.inf if end is None else max(end, simulation.time))
            if event is None:
                break
            line.chronicle.follow()
            if self.holds(line, event):
                return search.Looked(event.number, event.number, False)
            if not goes_on():
                return search.Looked(None, event.number, event.number == target)
        return search.Looked(None, target, True)

    def holds(self, line: Line, event: Event) -> bool:
        """Whether a breakpoint that is on holds at an event that has just happened."""
        return search.first_hit(line, self.on, event.number - 1, event.number, search.costs_of(event)) is not None

    def strike(self, line: Line, event: int, last: Event | None) -> str:
        """Count a hit; the words for it."""
        self.events.append(event)
        costs = search.costs_of(last) if last else {}
        self._held = [one for one in self.on if search.first_hit(line, [one], event - 1, event, costs) is not None]
        for one in self._held:
            one.hits += 1
        return f"Breakpoint: {' and '.join(one.condition.text for one in self._held)}"

    def told(self) -> list[Answer]:
        """For the page: all of them, and what stops by itself; a hit is marked once."""
        held, self._held = self._held, []
        own: list[Answer] = [
            {"id": one.number, "text": one.condition.text, "on": one.on, "hits": one.hits, "hit": one in held}
            for one in self.breakpoints
        ]
        return own + [
            {"id": -k, "text": text, "on": True, "hits": n, "hit": False, "automatic": True}
            for k, (text, n) in enumerate(self.failures.items(), 1)
        ]
