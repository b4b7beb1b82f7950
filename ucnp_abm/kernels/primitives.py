"""The two primitives, exchange and transform, and the exact inverse of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from ucnp_abm.kernels.compiling import helper
from ucnp_abm.kernels.layout import (
    CANDIDATES,
    CHANNEL_0,
    EVENT,
    EVENT_CANDIDATE,
    EVENTS,
    FROM_COMPLEX,
    HOPS,
    LAST,
    N_EXPOSED,
    N_VACANCIES,
    NOW,
    REVERSALS,
    VACANCY,
    Lattice,
    Rates,
    Records,
    Site,
    State,
)
from ucnp_abm.kernels.rates import neighbour

# --- forwards ---


@helper
def apply(
    lattice: Lattice, state: State, rates: Rates, records: Records, channel: int, k: Any, i: Site, d: Any
) -> None:
    """Carry out the candidate that was drawn last, and keep a record of it if there is room for records."""
    if records.time.size > 0:
        note(
            state, rates, records, state.tally[EVENTS] + 1, state.tally[CANDIDATES], state.clock[LAST], channel, k, i, d
        )
    state.tally[EVENTS] += 1
    state.tally[CHANNEL_0 + channel] += 1
    state.tally[EVENT_CANDIDATE] = state.tally[CANDIDATES]
    state.clock[EVENT] = state.clock[LAST]
    if channel == HOPS:
        state.tally[REVERSALS] += exchange(lattice, state, k, i, d, neighbour(lattice, state, i, d), 1)
    else:
        transform(lattice, state, rates, channel, k, i)


@helper
def either(yes: Any, new: Any, old: Any) -> Any:
    """`new` if yes is 1, `old` if it is 0, without a branch."""
    return old ^ ((old ^ new) * yes)


@helper
def note(
    state: State,
    rates: Rates,
    records: Records,
    event: int,
    candidate: int,
    time: float,
    channel: int,
    k: Any,
    i: Site,
    d: Any,
) -> None:
    """Record an event before it happens; the number of records is a power of two."""
    r = event & (records.time.size - 1)
    records.candidate[r] = candidate
    records.time[r] = time
    records.channel[r] = channel
    records.direction[r] = d
    records.member[r] = k
    records.site[r] = i
    if channel == HOPS or rates.channel_from[channel] == VACANCY:
        records.came_from[r] = state.came_from[k]
        records.rank[r] = state.exposed_rank[k]
    if channel != HOPS:
        slot = state.slot[i]
        records.origin[r] = state.origin[slot]
        records.birthplace[r] = state.birthplace[slot]
        records.born[r] = state.born[slot]


@helper
def enlist(state: State, k: Any, exposed: bool) -> None:
    """Enter vacancy k in the list of exposed vacancies or take it out."""
    rank = state.exposed_rank[k]
    n = state.tally[N_EXPOSED]
    if exposed and rank < 0:
        state.exposed_vacancies[n] = k
        state.exposed_rank[k] = n
        state.tally[N_EXPOSED] = n + 1
    elif not exposed and rank >= 0:
        other = state.exposed_vacancies[n - 1]
        state.exposed_vacancies[rank] = other
        state.exposed_rank[other] = rank
        state.exposed_rank[k] = -1
        state.tally[N_EXPOSED] = n - 1


@helper
def cross(lattice: Lattice, state: State, raw: Any, vacancy: Any, ion: Any, sign: int) -> None:
    """Count the periodic images that vacancy and ion cross when they trade places over the halo point `raw`."""
    rest = np.int64(raw)
    for axis in range(3):
        cell = rest // lattice.strides[axis]
        rest -= cell * lattice.strides[axis]
        turns = sign * ((cell - lattice.halo[axis]) // lattice.cells[axis])
        state.image[vacancy, axis] += turns
        state.image[ion, axis] -= turns


@helper
def exchange(lattice: Lattice, state: State, k: Any, i: Site, d: Any, j: Site, yes: Any) -> Any:
    """Vacancy k at site i and the ion at j, its neighbour in direction d, trade places if `yes` is 1.

    If it is 0, everything is written as it was, so that no branch depends on what
    cannot be foreseen. Returns 1 if the vacancy went back to where it came from.
    """
    vacancy, ion, mover = state.slot[i], state.slot[j], state.species[j]
    state.species[i] = mover * yes  # VACANCY is 0
    state.species[j] = mover * (1 - yes)
    state.slot[i] = either(yes, ion, vacancy)
    state.slot[j] = either(yes, vacancy, ion)
    if lattice.home.size > 0:
        raw = np.uint32(i + lattice.offset[lattice.place[i], d])
        if raw != j and yes == 1:
            cross(lattice, state, raw, vacancy, ion, 1)
    came_from, now = state.came_from[k], either(yes, j, i)
    state.came_from[k] = either(yes, i, came_from)
    state.vacancies[k] = now
    if lattice.exposed_sites.size > 0:
        enlist(state, k, lattice.exposed[lattice.place[now]] == 1)
    return yes * np.int64(came_from == j)


@helper
def transform(lattice: Lattice, state: State, rates: Rates, channel: int, k: Any, i: Site) -> None:
    """The occupant of site i becomes what the channel makes of it; the slot stays, its generation moves on."""
    before, after = rates.channel_from[channel], rates.channel_to[channel]
    slot = state.slot[i]
    state.species[i] = after
    state.generation[slot] += 1
    state.born[slot] = state.clock[LAST]
    state.birthplace[slot] = i
    state.origin[slot] = FROM_COMPLEX
    if rates.takes[channel] >= 0:
        state.reservoir[rates.takes[channel]] -= 1
    if rates.gives[channel] >= 0:
        state.reservoir[rates.gives[channel]] += 1
    n = state.tally[N_VACANCIES]
    if before == VACANCY:
        state.tally[REVERSALS] += np.int64(state.came_from[k] == i)
        enlist(state, k, False)
        last = n - 1
        state.vacancies[k] = state.vacancies[last]
        state.came_from[k] = state.came_from[last]
        rank = state.exposed_rank[last]
        state.exposed_rank[k] = rank
        if rank >= 0:
            state.exposed_vacancies[rank] = k
        state.exposed_rank[last] = -1
        state.tally[N_VACANCIES] = last
    elif after == VACANCY:
        state.vacancies[n] = i
        state.came_from[n] = i  # filled again before it has moved: a reversal
        state.exposed_rank[n] = -1
        state.tally[N_VACANCIES] = n + 1
        enlist(state, n, True)


# --- backwards ---


@helper
def unapply(lattice: Lattice, state: State, rates: Rates, records: Records) -> None:
    """Undo the last event: afterwards all is as it was just after the event before it, whose record is needed too."""
    event = state.tally[EVENTS]
    r = event & (records.time.size - 1)
    channel = np.int64(records.channel[r])
    if channel == HOPS:
        unexchange(lattice, state, records, r)
    else:
        untransform(state, rates, records, channel, r)
    state.tally[EVENTS] = event - 1
    state.tally[CHANNEL_0 + channel] -= 1
    before = (event - 1) & (records.time.size - 1)
    state.tally[CANDIDATES] = records.candidate[before]
    state.tally[EVENT_CANDIDATE] = records.candidate[before]
    state.clock[LAST] = records.time[before]
    state.clock[NOW] = records.time[before]
    state.clock[EVENT] = records.time[before]


@helper
def relist(state: State, k: Any, rank: int) -> None:
    """Put vacancy k back where it stood in the list of exposed vacancies before `enlist`; -1: nowhere."""
    n = state.tally[N_EXPOSED]
    if rank < 0 and state.exposed_rank[k] >= 0:  # it was appended
        state.exposed_rank[k] = -1
        state.tally[N_EXPOSED] = n - 1
    elif rank >= 0 and state.exposed_rank[k] < 0:  # the last one took its place
        other = state.exposed_vacancies[rank]
        if rank < n:
            state.exposed_vacancies[n] = other
            state.exposed_rank[other] = n
        state.exposed_vacancies[rank] = k
        state.exposed_rank[k] = rank
        state.tally[N_EXPOSED] = n + 1


@helper
def unexchange(lattice: Lattice, state: State, records: Records, r: int) -> None:
    """The inverse of `exchange`."""
    k, i, d = records.member[r], records.site[r], records.direction[r]
    raw = np.uint32(i + lattice.offset[lattice.place[i], d])
    j = state.vacancies[k]
    vacancy, ion = state.slot[j], state.slot[i]
    state.species[j] = state.species[i]
    state.species[i] = VACANCY
    state.slot[j], state.slot[i] = ion, vacancy
    if lattice.home.size > 0 and raw != j:
        cross(lattice, state, raw, vacancy, ion, -1)
    state.tally[REVERSALS] -= np.int64(records.came_from[r] == j)
    state.came_from[k] = records.came_from[r]
    state.vacancies[k] = i
    relist(state, k, records.rank[r])


@helper
def untransform(state: State, rates: Rates, records: Records, channel: Any, r: int) -> None:
    """The inverse of `transform`."""
    i = records.site[r]
    before, after = rates.channel_from[channel], rates.channel_to[channel]
    slot = state.slot[i]
    state.species[i] = before
    state.generation[slot] -= 1
    state.born[slot] = records.born[r]
    state.birthplace[slot] = records.birthplace[r]
    state.origin[slot] = records.origin[r]
    if rates.takes[channel] >= 0:
        state.reservoir[rates.takes[channel]] += 1
    if rates.gives[channel] >= 0:
        state.reservoir[rates.gives[channel]] -= 1
    n = state.tally[N_VACANCIES]
    if before == VACANCY:
        k = records.member[r]
        if k != n:  # the last vacancy of that time took its place
            state.vacancies[n] = state.vacancies[k]
            state.came_from[n] = state.came_from[k]
            rank = state.exposed_rank[k]
            state.exposed_rank[n] = rank
            if rank >= 0:
                state.exposed_vacancies[rank] = n
        state.tally[REVERSALS] -= np.int64(records.came_from[r] == i)
        state.vacancies[k] = i
        state.came_from[k] = records.came_from[r]
        state.exposed_rank[k] = -1
        state.tally[N_VACANCIES] = n + 1
        relist(state, k, records.rank[r])
    elif after == VACANCY:
        state.exposed_rank[n - 1] = -1
        state.tally[N_EXPOSED] -= 1
        state.tally[N_VACANCIES] = n - 1
