"""Random walks of single excitations: the answers of `ucnp_abm.photons.solve` again, by dice and with error bars.

Nothing is shared with the linear solvers but the rates: an excitation begins as `Network.start` says, waits
exponentially, and takes a way with the chance that its rate has among all (Gillespie, doi:10.1021/j100540a008).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ucnp_abm import seeds, units
from ucnp_abm.errors import BadInput, NotConverged
from ucnp_abm.kernels import walk as kernel
from ucnp_abm.kernels.random_words import round_keys
from ucnp_abm.photons.network import CHANNELS, Network

MOST_WALKS = 2**31
MOST_HOPS = 2**31

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Walks:
    """Where walks ended. m walks.

    Attributes
    ----------
    shares, share_errors : mapping
        Share of the walks that ended in each channel, and its standard error.
    lifetime_s, lifetime_error_s : float
        Mean time / s to the end, and its standard error.
    hops_per_walk : float
        Mean.
    channel : (m,) uint8
        Position in `CHANNELS` of each walk's end.
    time_s : (m,) float64
        Time / s to each walk's end.
    hops : (m,) int64
    """

    shares: dict[str, float]
    share_errors: dict[str, float]
    lifetime_s: float
    lifetime_error_s: float
    hops_per_walk: float
    channel: NDArray[np.uint8]
    time_s: Floats
    hops: NDArray[np.int64]


def walk(network: Network, walks: int = 10_000, seed: int = 0, first: int = 0, *, interpreted: bool = False) -> Walks:
    """Walk many times.

    Parameters
    ----------
    network : Network
    walks : int
    seed : int
        Each walk has a number, and seed and number decide all of it.
    first : int
        Number of the first walk: go on with ``first=walks`` for further ones.
    interpreted : bool
        Run the same text without compiling it: bit for bit the same, some hundred times slower.

    Raises
    ------
    BadInput
        If there are fewer than two walks, too many, or a carrier that is reached has no way out.
    NotConverged
        If a walk has not ended after 2^31 hops.
    """
    if units.count(walks, "walks") < 2 or walks + units.count(first, "first") > MOST_WALKS:
        raise BadInput(f"walks: expected from 2 to {MOST_WALKS} in all, got {walks} from {first} on")
    ways = ways_of(network)
    found = kernel.Walked(np.zeros(walks, np.uint8), np.zeros(walks), np.zeros(walks, np.int64))
    loop = kernel.walk_plain if interpreted else kernel.walk
    loop(ways, round_keys(*seeds.philox_key(seed, "excitations")), first, MOST_HOPS, found)
    if (found.channel == kernel.NO_END).any():
        raise NotConverged(f"light: a walk of an excitation did not end within {MOST_HOPS} hops")
    shares = np.bincount(found.channel, minlength=len(CHANNELS)) / walks
    return Walks(
        shares=dict(zip(CHANNELS, shares.tolist(), strict=True)),
        share_errors={name: math.sqrt(p * (1 - p) / walks) for name, p in zip(CHANNELS, shares.tolist(), strict=True)},
        lifetime_s=float(found.time.mean()),
        lifetime_error_s=float(found.time.std(ddof=1)) / math.sqrt(walks),
        hops_per_walk=float(found.hops.mean()),
        channel=found.channel,
        time_s=found.time,
        hops=found.hops,
    )


def ways_of(network: Network) -> kernel.Ways:
    """The ways out of each carrier: hops to others, then the channels with a rate.

    Raises
    ------
    BadInput
        If a carrier has no way out.
    """
    hops = network.hops.tocoo()
    kept = (hops.data > 0) & (hops.row != hops.col)
    rows, targets, rates = [hops.row[kept]], [hops.col[kept]], [hops.data[kept]]
    for number, name in enumerate(CHANNELS):
        rate = network.channels[name]
        some = np.flatnonzero(rate > 0)
        rows.append(some)
        targets.append(np.full(some.size, -1 - number))
        rates.append(rate[some])
    row, target, rate = (np.concatenate(each) for each in (rows, targets, rates))
    order = np.argsort(row, kind="stable")
    counts = np.bincount(row, minlength=network.n_carriers)
    if not counts.all():
        raise BadInput("light: some excitations would never end: a carrier has neither decay nor neighbours")
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    cumulative = rate[order].astype(np.float64)
    for low, high in zip(first[:-1].tolist(), first[1:].tolist(), strict=True):
        np.cumsum(cumulative[low:high], out=cumulative[low:high])
    return kernel.Ways(np.cumsum(network.start), first, target[order].astype(np.int64), cumulative)
