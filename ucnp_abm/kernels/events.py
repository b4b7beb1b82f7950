"""The event loop: the same text runs compiled (`advance`) or interpreted (`advance_plain`).

Candidate *n* = 1, 2, … owns four random words, ``numpy.random.Philox(key=KEY, counter=n - 1).random_raw(4)``:
pool, member and direction, acceptance, waiting time.

*Pooled rejection*: every hop of a vacancy lies in one pool, every transform channel in a pool of its own. A pool
is drawn by its exact bound, a candidate uniformly inside it, its rate is looked up only now, and it is accepted
with rate / bound. A null candidate advances time exactly. *Linear scan*: the rates of all events are summed in a
fixed order and one is drawn without rejection; slow, and the oracle of the other.

This room is large on purpose: numba's cache looks at the time stamp of one file only, so a compiled helper in another
file would go stale without a word.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload, register_jitable
from numpy.typing import NDArray

UInt8s = NDArray[np.uint8]
UInt32s = NDArray[np.uint32]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]
Floats = NDArray[np.float64]
Words = tuple[Any, Any, Any, Any]
Site = Any  # uint32: unsigned indices need no wrap-around check in the loop

# Positions in State.tally and State.clock.
N_VACANCIES, N_EXPOSED, CANDIDATES, EVENTS, REVERSALS, CHANNEL_0 = 0, 1, 2, 3, 4, 5
LAST, NOW = 0, 1  # time of the last candidate, time reached
# What became of a candidate, or why the loop came back.
FOUND, NULL_CANDIDATE, TIME_REACHED, NOTHING_LEFT, LIST_FULL, LIMIT_REACHED = range(6)
# Schedulers.
REJECTION, LINEAR_SCAN = 0, 1
# How the activation energy of a row follows from its law and the energy difference of the event.
RAW, HOP, FILL, EMPTY = 0, 1, 2, 3
# What the loop must know of the occupants; all other codes are ions. HALO: "look up this grid point's home".
VACANCY, HALO = 0, 30
NEVER = np.uint64(0)  # the row of what cannot happen
FROM_COMPLEX = 255  # origin of an ion that came out of a reservoir
CACHED = 200_000  # grid points; beyond this the loop asks for memory ahead
HOPS = 0  # channel number of the hops; transform channels are 1, 2, …

U11 = np.uint64(11)
M0, M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
ZERO = np.uint64(0)


class Lattice(NamedTuple):
    """Static geometry, shared by all trajectories in a crystal. G grid points, P places, z directions."""

    place: UInt8s  # (G,): what kind of site each grid point is
    home: UInt32s  # (G,): the site that a halo point stands for; empty in a finite particle
    offset: Int32s  # (P, z): grid steps to each neighbour
    bond: UInt8s  # (P, z): class of the bond
    zone: UInt8s  # (P,)
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
    image: Int32s  # (N, 3): periodic images crossed; (0, 3) in a finite particle
    vacancies: UInt32s  # (V,): sites of the vacancies; their order matters
    came_from: UInt32s  # (V,): site that each vacancy left last, or 0, which is never a site
    exposed_rank: Int32s  # (V,): its position in exposed_vacancies, or -1
    exposed_vacancies: UInt32s  # (V,): positions in `vacancies`; their order matters
    reservoir: Int64s  # (M,): complexes left in the bath; those of an infinite one count from 0 downwards
    tally: Int64s  # (5 + 1 + K,)
    clock: Floats  # (2,), s


class Rates(NamedTuple):
    """What may happen, and how fast under each of C conditions.

    S species, R rows, K transform channels, M reservoirs.
    """

    rate: Floats  # (C, R), 1/s, pair energies and the channel's factor left out
    bound: Floats  # (C, 1 + K), 1/s: no event of the channel is faster, its factor left out
    kt: Floats  # (C,), eV
    hop_row: UInt32s  # (S, B, Z, Z): by mover, bond, zone of the vacancy, zone of the ion
    hop_weight: UInt32s  # (S, S): by mover and neighbour, rows to move on
    hop_counts: UInt8s  # (S,): 1 if the law of this mover reads neighbours
    channel_from: UInt8s  # (1 + K,): occupant before; entry 0 is not used
    channel_to: UInt8s  # (1 + K,): occupant after
    channel_row: UInt32s  # (1 + K, P)
    channel_weight: UInt32s  # (1 + K, S)
    channel_counts: UInt8s  # (1 + K,)
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
    scheduler: int  # REJECTION or LINEAR_SCAN


Function = TypeVar("Function", bound=Callable[..., Any])


def helper(function: Function) -> Function:
    """A plain function that is also compiled, inlined, into every loop that calls it.

    No reference counting (`_nrt`): the arrays outlive the loop, and counting 40 of them at each call would cost far
    more than the event itself.
    """
    jitable: Function = register_jitable(_nrt=False, forceinline=True, error_model="numpy")(function)
    return jitable


# --- random words: Philox4x64-10 (Salmon et al., SC11, doi:10.1145/2063384.2063405) ---


@intrinsic  # type: ignore[untyped-decorator]
def _product_high(typingctx: Any, a: Any, b: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = cgutils.ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, wide(64)), cgutils.ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), codegen


def multiply(a: Any, b: Any) -> Any:
    """High and low word of a 64 x 64-bit product; the one helper whose compiled text differs."""
    product = int(a) * int(b)
    return np.uint64(product >> 64), np.uint64(product & 0xFFFFFFFFFFFFFFFF)


@overload(multiply)
def _multiply_compiled(a, b):  # type: ignore[no-untyped-def]
    return lambda a, b: (_product_high(a, b), a * b)


@intrinsic  # type: ignore[untyped-decorator]
def _fetch_compiled(typingctx: Any, array: Any, index: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), cgutils.voidptr_t)
        kind = cgutils.ir.FunctionType(cgutils.ir.VoidType(), [cgutils.voidptr_t, *[cgutils.int32_t] * 3])
        hint = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(hint, [place, *(cgutils.int32_t(flag) for flag in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, types.uint64), codegen


def fetch(array: Any, index: Any) -> None:
    """Hint that an element will be needed soon; it changes nothing (and does nothing when interpreted)."""


@overload(fetch)
def _fetch_overload(array, index):  # type: ignore[no-untyped-def]
    return lambda array, index: _fetch_compiled(array, np.uint64(index))


@helper
def words(n: int, round_keys: UInt64s) -> Words:
    """Four random words of candidate n."""
    c0, c1, c2, c3 = np.uint64(n), ZERO, ZERO, ZERO
    for r in range(10):
        h0, l0 = multiply(M0, c0)
        h1, l1 = multiply(M1, c2)
        c0, c1, c2, c3 = h1 ^ c1 ^ round_keys[r, 0], l1, h0 ^ c3 ^ round_keys[r, 1], l0
    return c0, c1, c2, c3


def round_keys(low: int, high: int) -> UInt64s:
    """The key of each of the ten rounds, shape (10, 2): the key schedule, drawn up once."""
    weyl, mask = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B), 2**64 - 1
    return np.array([[(low + r * weyl[0]) & mask, (high + r * weyl[1]) & mask] for r in range(10)], dtype=np.uint64)


@helper
def unit(word: Any) -> float:
    """The word as a float in [0, 1)."""
    return float(word >> U11) * 1.1102230246251565e-16


# --- rates, looked up for one candidate at a time ---


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
def hop_row(lattice: Lattice, state: State, rates: Rates, i: Site, j: Site, d: int) -> Any:
    """Table row for the exchange of vacancy i with its neighbour j in direction d."""
    mover = state.species[j]
    p, q = lattice.place[i], lattice.place[j]
    row = np.uint64(rates.hop_row[mover, lattice.bond[p, d], lattice.zone[p], lattice.zone[q]])
    if row != NEVER and rates.hop_counts[mover]:
        for e in range(lattice.offset.shape[1]):
            a, b = neighbour(lattice, state, i, e), neighbour(lattice, state, j, e)
            if a != j:
                row += np.uint64(rates.hop_weight[mover, state.species[a]])
            if b != i:
                row += np.uint64(rates.hop_weight[mover, state.species[b]])
    return row


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
def hop_rate(lattice: Lattice, state: State, rates: Rates, c: int, i: Site, d: int) -> float:
    """Rate / s⁻¹ at which vacancy i trades places with its neighbour in direction d."""
    j = neighbour(lattice, state, i, d)
    row = hop_row(lattice, state, rates, i, j, d)
    if rates.has_pairs and row != NEVER:
        return with_pairs(rates, c, row, hop_pairs(lattice, state, rates, i, j))
    return rates.rate[c, row]


@helper
def transform_row(lattice: Lattice, state: State, rates: Rates, channel: int, i: Site) -> Any:
    """Table row for channel at site i; NEVER if the occupant is not the one that the channel takes."""
    if state.species[i] != rates.channel_from[channel]:
        return NEVER
    row = np.uint64(rates.channel_row[channel, lattice.place[i]])
    if row != NEVER and rates.channel_counts[channel]:
        for e in range(lattice.offset.shape[1]):
            row += np.uint64(rates.channel_weight[channel, state.species[neighbour(lattice, state, i, e)]])
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
def transform_rate(lattice: Lattice, state: State, rates: Rates, c: int, channel: int, i: Site) -> float:
    """Rate / s⁻¹ of channel at site i."""
    row = transform_row(lattice, state, rates, channel, i)
    if row == NEVER:
        return 0.0
    factor = channel_factor(state, rates, c, channel)
    if rates.has_pairs:
        return factor * with_pairs(rates, c, row, transform_pairs(lattice, state, rates, channel, i))
    return factor * rates.rate[c, row]


@helper
def event_rate(lattice: Lattice, state: State, rates: Rates, c: int, channel: int, i: Site, d: int) -> float:
    """Rate / s⁻¹ of one event: a hop from vacancy i in direction d, or a transform channel at site i."""
    if channel == HOPS:
        return hop_rate(lattice, state, rates, c, i, d)
    return transform_rate(lattice, state, rates, c, channel, i)


# --- which candidate, and when ---


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
def next_time(lattice: Lattice, state: State, rates: Rates, plan: Plan, m: int, u: float) -> tuple[float, int, float]:
    """Time / s, segment and total / s⁻¹ of the next candidate: the exponential clock, carried across segment edges.

    `m` is a segment that has begun, from which to look for the present one.
    """
    need = -math.log(1.0 - u)
    t = state.clock[LAST]
    while plan.edges[m + 1] <= t:
        m += 1
    while True:
        if plan.scheduler == REJECTION:
            total = bound_total(lattice, state, rates, plan.condition[m])
        else:
            total = rate_total(lattice, state, rates, plan.condition[m])
        room = math.inf
        if total == 0.0:
            room = 0.0
        elif plan.edges[m + 1] < math.inf:
            room = (plan.edges[m + 1] - t) * total
        if need < room:
            return t + need / total, m, total
        if plan.edges[m + 1] == math.inf:
            return math.inf, m, total
        need -= room
        t = plan.edges[m + 1]
        m += 1


@helper
def draw_by_rejection(
    lattice: Lattice, state: State, rates: Rates, c: int, total: float, w: Words
) -> tuple[int, Any, Any, Any, float, bool]:
    """A candidate: channel, position in `vacancies`, site, direction, rate / s⁻¹, whether it is accepted."""
    x = unit(w[0]) * total
    channel = 0
    for trial in range(rates.bound.shape[1]):
        share = members(lattice, state, rates, trial) * directions(lattice, trial) * limit(state, rates, c, trial)
        if share > 0.0:
            channel = trial
            if x < share:
                break
            x -= share
    a, rest = multiply(w[1], np.uint64(members(lattice, state, rates, channel)))
    d, _ = multiply(rest, np.uint64(directions(lattice, channel)))
    k, i = member(lattice, state, rates, channel, a)
    rate = event_rate(lattice, state, rates, c, channel, i, d)
    return channel, k, i, d, rate, unit(w[2]) * limit(state, rates, c, channel) < rate


@helper
def draw_by_scan(
    lattice: Lattice, state: State, rates: Rates, c: int, total: float, w: Words
) -> tuple[int, Any, Any, Any, float, bool]:
    """The event at which the running sum of all rates passes a random share of their total; always accepted."""
    x = unit(w[0]) * total
    found = (0, ZERO, np.uint32(0), ZERO, 0.0, True)
    running = 0.0
    for channel in range(rates.bound.shape[1]):
        for a in range(members(lattice, state, rates, channel)):
            k, i = member(lattice, state, rates, channel, a)
            for d in range(directions(lattice, channel)):
                rate = event_rate(lattice, state, rates, c, channel, i, d)
                running += rate
                if rate > 0.0:
                    found = (channel, k, i, np.uint64(d), rate, True)
                    if running > x:
                        return found
    return found


@helper
def propose_one(
    lattice: Lattice, state: State, rates: Rates, plan: Plan, m: int, until: float, w: Words
) -> tuple[int, int, int, Any, Any, Any, float]:
    """Consume the next candidate and leave the crystal as it is, unless its time lies beyond `until` (s).

    `m` is a segment that has begun. Returns status, segment of the schedule, channel, position in `vacancies`, site,
    direction, rate / s⁻¹.
    """
    t, m, total = next_time(lattice, state, rates, plan, m, unit(w[3]))
    if t > until or t == math.inf:
        if until < math.inf:
            state.clock[NOW] = until
        return (NOTHING_LEFT if t == math.inf else TIME_REACHED), m, 0, ZERO, np.uint32(0), ZERO, 0.0
    state.tally[CANDIDATES] += 1
    state.clock[LAST] = t
    state.clock[NOW] = t
    if plan.scheduler == REJECTION:
        channel, k, i, d, rate, accepted = draw_by_rejection(lattice, state, rates, plan.condition[m], total, w)
    else:
        channel, k, i, d, rate, accepted = draw_by_scan(lattice, state, rates, plan.condition[m], total, w)
    return (FOUND if accepted else NULL_CANDIDATE), m, channel, k, i, d, rate


# --- the two primitives ---


@helper
def enlist(lattice: Lattice, state: State, k: int, exposed: bool) -> None:
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
def exchange(lattice: Lattice, state: State, k: int, i: Site, d: int) -> None:
    """Vacancy k at site i and the ion in direction d trade places."""
    raw = np.uint32(i + lattice.offset[lattice.place[i], d])
    j = neighbour(lattice, state, i, d)
    vacancy, ion = state.slot[i], state.slot[j]
    state.species[i], state.species[j] = state.species[j], state.species[i]
    state.slot[i], state.slot[j] = ion, vacancy
    if raw != j:
        rest = np.int64(raw)
        for axis in range(3):
            cell = rest // lattice.strides[axis]
            rest -= cell * lattice.strides[axis]
            turns = (cell - lattice.halo[axis]) // lattice.cells[axis]
            state.image[vacancy, axis] += turns
            state.image[ion, axis] -= turns
    if state.came_from[k] == j:
        state.tally[REVERSALS] += 1
    state.came_from[k] = i
    state.vacancies[k] = j
    enlist(lattice, state, k, lattice.exposed[lattice.place[j]] == 1)


@helper
def transform(lattice: Lattice, state: State, rates: Rates, channel: int, k: int, i: Site) -> None:
    """The occupant of site i becomes what the channel makes of it; the slot stays, its generation moves on."""
    before, after = rates.channel_from[channel], rates.channel_to[channel]
    slot = state.slot[i]
    state.species[i] = after
    state.generation[slot] += 1
    state.born[slot] = state.clock[NOW]
    state.origin[slot] = FROM_COMPLEX
    if rates.takes[channel] >= 0:
        state.reservoir[rates.takes[channel]] -= 1
    if rates.gives[channel] >= 0:
        state.reservoir[rates.gives[channel]] += 1
    n = state.tally[N_VACANCIES]
    if before == VACANCY:
        if state.came_from[k] == i:
            state.tally[REVERSALS] += 1
        enlist(lattice, state, k, False)
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
        enlist(lattice, state, n, True)


@helper
def apply(lattice: Lattice, state: State, rates: Rates, channel: int, k: int, i: Site, d: int) -> None:
    """Carry out a proposed event."""
    if channel == HOPS:
        exchange(lattice, state, k, i, d)
    else:
        transform(lattice, state, rates, channel, k, i)
    state.tally[EVENTS] += 1
    state.tally[CHANNEL_0 + channel] += 1


@helper
def foresee(lattice: Lattice, state: State, near: Words, far: Words) -> None:
    """In a crystal that outgrows the caches: ask for the sites of the next two candidates, if they are hops."""
    n = np.uint64(state.tally[N_VACANCIES])
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


def advance_plain(
    lattice: Lattice, state: State, rates: Rates, plan: Plan, until: float, last_event: int, last_candidate: int
) -> int:
    """Fire events until a time / s or an event or candidate count is reached; returns why it stopped."""
    w = words(state.tally[CANDIDATES] + 1, plan.round_keys)
    near = words(state.tally[CANDIDATES] + 2, plan.round_keys)
    large = lattice.place.size > CACHED
    m = 0
    while state.tally[EVENTS] < last_event and state.tally[CANDIDATES] < last_candidate:
        if state.tally[N_VACANCIES] == state.vacancies.size:
            return LIST_FULL
        far = words(state.tally[CANDIDATES] + 3, plan.round_keys)
        if large and state.tally[N_VACANCIES] > 0:
            foresee(lattice, state, near, far)
        status, m, channel, k, i, d, _ = propose_one(lattice, state, rates, plan, m, until, w)
        if status == FOUND:
            apply(lattice, state, rates, channel, k, i, d)
        elif status != NULL_CANDIDATE:
            return status
        w, near = near, far  # drawn early: the words of a candidate do not wait for the fate of those before it
    return LIMIT_REACHED


compiled = njit(cache=True, nogil=True, _nrt=False, error_model="numpy")
advance = compiled(advance_plain)
total_rate = compiled(rate_total)
