"""Two lines side by side: the first event that differs, found in their chronicles."""

from __future__ import annotations

from typing import Any

import numpy as np

from ucnp_abm.engine.moves import Event
from ucnp_abm.runs.parting import reasons
from ucnp_abm.server.line import Line

AHEAD = 100_000
"""Events that are told ahead to find the place, at most."""


class Parted:
    """Where two lines part.

    Parameters
    ----------
    a, b : Line
        On the same crystal.

    Attributes
    ----------
    event : int or None
        Number of the first event that differs; None if none of those that are known to both does.
    common : int
        Number of the last event that is known to be the same.
    """

    def __init__(self, a: Line, b: Line) -> None:
        self.a, self.b = a, b
        self.event: int | None = None
        self.why: list[str] = []
        self.common = max(line.chronicle.kept_after for line in (a, b))
        self._missed = self.common > max(line.chronicle.first for line in (a, b))  # they may have parted before
        self._search(self.common + AHEAD)

    def follow(self) -> None:
        """Look at what was told since."""
        if self.event is None:
            self._search(max(line.simulation.state.events for line in (self.a, self.b)))

    def _search(self, upto: int) -> None:
        kept_after = max(line.chronicle.kept_after for line in (self.a, self.b))
        if self.event is None and self.common < kept_after:
            self.common, self._missed = kept_after, True
        while self.event is None and self.common < upto:
            end = min(self.common + 4096, upto)
            for line in (self.a, self.b):
                line.chronicle.tell(event=end)
            last = min(line.chronicle.last for line in (self.a, self.b))
            told = [line.chronicle.told(self.common, min(end, last)) for line in (self.a, self.b)]
            names = [line.names(self.common, min(end, last)) for line in (self.a, self.b)]
            differ = names[0] != names[1]
            for field in ("t_s", "site", "to"):
                differ |= told[0][field] != told[1][field]
            if differ.any():
                self.event = self.common + 1 + int(np.argmax(differ))
                self._explain()
            elif min(end, last) < end:
                if self.a.chronicle.last != self.b.chronicle.last:
                    self.event = self.common + told[0].size + 1
                    self._explain()
                self.common += told[0].size
                return
            else:
                self.common = end

    def _explain(self) -> None:
        """Go to the last common event on copies, and ask both for their next."""
        assert self.event is not None
        if self._missed:
            return  # it may have been earlier
        pair = self.a.simulation.branch(), self.b.simulation.branch()
        if all(one.timeline.first_event <= self.event - 1 for one in pair):
            for one in pair:
                one.goto(event=self.event - 1)
            nexts: list[Event | None] = []
            for one in pair:
                nexts.append(one.fire())
                if nexts[-1] is not None:
                    one.back()
            self.why = reasons(pair, (nexts[0], nexts[1]))

    def told(self) -> dict[str, Any]:
        """For the page."""
        if self.event is None:
            return {"event": None, "text": f"Both are the same up to event {self.common}."}
        why = f", because {'; '.join(self.why)}" if self.why else ""
        place = f"{self.event} or before" if self._missed else f"{self.event}"
        return {"event": self.event, "text": f"They part at event {place}{why}."}
