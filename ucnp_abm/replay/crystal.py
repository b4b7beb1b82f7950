"""The crystal as the page is told: whole cells and basis positions, from which places follow, zones, and species."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.species import SPECIES, VACANCY, VOID
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.probes import census
from ucnp_abm.viz import style

MOST_SITES = 1_000_000
"""Above this, a page cannot draw them."""
_SWELL = 1.35  # spheres that nearly touch, as crystals are drawn
_RADII = {VACANCY: 1.15, VOID: 0.8}
_VOID_COLOUR = "#8B6F8E"

Arrays = dict[str, NDArray[Any]]


def described(simulation: Simulation) -> tuple[dict[str, Any], Arrays]:
    """What the page must know of a crystal: plain data, and arrays by site number.

    Returns
    -------
    about : dict
        `n`, `cell` (3 vectors / Å), `basis` (fractions), `centre` / Å, `radius` / Å, names of `zones` and `layers`, and
        the `species` that can be there (code, symbol, label, colour, radius / Å).
    arrays : dict
        `cells` (N, 3) uint16; `basis_of`, `zone` and `layer` (N,) uint8.

    Raises
    ------
    BadInput
        If there are more sites than a page can draw.
    """
    crystal = simulation.crystal
    if crystal.n_sites > MOST_SITES:
        raise BadInput(f"page: {crystal.n_sites:,} sites are more than a page can draw ({MOST_SITES:,})")
    cells, basis_of, centre = crystal.lattice_points()
    points = crystal.points
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))  # of a box, whose corner is at 0
    lowest = cells.min(axis=0)
    cell = np.array(crystal.lattice.cell)
    about = {
        "n": crystal.n_sites,
        "cell": cell.tolist(),
        "basis": [list(map(float, fractions)) for fractions in crystal.lattice.basis],
        "centre": (centre + (middle if crystal.periodic else 0.0) - lowest @ cell).tolist(),
        "radius": float(np.linalg.norm(points - (middle if crystal.periodic else 0.0), axis=1).max()) + 2.0,
        "zones": list(crystal.zones),
        "layers": list(crystal.layers),
        "species": [_species(symbol) for symbol in species_of(simulation)],
    }
    arrays: Arrays = {
        "cells": (cells - lowest).astype(np.uint16),
        "basis_of": basis_of.astype(np.uint8),
        "zone": crystal.site_zone,
        "layer": crystal.layer,
    }
    return about, arrays


def species_of(simulation: Simulation) -> list[str]:
    """Symbols of all species that are there or can come to be there, in the order of their codes."""
    made = {name for channel in simulation.table.channels for name in (channel.before, channel.after)}
    there = {"vacancy", *simulation.particle.counts, *simulation.species_here(), *made}
    return sorted(there, key=lambda symbol: SPECIES[symbol].code)


def own_ions(simulation: Simulation) -> int:
    """Number of ions in the crystal now that began in the innermost layer."""
    state, crystal = simulation.state, simulation.crystal
    held = state.species[crystal.sites]
    return int(np.count_nonzero((state.origin[state.slot[crystal.sites]] == 0) & census.ions(held)))


def _species(symbol: str) -> dict[str, Any]:
    found = SPECIES[symbol]
    colours = {VACANCY: "#000000", VOID: _VOID_COLOUR}
    charge = {0: "", 1: "⁺", 2: "²⁺", 3: "³⁺"}[found.charge]
    return {
        "code": found.code,
        "symbol": symbol,
        "label": f"{symbol}{charge}",
        "colour": colours.get(found.code) or style.SPECIES_COLOURS.get(symbol, style.OTHER_SPECIES),
        "radius": _RADII.get(found.code, _SWELL * found.radius_viii),
        "always": found.code == VACANCY,
    }
