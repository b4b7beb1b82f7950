"""Who is where: ions, vacancies and identities by layer and zone, and how far the ions went.

An *ion* is an occupant that is neither a vacancy nor a void. Its *origin* is the layer in which it stood at the start;
an ion that came out of a complex has an origin beyond all layers, and is never counted as leaked.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.grid import slabs
from ucnp_abm.crystal.species import IONS, N_CODES, SPECIES, SYMBOLS, VACANCY, VOID
from ucnp_abm.crystal.state import State


def ions(occupants: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where an array of species codes, of any shape, holds an ion."""
    held: NDArray[np.bool_] = (occupants != VACANCY) & (occupants != VOID)
    return held


def occupants(crystal: Crystal, state: State) -> NDArray[np.uint8]:
    """(N,) species code on each site."""
    return _by_site(crystal, lambda sites: state.species[sites])


def origins(crystal: Crystal, state: State) -> NDArray[np.uint8]:
    """(N,) origin of the occupant of each site: number of a layer, or beyond all of them for a complex."""
    return _by_site(crystal, lambda sites: state.origin[state.slot[sites]])


def _by_site(crystal: Crystal, look: Callable[[NDArray[np.uint32]], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """(N,) what is found at each site, looked up in slabs."""
    found = np.empty(crystal.n_sites, dtype=np.uint8)
    for few in slabs(crystal.n_sites):
        found[few] = look(crystal.sites[few])
    return found


def composition(occupants: NDArray[np.uint8]) -> dict[str, int]:
    """Sites that each species holds, vacancies and voids included; absent species are left out."""
    counts = np.bincount(occupants, minlength=N_CODES)
    return {SYMBOLS[int(code)]: int(counts[code]) for code in np.flatnonzero(counts)}


def composition_by_zone(crystal: Crystal, occupants: NDArray[np.uint8]) -> dict[str, dict[str, int]]:
    """Sites that each species holds in each zone, as `composition`; an empty zone has an empty one."""
    site_zone = crystal.site_zone
    return {zone: composition(occupants[site_zone == n]) for n, zone in enumerate(crystal.zones)}


def vacancies_by_zone(crystal: Crystal, occupants: NDArray[np.uint8]) -> dict[str, int]:
    """Vacancies in each zone; zeros included."""
    vacant = crystal.site_zone[occupants == VACANCY]
    return dict(zip(crystal.zones, np.bincount(vacant, minlength=len(crystal.zones)).tolist(), strict=True))


def outside_by_layer(crystal: Crystal, state: State) -> dict[str, float]:
    """Share (0 to 1) of each layer's own ions that are found outside it, by identity; nan if it has none left.

    Complete mixing of ions and vacancies is 1 - N_layer/N.
    """
    n = len(crystal.layers)
    found = np.zeros(n * n, dtype=np.int64)  # ions by origin and present layer
    for few in slabs(crystal.n_sites):
        sites = crystal.sites[few]
        origin = state.origin[state.slot[sites]]
        own = ions(state.species[sites]) & (origin < n)
        found += np.bincount(origin[own].astype(np.int64) * n + crystal.layer[few][own], minlength=n * n)
    table = found.reshape(n, n)
    of = table.sum(axis=1)
    out = of - table.diagonal()
    return {layer: int(out[k]) / int(of[k]) if of[k] else float("nan") for k, layer in enumerate(crystal.layers)}


def from_complexes(crystal: Crystal, state: State) -> dict[str, int]:
    """Ions present that came out of a complex, for each of `IONS`; zeros included."""
    held = occupants(crystal, state)[origins(crystal, state) >= len(crystal.layers)]
    counts = np.bincount(held, minlength=N_CODES)
    return {symbol: int(counts[SPECIES[symbol].code]) for symbol in IONS}


def rms_displacement(crystal: Crystal, state: State) -> float:
    """Root mean square displacement / Å since the start of the ions that no complex brought; nan if there are none.

    Unwrapped in a periodic box.
    """
    where = np.empty(crystal.n_sites, dtype=np.uint32)  # the site of each identity
    for few in slabs(crystal.n_sites):
        where[state.slot[crystal.sites[few]]] = np.arange(few.start, few.stop)
    squares, n, cell = np.empty(crystal.n_sites), 0, np.array(crystal.lattice.cell)
    for few in slabs(crystal.n_sites):
        own = (state.origin[few] < len(crystal.layers)) & ions(state.species[crystal.sites[where[few]]])
        slots = few.start + np.flatnonzero(own)
        moved = crystal.positions(where[slots]) - crystal.positions(slots)
        if crystal.periodic:
            moved = moved + (state.image[slots] * crystal.cells) @ cell
        squares[n : n + slots.size] = (moved**2).sum(axis=1)
        n += slots.size
    return float(np.sqrt(squares[:n].mean())) if n else float("nan")
