"""Many excitations at once: ions absorb, decay and trade energy, one event after another.

A candidate is drawn by a bound on the rate of every excited ion: what it does alone, and for each kind of partner the
sum of r⁻⁶ over all of these times the largest constant among the levels that any of them is in. Whichever partner is
drawn is asked for its level, and refuses the share by which its own constant falls short (thinning, Lewis and Shedler,
Nav. Res. Logist. 26, 403 (1979), doi:10.1002/nav.3800260304). Events and their times have exactly the rates of the
master equation.

Nothing is summed up by differences: rates add up in blocks of excited ions, and a block is summed anew when one of its
ions changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.kernels.compiling import compiled, helper, text_of_all
from ucnp_abm.kernels.layout import Floats, Int32s, Int64s, UInt64s
from ucnp_abm.kernels.random_words import hazard, unit, words

Index = Any
"""A whole number; numba needs to know no more."""

BLOCK = 16
"""Excited ions whose rates are summed together."""
CANDIDATES, EVENTS, EXCITED, ABSORBED, TOLD, STALE = range(6)
"""Positions in `Excitons.tally`: totals, ions excited now, times told, and a bit for each kind of acceptor whose levels
have changed since the bounds were worked out; one bit more if they must be in any case."""
FINISHED, PAUSED = 0, 1
"""Why the loop came back: the time is reached, or so many candidates were drawn."""


class Ions(NamedTuple):
    """What never changes: N ions of K kinds with up to L levels; kind 0 absorbs and has two levels.

    P partners in all, those of ion i and kind g at ``first[K i + g]`` to ``first[K i + g + 1]``, the strongest first.
    """

    kind: NDArray[np.int8]  # (N,)
    alone: Floats  # (N, L, W): running sums of the rates / 1/s of the ways in which an ion changes alone, by its level
    first: Int64s  # (K N + 1,)
    partner: Int32s  # (P,)
    reach: Floats  # (P,): running sums, within each list, of r⁻⁶ / Å⁻⁶ (or of any rate whose constant is 1)
    sums: Floats  # (N, K): last entry of each list
    absorbing: Int64s  # (1,): number of ions of kind 0, which come first


class Trades(NamedTuple):
    """What two ions may do together, by kind and level of donor and acceptor: C channels in all."""

    first: Int64s  # (K, L, K, L): first channel
    last: Int64s  # (K, L, K, L): one past the last
    constant: Floats  # (C,): running sums, within each list, of the constants / Å⁶/s
    total: Floats  # (K, L, K, L): last entry of each list, 0 where it is empty
    down: Int64s  # (C,): level of the donor afterwards
    up: Int64s  # (C,): level of the acceptor afterwards
    target: Int64s  # (K, L, W): level that each way of changing alone leads to


class Excitons(NamedTuple):
    """Everything that changes. T times to tell of."""

    level: NDArray[np.int8]  # (N,)
    since: Floats  # (N,): when each ion came into its level / s
    stay: Floats  # (N, L): time in each excited level, told when it is left / s
    excited: Int32s  # (N,): the excited ions, those of `tally[EXCITED]` slots
    slot: Int32s  # (N,): slot of each excited ion
    rate: Floats  # (N,): bound of each slot / 1/s, 0 beyond the last
    block: Floats  # (N // BLOCK + 1,): its sums
    most: Floats  # (K, L, K): largest constant among the levels that acceptors are in / Å⁶/s
    held: Int64s  # (K, L): ions in each level
    alone: Int64s  # (K, L, W): events of each kind so far
    traded: Int64s  # (C,): likewise of each channel
    tally: Int64s  # (6,)
    now: Floats  # (1,): s
    told: Int64s  # (T, K, L): ions in each level at each time, added up over all runs


@helper
def bound(i: Index, ions: Ions, state: Excitons) -> float:
    """Rate / 1/s that ion i does not exceed, whatever its partners are in."""
    kind, level = ions.kind[i], state.level[i]
    total: float = ions.alone[i, level, ions.alone.shape[2] - 1]
    for g in range(ions.sums.shape[1]):
        total += ions.sums[i, g] * state.most[kind, level, g]
    return total


@helper
def add_up(b: Index, state: Excitons) -> None:
    """Sum the rates of a block anew."""
    total = 0.0
    for s in range(b * BLOCK, min((b + 1) * BLOCK, state.tally[EXCITED])):
        total += state.rate[s]
    state.block[b] = total


@helper
def refresh(s: Index, ions: Ions, state: Excitons) -> None:
    """Work out the rate of a slot anew."""
    state.rate[s] = bound(state.excited[s], ions, state)
    add_up(s // BLOCK, state)


@helper
def renew(ions: Ions, trades: Trades, state: Excitons) -> None:
    """Work out the bounds anew, if the levels that acceptors of a kind are in have changed so that it matters."""
    kinds, levels = state.most.shape[0], state.most.shape[1]
    matters = state.tally[STALE] >> kinds != 0
    for g in range(kinds):
        if state.tally[STALE] & (1 << g):
            for k in range(kinds):
                for d in range(1, levels):
                    found = 0.0
                    for a in range(levels):
                        alone = 1 if k == g and d == a else 0  # no ion is its own partner
                        if g == 0 or state.held[g, a] > alone:
                            found = max(found, trades.total[k, d, g, a])
                    matters = matters or found != state.most[k, d, g]
                    state.most[k, d, g] = found
    n = state.tally[EXCITED] if matters else 0
    for s in range(n):
        state.rate[s] = bound(state.excited[s], ions, state)
    for b in range((n + BLOCK - 1) // BLOCK):
        add_up(b, state)
    state.tally[STALE] = 0


@helper
def put(i: Index, level: Index, ions: Ions, state: Excitons) -> None:
    """Ion i comes into a level; its slot is left to the caller."""
    kind, old, now = ions.kind[i], state.level[i], state.now[0]
    if old > 0:
        state.stay[i, old] += now - state.since[i]
    state.since[i] = now
    state.level[i] = level
    state.held[kind, old] -= 1
    state.held[kind, level] += 1
    if kind > 0 and (state.held[kind, old] < 2 or state.held[kind, level] < 3):
        state.tally[STALE] |= 1 << kind  # none, one (which may be the donor itself) or more: it matters which


@helper
def change(i: Index, level: Index, ions: Ions, state: Excitons) -> None:
    """Ion i comes into a level, and into or out of the list of excited ions."""
    old = state.level[i]
    if old == level:
        return
    put(i, level, ions, state)
    if old == 0:
        s = state.tally[EXCITED]
        state.tally[EXCITED] = s + 1
        state.excited[s] = i
        state.slot[i] = s
        refresh(s, ions, state)
    elif level == 0:
        s, last = state.slot[i], state.tally[EXCITED] - 1
        state.tally[EXCITED] = last
        moved = state.excited[last]
        state.excited[s] = moved
        state.slot[moved] = s
        state.rate[s] = state.rate[last]
        state.rate[last] = 0.0
        add_up(s // BLOCK, state)
        add_up(last // BLOCK, state)
    else:
        refresh(state.slot[i], ions, state)


@helper
def pass_on(i: Index, down: Index, j: Index, up: Index, ions: Ions, state: Excitons) -> None:
    """Donor i and acceptor j change together; an excitation that only moves keeps its slot."""
    if down == 0 and state.level[j] == 0 and up > 0:
        s, stale = state.slot[i], state.tally[STALE]
        same = ions.kind[i] == ions.kind[j] and state.level[i] == up
        put(i, 0, ions, state)
        put(j, up, ions, state)
        if same:
            state.tally[STALE] = stale  # as many in each level as before
        state.excited[s] = j
        state.slot[j] = s
        refresh(s, ions, state)
    else:
        change(j, up, ions, state)
        change(i, down, ions, state)


@helper
def drawn(first: Index, last: Index, reach: Floats, x: float) -> Index:
    """Position of the first running sum above x: doubling steps from the strongest partner on, then halving ones."""
    low, high, step = first, first, 1
    while high < last - 1 and reach[high] <= x:
        low = high + 1
        high = min(high + step, last - 1)
        step *= 2
    while low < high:
        middle = (low + high) // 2
        if reach[middle] <= x:
            low = middle + 1
        else:
            high = middle
    return low


@helper
def event(i: Index, x: float, word: Any, ions: Ions, trades: Trades, state: Excitons) -> int:
    """What excited ion i does, if anything: x is uniform below its bound, the word chooses the partner.

    Returns
    -------
    int
        1 if something happened.
    """
    kind, level = ions.kind[i], state.level[i]
    ways, kinds = ions.alone.shape[2], ions.sums.shape[1]
    total = ions.alone[i, level, ways - 1]
    if x < total:
        way = 0
        while ions.alone[i, level, way] <= x:
            way += 1
        state.alone[kind, level, way] += 1
        change(i, trades.target[kind, level, way], ions, state)
        return 1
    x -= total
    for g in range(kinds):
        share = ions.sums[i, g] * state.most[kind, level, g]
        if x < share:
            x /= ions.sums[i, g]
            row = kinds * i + g
            j = ions.partner[drawn(ions.first[row], ions.first[row + 1], ions.reach, unit(word) * ions.sums[i, g])]
            c, last = trades.first[kind, level, g, state.level[j]], trades.last[kind, level, g, state.level[j]]
            while c < last and trades.constant[c] <= x:
                c += 1
            if c == last:
                return 0
            state.traded[c] += 1
            pass_on(i, trades.down[c], j, trades.up[c], ions, state)
            return 1
        x -= share
    return 0


@helper
def tell(until: float, times: Floats, state: Excitons) -> None:
    """Add the ions in each level to all times that are due."""
    t = state.tally[TOLD]
    while t < times.shape[0] and times[t] <= until:
        for k in range(state.held.shape[0]):
            for level in range(state.held.shape[1]):
                state.told[t, k, level] += state.held[k, level]
        t += 1
    state.tally[TOLD] = t


@helper
def shine_plain(
    ions: Ions,
    trades: Trades,
    state: Excitons,
    keys: UInt64s,
    pump: float,
    until: float,
    times: Floats,
    candidates: int,
) -> int:
    """Go on until a time, or until so many candidates were drawn.

    Parameters
    ----------
    ions : Ions
    trades : Trades
    state : Excitons
    keys : (10, 2) uint64
    pump : float
        Absorption / 1/s of one ion of kind 0 in its ground state.
    until : float
        s.
    times : (T,) float64
        When to tell of the levels / s, ascending.
    candidates : int
        At most so many, nulls included.

    Returns
    -------
    int
        FINISHED or PAUSED.
    """
    for _ in range(candidates):
        if state.tally[STALE] != 0:
            renew(ions, trades, state)
        absorbing = pump * ions.absorbing[0]
        total, blocks = absorbing, (state.tally[EXCITED] + BLOCK - 1) // BLOCK
        for b in range(blocks):
            total += state.block[b]
        if total <= 0.0:
            tell(until, times, state)
            state.now[0] = until
            return FINISHED
        state.tally[CANDIDATES] += 1
        w = words(state.tally[CANDIDATES], keys)
        then = state.now[0] + hazard(w[3]) / total
        if then >= until:
            tell(until, times, state)
            state.now[0] = until
            return FINISHED
        if state.tally[TOLD] < times.shape[0]:
            tell(then, times, state)
        state.now[0] = then
        x = unit(w[0]) * total
        if x < absorbing:
            i = min(int(x / pump), ions.absorbing[0] - 1)
            if state.level[i] == 0:
                change(i, 1, ions, state)
                state.tally[ABSORBED] += 1
                state.tally[EVENTS] += 1
            continue
        x -= absorbing
        b = 0
        while b < blocks - 1 and x >= state.block[b]:
            x -= state.block[b]
            b += 1
        s, end = b * BLOCK, min((b + 1) * BLOCK, state.tally[EXCITED])
        while s < end - 1 and x >= state.rate[s]:
            x -= state.rate[s]
            s += 1
        if s < end:  # rounding may lead past the last
            x = unit(w[1]) * state.rate[s]
            state.tally[EVENTS] += event(state.excited[s], x, w[2], ions, trades, state)
    return PAUSED


def _loop(text: str) -> Callable[..., int]:
    @compiled
    def shine(
        ions: Ions,
        trades: Trades,
        state: Excitons,
        keys: UInt64s,
        pump: float,
        until: float,
        times: Floats,
        candidates: int,
    ) -> int:
        text  # noqa: B018
        return shine_plain(ions, trades, state, keys, pump, until, times, candidates)

    return shine


shine: Callable[..., int] = _loop(text_of_all())
