"""What happened to each identity, kept event by event while a model is told to remember."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ucnp_abm.engine.moves import Event
from ucnp_abm.errors import BadInput


class History:
    """Events by identity, with the generations that each of them ended and began.

    Parameters
    ----------
    already : int
        Events that happened before the recording began.
    """

    def __init__(self, already: int) -> None:
        self._last = already
        self._by_slot: dict[int, list[tuple[int, int, Event]]] = defaultdict(list)

    def record(self, event: Event, generations: Iterable[tuple[int, int, int]]) -> None:
        """Keep an event for each (slot, generation before, generation after) that took part in it."""
        if event.number == self._last + 1:
            self._last = event.number
        for slot, before, after in generations:
            self._by_slot[slot].append((before, after, event))

    def forget(self, events: int) -> None:
        """Drop what happened after so many events: it has been undone."""
        self._last = min(self._last, events)
        for kept in self._by_slot.values():
            while kept and kept[-1][2].number > events:
                kept.pop()

    def of(self, slot: int, generation: int | None, events: int) -> list[Event]:
        """Events of an identity, or of one generation of it; `events` is how many the run has had so far.

        Raises
        ------
        BadInput
            If some of them were not recorded.
        """
        if events != self._last:
            raise BadInput(
                f"history: the run has had {events} events, but only the first {self._last} went through this model; "
                "use model.run() and model.fire(), not those of model.simulation"
            )
        kept = self._by_slot.get(slot, [])
        return [event for before, after, event in kept if generation in (None, before, after)]
