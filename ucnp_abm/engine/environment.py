"""What a law sees at one spot of the present crystal, counted independently of the loop's row arithmetic."""

from __future__ import annotations

from collections.abc import Iterable

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.species import OUTSIDE, SPECIES, SYMBOLS
from ucnp_abm.crystal.state import State
from ucnp_abm.kernels.events import HOPS
from ucnp_abm.rules.env import Counts, HopEnv, Site, SiteEnv
from ucnp_abm.rules.mechanism import Mechanism


def environment(
    crystal: Crystal, state: State, mechanism: Mechanism, channel: int, i: int, j: int, direction: int
) -> HopEnv | SiteEnv:
    """Environment of a hop between vacancy `i` and ion `j`, or of a one-site verb at `i` (grid points)."""
    p = mechanism.env_parameters()
    place = crystal.place[i]
    codes = state.species[crystal.sites]
    here, there = int(crystal.number[i]), int(crystal.number[j])
    if channel == HOPS:
        around = [n for n in crystal.neighbours(here) if n not in (-1, there)]
        around += [n for n in crystal.neighbours(there) if n not in (-1, here)]
        bond = crystal.lattice.bonds[int(crystal.bond[place, direction])][0]
        zones = (crystal.zones[crystal.zone[crystal.place[j]]], crystal.zones[crystal.zone[place]])
        mover = SYMBOLS[int(codes[there])]
        directed = any(mover in rule.movers and rule.irreversible for rule in mechanism.hops)
        return HopEnv(mover, bond, zones, _counts(int(codes[n]) for n in around), p, directed)
    counts = _counts(int(codes[n]) for n in crystal.neighbours(here) if n >= 0)
    return SiteEnv(Site(crystal.zones[crystal.zone[place]], int(crystal.coordination[place]), counts), p)


def _counts(codes: Iterable[int]) -> Counts:
    """Counts of all species among occupant codes, for a law that is called live."""
    counts = dict.fromkeys(SPECIES, 0)
    for occupant in codes:
        if occupant != OUTSIDE:
            counts[SYMBOLS[occupant]] += 1
    return Counts(counts)
