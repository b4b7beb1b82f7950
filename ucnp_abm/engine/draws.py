"""The candidates that were drawn on the way to the last event, refused ones too, and their laws called again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ucnp_abm.engine.live import next_candidate
from ucnp_abm.engine.look import look
from ucnp_abm.engine.moves import Move
from ucnp_abm.engine.pack import Loop, pack_records, pack_state
from ucnp_abm.kernels import events, layout, random_words
from ucnp_abm.kernels.rates import limit

if TYPE_CHECKING:
    from ucnp_abm.engine.simulation import Simulation

MOST = 12
"""Candidates that are told, unless another number is given."""


@dataclass(frozen=True)
class Draw:
    """One candidate.

    Attributes
    ----------
    candidate : int
        1 for the first candidate of the run.
    time : float
        s.
    move : Move
        What was drawn, with its rate and the terms of it, at that moment.
    bound : float or None
        Rate / s⁻¹ that no event of its channel exceeds; None unless the scheduler is 'rejection'.
    accepted : bool
        Whether it became the event.
    words : tuple of 4 int
        The random words: pool, member and direction, acceptance, waiting time.
    law : float or None
        What the law says now / eV, infinity where it forbids the event; None where no rule exists.
    """

    candidate: int
    time: float
    move: Move
    bound: float | None
    accepted: bool
    words: tuple[int, int, int, int]
    law: float | None

    @property
    def agrees(self) -> bool:
        """Whether the law says what stands in the row of the rate table."""
        return self.law is None or self.law == self.move.barrier

    def __str__(self) -> str:
        fate = "accepted" if self.accepted else "refused"
        of = "" if self.bound is None else f" of at most {self.bound:.3e} /s"
        return f"candidate {self.candidate} at {self.time:.6g} s, {fate}: {self.move}{of}"


class Draws(NamedTuple):
    """All candidates since the event before the last one: how many there were, and the newest of them in order."""

    n_drawn: int
    newest: list[Draw]


def draws(simulation: Simulation, most: int = MOST) -> Draws:
    """The candidates that led to the simulation's last event, which is the last of them; everything stays as it is.

    There are none if nothing has happened since its known past began. A past whose records are not kept is run again.
    """
    timeline, number = simulation.timeline, simulation.state.events
    if number == timeline.first_event:
        return Draws(0, [])
    timeline.keep_latest()
    loop = simulation._loop._replace(state=pack_state(simulation.state.copy()))
    try:
        return _drawn(simulation, loop, number, most)
    finally:
        loop.sums.condition[0] = -1  # the tree is that of the moment before


def _drawn(simulation: Simulation, loop: Loop, number: int, most: int) -> Draws:
    """Go back to the event before on a copy of the state, and draw again."""
    tally = loop.state.tally
    last = int(tally[layout.EVENT_CANDIDATE])
    retreat = events.retreat_plain if simulation.interpreted else events.retreat
    retreat(*loop, number - 1)
    before = int(tally[layout.CANDIDATES])
    ahead = loop._replace(records=pack_records(0))  # those of the run stay as they are
    advance = events.advance_plain if simulation.interpreted else events.advance
    newest: list[Draw] = []
    while tally[layout.EVENTS] < number and tally[layout.CANDIDATES] < last:
        if tally[layout.CANDIDATES] < last - most:
            with np.errstate(over="ignore"):
                status = int(advance(*ahead, np.inf, number, last - most))
            if status != layout.ROW_WANTED:
                continue
        drawn, ahead = _next(simulation, ahead)
        newest += drawn
    return Draws(last - before, newest[-most:] if most else [])


def _next(simulation: Simulation, ahead: Loop) -> tuple[list[Draw], Loop]:
    """Consume one candidate as it is; none if its row had to be worked out first."""
    candidate = int(ahead.state.tally[layout.CANDIDATES]) + 1
    status, m, channel, i, d = next_candidate(ahead, math.inf, simulation.interpreted)
    if status == layout.ROW_WANTED:
        known = simulation.memo.known(ahead, channel, i, d)
        simulation._loop = simulation._loop._replace(rates=known.rates)
        return [], known
    condition = int(ahead.plan.condition[m])
    kelvin = simulation.schedule.conditions[condition].temperature
    table, memo = simulation.table, simulation.memo
    move = look(simulation.crystal, table, memo, ahead, channel, i, d, condition, kelvin)
    words = random_words.words(candidate, ahead.plan.round_keys)
    drawn = Draw(
        candidate=candidate,
        time=float(ahead.state.clock[layout.LAST]),
        move=move,
        bound=float(limit(ahead.state, ahead.rates, condition, channel))
        if ahead.plan.scheduler == layout.REJECTION
        else None,
        accepted=status == layout.FOUND,
        words=(int(words[0]), int(words[1]), int(words[2]), int(words[3])),
        law=table.law_value(move.rule, move.environment)
        if move.rule is not None and move.environment is not None
        else None,
    )
    return [drawn], ahead
