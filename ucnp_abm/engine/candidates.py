"""Every event that could happen now, as one array in the order of the linear scan."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.engine.pack import Loop
from ucnp_abm.kernels import telling
from ucnp_abm.kernels.rates import directions, members

CANDIDATE = np.dtype(
    [("channel", "u1"), ("site", "<u4"), ("to", "<u4"), ("direction", "u1"), ("row", "<u4"), ("rate", "<f8")],
    align=True,
)
"""An event that could happen: channel (0: hop), site numbers of the vacancy and of the ion that would fill it (equal
for one-site verbs), direction of the hop, row of the rate table, rate / s⁻¹."""


def candidates(crystal: Crystal, loop: Loop, condition: int, interpreted: bool) -> NDArray[np.void]:
    """(n,) every event with a rate above zero under a condition (dtype `CANDIDATE`); all rows must be known."""
    lattice, state, rates = loop.lattice, loop.state, loop.rates
    most = sum(
        int(members(lattice, state, rates, channel)) * directions(lattice, channel)
        for channel in range(rates.bound.shape[1])
    )
    found = np.empty(most, dtype=CANDIDATE)
    room = telling.Listed(*(found[name] for name in ("channel", "site", "to", "direction", "row", "rate")))
    listed = telling.listed_plain if interpreted else telling.listed
    found = found[: int(listed(lattice, state, rates, condition, room))]
    for name in ("site", "to"):  # the loop wrote grid points
        found[name] = crystal.numbers(found[name])
    return found
