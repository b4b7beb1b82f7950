"""Sums of rates in binary trees, one for each channel: an event is found and its neighbourhood renewed in log N.

Nothing is accumulated. A leaf is computed from the crystal, a parent is the sum of its two children, so the tree after
any history is bit for bit the tree that is built afresh.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ucnp_abm.kernels.compiling import helper
from ucnp_abm.kernels.layout import (
    EVENTS,
    HOPS,
    N_VACANCIES,
    NEVER,
    NOTHING,
    OUTSIDE,
    VACANCY,
    ZERO,
    Lattice,
    Rates,
    Site,
    State,
    Sums,
)
from ucnp_abm.kernels.rates import channel_factor, first_row, hop_rate, neighbour, site_rate


@helper
def leaf(lattice: Lattice, state: State, rates: Rates, sums: Sums, c: int, channel: int, a: Any) -> float:
    """Rate / s⁻¹ of member `a`, the channel's factor left out: a vacancy by its position, else an exposed site."""
    if channel == HOPS:
        total = 0.0
        i = state.vacancies[a]
        if sums.reach[0] == 2 and not rates.has_pairs:
            look_around(lattice, state, rates, sums, i)
        for d in range(lattice.offset.shape[1]):
            if sums.reach[0] == 2 and not rates.has_pairs:
                rate = rates.rate[c, counted_row(lattice, state, rates, sums, i, d)]
            else:
                rate = hop_rate(lattice, state, rates, c, i, d)
            sums.part[a, d] = rate
            total += rate
        return total
    if rates.channel_from[channel] == VACANCY:
        if state.exposed_rank[a] < 0:
            return 0.0
        i = state.vacancies[a]
    else:
        i = lattice.exposed_sites[a]
    return site_rate(lattice, state, rates, c, channel, i)


@helper
def look_around(lattice: Lattice, state: State, rates: Rates, sums: Sums, i: Site) -> None:
    """Note the neighbours of vacancy i, and the numbers that they stand for with each mover."""
    sums.weight[:] = 0
    for d in range(lattice.offset.shape[1]):
        sums.near[d] = neighbour(lattice, state, i, d)
    for d in range(lattice.offset.shape[1]):
        mover = state.species[sums.near[d]]
        if rates.hop_counts[mover] != NOTHING and sums.weight[mover] == 0:
            for e in range(lattice.offset.shape[1]):
                sums.weight[mover] += rates.hop_weight[mover, state.species[sums.near[e]]]


@helper
def counted_row(lattice: Lattice, state: State, rates: Rates, sums: Sums, i: Site, d: int) -> Any:
    """The row of `hop_row`, of which the part around vacancy i was noted by `look_around`."""
    j = sums.near[d]
    mover = state.species[j]
    row = first_row(lattice, state, rates, i, j, d)
    if row != NEVER and rates.hop_counts[mover] != NOTHING:
        number = np.uint64(sums.weight[mover])
        for e in range(lattice.offset.shape[1]):
            number += rates.hop_weight[mover, state.species[neighbour(lattice, state, j, e)]]
        # The ends themselves do not count.
        number -= rates.hop_weight[mover, mover] + rates.hop_weight[mover, VACANCY]
        row += np.uint64(rates.row_of[np.uint64(rates.hop_map[mover]) + number])
    return row


@helper
def set_leaf(sums: Sums, channel: int, a: Any, value: float) -> None:
    """Put a rate into a leaf and renew the sums above it."""
    root, n = sums.root[channel], np.int64(a) + sums.leaves[channel]
    sums.node[root + n - 1] = value
    while n > 1:
        n >>= 1
        sums.node[root + n - 1] = sums.node[root + 2 * n - 1] + sums.node[root + 2 * n]


@helper
def build(lattice: Lattice, state: State, rates: Rates, sums: Sums, c: int) -> None:
    """All leaves and sums under condition c."""
    sums.node[:] = 0.0
    n_vacancies = state.tally[N_VACANCIES]
    for channel in range(sums.root.size):
        of_vacancies = channel == HOPS or rates.channel_from[channel] == VACANCY
        members = n_vacancies if of_vacancies else lattice.exposed_sites.size
        root, n = sums.root[channel], sums.leaves[channel]
        for a in range(members):
            sums.node[root + n + a - 1] = leaf(lattice, state, rates, sums, c, channel, a)
        for parent in range(n - 1, 0, -1):
            sums.node[root + parent - 1] = sums.node[root + 2 * parent - 1] + sums.node[root + 2 * parent]
    for a in range(n_vacancies):
        sums.position[state.vacancies[a]] = a
    for a in range(lattice.exposed_sites.size):
        sums.exposed_number[lattice.exposed_sites[a]] = a
    sums.seen[:] = -1
    sums.condition[0] = c


@helper
def renew_vacancy(lattice: Lattice, state: State, rates: Rates, sums: Sums, a: Any) -> None:
    """The leaves of vacancy `a` in all channels, once an event."""
    if sums.seen[a] != state.tally[EVENTS]:
        sums.seen[a] = state.tally[EVENTS]
        for channel in range(sums.root.size):
            if channel == HOPS or rates.channel_from[channel] == VACANCY:
                set_leaf(sums, channel, a, leaf(lattice, state, rates, sums, sums.condition[0], channel, a))


@helper
def renew_site(lattice: Lattice, state: State, rates: Rates, sums: Sums, i: Site) -> None:
    """All leaves that belong to a site, once an event."""
    renew_vacant(lattice, state, rates, sums, i)
    if lattice.exposed[lattice.place[i]] == 1:
        a = sums.exposed_number[i]
        mark = state.vacancies.size + a
        if sums.seen[mark] != state.tally[EVENTS]:
            sums.seen[mark] = state.tally[EVENTS]
            for channel in range(1, sums.root.size):
                if rates.channel_from[channel] != VACANCY:
                    set_leaf(sums, channel, a, leaf(lattice, state, rates, sums, sums.condition[0], channel, a))


@helper
def renew_around(lattice: Lattice, state: State, rates: Rates, sums: Sums, i: Site) -> None:
    """The leaves that a change of the occupant of site i can have touched.

    A hop between a vacancy and its neighbour reads, if it reads at all, the neighbours of both: two bonds away.
    """
    renew_site(lattice, state, rates, sums, i)
    whole = True
    for d in range(lattice.offset.shape[1]):
        j = neighbour(lattice, state, i, d)
        if state.species[j] == OUTSIDE:
            whole = False
        else:
            renew_site(lattice, state, rates, sums, j)
    if sums.reach[0] == 2:
        if whole:  # every site of the second shell can be reached by the path that was chosen for it
            p = lattice.place[i]
            for q in range(sums.n_paths[p]):
                j = neighbour(lattice, state, i, sums.paths[p, q, 0])
                renew_vacant(lattice, state, rates, sums, neighbour(lattice, state, j, sums.paths[p, q, 1]))
        else:
            for d in range(lattice.offset.shape[1]):
                j = neighbour(lattice, state, i, d)
                if state.species[j] != OUTSIDE:
                    for e in range(lattice.offset.shape[1]):
                        renew_vacant(lattice, state, rates, sums, neighbour(lattice, state, j, e))


@helper
def renew_vacant(lattice: Lattice, state: State, rates: Rates, sums: Sums, i: Site) -> None:
    """The leaves of the vacancy on a site, if there is one."""
    if state.species[i] == VACANCY:
        renew_vacancy(lattice, state, rates, sums, sums.position[i])


@helper
def follow(lattice: Lattice, state: State, rates: Rates, sums: Sums, channel: int, k: Any, i: Site) -> None:
    """Renew what the event that has just happened (`apply`) can have changed."""
    n = state.tally[N_VACANCIES]
    if channel == HOPS:
        j = state.vacancies[k]
        sums.position[j] = k
        renew_around(lattice, state, rates, sums, j)
    elif rates.channel_from[channel] == VACANCY:
        for other in range(sums.root.size):
            if other == HOPS or rates.channel_from[other] == VACANCY:
                set_leaf(sums, other, n, 0.0)
        if k < n:  # the last vacancy took its place
            sums.position[state.vacancies[k]] = k
            renew_vacancy(lattice, state, rates, sums, k)
    elif rates.channel_to[channel] == VACANCY:
        sums.position[i] = n - 1
    renew_around(lattice, state, rates, sums, i)


@helper
def tree_total(state: State, rates: Rates, sums: Sums, c: int) -> float:
    """Sum / s⁻¹ of the rates of all events."""
    total = 0.0
    for channel in range(sums.root.size):
        total += sums.node[sums.root[channel]] * channel_factor(state, rates, c, channel)
    return total


@helper
def draw_by_tree(
    lattice: Lattice, state: State, rates: Rates, sums: Sums, c: int, x: float
) -> tuple[int, Any, Any, Any]:
    """The event at share x / s⁻¹ of the total: channel, position in `vacancies`, site, direction.

    A branch without rate is never entered, whatever rounding makes of x.
    """
    channel, factor = 0, 1.0
    for trial in range(sums.root.size):
        f = channel_factor(state, rates, c, trial)
        share = sums.node[sums.root[trial]] * f
        if share > 0.0:
            channel, factor = trial, f
            if x < share:
                break
            x -= share
    x /= factor
    root, n = sums.root[channel], 1
    while n < sums.leaves[channel]:
        left, right = sums.node[root + 2 * n - 1], sums.node[root + 2 * n]
        n *= 2
        if right > 0.0 and (x >= left or left == 0.0):
            x -= left
            n += 1
    a = n - sums.leaves[channel]
    if channel == HOPS:
        found = 0
        for d in range(lattice.offset.shape[1]):
            if sums.part[a, d] > 0.0:
                found = d
                if x < sums.part[a, d]:
                    break
                x -= sums.part[a, d]
        return channel, np.uint64(a), state.vacancies[a], np.uint64(found)
    if rates.channel_from[channel] == VACANCY:
        return channel, np.uint64(a), state.vacancies[a], ZERO
    return channel, ZERO, lattice.exposed_sites[a], ZERO
