"""Which candidate, and when: the exponential clock across segment edges, and the draws of the schedulers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ucnp_abm.kernels.compiling import helper, multiply
from ucnp_abm.kernels.layout import (
    ACCEPTED,
    LINEAR_SCAN,
    REFUSED,
    REJECTION,
    UNDECIDED,
    ZERO,
    Lattice,
    Plan,
    Rates,
    State,
    Sums,
)
from ucnp_abm.kernels.rates import bound_total, directions, event_rate, limit, member, members, rate_total
from ucnp_abm.kernels.tree import build, tree_total

UNKNOWN = -1.0
"""A total that must be computed: the crystal has changed, or the condition."""


@helper
def total_of(lattice: Lattice, state: State, rates: Rates, plan: Plan, sums: Sums, c: int) -> float:
    """What the clock runs by under condition c / s⁻¹: the sum of all bounds, or of all rates."""
    if plan.scheduler == REJECTION:
        return bound_total(lattice, state, rates, c)
    if plan.scheduler == LINEAR_SCAN:
        return rate_total(lattice, state, rates, c)
    if sums.condition[0] != c:
        build(lattice, state, rates, sums, c)
    return tree_total(state, rates, sums, c)


@helper
def next_time(
    lattice: Lattice, state: State, rates: Rates, plan: Plan, sums: Sums, m: int, t: float, need: float, total: float
) -> tuple[float, int, float]:
    """Time / s, segment and total / s⁻¹ of the next candidate: the exponential clock, carried across segment edges.

    Parameters
    ----------
    m : int
        A segment that has begun, from which to look for the present one.
    t : float
        Time / s of the last candidate.
    need : float
        Hazard to wait for.
    total : float
        Total / s⁻¹ in segment m, if nothing has changed since it was computed; else UNKNOWN.
    """
    while plan.edges[m + 1] <= t:
        m += 1
        total = UNKNOWN
    while True:
        if total < 0.0:
            total = total_of(lattice, state, rates, plan, sums, plan.condition[m])
        after = t + need / total if total > 0.0 else math.inf
        if after <= plan.edges[m + 1]:  # an event at an edge: the edge was set just after it
            return after, m, total
        need = max(need - (plan.edges[m + 1] - t) * total, 0.0)
        t = plan.edges[m + 1]
        m += 1
        total = UNKNOWN


@helper
def draw_by_rejection(
    lattice: Lattice, state: State, rates: Rates, c: int, x: float, pick: Any, accept: float
) -> tuple[int, Any, Any, Any, int]:
    """A candidate at share x / s⁻¹ of the total: channel, position in `vacancies`, site, direction, and its fate."""
    channel = 0
    for trial in range(rates.bound.shape[1]):
        share = members(lattice, state, rates, trial) * directions(lattice, trial) * limit(state, rates, c, trial)
        if share > 0.0:
            channel = trial
            if x < share:
                break
            x -= share
    a, rest = multiply(pick, np.uint64(members(lattice, state, rates, channel)))
    d, _ = multiply(rest, np.uint64(directions(lattice, channel)))
    k, i = member(lattice, state, rates, channel, a)
    rate = event_rate(lattice, state, rates, c, channel, i, d)
    fate = ACCEPTED if accept * limit(state, rates, c, channel) < rate else REFUSED
    if math.isnan(rate):
        fate = UNDECIDED
    return channel, k, i, d, fate


@helper
def draw_by_scan(lattice: Lattice, state: State, rates: Rates, c: int, x: float) -> tuple[int, Any, Any, Any]:
    """The event at which the running sum of all rates passes x / s⁻¹; the last possible one if rounding leaves none."""
    found = (0, ZERO, np.uint32(0), ZERO)
    running = 0.0
    for channel in range(rates.bound.shape[1]):
        for a in range(members(lattice, state, rates, channel)):
            k, i = member(lattice, state, rates, channel, a)
            for d in range(directions(lattice, channel)):
                rate = event_rate(lattice, state, rates, c, channel, i, d)
                running += rate
                if rate > 0.0:
                    found = (channel, k, i, np.uint64(d))
                    if running > x:
                        return found
    return found
