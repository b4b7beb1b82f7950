"""The way back: events are undone from their records, and what lies further behind is run again from a kept state.

Both land on exactly the state that was: a record holds what an event cannot tell by itself, and a state and the number
of its next candidate decide all that follows.
"""

from __future__ import annotations

import bisect
import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ucnp_abm import units
from ucnp_abm.crystal.state import COUNTERS, State
from ucnp_abm.engine.moves import Event
from ucnp_abm.engine.pack import pack_records
from ucnp_abm.errors import BadInput
from ucnp_abm.kernels import events, random_words
from ucnp_abm.kernels.layout import EVENT as EVENT_TIME
from ucnp_abm.rules.table import Channel, RateTable

if TYPE_CHECKING:
    from ucnp_abm.engine.simulation import Simulation

WINDOW = 65_534
"""Events whose records are kept once somebody wants to go back."""
MOST = 20_000_000
"""Records that may be asked for; 47 bytes each."""
KEPT_BYTES = 64_000_000
"""Room for states of the past; the start needs none of it, for it can be built again."""
FIRST_SPACING = 1_000_000
"""Events between two kept states, until the room is full; then twice as many."""
EVENT = np.dtype([("t_s", "<f8"), ("site", "<u4"), ("channel", "u1"), ("direction", "u1")])
"""An event as a log keeps it: time / s, site of the vacancy or of the one-site verb, channel (0: hop), direction."""


class Timeline:
    """The past of one simulation.

    Parameters
    ----------
    simulation : Simulation
    begin : State or None
        The state before which nothing is known, for a run that branched off or was loaded; None: the start.
    """

    def __init__(self, simulation: Simulation, begin: State | None = None) -> None:
        self.simulation = simulation
        self.begin = None if begin is None else begin.copy()
        self._kept: list[State] = []
        self._spacing = FIRST_SPACING
        self._base: int
        self._newest: int
        self.begin_records()

    @property
    def first_event(self) -> int:
        """Number of the event just after which the known past begins; 0: the start."""
        return 0 if self.begin is None else self.begin.events

    @cached_property
    def _number(self) -> NDArray[np.int32]:
        """(G,) site number of each grid point; kept for those who read many events."""
        return self.simulation.crystal.number

    # --- while it runs forwards ---

    def follow(self) -> None:
        """Take note of how far the simulation has come; keeps a state now and then."""
        state = self.simulation.state
        self._newest = max(self._newest, state.events)
        last = self._kept[-1].events if self._kept else self.first_event
        if state.events < last + self._spacing:
            return
        self._kept.append(state.copy())
        if len(self._kept) * state.nbytes > KEPT_BYTES:
            self._kept = self._kept[1::2]
            self._spacing *= 2

    def begin_records(self) -> None:
        """Records begin at the present event, which has one of its own: the state is another one."""
        records, state = self.simulation._loop.records, self.simulation.state
        self._base = self._newest = state.events
        if records.time.size:
            at = state.events & (records.time.size - 1)
            records.candidate[at] = state.candidates - state.nulls
            records.time[at] = state.clock[EVENT_TIME]

    def forget_future(self) -> None:
        """Drop what was kept of times after now: the conditions there have changed."""
        now = self.simulation.time
        self._kept = [state for state in self._kept if state.time <= now]

    def remember(self, n: int) -> None:
        """Keep records of at least the last `n` events from now on."""
        simulation = self.simulation
        if units.count(n, "remember") > MOST:
            raise BadInput(f"remember: expected at most {MOST:,} events, got {n}")
        if n > simulation._loop.records.time.size - 2:
            simulation._loop = simulation._loop._replace(records=pack_records(int(n)))
            self.begin_records()

    def remembered(self, after: int) -> NDArray[np.void]:
        """The kept events with numbers above `after`."""
        simulation, records = self.simulation, self.simulation._loop.records
        now = simulation.state.events
        if not self._first_undoable <= units.count(after, "events: after") <= now:
            raise BadInput(f"events: only those after {self._first_undoable} and up to {now} are kept, got {after}")
        if after == now:
            return np.empty(0, dtype=EVENT)
        where = np.arange(after + 1, now + 1) & (records.time.size - 1)
        kept = np.empty(where.size, dtype=EVENT)
        kept["t_s"], kept["channel"], kept["direction"] = (
            records.time[where],
            records.channel[where],
            records.direction[where],
        )
        kept["site"] = self._number[records.site[where]]
        return kept

    def last_event(self) -> Event:
        """The last event, as it stood just before it happened: it is undone for a moment."""
        simulation, state = self.simulation, self.simulation.state
        loop = simulation._loop
        number, r = state.events, state.events & (loop.records.time.size - 1)
        channel, i, d = int(loop.records.channel[r]), int(loop.records.site[r]), int(loop.records.direction[r])
        candidate, time = state.candidates, state.time
        before = math.nextafter(time, 0.0)  # an edge at the event was set after it
        condition = simulation.schedule.segments[simulation.schedule.segment(before)]
        self._retreat(number - 1)
        move, total = simulation.move(channel, i, d, condition), simulation.total_rate(condition)
        slot = int(state.slot[simulation.crystal.sites[move.to]])
        simulation.run_to(events=number)
        words = random_words.words(candidate, loop.plan.round_keys)
        return Event(
            number, candidate, time, slot, move, total, (int(words[0]), int(words[1]), int(words[2]), int(words[3]))
        )

    def latest(self) -> Event | None:
        """The last event, also of a run that stands between two or kept no record of it; None where its past begins.

        The run stays exactly as it is.
        """
        if self.simulation.state.events == self.first_event:
            return None
        self.keep_latest()
        state = self.simulation.state
        tally, clock = state.tally.copy(), state.clock.copy()
        state.settle()
        event = self.last_event()
        state.tally[:], state.clock[:] = tally, clock  # after it, there were null candidates only
        return event

    def keep_latest(self) -> None:
        """See to it that the record of the last event is there: without one it is run again, up to this very moment."""
        simulation, number = self.simulation, self.simulation.state.events
        if number - 1 >= self._first_undoable:
            return
        tally, clock = simulation.state.tally.copy(), simulation.state.clock.copy()
        simulation.goto(event=number - 1)
        simulation.remember(1)
        simulation.run_to(events=number)
        simulation.state.tally[:], simulation.state.clock[:] = tally, clock

    # --- backwards ---

    def back(self, n: int) -> None:
        """Undo the last `n` events.

        Raises
        ------
        BadInput
            If there have not been so many.
        """
        there = self.simulation.state.events - self.first_event
        if units.count(n, "back: events") > there:
            since = f" since event {self.first_event}, where its own past begins" if self.first_event else ""
            raise BadInput(f"back: {n} events were to be undone, but this run has had {there}{since}")
        self._to_event(self.simulation.state.events - n)

    def goto(self, *, event: int | None, time: str | float | None, step: float | None) -> None:
        """Go to the moment just after an event, or to a time / s or step, before or after now.

        Raises
        ------
        BadInput
            Unless one of them is given, or if it lies before the known past.
        """
        simulation = self.simulation
        if sum(mark is not None for mark in (event, time, step)) != 1:
            raise BadInput("goto: give one of event, time and step")
        if event is not None:
            self._to_event(units.count(event, "goto: event"))
        elif time is not None:
            self._to_time(units.amount(units.parse(time, "time", "goto: time"), "goto: time"))
        elif step is not None:
            steps = units.amount(step, "goto: step")
            if not math.isfinite(steps):
                raise BadInput(f"goto: step: expected a finite number, got {step!r}")
            self._to_time(simulation.protocol.time(steps, simulation.crystal.z))

    def _to_event(self, event: int) -> None:
        simulation = self.simulation
        self._known(event, self.first_event, f"event {event}")
        if event > simulation.state.events:
            simulation.run_to(events=event)
            return
        if event < self._first_undoable:
            at = bisect.bisect_right(self._kept, event, key=lambda state: state.events)
            self._take_up(at)
            if simulation.state.events < event:
                if event - simulation.state.events > WINDOW:
                    simulation.run_to(events=event - WINDOW)
                self.remember(WINDOW)
                simulation.run_to(events=event)
        if simulation.state.events > event:
            self._retreat(event)
        elif simulation.state.events == event:
            simulation.state.settle()

    def _retreat(self, event: int) -> None:
        retreat = events.retreat_plain if self.simulation.interpreted else events.retreat
        retreat(*self.simulation._loop, event)

    def _to_time(self, time: float) -> None:
        simulation = self.simulation
        begin = 0.0 if self.begin is None else self.begin.time
        self._known(time, begin, f"{time:g} s")
        if time < simulation.time:
            event = self._last_event_until(time)
            if event is None:
                self._take_up(bisect.bisect_right(self._kept, time, key=lambda state: state.time))
            else:
                self._to_event(event)
        simulation.run_to(time=time)

    def _last_event_until(self, time: float) -> int | None:
        """Number of the last event at or before a time / s, if its record is kept."""
        records, first = self.simulation._loop.records, self._first_undoable
        numbers = np.arange(first, self.simulation.state.events + 1)
        if records.time.size == 0 or records.time[first & (records.time.size - 1)] > time:
            return None
        return int(first + np.searchsorted(records.time[numbers & (records.time.size - 1)], time, side="right") - 1)

    def _known(self, given: float, begin: float, what: str) -> None:
        if given < begin or given < 0:
            raise BadInput(
                f"goto: {what} lies before the past that this run knows, which begins after event {self.first_event}"
                + ("; go back in the run that it came from" if self.first_event else "")
            )

    def _take_up(self, at: int) -> None:
        """Go back to a kept state: number `at` - 1 of them, or the begin."""
        simulation = self.simulation
        kept = self._kept[at - 1] if at else self.begin
        simulation.restore(simulation.fresh() if kept is None else kept.copy())

    @property
    def _first_undoable(self) -> int:
        """The event to which records lead back: its own record is the oldest but one; a candidate overwrites that."""
        size = self.simulation._loop.records.time.size
        return max(self._base, self._newest - size + 2) if size else self.simulation.state.events


def carried(state: State, table: RateTable, fresh: State, other: RateTable) -> State:
    """The state, under another table: counters that both have go on, others begin anew.

    What was taken from a species' bath stays taken, also if the bath is of another size now; a bath that never held
    so much is empty.
    """
    new = state.copy()
    new.tally, new.reservoir = fresh.tally.copy(), fresh.reservoir.copy()
    new.tally[: COUNTERS + 1] = state.tally[: COUNTERS + 1]
    before = {_what(table, channel): n for n, channel in enumerate(table.channels)}
    for n, channel in enumerate(other.channels):
        if (what := _what(other, channel)) in before:
            new.tally[COUNTERS + 1 + n] = state.tally[COUNTERS + 1 + before[what]]
    taken = {
        bath.species: (bath.size or 0) - int(left)
        for bath, left in zip(table.reservoirs, state.reservoir.tolist(), strict=True)
    }
    for n, bath in enumerate(other.reservoirs):
        left = (bath.size or 0) - taken.get(bath.species, 0)
        new.reservoir[n] = left if bath.size is None else max(left, 0)
    return new


def _what(table: RateTable, channel: Channel) -> tuple[str, str, str, str]:
    """What a channel does, and which drive makes it do so."""
    drive = table.mechanism.drives[channel.drive].name if channel.drive >= 0 else ""
    return channel.verb, channel.before, channel.after, drive
