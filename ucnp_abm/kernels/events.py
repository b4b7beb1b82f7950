"""The event loop: the same text runs compiled (`advance`) or interpreted (`advance_plain`).

*Pooled rejection*: every hop of a vacancy lies in one pool, every transform channel in a pool of its own. A pool
is drawn by its exact bound, a candidate uniformly inside it, its rate is looked up only now, and it is accepted
with rate / bound. A null candidate advances time exactly. *Sum tree*: rates are kept summed, each candidate is an
event; for rates so different that rejection would refuse nearly all. *Linear scan*: the rates of all events are summed
in a fixed order and one is drawn; slow, and the oracle of the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ucnp_abm.kernels.choose import UNKNOWN, draw_by_rejection, draw_by_scan, next_time
from ucnp_abm.kernels.compiling import compiled, fetch, helper, multiply, text_of_all
from ucnp_abm.kernels.layout import (
    ACCEPTED,
    CANDIDATES,
    CHANNEL_0,
    EVENT,
    EVENT_CANDIDATE,
    EVENTS,
    FOUND,
    HOPS,
    LAST,
    LIMIT_REACHED,
    LIST_FULL,
    N_EXPOSED,
    N_VACANCIES,
    NOTHING_LEFT,
    NOW,
    NULL_CANDIDATE,
    REJECTION,
    REVERSALS,
    ROW_WANTED,
    SUM_TREE,
    TIME_REACHED,
    UNDECIDED,
    ZERO,
    Lattice,
    Plan,
    Rates,
    Records,
    State,
    Sums,
)
from ucnp_abm.kernels.primitives import apply, either, exchange, note, unapply
from ucnp_abm.kernels.random_words import Words, hazard, unit, words
from ucnp_abm.kernels.rates import (
    bound_total,
    directions,
    hop_rate,
    hop_rate_to,
    limit,
    members,
    neighbour,
    next_unknown,
    rate_total,
)
from ucnp_abm.kernels.tree import draw_by_tree, follow

MOST_SECONDS = 1.7976931348623157e308
"""The last time that is a number: beyond it nothing happens."""

CACHED = 200_000  # grid points; beyond this the loop asks for memory ahead


@helper
def propose(
    lattice: Lattice, state: State, rates: Rates, plan: Plan, sums: Sums, m: int, total: float, until: float
) -> tuple[int, int, float, int, Any, Any, Any]:
    """Consume the next candidate and leave the crystal as it is, unless its time lies beyond `until` (s).

    A candidate whose rate must be worked out first (ROW_WANTED) is not consumed either.

    `m` is a segment that has begun, `total` its total or UNKNOWN (see `next_time`). Returns status, segment, total,
    channel, position in `vacancies`, site, direction.
    """
    w0, w1, w2, w3 = words(state.tally[CANDIDATES] + 1, plan.round_keys)
    t, m, total = next_time(lattice, state, rates, plan, sums, m, state.clock[LAST], hazard(w3), total)
    if t > until or t == math.inf:
        if until < math.inf:
            state.clock[NOW] = until
        return (NOTHING_LEFT if t == math.inf else TIME_REACHED), m, total, 0, ZERO, np.uint32(0), ZERO
    c, x, fate = plan.condition[m], unit(w0) * total, ACCEPTED
    if plan.scheduler == REJECTION:
        channel, k, i, d, fate = draw_by_rejection(lattice, state, rates, c, x, w1, unit(w2))
    elif plan.scheduler == SUM_TREE:
        channel, k, i, d = draw_by_tree(lattice, state, rates, sums, c, x)
    else:
        channel, k, i, d = draw_by_scan(lattice, state, rates, c, x)
    if fate == UNDECIDED:
        return ROW_WANTED, m, total, channel, k, i, d
    state.tally[CANDIDATES] += 1
    state.clock[LAST] = t
    state.clock[NOW] = t
    return (FOUND if fate == ACCEPTED else NULL_CANDIDATE), m, total, channel, k, i, d


@helper
def hop_on(
    lattice: Lattice,
    state: State,
    rates: Rates,
    plan: Plan,
    records: Records,
    m: int,
    total: float,
    until: float,
    last_event: int,
    last_candidate: int,
    large: bool,
) -> float:
    """Consume candidates of pooled rejection, as `propose` and `apply` would, as long as all of them are hops.

    `total` is that of segment m. It ends before a candidate beyond `until` (s), the segment or the pool of hops, and
    returns the total now. It also ends before a candidate whose rate must be worked out. Nearly all candidates pass
    here: what stays the same is looked up once, and in a `large` crystal memory is asked for ahead.
    """
    c = plan.condition[m]
    n, z = np.uint64(state.tally[N_VACANCIES]), np.uint64(lattice.offset.shape[1])
    bound = limit(state, rates, c, HOPS)
    share = members(lattice, state, rates, HOPS) * directions(lattice, HOPS) * bound
    edge, alone = min(plan.edges[m + 1], MOST_SECONDS), rates.bound.shape[1] == 1
    n_exposed, known = state.tally[N_EXPOSED], rates.memo_key.size == 0
    candidate, events, reversals, t = state.tally[CANDIDATES], state.tally[EVENTS], 0, state.clock[LAST]
    event_candidate, event_time = state.tally[EVENT_CANDIDATE], state.clock[EVENT]
    first_candidate, first_event = candidate, events
    w = near = far = words(candidate + 1, plan.round_keys)
    if large:
        near, far = words(candidate + 2, plan.round_keys), words(candidate + 3, plan.round_keys)
    while events < last_event and candidate < last_candidate:
        after = t + hazard(w[3]) / total
        if not (after <= edge and after <= until and (alone or unit(w[0]) * total < share)):
            break
        k, rest = multiply(w[1], n)
        d, _ = multiply(rest, z)
        accept = unit(w[2]) * bound
        if not known and math.isnan(hop_rate(lattice, state, rates, c, state.vacancies[k], d)):
            break
        candidate += 1
        t = after
        if large:
            foresee(lattice, state, near, far, n)
            w, near, far = near, far, words(candidate + 3, plan.round_keys)
        else:
            w = words(candidate + 1, plan.round_keys)
        i = state.vacancies[k]
        j = neighbour(lattice, state, i, d)
        yes = np.int64(accept < hop_rate_to(lattice, state, rates, c, i, j, d))
        if records.time.size > 0:
            note(state, rates, records, events + 1, candidate, t, HOPS, k, i, d)
        reversals += exchange(lattice, state, k, i, d, j, yes)
        events += yes
        event_candidate = either(yes, candidate, event_candidate)
        event_time = t if yes == 1 else event_time
        if not alone and state.tally[N_EXPOSED] != n_exposed:
            n_exposed = state.tally[N_EXPOSED]
            total = bound_total(lattice, state, rates, c)
    state.tally[EVENTS] = events
    state.tally[CHANNEL_0] += events - first_event
    state.tally[REVERSALS] += reversals
    state.tally[EVENT_CANDIDATE] = event_candidate
    state.clock[EVENT] = event_time
    if candidate > first_candidate:
        state.tally[CANDIDATES] = candidate
        state.clock[LAST] = t
        state.clock[NOW] = t
    return total


@helper
def foresee(lattice: Lattice, state: State, near: Words, far: Words, n: Any) -> None:
    """In a crystal that outgrows the caches: ask for the sites of the next two candidates, if they are hops."""
    k, rest = multiply(near[1], n)
    d, _ = multiply(rest, np.uint64(lattice.offset.shape[1]))
    i = state.vacancies[k]
    j = np.uint32(i + lattice.offset[lattice.place[i], d])
    fetch(lattice.place, j)
    fetch(state.species, j)
    fetch(state.slot, j)
    k, _ = multiply(far[1], n)
    i = state.vacancies[k]
    fetch(lattice.place, i)
    fetch(state.species, i)
    fetch(state.slot, i)


@helper
def advance_plain(
    lattice: Lattice,
    state: State,
    rates: Rates,
    plan: Plan,
    sums: Sums,
    records: Records,
    until: float,
    last_event: int,
    last_candidate: int,
) -> int:
    """Fire events until a time / s or an event or candidate count is reached; returns why it stopped."""
    m, total = 0, UNKNOWN
    while state.tally[EVENTS] < last_event and state.tally[CANDIDATES] < last_candidate:
        if state.tally[N_VACANCIES] == state.vacancies.size:
            return LIST_FULL
        status, m, total, channel, k, i, d = propose(lattice, state, rates, plan, sums, m, total, until)
        if status == FOUND:
            n_exposed = state.tally[N_EXPOSED]
            apply(lattice, state, rates, records, channel, k, i, d)
            if plan.scheduler == SUM_TREE:
                follow(lattice, state, rates, sums, channel, k, i)
            if plan.scheduler != REJECTION or channel != HOPS or state.tally[N_EXPOSED] != n_exposed:
                total = UNKNOWN
        elif status != NULL_CANDIDATE:
            return status
        if plan.scheduler == REJECTION:
            if total < 0.0:
                total = bound_total(lattice, state, rates, plan.condition[m])
            if total > 0.0 and state.tally[N_VACANCIES] > 0:
                if lattice.place.size > CACHED:  # two texts, in which the answer stands fixed
                    total = hop_on(
                        lattice, state, rates, plan, records, m, total, until, last_event, last_candidate, True
                    )
                else:
                    total = hop_on(
                        lattice, state, rates, plan, records, m, total, until, last_event, last_candidate, False
                    )
    return LIMIT_REACHED


@helper
def retreat_plain(
    lattice: Lattice,
    state: State,
    rates: Rates,
    plan: Plan,
    sums: Sums,
    records: Records,
    to_event: int,
) -> None:
    """Undo events until the count is `to_event`; the records of all of them and of that event must be there."""
    while state.tally[EVENTS] > to_event:
        unapply(lattice, state, rates, records)
    sums.condition[0] = -1


def _loops(text: str) -> tuple[Callable[..., Any], ...]:
    """The compiled loops; `text` is part of their cache's key (see `compiling`)."""

    @compiled
    def advance(  # type: ignore[no-untyped-def]
        lattice, state, rates, plan, sums, records, until, last_event, last_candidate
    ):
        text  # noqa: B018
        return advance_plain(lattice, state, rates, plan, sums, records, until, last_event, last_candidate)

    @compiled
    def retreat(lattice, state, rates, plan, sums, records, to_event):  # type: ignore[no-untyped-def]
        text  # noqa: B018
        retreat_plain(lattice, state, rates, plan, sums, records, to_event)

    @compiled
    def total_rate(lattice, state, rates, c):  # type: ignore[no-untyped-def]
        text  # noqa: B018
        return rate_total(lattice, state, rates, c)

    @compiled
    def unknown(lattice, state, rates, c, channel, a):  # type: ignore[no-untyped-def]
        text  # noqa: B018
        return next_unknown(lattice, state, rates, c, channel, a)

    @compiled
    def consume(lattice, state, rates, plan, sums, until):  # type: ignore[no-untyped-def]
        text  # noqa: B018
        return propose(lattice, state, rates, plan, sums, 0, UNKNOWN, until)

    return advance, retreat, total_rate, unknown, consume


advance, retreat, total_rate, unknown, consume = _loops(text_of_all())
