"""Rates, looked up for one event at a time, and the members and bounds of each channel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ucnp_abm.kernels.compiling import helper, multiply
from ucnp_abm.kernels.layout import (
    COUNTS,
    EMPTY,
    FILL,
    HALO,
    HOP,
    HOPS,
    N_EXPOSED,
    N_VACANCIES,
    NEVER,
    NOTHING,
    VACANCY,
    ZERO,
    Lattice,
    Rates,
    Site,
    State,
)

GOLDEN, ONE = np.uint64(0x9E3779B97F4A7C15), np.uint64(1)  # 2**64 over the golden ratio spreads keys evenly


@helper
def activation(kind: int, barrier: float, step: float) -> float:
    """Activation energy / eV. HOP: max(E_KRA + dE/2, dE, 0); FILL: max(E, dE, 0); EMPTY, its reverse: that minus dE."""
    if kind == HOP:
        return max(barrier + 0.5 * step, step, 0.0)
    if kind == FILL:
        return max(barrier, step, 0.0)
    if kind == EMPTY:
        return max(barrier, -step, 0.0) + step
    return barrier


@helper
def with_pairs(rates: Rates, c: int, row: int, pairs: float) -> float:
    """Rate / s⁻¹ of a row whose energy difference has a pair part (eV)."""
    if math.isnan(rates.rate[c, row]):
        return rates.rate[c, row]
    energy = activation(rates.kind[row], rates.barrier[row], rates.site_step[row] + pairs)
    rate = rates.attempt[row] * math.exp(-energy / rates.kt[c])
    if rates.assisted.size > 0 and rates.assisted[c, row] > 0.0:
        rate += rates.assisted[c, row] * math.exp(-max(energy - rates.relief, 0.0) / rates.kt[c])
    return rate


@helper
def neighbour(lattice: Lattice, state: State, i: Site, d: int) -> Site:
    """Grid point in direction d of site i."""
    j = np.uint32(i + lattice.offset[lattice.place[i], d])
    if state.species[j] == HALO:
        return lattice.home[j]
    return j


@helper
def first_row(lattice: Lattice, state: State, rates: Rates, i: Site, j: Site, d: Any) -> Any:
    """First table row of the block for the exchange of vacancy i with its neighbour j in direction d."""
    column = np.uint64(lattice.approach[lattice.place[i], d]) + np.uint64(lattice.region[lattice.place[j]])
    return np.uint64(rates.hop_row[state.species[j], column])


@helper
def hop_number(lattice: Lattice, state: State, rates: Rates, i: Site, j: Site) -> Any:
    """The number of the neighbourhood of vacancy i and its neighbour j, for the law of the ion on j."""
    mover: Any = state.species[j]
    number: Any = ZERO
    for e in range(lattice.offset.shape[1]):
        a, b = neighbour(lattice, state, i, e), neighbour(lattice, state, j, e)
        if a != j:
            number += rates.hop_weight[mover, state.species[a]]
        if b != i:
            number += rates.hop_weight[mover, state.species[b]]
    return number


@helper
def hop_row(lattice: Lattice, state: State, rates: Rates, i: Site, j: Site, d: Any) -> Any:
    """Table row for the exchange of vacancy i with its neighbour j in direction d."""
    mover = state.species[j]
    row = first_row(lattice, state, rates, i, j, d)
    if row != NEVER and rates.hop_counts[mover] != NOTHING:
        number = hop_number(lattice, state, rates, i, j)
        if rates.hop_counts[mover] == COUNTS:
            row += np.uint64(rates.row_of[np.uint64(rates.hop_map[mover]) + number])
        else:
            row = remembered(rates, row, number)
    return row


@helper
def memo_place(rates: Rates, key: Any) -> Any:
    """Where a key stands in the memo, or the free place where it belongs."""
    _, mixed = multiply(key, GOLDEN)
    place, _ = multiply(mixed, np.uint64(rates.memo_key.size))
    while rates.memo_key[place] != ZERO and rates.memo_key[place] != key:
        place += ONE
        if place == np.uint64(rates.memo_key.size):
            place = ZERO
    return place


@helper
def memo_key(rates: Rates, first: Any, number: Any) -> Any:
    """What the memo knows a row by."""
    return np.uint64(rates.span) * np.uint64(first) + number


@helper
def remembered(rates: Rates, first: Any, number: Any) -> Any:
    """The row that was worked out for a number; the first row of its block, whose rate is NaN, if none was yet."""
    place = memo_place(rates, memo_key(rates, first, number))
    if rates.memo_key[place] == ZERO:
        return first
    return np.uint64(rates.memo_row[place])


@helper
def hop_pairs(lattice: Lattice, state: State, rates: Rates, i: Site, j: Site) -> float:
    """Pair part / eV of the energy difference when ion j moves into vacancy i; exactly minus that of the way back."""
    mover = state.species[j]
    there, here = 0.0, 0.0
    for e in range(lattice.offset.shape[1]):
        a, b = neighbour(lattice, state, i, e), neighbour(lattice, state, j, e)
        if a != j:
            there += rates.pair[mover, state.species[a]] - rates.pair[VACANCY, state.species[a]]
        if b != i:
            here += rates.pair[mover, state.species[b]] - rates.pair[VACANCY, state.species[b]]
    return there - here


@helper
def hop_rate_to(lattice: Lattice, state: State, rates: Rates, c: int, i: Site, j: Site, d: Any) -> float:
    """Rate / s⁻¹ at which vacancy i trades places with j, its neighbour in direction d."""
    row = hop_row(lattice, state, rates, i, j, d)
    if rates.has_pairs and row != NEVER:
        return with_pairs(rates, c, row, hop_pairs(lattice, state, rates, i, j))
    return rates.rate[c, row]


@helper
def hop_rate(lattice: Lattice, state: State, rates: Rates, c: int, i: Site, d: Any) -> float:
    """Rate / s⁻¹ at which vacancy i trades places with its neighbour in direction d."""
    return hop_rate_to(lattice, state, rates, c, i, neighbour(lattice, state, i, d), d)


@helper
def transform_number(lattice: Lattice, state: State, rates: Rates, channel: int, i: Site) -> Any:
    """The number of the neighbourhood of site i, for the law of a channel."""
    number: Any = ZERO
    for e in range(lattice.offset.shape[1]):
        number += rates.channel_weight[channel, state.species[neighbour(lattice, state, i, e)]]
    return number


@helper
def transform_row(lattice: Lattice, state: State, rates: Rates, channel: int, i: Site) -> Any:
    """Table row for channel at site i; NEVER if the occupant is not the one that the channel takes."""
    if state.species[i] != rates.channel_from[channel]:
        return NEVER
    row = np.uint64(rates.channel_row[channel, lattice.place[i]])
    if row != NEVER and rates.channel_counts[channel] != NOTHING:
        number = transform_number(lattice, state, rates, channel, i)
        if rates.channel_counts[channel] == COUNTS:
            row += np.uint64(rates.row_of[np.uint64(rates.channel_map[channel]) + number])
        else:
            row = remembered(rates, row, number)
    return row


@helper
def transform_pairs(lattice: Lattice, state: State, rates: Rates, channel: int, i: Site) -> float:
    """Pair part / eV of the energy difference when the occupant of site i changes through channel."""
    before, after = rates.channel_from[channel], rates.channel_to[channel]
    step = 0.0
    for e in range(lattice.offset.shape[1]):
        s = state.species[neighbour(lattice, state, i, e)]
        step += rates.pair[after, s] - rates.pair[before, s]
    return step


@helper
def channel_factor(state: State, rates: Rates, c: int, channel: int) -> float:
    """By what all rates of a channel are multiplied: a = a0 N_left / N_0 of its reservoir, and the drives."""
    factor = rates.factor[c, channel]
    source = rates.takes[channel]
    if source >= 0 and rates.reservoir_size[source] < math.inf:
        factor *= state.reservoir[source] / rates.reservoir_size[source]
    return factor


@helper
def site_rate(lattice: Lattice, state: State, rates: Rates, c: int, channel: int, i: Site) -> float:
    """Rate / s⁻¹ of a transform channel at site i, the channel's factor left out."""
    row = transform_row(lattice, state, rates, channel, i)
    if rates.has_pairs and row != NEVER:
        return with_pairs(rates, c, row, transform_pairs(lattice, state, rates, channel, i))
    return rates.rate[c, row]


@helper
def event_rate(lattice: Lattice, state: State, rates: Rates, c: int, channel: int, i: Site, d: int) -> float:
    """Rate / s⁻¹ of one event: a hop from vacancy i in direction d, or a transform channel at site i."""
    if channel == HOPS:
        return hop_rate(lattice, state, rates, c, i, d)
    return channel_factor(state, rates, c, channel) * site_rate(lattice, state, rates, c, channel, i)


# --- who may act, and how fast at most ---


@helper
def members(lattice: Lattice, state: State, rates: Rates, channel: int) -> int:
    """Number of occupants that a channel may act on now: vacancies, exposed vacancies, or exposed sites."""
    if channel == HOPS:
        return state.tally[N_VACANCIES]
    if rates.channel_from[channel] == VACANCY:
        return state.tally[N_EXPOSED]
    return lattice.exposed_sites.size


@helper
def directions(lattice: Lattice, channel: int) -> int:
    """Number of events that a channel offers each of its members."""
    if channel == HOPS:
        return lattice.offset.shape[1]
    return 1


@helper
def member(lattice: Lattice, state: State, rates: Rates, channel: int, a: int) -> tuple[Any, Any]:
    """Member `a` of a channel: its position in `vacancies` (0 if it is no vacancy) and its site."""
    if channel == HOPS:
        return np.uint64(a), state.vacancies[a]
    if rates.channel_from[channel] == VACANCY:
        return np.uint64(state.exposed_vacancies[a]), state.vacancies[state.exposed_vacancies[a]]
    return ZERO, lattice.exposed_sites[a]


@helper
def limit(state: State, rates: Rates, c: int, channel: int) -> float:
    """Rate / s⁻¹ that no event of the channel exceeds now."""
    if channel == HOPS:
        return rates.bound[c, HOPS]
    return rates.bound[c, channel] * channel_factor(state, rates, c, channel)


@helper
def bound_total(lattice: Lattice, state: State, rates: Rates, c: int) -> float:
    """Sum / s⁻¹ of the bounds of all candidates."""
    total = 0.0
    for channel in range(rates.bound.shape[1]):
        total += (
            members(lattice, state, rates, channel) * directions(lattice, channel) * limit(state, rates, c, channel)
        )
    return total


@helper
def rate_total(lattice: Lattice, state: State, rates: Rates, c: int) -> float:
    """Sum / s⁻¹ of the rates of all events, in the order of the linear scan."""
    total = 0.0
    for channel in range(rates.bound.shape[1]):
        for a in range(members(lattice, state, rates, channel)):
            _, i = member(lattice, state, rates, channel, a)
            for d in range(directions(lattice, channel)):
                total += event_rate(lattice, state, rates, c, channel, i, d)
    return total


@helper
def next_unknown(
    lattice: Lattice, state: State, rates: Rates, c: int, channel: int, a: int
) -> tuple[int, int, Any, int]:
    """The next event, from member `a` of a channel on, whose rate must be worked out: channel, member, site, direction.

    The channel is one that does not exist if all rates are known.
    """
    while channel < rates.bound.shape[1]:
        while a < members(lattice, state, rates, channel):
            _, i = member(lattice, state, rates, channel, a)
            for d in range(directions(lattice, channel)):
                if math.isnan(event_rate(lattice, state, rates, c, channel, i, d)):
                    return channel, a, i, d
            a += 1
        a = 0
        channel += 1
    return channel, 0, np.uint32(0), 0
