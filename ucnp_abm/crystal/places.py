"""Which grid points are sites, and their places: kinds of site by basis position, zone and number of neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.grid import Grid, slabs
from ucnp_abm.crystal.shapes import TOLERANCE, Ellipsoid
from ucnp_abm.errors import BadInput

SURFACE, INTERFACE = "surface", "interface"
MAX_PLACES = 256


class Places(NamedTuple):
    """The attributes of these names of a `Crystal`. G grid points, P places, z bonds."""

    zones: tuple[str, ...]
    place: NDArray[np.uint8]  # (G,)
    offset: NDArray[np.int32]  # (P, z)
    bond: NDArray[np.uint8]  # (P, z)
    basis: NDArray[np.uint8]  # (P,)
    zone: NDArray[np.uint8]  # (P,)
    coordination: NDArray[np.uint8]  # (P,)


def sites_within(
    grid: Grid, boundaries: tuple[Ellipsoid, ...], interface_width: float
) -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.bool_]]:
    """Grid points inside the outermost boundary, their layers, and which of them lie at an inner boundary.

    Parameters
    ----------
    grid : Grid
        With an odd number of cells along each axis; the boundaries' origin is its middle.
    boundaries : tuple of Ellipsoid
        From the inside.
    interface_width : float
        Å.
    """
    centre, n_found = grid.middle, 0
    sites = np.empty(grid.n_inner, dtype=np.uint32)
    layers = np.empty(grid.n_inner, dtype=np.uint8)
    near = np.zeros(grid.n_inner, dtype=bool)
    for few in slabs(grid.n_inner):
        candidates = grid.inner(few)
        points = grid.positions(candidates) - centre
        inside = boundaries[-1].inside(points)
        points = points[inside]
        new = slice(n_found, n_found + len(points))
        sites[new], layers[new] = candidates[inside], len(boundaries) - 1
        for n, boundary in reversed(list(enumerate(boundaries[:-1]))):
            distance = boundary.distance(points)
            layers[new][distance <= TOLERANCE] = n
            near[new] |= np.abs(distance) <= interface_width
        n_found = new.stop
    for array in (sites, layers, near):
        array.resize(n_found, refcheck=False)  # gives the rest of its memory back
    return sites, layers, near


def sort_into_places(
    grid: Grid,
    sites: NDArray[np.uint32],
    layer: NDArray[np.uint8],
    layers: tuple[str, ...],
    interface: NDArray[np.bool_],
    home: NDArray[np.uint32],
) -> Places:
    """The place of each site: zone, basis position and coordination, in the order of these three numbers.

    Parameters
    ----------
    grid : Grid
    sites : (N,) uint32
        Grid points of the sites.
    layer : (N,) uint8
    layers : tuple of str
        Names of the layers.
    interface : (N,) bool
        Which sites lie at an inner boundary.
    home : (G,) uint32
        Site that each halo point stands for; empty in a finite particle.

    Raises
    ------
    BadInput
        If there are more kinds of site than a byte can number.
    """
    nb, z = len(grid.lattice.basis), grid.lattice.coordination
    place = np.zeros(grid.size, dtype=np.uint8)
    for few in slabs(sites.size):
        place[sites[few]] = 1  # occupied, for now
    present = np.zeros((len(layers) + 2) * nb * (z + 1), dtype=bool)
    keys = np.empty(sites.size, dtype=np.min_scalar_type(present.size))
    for few in slabs(sites.size):
        points = sites[few].astype(np.int64)
        basis = points % nb
        coordination = np.zeros(points.size, dtype=np.uint8)
        for step in grid.offset.T:
            around = points + step[basis]
            coordination += place[home[around] if home.size else around]
        zone = layer[few].astype(np.int64)
        zone[interface[few]] = len(layers)
        zone[coordination < z] = len(layers) + 1
        keys[few] = (zone * nb + basis) * (z + 1) + coordination
        present[keys[few]] = True
    kinds = np.flatnonzero(present)
    if kinds.size > MAX_PLACES:
        raise BadInput(f"this crystal has {kinds.size} kinds of site, more than {MAX_PLACES}; use fewer zones")
    which = np.zeros(present.size, dtype=np.uint8)
    which[kinds] = np.arange(kinds.size)
    for few in slabs(sites.size):
        place[sites[few]] = which[keys[few]]
    zone, basis = kinds // (z + 1) // nb, kinds // (z + 1) % nb
    used, zone = np.unique(zone, return_inverse=True)
    names = (*layers, INTERFACE, SURFACE)
    bond = np.array([[kind for _, _, kind in row] for row in grid.lattice.neighbours], dtype=np.uint8)
    return Places(
        zones=tuple(names[n] for n in used),
        place=place,
        offset=np.ascontiguousarray(grid.offset[basis]),
        bond=np.ascontiguousarray(bond[basis]),
        basis=basis.astype(np.uint8),
        zone=zone.astype(np.uint8),
        coordination=(kinds % (z + 1)).astype(np.uint8),
    )
