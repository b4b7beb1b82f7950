"""What the loop of many excitations reads and writes: arrays, as for the loop of atoms in `layout`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.kernels.layout import Floats, Int32s, Int64s

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
