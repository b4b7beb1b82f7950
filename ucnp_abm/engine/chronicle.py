"""The events of a run told again as columns: who moved when, how many vacancies there were, what had left the core.

A chronicle owns a twin of the simulation that begins where the known past begins and runs ahead: a state and the number
of its next candidate decide all that follows, so what the twin does is what the simulation did or will do.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ucnp_abm import units
from ucnp_abm.crystal.species import SPECIES, VACANCY, VOID
from ucnp_abm.engine import timeline
from ucnp_abm.engine.told import TOLD, Kept
from ucnp_abm.errors import BadInput
from ucnp_abm.kernels import layout, telling
from ucnp_abm.rules.table import RateTable

if TYPE_CHECKING:
    from ucnp_abm.engine.simulation import Simulation

LOOK_AHEAD = 1_000_000
"""Events that `next_of` tells ahead at most, unless another limit is given."""
_FIRST_PIECE = 1024


class Chronicle:
    """The events of one simulation as columns, told by a twin; the simulation itself is never touched.

    When a temperature is set or laws are edited, `cut` must be called before more is told.

    Parameters
    ----------
    simulation : Simulation
        The first event told is the first of its known past.
    """

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self._vacancies = self._outside = 0
        self._follow_twin(simulation.branch(), simulation.timeline.first_event)
        self.first = self._twin.state.events
        self._kept = Kept(self.first, self._twin.time, self._vacancies, self._outside)
        self._tables = [(self.first, simulation.table)]

    @property
    def last(self) -> int:
        """Number of the last event that was told; `first`, just after which the chronicle begins, if none was."""
        return self._kept.last

    @property
    def kept_after(self) -> int:
        """The events with numbers above this one are kept in full."""
        return self._kept.after

    @property
    def time(self) -> float:
        """Time / s up to which everything was told."""
        return self._twin.time

    def table_of(self, event: int) -> RateTable:
        """The rate table under which an event happened: what the numbers of its channel mean."""
        begins = [after for after, _ in self._tables]
        return self._tables[max(bisect.bisect_left(begins, event) - 1, 0)][1]

    def stretches(self, after: int, upto: int) -> Iterator[tuple[int, int, RateTable]]:
        """The events above `after` and up to `upto`, cut where the rate table changes, and the tables."""
        ends = [begin for begin, _ in self._tables[1:]]
        for (begin, table), end in zip(self._tables, [*ends, upto], strict=True):
            low, high = max(after, begin), min(upto, end)
            if low < high:
                yield low, high, table

    # --- telling ---

    def tell(self, *, event: int | None = None, time: str | float | None = None) -> None:
        """Tell up to an event or a time / s, whichever comes first; less if nothing more can happen.

        Raises
        ------
        BadInput
            If neither is given, or the temperature or the laws are others since and `cut` was not called.
        """
        if event is None and time is None:
            raise BadInput("tell: give an event or a time")
        until = None if time is None else units.amount(units.parse(time, "time", "tell: time"), "tell: time")
        target = None if event is None else units.count(event, "tell: event")
        self._still_true()
        self._tell(target, until)

    def follow(self) -> None:
        """Tell up to the simulation's present event."""
        self.tell(event=self.simulation.state.events)

    def _still_true(self) -> None:
        simulation, (after, table) = self.simulation, self._tables[-1]
        same = simulation.table is table or simulation.table.fingerprint() == table.fingerprint()
        if not same or simulation.protocol != self._twin.protocol:
            raise BadInput("tell: the temperature or the laws are others since: cut the chronicle there first")
        self._tables[-1] = (after, simulation.table)

    def _tell(self, event: int | None, until: float | None = None) -> None:
        twin, most = self._twin, min(timeline.WINDOW, self._kept.piece)
        while (event is None or self.last < event) and (until is None or twin.time < until):
            if twin.state.events - twin.timeline.first_event > timeline.FIRST_SPACING - most:
                twin.begin_here()  # it never goes back: no states of its past are kept
            twin.remember(most)
            goal = self.last + most if event is None else min(event, self.last + most)
            twin.run_to(events=goal, time=until)
            self._take_down(twin.state.events - self.last)
            if self.last < goal:
                return  # the time has come, or nothing more can happen

    def _take_down(self, n: int) -> None:
        """Tell the last `n` events of the twin, whose records are still there."""
        twin, loop = self._twin, self._twin._loop
        kernel = telling.tell_plain if twin.interpreted else telling.tell
        room = self._kept.room(n)
        columns = telling.Told(*(room[name] for name in TOLD.names or ()))
        told = kernel(
            loop.lattice,
            self._held,
            self._names,
            loop.records,
            self.last + 1,
            self._vacancies,
            self._outside,
            columns,
        )
        self._vacancies, self._outside = int(told[0]), int(told[1])
        self._kept.extend(n)

    def cut(self, event: int) -> None:
        """Forget what was told after an event, from which the future is another one now, and go on from there.

        Raises
        ------
        BadInput
            Unless the simulation stands at that event.
        """
        here = self.simulation.state.events
        if units.count(event, "cut: event") != here or event < self.first:
            raise BadInput(
                f"cut: the simulation stands at event {here}, got {event}; events before {self.first} are not told"
            )
        self._tell(event)
        self._follow_twin(self.simulation.branch())
        event_time = float(self._twin.state.clock[layout.EVENT])
        self._kept.forget_after(event, event_time, self._vacancies, self._outside)
        self._tables = [(after, table) for after, table in self._tables if after < event]
        self._tables.append((event, self.simulation.table))

    def _follow_twin(self, twin: Simulation, event: int | None = None) -> None:
        """Take a twin, and note who is where in it, at an event of its past if one is given."""
        if event is not None:
            twin.goto(event=event)
        state, crystal, channels, rates = twin.state, twin.crystal, twin.table.channels, twin._loop.rates
        self._twin = twin
        self._held = telling.Held(state.species.copy(), state.slot.copy(), state.origin.copy())
        self._names = telling.Names(
            number=crystal.number,
            layer=crystal.layer,
            before=rates.channel_from,
            after=rates.channel_to,
            moved=np.array([0, *(SPECIES[channel.species].code for channel in channels)], dtype=np.uint8),
        )
        held = state.species[crystal.sites]
        own = (state.origin[state.slot[crystal.sites]] == 0) & (held != VACANCY) & (held != VOID)
        self._vacancies = state.n_vacancies
        self._outside = int(np.count_nonzero(own & (crystal.layer != 0)))

    # --- asking ---

    def told(self, after: int, upto: int | None = None) -> NDArray[np.void]:
        """The told events with numbers above `after` and up to `upto` (default: `last`), a view of dtype `TOLD`.

        Raises
        ------
        BadInput
            If some of them were not told yet, or are no longer kept in full.
        """
        return self._kept.between(after, self.last if upto is None else upto)

    def at(self, time: float) -> int:
        """Number of the last told event at or before a time / s; of those no longer kept, one that `outline` has."""
        return self._kept.at(time)

    def outline(self, most: int) -> NDArray[np.void]:
        """At most `most` moments of all that was told (dtype `told.POINT`), evenly by event, both ends among them.

        Raises
        ------
        BadInput
            If fewer than two are asked for.
        """
        return self._kept.outline(most)

    def visits(self, upto: int) -> NDArray[np.int64]:
        """(N,) how many of the kept events up to a number changed each site."""
        events, n = self._kept_upto(upto), self.simulation.crystal.n_sites
        hops = events["to"][events["channel"] == 0]
        return np.bincount(events["site"], minlength=n) + np.bincount(hops, minlength=n)

    def moves_of(self, slot: int, upto: int, most: int = 20) -> NDArray[np.int64]:
        """Numbers of the last `most` kept events up to `upto` in which an identity took part, the newest last."""
        self._known_slot(slot)
        events, found, n = self._kept_upto(upto), [np.empty(0, dtype=np.int64)], 0
        end, piece = len(events), _FIRST_PIECE
        while end > 0 and n < most:
            begin = max(end - piece, 0)
            found.append(self.kept_after + 1 + begin + _with(events[begin:end], slot))
            n, end, piece = n + found[-1].size, begin, 2 * piece
        numbers: NDArray[np.int64] = np.concatenate(found[::-1])
        return numbers[numbers.size - min(n, most) :]

    def next_of(self, slot: int, after: int, limit: int = LOOK_AHEAD) -> int | None:
        """Number of the next event above `after` in which an identity takes part; None if none of `limit` is.

        What is missing is told.
        """
        self._known_slot(slot)
        end, piece = after + units.count(limit, "next_of: limit"), _FIRST_PIECE
        while after < end:
            upto = min(after + piece, end)
            self.tell(event=upto)
            upto = min(upto, self.last)
            if upto <= after:
                return None  # nothing more can happen
            found = _with(self.told(after, upto), slot)
            if found.size:
                return after + 1 + int(found[0])
            after, piece = upto, min(2 * piece, self._kept.piece)
        return None

    def _kept_upto(self, upto: int) -> NDArray[np.void]:
        return self.told(self.kept_after, max(upto, self.kept_after))

    def _known_slot(self, slot: int) -> None:
        n = self.simulation.crystal.n_sites
        if isinstance(slot, bool) or not isinstance(slot, (int, np.integer)) or not 0 <= slot < n:
            raise BadInput(f"slot: expected an identity from 0 to {n - 1}, got {slot}")


def _with(events: NDArray[np.void], slot: int) -> NDArray[np.int64]:
    """Positions of the events in which an identity takes part."""
    found: NDArray[np.int64] = np.flatnonzero((events["slot"] == slot) | (events["other"] == slot))
    return found
