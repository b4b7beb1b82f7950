"""What the loop is given: crystal, state, rates, plan, and the room it works in, as tuples of plain arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

UInt8s = NDArray[np.uint8]
UInt32s = NDArray[np.uint32]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]
Floats = NDArray[np.float64]
Site = Any  # uint32: unsigned indices need no wrap-around check in the loop

# Positions in State.tally and State.clock.
N_VACANCIES, N_EXPOSED, CANDIDATES, EVENTS, REVERSALS, EVENT_CANDIDATE, CHANNEL_0 = range(7)
LAST, NOW, EVENT = 0, 1, 2  # time of the last candidate, time reached, time of the last event
# What became of a candidate, or why the loop came back.
FOUND, NULL_CANDIDATE, TIME_REACHED, NOTHING_LEFT, LIST_FULL, LIMIT_REACHED, ROW_WANTED = range(7)
# What rejection makes of a candidate; its rate may have to be worked out first.
REFUSED, ACCEPTED, UNDECIDED = range(3)
# Schedulers.
REJECTION, LINEAR_SCAN, SUM_TREE = 0, 1, 2
# What a law reads of the neighbours: nothing, counts that a map turns into rows, or so much that rows come on the way.
NOTHING, COUNTS, ON_THE_WAY = 0, 1, 2
# How the activation energy of a row follows from its law and the energy difference of the event.
RAW, HOP, FILL, EMPTY = 0, 1, 2, 3
# What the loop must know of the occupants; all other codes are ions. HALO: "look up this grid point's home".
VACANCY, HALO, OUTSIDE = 0, 30, 31
NEVER = np.uint64(0)  # the row of what cannot happen
FROM_COMPLEX = 255  # origin of an ion that came out of a reservoir
HOPS = 0  # channel number of the hops; transform channels are 1, 2, …
ZERO = np.uint64(0)


class Lattice(NamedTuple):
    """Static geometry, shared by all trajectories in a crystal. G grid points, P places, z directions."""

    place: UInt8s  # (G,): what kind of site each grid point is
    home: UInt32s  # (G,): the site that a halo point stands for; empty in a finite particle
    offset: Int32s  # (P, z): grid steps to each neighbour
    approach: UInt32s  # (P, z): class of the bond and region of the vacancy, as the first part of a column of hop_row
    region: UInt8s  # (P,): its second part, for the region of the ion: its zone, finer where the crystal is divided
    exposed: UInt8s  # (P,): 1 where a neighbour is missing
    exposed_sites: UInt32s  # (E,)
    strides: Int64s  # (3,): grid steps along the cell axes
    cells: Int64s  # (3,): cells along each axis of a periodic box, halo not counted
    halo: Int64s  # (3,): width of the halo in cells


class State(NamedTuple):
    """Everything that changes. Only `exposed_rank` could be recomputed from the rest.

    The site of an identity is the inverse of `slot`; keeping it here would cost two scattered writes an event.
    """

    species: UInt8s  # (G,): occupant of each grid point
    slot: UInt32s  # (G,): identity of the occupant
    origin: UInt8s  # (N,): layer in which the occupant started, or FROM_COMPLEX
    generation: Int32s  # (N,): bumped when an identity changes its species
    born: Floats  # (N,), s: when it did so last
    birthplace: UInt32s  # (N,): grid point on which it did so, or started
    image: Int32s  # (N, 3): periodic images crossed; (0, 3) in a finite particle
    vacancies: UInt32s  # (V,): sites of the vacancies; their order matters
    came_from: UInt32s  # (V,): site that each vacancy left last, or 0, which is never a site
    exposed_rank: Int32s  # (V,): its position in exposed_vacancies, or -1
    exposed_vacancies: UInt32s  # (V,): positions in `vacancies`; their order matters
    reservoir: Int64s  # (M,): complexes left in the bath; those of an infinite one count from 0 downwards
    tally: Int64s  # (6 + 1 + K,)
    clock: Floats  # (3,), s


class Rates(NamedTuple):
    """What may happen, and how fast under each of C conditions.

    S species, R rows, K transform channels, M reservoirs. The weights of the neighbours add up to a number, which a map
    turns into rows to move on; where a law reads too much for that, a memo knows the rows that were worked out.
    """

    rate: Floats  # (C, R), 1/s, pair energies and the channel's factor left out; NaN: not known yet
    bound: Floats  # (C, 1 + K), 1/s: no event of the channel is faster, its factor left out
    kt: Floats  # (C,), eV
    hop_row: UInt32s  # (S, B Z Z): by mover; bond, region of the vacancy and region of the ion
    hop_weight: UInt64s  # (S, S): by mover and neighbour
    hop_counts: UInt8s  # (S,): NOTHING, COUNTS or ON_THE_WAY, by mover
    hop_map: UInt32s  # (S,): where the map of this mover's law begins in row_of
    channel_from: UInt8s  # (1 + K,): occupant before; entry 0 is not used
    channel_to: UInt8s  # (1 + K,): occupant after
    channel_row: UInt32s  # (1 + K, P)
    channel_weight: UInt64s  # (1 + K, S)
    channel_counts: UInt8s  # (1 + K,)
    channel_map: UInt32s  # (1 + K,)
    row_of: UInt32s  # the maps, one behind the other
    memo_key: UInt64s  # (H,): first row and number of a row that was worked out, as one; 0 where there is none
    memo_row: UInt32s  # (H,)
    span: int  # more than any number: the key of a row is span * first row + number
    factor: Floats  # (C, 1 + K): a0 of the reservoir times what the drives make of it, outside the table
    takes: Int64s  # (1 + K,): reservoir that gives the ion, or -1
    gives: Int64s  # (1 + K,): reservoir that receives one, or -1
    reservoir_size: Floats  # (M,): complexes at the start; infinity: the activity never changes
    kind: UInt8s  # (R,): RAW, HOP, FILL or EMPTY
    barrier: Floats  # (R,), eV: what the law says
    site_step: Floats  # (R,), eV: energy difference without pair energies
    attempt: Floats  # (R,), 1/s
    pair: Floats  # (S, S), eV
    has_pairs: bool
    assisted: Floats  # (C, R), 1/s: recombinations that assist the row's hops; (0, 0) if there are none
    relief: float  # eV that each of them lends


class Plan(NamedTuple):
    """When each condition holds, the round keys of the random words, and who chooses the events."""

    edges: Floats  # (M + 1,), s: begin of each segment, then infinity
    condition: Int64s  # (M,)
    round_keys: UInt64s  # (10, 2)
    scheduler: int  # REJECTION, LINEAR_SCAN or SUM_TREE


class Sums(NamedTuple):
    """Rates of all events under one condition, summed in a binary tree for each channel; derived from the state.

    The parent of two nodes is their sum, always; so the tree depends on nothing but its leaves. What multiplies a
    whole channel (reservoir, drives) is left out. All arrays are empty unless the scheduler is SUM_TREE.
    """

    condition: Int64s  # (1,): the condition of the leaves; -1 if the tree must be built
    reach: Int64s  # (1,): 2 if a rate can depend on the neighbours of a site, else 1
    node: Floats  # (T,), 1/s: the heaps of all channels, one behind the other
    root: Int64s  # (1 + K,): where each channel's node 1 stands
    leaves: Int64s  # (1 + K,): room for members, a power of two
    part: Floats  # (V, z), 1/s: hop rates of each vacancy by direction
    position: UInt32s  # (G,): position in `vacancies` of the vacancy on a grid point; else without meaning
    exposed_number: UInt32s  # (G,): position in `exposed_sites`; without meaning where nothing is missing
    seen: Int64s  # (V + E,): event at which a member's leaves were computed last
    paths: UInt8s  # (P, Q, 2): two directions that lead to each site of the second shell, once
    n_paths: Int64s  # (P,): how many of them there are
    near: UInt32s  # (z,): room for the neighbours of one site
    weight: UInt64s  # (S,): room for the numbers that the neighbours of one site stand for, by mover


class Records(NamedTuple):
    """What each event of the recent past cannot tell by itself when it is undone; event e stands at e modulo W."""

    candidate: Int64s  # (W,)
    time: Floats  # (W,), s
    channel: UInt8s  # (W,)
    direction: UInt8s  # (W,)
    member: UInt32s  # (W,): position in `vacancies`, where it is a vacancy that acts
    site: UInt32s  # (W,): grid point, before the event
    came_from: UInt32s  # (W,): of that vacancy, before
    rank: Int32s  # (W,): of that vacancy among the exposed ones, before
    origin: UInt8s  # (W,): of the occupant that a transform changed, before
    birthplace: UInt32s  # (W,): likewise
    born: Floats  # (W,), s: likewise
