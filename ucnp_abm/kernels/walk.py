"""Random walks of single excitations through a network, hop by hop, until each ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ucnp_abm.kernels.compiling import compiled, helper, text_of_all
from ucnp_abm.kernels.layout import Floats, Int64s, UInt8s, UInt64s
from ucnp_abm.kernels.random_words import hazard, unit, words

STEP_BITS = 32
"""Words of step s of walk w are those of candidate 2^32 w + s + 1; step 0 is the start."""
NO_END = 255
"""Channel of a walk that took more hops than allowed."""


class Ways(NamedTuple):
    """Where excitations begin, and the ways out of n carriers: hops first, then ends."""

    start: Floats  # (n,): cumulative chance to begin on each carrier
    first: Int64s  # (n + 1,): where each carrier's ways begin
    target: Int64s  # (ways,): carrier that a hop leads to, or -1 - channel
    cumulative: Floats  # (ways,): rates / 1/s of the ways of a carrier, added up


class Walked(NamedTuple):
    """What is filled in for each walk."""

    channel: UInt8s
    time: Floats  # s
    hops: Int64s


@helper
def above(cumulative: Floats, low: Any, high: Any, x: float) -> Any:
    """First place from low to high - 1 whose value is above x; the last one if none is."""
    while low < high - 1:
        middle = (low + high - 1) // 2
        if cumulative[middle] > x:
            high = middle + 1
        else:
            low = middle + 1
    return low


@helper
def walk_plain(ways: Ways, keys: UInt64s, first_walk: int, most_hops: int, walked: Walked) -> None:
    """Walk once for each place of `walked`; the numbers of the walks begin with `first_walk`."""
    for w in range(walked.time.size):
        counter = (first_walk + w) * 4294967296 + 1
        drawn = words(counter, keys)
        here = above(ways.start, 0, ways.start.size, unit(drawn[0]) * ways.start[ways.start.size - 1])
        time, hops, channel = 0.0, 0, NO_END
        while channel == NO_END and hops <= most_hops:
            counter += 1
            drawn = words(counter, keys)
            low, high = ways.first[here], ways.first[here + 1]
            total = ways.cumulative[high - 1]
            time += hazard(drawn[1]) / total
            target: Any = ways.target[above(ways.cumulative, low, high, unit(drawn[0]) * total)]
            if target < 0:
                channel = -1 - target
            else:
                here = target
                hops += 1
        walked.channel[w] = np.uint8(channel)
        walked.time[w] = time
        walked.hops[w] = hops


def _loop(text: str) -> Callable[..., Any]:
    @compiled
    def walk(ways, keys, first_walk, most_hops, walked):  # type: ignore[no-untyped-def]
        text  # noqa: B018
        walk_plain(ways, keys, first_walk, most_hops, walked)

    return walk


walk = _loop(text_of_all())
