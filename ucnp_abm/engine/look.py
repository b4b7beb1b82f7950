"""A look at one event that could happen: its rate term by term, and what its law sees.

The environment is counted from the occupants, independently of the loop's row arithmetic, so that a live call of the
law checks both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.species import OUTSIDE, SPECIES, SYMBOLS
from ucnp_abm.engine.memo import Memo
from ucnp_abm.engine.moves import Move
from ucnp_abm.engine.pack import Loop
from ucnp_abm.kernels import rates as kernel
from ucnp_abm.kernels.layout import HOPS
from ucnp_abm.rules.env import Counts, HopEnv, Site, SiteEnv
from ucnp_abm.rules.ruleset import HopRule, SiteRule
from ucnp_abm.rules.table import RateTable


def look(
    crystal: Crystal,
    table: RateTable,
    memo: Memo,
    loop: Loop,
    channel: int,
    point: int,
    direction: int,
    condition: int,
    temperature: float,
) -> Move:
    """One event on the present crystal: `channel` at grid point `point`, for hops in a direction."""
    lattice, state, rates = loop.lattice, loop.state, loop.rates
    i = j = np.uint32(point)
    pairs = 0.0
    if channel == HOPS:
        j = kernel.neighbour(lattice, state, i, direction)
        row = int(kernel.hop_row(lattice, state, rates, i, j, direction))
        if row and rates.has_pairs:
            pairs = float(kernel.hop_pairs(lattice, state, rates, i, j))
        verb, symbol = "hop", SYMBOLS.get(int(state.species[j]), "none")
    else:
        row = int(kernel.transform_row(lattice, state, rates, channel, i))
        if row and rates.has_pairs:
            pairs = float(kernel.transform_pairs(lattice, state, rates, channel, i))
        verb, symbol = table.channels[channel - 1].verb, table.channels[channel - 1].species
    step = float(rates.site_step[row]) + pairs
    rule = memo.block_of(row).rule if row else None
    seen = environment(crystal, state.species, rule, int(i), int(j), direction) if rule else None
    energy = float(kernel.activation(int(rates.kind[row]), float(rates.barrier[row]), step))
    assisted = float(rates.assisted[condition, row]) if rates.assisted.size else 0.0
    return Move(
        verb=verb,
        species=symbol,
        site=crystal.number_of(i),
        to=crystal.number_of(j),
        rate=float(kernel.event_rate(lattice, state, rates, condition, channel, i, direction)),
        barrier=float(rates.barrier[row]),
        energy_step=step,
        activation=energy,
        attempt=float(rates.attempt[row]),
        factor=1.0 if channel == HOPS else float(kernel.channel_factor(state, rates, condition, channel)),
        assisted=assisted * math.exp(-max(energy - rates.relief, 0.0) / rates.kt[condition]) if assisted else 0.0,
        temperature=temperature,
        environment=seen,
        rule=rule,
        row=row,
    )


def environment(
    crystal: Crystal, species: NDArray[np.uint8], rule: HopRule | SiteRule, i: int, j: int, direction: int
) -> HopEnv | SiteEnv:
    """Environment of a hop between vacancy `i` and ion `j`, or of a one-site verb at `i` (grid points)."""
    place = crystal.place[i]
    here, there = crystal.number_of(i), crystal.number_of(j)
    if isinstance(rule, HopRule):
        around = [n for n in crystal.neighbours(here) if n not in (-1, there)]
        around += [n for n in crystal.neighbours(there) if n not in (-1, here)]
        bond = crystal.lattice.bonds[int(crystal.bond[place, direction])][0]
        ends = (int(crystal.place[j]), int(place))
        zones = (crystal.zones[crystal.zone[ends[0]]], crystal.zones[crystal.zone[ends[1]]])
        levels = (int(crystal.level[ends[0]]), int(crystal.level[ends[1]])) if crystal.level.size else None
        counts = _counts(int(species[crystal.sites[n]]) for n in around)
        mover, directed = SYMBOLS[int(species[j])], rule.irreversible
        return HopEnv(mover, bond, zones, counts, rule.p, levels=levels, directed=directed)
    counts = _counts(int(species[crystal.sites[n]]) for n in crystal.neighbours(here) if n >= 0)
    level = int(crystal.level[place]) if crystal.level.size else None
    site = Site(crystal.zones[crystal.zone[place]], int(crystal.coordination[place]), counts, level=level)
    return SiteEnv(site, rule.p)


def _counts(codes: Iterable[int]) -> Counts:
    """Counts of all species among occupant codes, for a law that is called live."""
    counts = dict.fromkeys(SPECIES, 0)
    for occupant in codes:
        if occupant != OUTSIDE:
            counts[SYMBOLS[occupant]] += 1
    return Counts(whole=counts)
