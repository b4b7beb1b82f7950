"""The screen of a session: what the page shows of the lines, and what of it the page knows already."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.engine.moves import Event
from ucnp_abm.registry import installed
from ucnp_abm.server import telling
from ucnp_abm.server.grammar import NAMES
from ucnp_abm.server.line import Line
from ucnp_abm.server.lines import Lines
from ucnp_abm.server.stops import NOT_CONSERVED, Stops
from ucnp_abm.server.words import Answer, base64_of

FEW = 500
"""Changed sites that are told one by one, at most."""


class Screen:
    """What one page shows.

    Attributes
    ----------
    selected : int or None
        Identity of the agent in the inspector.
    filter : dict
        Which candidate events the table shows.
    """

    def __init__(self) -> None:
        self.selected: int | None = None
        self.filter: dict[str, Any] = {"verb": None, "species": None, "near": False}
        self._told: list[NDArray[np.uint8]] = []

    def forget(self) -> None:
        """The page knows nothing: it was opened again."""
        self._told = []

    def view(self, lines: Lines, stops: Stops, stopped: str = "") -> Answer:
        """Everything that a command may have changed."""
        for each in lines.shown:
            each.chronicle.follow()
        line, panes = lines.shown[0], [self._pane(each) for each in lines.shown]
        if wrong := line.unconserved():
            stops.failures[NOT_CONSERVED] += 1
            stopped = wrong
        if lines.parted:
            lines.parted.follow()
        panes[0] |= self._next_events(line) | {"warning": telling.flicker(line)}
        answer = {
            "panes": panes,
            "stopped": stopped,
            "lines": [{"id": each.number, "name": each.name, "note": each.note} for each in lines.all],
            "parting": lines.parted.told() if lines.parted else None,
            "mechanisms": sorted(installed().mechanisms),
            "breakpoints": stops.told(),
            "words": list(NAMES),
            "inspector": None if self.selected is None else telling.inspected(line, self.selected),
        }
        self._tell(lines, panes)  # at last: what is not answered is not known to the page
        return answer

    def _next_events(self, line: Line) -> Answer:
        near = None
        if self.filter["near"] and self.selected is not None:
            site = telling.site_of(line.simulation, self.selected)
            near = np.array([site, *(n for n in line.simulation.crystal.neighbours(site) if n >= 0)])
        events = telling.next_events(line, self.filter["verb"], self.filter["species"], near)
        events["table"]["near"] = self.filter["near"]
        return events

    def _pane(self, line: Line) -> Answer:
        event = line.simulation.timeline.latest()
        return line.state_of() | {"last": None if event is None else _told_of(event), "outside": line.outside}

    def _tell(self, lines: Lines, panes: list[Answer]) -> None:
        """Add to the panes the occupants that the page does not know yet; those of a pane that went are forgotten."""
        before = self._told
        self._told = [line.simulation.state.species[line.simulation.crystal.sites] for line in lines.shown]
        for at, (pane, now) in enumerate(zip(panes, self._told, strict=True)):
            sites = np.flatnonzero(before[at] != now) if at < len(before) else None
            if sites is None or sites.size > FEW:
                pane["changed"] = {"all": base64_of(now)}
            else:
                pane["changed"] = {"sites": sites.tolist(), "codes": now[sites].tolist()}


def _told_of(event: Event) -> Answer:
    move = event.move
    return {
        "number": event.number,
        "verb": move.verb,
        "species": move.species,
        "site": move.site,
        "to": move.to,
        "time": event.time,
        "rate": move.rate,
        "probability": event.probability,
        "rule": telling.standing(move.rule),
    }
