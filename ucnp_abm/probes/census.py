"""Who is where: ions, vacancies and identities by layer and zone, and how far the ions went.

An *ion* is an occupant that is neither a vacancy nor a void. Its *origin* is the layer in which it stood at the start;
an ion that came out of a complex has an origin beyond all layers, and is never counted as leaked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.species import IONS, N_CODES, SPECIES, SYMBOLS, VACANCY, VOID
from ucnp_abm.crystal.state import State, displacements, site_of_slots


def ions(occupants: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where an array of species codes, of any shape, holds an ion."""
    held: NDArray[np.bool_] = (occupants != VACANCY) & (occupants != VOID)
    return held


def occupants(crystal: Crystal, state: State) -> NDArray[np.uint8]:
    """(N,) species code on each site."""
    return state.species[crystal.sites]


def origins(crystal: Crystal, state: State) -> NDArray[np.uint8]:
    """(N,) origin of the occupant of each site: number of a layer, or beyond all of them for a complex."""
    return state.origin[state.slot[crystal.sites]]


def composition(occupants: NDArray[np.uint8]) -> dict[str, int]:
    """Sites that each species holds, vacancies and voids included; absent species are left out."""
    counts = np.bincount(occupants, minlength=N_CODES)
    return {SYMBOLS[int(code)]: int(counts[code]) for code in np.flatnonzero(counts)}


def composition_by_zone(crystal: Crystal, occupants: NDArray[np.uint8]) -> dict[str, dict[str, int]]:
    """Sites that each species holds in each zone, as `composition`; an empty zone has an empty one."""
    return {zone: composition(occupants[crystal.site_zone == n]) for n, zone in enumerate(crystal.zones)}


def vacancies_by_zone(crystal: Crystal, occupants: NDArray[np.uint8]) -> dict[str, int]:
    """Vacancies in each zone; zeros included."""
    vacant = crystal.site_zone[occupants == VACANCY]
    return dict(zip(crystal.zones, np.bincount(vacant, minlength=len(crystal.zones)).tolist(), strict=True))


def outside_by_layer(crystal: Crystal, state: State) -> dict[str, float]:
    """Share (0 to 1) of each layer's own ions that are found outside it, by identity; nan if it has none left.

    Complete mixing of ions and vacancies is 1 - N_layer/N.
    """
    held, origin = occupants(crystal, state), origins(crystal, state)
    shares = {}
    for number, layer in enumerate(crystal.layers):
        own = ions(held) & (origin == number)
        shares[layer] = float((crystal.layer[own] != number).mean()) if own.any() else float("nan")
    return shares


def from_complexes(crystal: Crystal, state: State) -> dict[str, int]:
    """Ions present that came out of a complex, for each of `IONS`; zeros included."""
    held = occupants(crystal, state)[origins(crystal, state) >= len(crystal.layers)]
    counts = np.bincount(held, minlength=N_CODES)
    return {symbol: int(counts[SPECIES[symbol].code]) for symbol in IONS}


def rms_displacement(crystal: Crystal, state: State) -> float:
    """Root mean square displacement / Å since the start of the ions that no complex brought; nan if there are none.

    Unwrapped in a periodic box.
    """
    own = (state.origin < len(crystal.layers)) & ions(occupants(crystal, state)[site_of_slots(crystal, state)])
    if not own.any():
        return float("nan")
    return float(np.sqrt((displacements(crystal, state)[own] ** 2).sum(axis=1).mean()))
