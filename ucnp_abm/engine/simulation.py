"""One trajectory: a particle, a rate table, a protocol, and the loop that fires exact events.

What can be asked of it stands in `inspection`, the way back in `timeline`, the arrays in `pack`; what is left is one
class, and stays in one room: the public face of a run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ucnp_abm import seeds, units
from ucnp_abm.crystal.levels import with_levels
from ucnp_abm.crystal.particle import Particle
from ucnp_abm.crystal.state import State
from ucnp_abm.engine.inspection import Inspection
from ucnp_abm.engine.live import check_ahead, next_candidate
from ucnp_abm.engine.memo import Memo
from ucnp_abm.engine.moves import Event
from ucnp_abm.engine.pack import Loop, pack_lattice, pack_plan, pack_rates, pack_records, pack_state, pack_sums
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.schedule import Schedule
from ucnp_abm.engine.timeline import Timeline, carried
from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.kernels import events, layout
from ucnp_abm.rules.check import check
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.rules.table import RateTable
from ucnp_abm.rules.tabulate import tabulate

ENGINE_VERSION = 3
"""Raised whenever the same input would give another trajectory."""

Scheduler = Literal["auto", "rejection", "sum-tree", "linear-scan"]
SCHEDULERS: dict[str, int] = {
    "rejection": layout.REJECTION,
    "sum-tree": layout.SUM_TREE,
    "linear-scan": layout.LINEAR_SCAN,
}
CROSSOVER = 0.1
"""Acceptance below which the sum tree is faster than rejection (docs/speed.md)."""
_NO_LIMIT = np.iinfo(np.int64).max // 2
_FIRST_STRETCH = 2_000
_CANDIDATES_A_CALL = 20_000_000  # about a second: signals are heard between calls of the loop
_MANY_NULLS = 1000  # candidates in vain after which it is worth asking whether anything can happen at all
_STATUS = {
    layout.TIME_REACHED: "time reached",
    layout.NOTHING_LEFT: "nothing left to happen",
    layout.LIMIT_REACHED: "count reached",
}


class Simulation(Inspection):
    """A trajectory that can be run, stepped and asked.

    Parameters
    ----------
    particle : Particle
    mechanism : Mechanism
    protocol : Protocol or str or float
        ``'300 °C for 1 h'``.
    seed : int
        Seed of the events (the particle has its own).
    scheduler : {'auto', 'rejection', 'sum-tree', 'linear-scan'}
        'auto' takes the sum tree where rejection would accept less than one candidate in ten at the start.
    interpreted : bool
        Run the plain Python text of the loop: the same events, slowly, for debuggers.
    present : iterable of str
        Species that may be there besides those of the particle, when a state of another run is taken up.

    Raises
    ------
    BadInput, BadMechanism, BadRate
        Before anything runs.
    """

    def __init__(
        self,
        particle: Particle,
        mechanism: Mechanism,
        protocol: Protocol | str | float = "300 °C",
        *,
        seed: int = 0,
        scheduler: Scheduler = "auto",
        interpreted: bool = False,
        present: Iterable[str] = (),
    ) -> None:
        if not isinstance(particle, Particle):
            raise BadInput(f"particle: expected a Particle, such as Particle.core_shell(…), got {particle!r}")
        if not isinstance(mechanism, Mechanism):
            raise BadInput(
                f"mechanism: expected a Mechanism, such as ucnp_abm.mechanism('y-complex'), got {mechanism!r}"
            )
        if not isinstance(scheduler, str) or scheduler not in ("auto", *SCHEDULERS):
            raise BadInput(f"scheduler: unknown scheduler '{scheduler}'{nearest(scheduler, ('auto', *SCHEDULERS))}")
        self.particle = particle
        self.mechanism = mechanism = mechanism.on(particle.crystal.lattice.name)
        self.crystal = with_levels(particle.crystal, mechanism.division)
        self.protocol = Protocol.parse(protocol)
        self.seed = seed
        self.key = seeds.philox_key(seed)
        self.interpreted = interpreted
        self.present = tuple(sorted({*present} - {*particle.counts}))
        counts = {**particle.counts, **dict.fromkeys(self.present, 1)}
        self.table: RateTable = tabulate(mechanism, self.crystal, counts, particle.immobile)
        check(self.table)
        if "vacancy" not in counts and all(c.before == "vacancy" for c in self.table.channels):
            raise BadInput(
                f"{mechanism.name}: this particle holds no vacancies and no rule makes any: nothing can happen"
            )
        self.memo = Memo(self.table)
        if self.memo and scheduler not in ("auto", "rejection"):
            raise BadInput(
                f"{mechanism.name}: rows that are worked out on the way need the scheduler 'rejection', "
                f"got '{scheduler}'"
            )
        self._state = self.fresh()
        self.scheduler = "rejection" if scheduler == "auto" else scheduler
        self._loop: Loop = self._packed()
        if scheduler == "auto" and not self.memo and self.acceptance < CROSSOVER:
            self.scheduler = "sum-tree"
            self._loop = self._packed()
        self.timeline = Timeline(self)

    # --- running ---

    def run(
        self,
        *,
        steps: float | None = None,
        time: str | float | None = None,
        events: int | None = None,
        candidates: int | None = None,
    ) -> str:
        """Go on for so many steps, seconds, events or candidates, whichever comes first; returns why it stopped."""
        return self.run_to(
            steps=None if steps is None else self.steps + units.amount(steps, "steps"),
            time=None if time is None else self.time + units.amount(units.parse(time, "time", "time"), "time"),
            events=None if events is None else self.state.events + units.count(events, "events"),
            candidates=None if candidates is None else self.state.candidates + units.count(candidates, "candidates"),
        )

    def run_to(
        self,
        *,
        steps: float | None = None,
        time: str | float | None = None,
        events: int | None = None,
        candidates: int | None = None,
    ) -> str:
        """As `run`, with absolute marks. A run in pieces is bit for bit the run in one.

        Raises
        ------
        BadInput
            If no mark is given, or one is no number or lies before now.
        """
        if steps in (None, math.inf) and time is None and events is None and candidates is None:
            raise BadInput("run: say for how long, in steps, time, events or candidates")
        until = min(
            math.inf if time is None else units.amount(units.parse(time, "time", "time"), "time"),
            math.inf if steps is None else self.protocol.time(units.amount(steps, "steps"), self.crystal.z),
        )
        if until < self.time * (1 - 1e-9):
            raise BadInput(f"run: {until:g} s lies before now ({self.time:g} s)")
        last_event = _NO_LIMIT if events is None else units.count(events, "events")
        last_candidate = _NO_LIMIT if candidates is None else units.count(candidates, "candidates")
        return self._advance(max(until, self.time), last_event, last_candidate)

    def _advance(self, until: float, last_event: int, last_candidate: int) -> str:
        advance = events.advance_plain if self.interpreted else events.advance
        stretch, begun = _FIRST_STRETCH, self.time
        while True:
            pause = min(last_candidate, self.state.candidates + stretch)
            stretch = min(2 * stretch, _CANDIDATES_A_CALL)
            with np.errstate(over="ignore"):  # of times that no crystal will see, in the interpreted loop
                status = advance(*self._loop, until, last_event, pause)
            self.timeline.follow()
            if status == layout.LIST_FULL:
                self._make_room()
            elif status == layout.ROW_WANTED:
                self._know(*next_candidate(self._loop, until, self.interpreted)[2:])
            elif self.state.nulls > _MANY_NULLS and self._stuck():
                self._rest(until if until < math.inf else begun)
                return _STATUS[layout.NOTHING_LEFT]
            elif status != layout.LIMIT_REACHED or self.state.events >= last_event or pause == last_candidate:
                return _STATUS[int(status)]

    def fire(self, *, live: bool = False, until: float = math.inf) -> Event | None:
        """Exactly one event; None if nothing can happen, or nothing before `until` (s).

        With `live` the law itself is called for every candidate on the way (breakpoints inside it work) and compared
        with the table.

        Raises
        ------
        LiveMismatch
            If a law disagrees with its table row.
        BadInput
            If `until` lies before now.
        """
        if isinstance(until, bool) or not isinstance(until, (int, float)) or not until >= self.time:
            raise BadInput(f"fire: until: expected a time of at least now ({self.time:g} s), got {until!r}")
        if live:
            check_ahead(self, until)
        self.timeline.remember(1)
        if self._advance(until, self.state.events + 1, _NO_LIMIT) != _STATUS[layout.LIMIT_REACHED]:
            return None
        return self.timeline.last_event()

    # --- in time ---

    def fresh(self) -> State:
        """The state at time zero."""
        return self.particle.state().with_channels(
            len(self.table.channels), [reservoir.size or 0 for reservoir in self.table.reservoirs]
        )

    def back(self, events: int = 1) -> None:
        """Undo the last events, exactly: afterwards all is as it was just after the event before them."""
        self.timeline.back(events)

    def goto(self, *, event: int | None = None, time: str | float | None = None, step: float | None = None) -> None:
        """Go to the moment just after an event, or to a time or step, before or after now."""
        self.timeline.goto(event=event, time=time, step=step)

    def branch(self, *, seed: int | None = None, mechanism: Mechanism | None = None) -> Simulation:
        """Another run from here on, with another seed or mechanism; this one stays as it is.

        With another seed or mechanism the past is not its own: it cannot go back beyond this moment, from which its
        clock runs. Counters of channels and reservoirs that both mechanisms have go on; those of others start anew.
        """
        same = seed in (None, self.seed) and mechanism is None
        other = Simulation(
            self.particle,
            self.mechanism if mechanism is None else mechanism,
            self.protocol,
            seed=self.seed if seed is None else seed,
            scheduler="auto" if mechanism is not None else self.scheduler,
            interpreted=self.interpreted,
            present=[*self.present, *self.species_here()],
        )
        other.restore(carried(self.state, self.table, other.state, other.table))
        if not same:
            other.state.begin_anew()
        other.timeline = Timeline(other, begin=self.timeline.begin if same else other.state)
        return other

    def reload(self, mechanism: Mechanism) -> bool:
        """Go on under another mechanism, or an edited one: state, time and key stay; tells whether any rate changed.

        If every energy is what it was, nothing else happens: what follows is what would have followed, and the past
        stays. Otherwise this run becomes the branch that `branch(mechanism=…)` gives, whose past begins now and whose
        scheduler is chosen anew. If the mechanism cannot be used, nothing has changed.

        Raises
        ------
        BadInput, BadMechanism, BadRate
            As for a new simulation.
        """
        other = self.branch(mechanism=mechanism)
        if other.table.fingerprint() == self.table.fingerprint():
            self.mechanism, self.table, self.memo = other.mechanism, other.table, other.memo
            self._loop = self._packed()
            return False
        window = self._loop.records.time.size
        vars(self).update(vars(other))
        self.timeline = Timeline(self, begin=self.state)
        if window:
            self.timeline.remember(window - 2)
        return True

    def begin_here(self) -> None:
        """Forget the way here: nothing before this moment can be gone back to."""
        self.timeline = Timeline(self, begin=self.state)

    def remember(self, n: int) -> None:
        """Keep records of at least the last `n` events from now on, 47 bytes each: undoing them needs no replay."""
        self.timeline.remember(n)

    def remembered(self, after: int) -> NDArray[np.void]:
        """The kept events with numbers above `after` (dtype `timeline.EVENT`).

        Raises
        ------
        BadInput
            If some of them are no longer kept.
        """
        return self.timeline.remembered(after)

    def set_temperature(self, temperature: str | float) -> None:
        """Set another furnace temperature / K from now on: an edge; the pending candidate keeps its words."""
        kelvin = units.positive(temperature, "temperature", "temperature")
        before = self.protocol
        self.protocol = before.changed(self.time, kelvin)
        try:
            self._loop = self._packed()
            self.timeline.forget_future()
        except BaseException:
            self.protocol = before
            self._packed()
            raise

    def restore(self, state: State) -> None:
        """Take up another state of this run; it is used as it is, not copied."""
        self._use(state)
        self.timeline.begin_records()

    # --- helpers ---

    def _use(self, state: State) -> None:
        self._state = state
        packed = pack_state(state)
        sums = pack_sums(self.crystal, packed, self._loop.rates, SCHEDULERS[self.scheduler])
        self._loop = self._loop._replace(state=packed, sums=sums)

    def _make_room(self) -> None:
        self.state.grow()
        self._use(self.state)

    def _packed(self) -> Loop:
        self.schedule = Schedule.of(self.protocol, self.mechanism.drives)
        lattice, state = pack_lattice(self.crystal), pack_state(self.state)
        rates = self.memo.behind(pack_rates(self.table, self.crystal, self.schedule.conditions))
        scheduler = SCHEDULERS[self.scheduler]
        return Loop(
            lattice,
            state,
            rates,
            pack_plan(self.schedule, self.key, scheduler),
            pack_sums(self.crystal, state, rates, scheduler),
            self._loop.records if hasattr(self, "_loop") else pack_records(0),
        )

    def _rest(self, now: float) -> None:
        """Nothing can happen any more: the candidates in vain never were, however long the crystal waits."""
        self.state.settle()
        self.state.clock[layout.NOW] = max(now, self.time)

    def _stuck(self) -> bool:
        """Whether nothing can happen now or under any later condition, though candidates are still drawn."""
        later = {
            c for c, end in zip(self._loop.plan.condition, self._loop.plan.edges[1:], strict=True) if end > self.time
        }
        return all(self.total_rate(int(c)) == 0.0 for c in later)
