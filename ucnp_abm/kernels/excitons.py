"""Many excitations at once: ions absorb, decay and trade energy, one event after another.

A candidate is drawn by a bound on the rate of every excited ion: what it does alone, and for each kind of partner the
sum of r⁻⁶ over all of these times the largest constant among the levels that any of them is in. Whichever partner is
drawn is asked for its level, and refuses the share by which its own constant falls short (thinning, Lewis and Shedler,
Nav. Res. Logist. 26, 403 (1979), doi:10.1002/nav.3800260304). Events and their times have exactly the rates of the
master equation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ucnp_abm.kernels.compiling import compiled, helper, text_of_all
from ucnp_abm.kernels.exciton_arrays import (
    ABSORBED,
    BLOCK,
    CANDIDATES,
    EVENTS,
    EXCITED,
    FINISHED,
    PAUSED,
    STALE,
    TOLD,
    Excitons,
    Index,
    Ions,
    Trades,
)
from ucnp_abm.kernels.exciton_moves import change, pass_on, renew
from ucnp_abm.kernels.layout import Floats, UInt64s
from ucnp_abm.kernels.random_words import hazard, unit, words


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
