"""A crystal: which grid points are sites, what kind of place each one is, and how to step to its neighbours.

Sites live on a grid of cells with a halo around it, so that a step never leaves the arrays. In a finite particle
the points beyond the surface are OUTSIDE; in a periodic box the halo points know the site they stand for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.grid import Grid
from ucnp_abm.crystal.lattice import Lattice
from ucnp_abm.crystal.shapes import TOLERANCE, Ellipsoid
from ucnp_abm.errors import BadInput

SURFACE, INTERFACE = "surface", "interface"
MAX_PLACES = 256


@dataclass(frozen=True, eq=False)
class Crystal:
    """Static geometry. G grid points, N sites, P places, z bonds.

    Attributes
    ----------
    lattice : Lattice
    zones, layers : tuple of str
        Names; `zone` and `layer` index them.
    place : (G,) uint8
        Kind of each grid point: a combination of basis position, zone and coordination.
    home : (G,) uint32
        Site that each halo point stands for; empty in a finite particle.
    offset, bond : (P, z)
        Grid steps to the neighbours, and the class of each bond.
    basis, zone, coordination, exposed : (P,)
        What a place is.
    sites : (N,) uint32
        Grid point of each site; site *numbers* (0 … N-1) are positions in this array.
    layer : (N,) uint8
        Layer of each site: the innermost whose boundary holds it.
    points : (N, 3) float64
        Positions / Å, the centre of the particle at 0.
    strides, cells, halo : (3,) int64
        Grid steps along the axes, cells along them (halo not counted), width of the halo.
    periodic : bool
    boundaries : tuple of Ellipsoid
        Outer boundary of each layer, from the inside; empty in a periodic box.
    interface_width : float
        Sites within this distance / Å of an inner boundary form the zone 'interface'.
    """

    lattice: Lattice
    zones: tuple[str, ...]
    layers: tuple[str, ...]
    place: NDArray[np.uint8]
    home: NDArray[np.uint32]
    offset: NDArray[np.int32]
    bond: NDArray[np.uint8]
    basis: NDArray[np.uint8]
    zone: NDArray[np.uint8]
    coordination: NDArray[np.uint8]
    sites: NDArray[np.uint32]
    layer: NDArray[np.uint8]
    points: NDArray[np.float64]
    strides: NDArray[np.int64]
    cells: NDArray[np.int64]
    halo: NDArray[np.int64]
    boundaries: tuple[Ellipsoid, ...] = ()
    interface_width: float = 0.0

    @property
    def periodic(self) -> bool:
        return self.home.size > 0

    @property
    def n_sites(self) -> int:
        return int(self.sites.size)

    @property
    def z(self) -> int:
        """Number of bonds of a site in the bulk."""
        return int(self.offset.shape[1])

    @cached_property
    def exposed(self) -> NDArray[np.uint8]:
        """(P,) 1 where a neighbour is missing."""
        return (self.coordination < self.z).astype(np.uint8)

    @cached_property
    def exposed_sites(self) -> NDArray[np.uint32]:
        """Grid points of all exposed sites, in order."""
        chosen: NDArray[np.uint32] = self.sites[self.exposed[self.place[self.sites]] == 1]
        return chosen

    @cached_property
    def site_zone(self) -> NDArray[np.uint8]:
        """(N,) zone of each site."""
        return self.zone[self.place[self.sites]]

    @cached_property
    def number(self) -> NDArray[np.int32]:
        """(G,) site number of each grid point, -1 where there is none."""
        numbers = np.full(self.place.size, -1, dtype=np.int32)
        numbers[self.sites] = np.arange(self.n_sites, dtype=np.int32)
        return numbers

    def neighbours(self, number: int) -> list[int]:
        """Site numbers of the neighbours, in the order of the directions; -1 where one is missing."""
        point = int(self.sites[number])
        around = point + self.offset[self.place[point]].astype(np.int64)
        if self.periodic:
            around = self.home[around].astype(np.int64)
        return [int(n) for n in self.number[around]]

    @cached_property
    def bonds(self) -> NDArray[np.int32]:
        """(N, z) site numbers of all neighbours, -1 where one is missing."""
        points = self.sites.astype(np.int64)
        around = points[:, None] + self.offset[self.place[points]]
        if self.periodic:
            around = self.home[around].astype(np.int64)
        numbers: NDArray[np.int32] = self.number[around]
        return numbers

    @cached_property
    def bond_zones(self) -> list[tuple[int, int, int]]:
        """(bond class, zone, zone) of all bonds that exist."""
        points = self.sites.astype(np.int64)
        inside = self.number >= 0
        place = self.place[points]
        n = len(self.zones)
        seen = np.zeros(len(self.lattice.bonds) * n * n, dtype=bool)
        for d in range(self.z):
            around = points + self.offset[place, d]
            if self.periodic:
                around = self.home[around].astype(np.int64)
            there = inside[around]
            kinds = self.bond[place[there], d].astype(np.int64) * n + self.zone[place[there]]
            seen[kinds * n + self.zone[self.place[around[there]]]] = True
        return [(int(k) // (n * n), int(k) // n % n, int(k) % n) for k in np.flatnonzero(seen)]


def _assemble(
    grid: Grid,
    sites: NDArray[np.int64],
    points: NDArray[np.float64],
    layer: NDArray[np.uint8],
    layers: tuple[str, ...],
    interface: NDArray[np.bool_],
    home: NDArray[np.uint32],
    boundaries: tuple[Ellipsoid, ...] = (),
    interface_width: float = 0.0,
) -> Crystal:
    lattice = grid.lattice
    nb = len(lattice.basis)
    basis = sites % nb
    occupied = np.zeros(grid.size, dtype=bool)
    occupied[sites] = True
    around = sites[:, None] + grid.offset[basis]
    if home.size:
        around = home[around].astype(np.int64)
    coordination = occupied[around].sum(axis=1)
    n_layers = len(layers)
    zones = (*layers, INTERFACE, SURFACE)
    zone = layer.astype(np.int64)
    zone[interface] = n_layers
    zone[coordination < lattice.coordination] = n_layers + 1
    key = (zone * nb + basis) * (lattice.coordination + 1) + coordination
    kinds, first, which = np.unique(key, return_index=True, return_inverse=True)
    if kinds.size > MAX_PLACES:
        raise BadInput(f"this crystal has {kinds.size} kinds of site, more than {MAX_PLACES}; use fewer zones")
    used = sorted(set(zone.tolist()))
    renumber = {old: new for new, old in enumerate(used)}
    place = np.zeros(grid.size, dtype=np.uint8)
    place[sites] = which
    bond_of_basis = np.array([[kind for _, _, kind in row] for row in lattice.neighbours], dtype=np.uint8)
    return Crystal(
        lattice=lattice,
        zones=tuple(zones[z] for z in used),
        layers=layers,
        place=place,
        home=home,
        offset=np.ascontiguousarray(grid.offset[basis[first]]),
        bond=np.ascontiguousarray(bond_of_basis[basis[first]]),
        basis=basis[first].astype(np.uint8),
        zone=np.array([renumber[int(z)] for z in zone[first]], dtype=np.uint8),
        coordination=coordination[first].astype(np.uint8),
        sites=sites.astype(np.uint32),
        layer=layer,
        points=points,
        strides=grid.strides,
        cells=np.array(grid.shape, dtype=np.int64),
        halo=np.array(lattice.halo, dtype=np.int64),
        boundaries=boundaries,
        interface_width=interface_width,
    )


def layered(
    lattice: Lattice, boundaries: tuple[Ellipsoid, ...], layers: tuple[str, ...], interface_width: float
) -> Crystal:
    """A finite crystal of nested layers, with a site of basis position 0 (1a of β-NaREF4) at its origin.

    Parameters
    ----------
    lattice : Lattice
    boundaries : tuple of Ellipsoid
        Outer boundary of each layer, from the inside; each lies inside the next (not checked here).
    layers : tuple of str
        Names of the layers, from the inside.
    interface_width : float
        Sites within this distance / Å of an inner boundary form the zone 'interface'.

    Returns
    -------
    Crystal
        Zones in the order of precedence surface (a neighbour is missing) > interface > layer.

    Raises
    ------
    BadInput
        If there is not one name for each boundary, or the crystal would be too large.
    """
    if not boundaries or len(boundaries) != len(layers):
        raise BadInput(f"layers: expected one name for each boundary, got {len(layers)} for {len(boundaries)}")
    outer = boundaries[-1]
    longest = max(outer.semiaxes)
    planes = np.linalg.inv(np.array(lattice.cell))
    reach = []
    for plane in planes.T:
        across = longest * float(np.linalg.norm(np.array(outer.semiaxes) / longest * plane))
        across += abs(float(np.dot(outer.centre, plane)))
        reach.append(math.ceil(min(across, 1e9)) + 1)  # far beyond what the grid refuses
    grid = Grid(lattice, (2 * reach[0] + 1, 2 * reach[1] + 1, 2 * reach[2] + 1))
    candidates = grid.inner
    centre = lattice.positions(np.array([reach]), np.array([0]))
    points = lattice.positions(grid.cells_of(candidates), candidates % len(lattice.basis)) - centre
    inside = outer.inside(points)
    points, sites = points[inside], candidates[inside]
    layer = np.full(sites.size, len(layers) - 1, dtype=np.uint8)
    interface = np.zeros(sites.size, dtype=bool)
    for n, boundary in reversed(list(enumerate(boundaries[:-1]))):
        distance = boundary.distance(points)
        layer[distance <= TOLERANCE] = n
        interface |= np.abs(distance) <= interface_width
    home = np.empty(0, dtype=np.uint32)
    return _assemble(grid, sites, points, layer, layers, interface, home, boundaries, interface_width)


def sphere(lattice: Lattice, radii: tuple[float, ...], layers: tuple[str, ...], interface_width: float) -> Crystal:
    """A sphere of concentric layers with the outer radii / Å given; otherwise as `layered`."""
    boundaries = tuple(Ellipsoid((0.0, 0.0, 0.0), (r, r, r)) for r in radii)
    return layered(lattice, boundaries, layers, interface_width)


def box(lattice: Lattice, cells: tuple[int, int, int], layer: str = "bulk") -> Crystal:
    """A periodic box of whole cells: one layer, one zone, no surface.

    Raises
    ------
    BadInput
        If the box is so small that a site meets itself or one neighbour twice.
    """
    grid = Grid(lattice, cells)
    sites = grid.inner
    nb = len(lattice.basis)
    everywhere = np.arange(grid.size, dtype=np.int64)
    wrapped = grid.cells_of(everywhere) % np.array(cells) + np.array(lattice.halo)
    home = (wrapped @ grid.strides + everywhere % nb).astype(np.uint32)
    around = home[sites[:, None] + grid.offset[sites % nb]]
    ordered = np.sort(np.concatenate([around, sites[:, None]], axis=1), axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        raise BadInput(f"cells: a periodic {lattice.name} box of {cells} cells is too small; a site meets one twice")
    points = lattice.positions(grid.cells_of(sites), sites % nb)
    none = np.zeros(sites.size, dtype=bool)
    return _assemble(grid, sites, points, np.zeros(sites.size, dtype=np.uint8), (layer,), none, home)
