"""Who took part in each event of a record, and every event that could happen now.

Both only read the crystal of a run: `tell` follows the events on arrays of its own, `listed` looks at the occupants as
they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ucnp_abm.kernels.compiling import compiled, helper, text_of_all
from ucnp_abm.kernels.layout import (
    FROM_COMPLEX,
    HALO,
    HOPS,
    NEVER,
    VACANCY,
    Floats,
    Int32s,
    Lattice,
    Rates,
    Records,
    State,
    UInt8s,
    UInt32s,
)
from ucnp_abm.kernels.rates import directions, event_rate, hop_row, member, members, neighbour, transform_row


class Held(NamedTuple):
    """Who is where: what `tell` follows from event to event. G grid points, N sites."""

    species: UInt8s  # (G,): occupant of each grid point
    slot: UInt32s  # (G,): its identity
    origin: UInt8s  # (N,): layer in which each identity started, or FROM_COMPLEX


class Names(NamedTuple):
    """How events are told: sites by number, channels by what they do. K transform channels."""

    number: Int32s  # (G,): site number of each grid point, -1 where there is none
    layer: UInt8s  # (N,): layer of each site; 0 is the core
    before: UInt8s  # (1 + K,): occupant before; entry 0 is not used
    after: UInt8s  # (1 + K,): occupant after
    moved: UInt8s  # (1 + K,): the species that a channel places or takes


class Told(NamedTuple):
    """What is filled in for each event, n of them."""

    time: Floats  # (n,), s
    site: UInt32s  # (n,): site number of the vacancy, or of the one-site verb
    to: UInt32s  # (n,): of the ion that will fill it; the same for one-site verbs
    channel: UInt8s  # (n,)
    direction: UInt8s  # (n,)
    species: UInt8s  # (n,): of the ion that hops, is placed or is taken
    slot: UInt32s  # (n,): its identity
    other: UInt32s  # (n,): identity of the vacancy; the same for one-site verbs
    vacancies: UInt32s  # (n,): how many there are afterwards
    outside: UInt32s  # (n,): ions of the core that are outside it afterwards


class Listed(NamedTuple):
    """Room for every event that could happen, n of them at most."""

    channel: UInt8s  # (n,)
    point: UInt32s  # (n,): grid point of the vacancy, or of the one-site verb
    to: UInt32s  # (n,): of the ion that would fill it; the same for one-site verbs
    direction: UInt8s  # (n,)
    row: UInt32s  # (n,): of the rate table
    rate: Floats  # (n,), 1/s


@helper
def tell_plain(
    lattice: Lattice, held: Held, names: Names, records: Records, first: int, vacancies: int, outside: int, told: Told
) -> tuple[int, int]:
    """Tell the events from number `first` on, one for each place of `told`, and let `held` follow them.

    `held`, `vacancies` and `outside` are of the moment before. An ion counts as outside if it started in layer 0, is
    still there, and stands in another layer; what came out of a complex never does. Returns the counts afterwards.
    """
    for n in range(told.time.size):
        r = (first + n) & (records.time.size - 1)
        channel, d, i = np.int64(records.channel[r]), records.direction[r], records.site[r]
        j, a = i, held.slot[i]
        b: Any = a
        here: Any = np.int64(names.layer[names.number[i]] != 0)
        if channel == HOPS:
            j = np.uint32(i + lattice.offset[lattice.place[i], d])
            if held.species[j] == HALO:
                j = lattice.home[j]
            a, mover = held.slot[j], held.species[j]
            held.species[i], held.species[j] = mover, held.species[i]
            held.slot[i], held.slot[j] = a, b
            if held.origin[a] == 0:
                outside += here - np.int64(names.layer[names.number[j]] != 0)
        else:
            mover = names.moved[channel]
            if names.before[channel] == VACANCY:
                vacancies -= 1
            else:
                outside -= here * np.int64(held.origin[a] == 0)
            if names.after[channel] == VACANCY:
                vacancies += 1
            held.species[i] = names.after[channel]
            held.origin[a] = FROM_COMPLEX
        told.time[n] = records.time[r]
        told.site[n] = names.number[i]
        told.to[n] = names.number[j]
        told.channel[n] = channel
        told.direction[n] = d
        told.species[n] = mover
        told.slot[n] = a
        told.other[n] = b
        told.vacancies[n] = vacancies
        told.outside[n] = outside
    return vacancies, outside


@helper
def listed_plain(lattice: Lattice, state: State, rates: Rates, c: int, listed: Listed) -> int:
    """List every event whose rate under condition c is above zero, in the order of the linear scan; returns how many.

    All their rows must be known.
    """
    n = 0
    for channel in range(rates.bound.shape[1]):
        for a in range(members(lattice, state, rates, channel)):
            _, i = member(lattice, state, rates, channel, a)
            for d in range(directions(lattice, channel)):
                rate = event_rate(lattice, state, rates, c, channel, i, d)
                if rate > 0.0:
                    j, row = i, NEVER
                    if channel == HOPS:
                        j = neighbour(lattice, state, i, d)
                        row = hop_row(lattice, state, rates, i, j, d)
                    else:
                        row = transform_row(lattice, state, rates, channel, i)
                    listed.channel[n] = channel
                    listed.point[n] = i
                    listed.to[n] = j
                    listed.direction[n] = d
                    listed.row[n] = row
                    listed.rate[n] = rate
                    n += 1
    return n


def _loops(text: str) -> tuple[Callable[..., Any], ...]:
    """The compiled loops; `text` is part of their cache's key (see `compiling`)."""

    @compiled
    def tell(lattice, held, names, records, first, vacancies, outside, told):  # type: ignore[no-untyped-def]
        text  # noqa: B018
        return tell_plain(lattice, held, names, records, first, vacancies, outside, told)

    @compiled
    def listed(lattice, state, rates, c, room):  # type: ignore[no-untyped-def]
        text  # noqa: B018
        return listed_plain(lattice, state, rates, c, room)

    return tell, listed


tell, listed = _loops(text_of_all())
