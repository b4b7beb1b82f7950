"""Ions that come into other levels: the list of excited ones, and the bounds on what each may do.

Nothing is summed up by differences: rates add up in blocks of excited ions, and a block is summed anew when one of its
ions changes.
"""

from __future__ import annotations

from ucnp_abm.kernels.compiling import helper
from ucnp_abm.kernels.exciton_arrays import BLOCK, EXCITED, STALE, Excitons, Index, Ions, Trades


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
