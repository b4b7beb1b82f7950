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

from ucnp_abm.crystal.lattice import Lattice
from ucnp_abm.errors import BadInput

SURFACE, INTERFACE = "surface", "interface"
MAX_PLACES = 256
MAX_GRID = 50_000_000  # about 25 million sites in a sphere


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
        Layer of each site by its distance from the centre.
    points : (N, 3) float64
        Positions / Å, the centre of the particle at 0.
    strides, cells, halo : (3,) int64
        Grid steps along the axes, cells along them (halo not counted), width of the halo.
    periodic : bool
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
    radii: tuple[float, ...] = ()

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


@dataclass(frozen=True)
class _Grid:
    """The points of a block of cells with its halo."""

    lattice: Lattice
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        points = math.prod(float(n) for n in self.shape) * len(self.lattice.basis)
        if points > MAX_GRID:
            raise BadInput(
                f"this crystal would have {points:.2g} grid points, more than {MAX_GRID:.2g}; make it smaller"
            )

    @property
    def full(self) -> NDArray[np.int64]:
        return np.array(self.shape, dtype=np.int64) + 2 * np.array(self.lattice.halo, dtype=np.int64)

    @property
    def strides(self) -> NDArray[np.int64]:
        nb = len(self.lattice.basis)
        full = self.full
        return np.array([full[1] * full[2] * nb, full[2] * nb, nb], dtype=np.int64)

    @property
    def offset(self) -> NDArray[np.int32]:
        rows = [
            [int(np.dot(step, self.strides)) + other - b for step, other, _ in row]
            for b, row in enumerate(self.lattice.neighbours)
        ]
        return np.array(rows, dtype=np.int32)

    def cells_of(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n, 3) cell of each grid point; the first cell inside the halo is (0, 0, 0)."""
        rest = points // len(self.lattice.basis)
        full = self.full
        cells = np.stack([rest // (full[1] * full[2]), rest // full[2] % full[1], rest % full[2]], axis=1)
        inner: NDArray[np.int64] = cells - np.array(self.lattice.halo)
        return inner

    @property
    def inner(self) -> NDArray[np.int64]:
        """Grid points that are not halo, in order."""
        nb = len(self.lattice.basis)
        h = self.lattice.halo
        grid = np.arange(int(np.prod(self.full)) * nb, dtype=np.int64).reshape(*self.full, nb)
        return grid[tuple(slice(w, w + n) for w, n in zip(h, self.shape, strict=True))].ravel()


def _assemble(
    grid: _Grid,
    sites: NDArray[np.int64],
    points: NDArray[np.float64],
    layer: NDArray[np.uint8],
    layers: tuple[str, ...],
    interface: NDArray[np.bool_],
    home: NDArray[np.uint32],
    radii: tuple[float, ...] = (),
) -> Crystal:
    lattice = grid.lattice
    nb = len(lattice.basis)
    n_grid = int(np.prod(grid.full)) * nb
    basis = sites % nb
    occupied = np.zeros(n_grid, dtype=bool)
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
    place = np.zeros(n_grid, dtype=np.uint8)
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
        radii=radii,
    )


def sphere(lattice: Lattice, radii: tuple[float, ...], layers: tuple[str, ...], interface_width: float) -> Crystal:
    """A sphere of concentric layers, centred on a site of basis position 0 (1a of β-NaREF4).

    Parameters
    ----------
    lattice : Lattice
    radii : tuple of float
        Outer radius / Å of each layer, growing.
    layers : tuple of str
        Names of the layers, from the inside.
    interface_width : float
        Sites within this distance / Å of an inner radius form the zone 'interface'.

    Returns
    -------
    Crystal
        Zones in the order of precedence surface (a neighbour is missing) > interface > layer.
    """
    cell = np.array(lattice.cell)
    reach = [math.ceil(radii[-1] * float(n)) + 1 for n in np.linalg.norm(np.linalg.inv(cell), axis=0)]
    grid = _Grid(lattice, (2 * reach[0] + 1, 2 * reach[1] + 1, 2 * reach[2] + 1))
    candidates = grid.inner
    centre = lattice.positions(np.array([reach]), np.array([0]))
    points = lattice.positions(grid.cells_of(candidates), candidates % len(lattice.basis)) - centre
    distance = np.linalg.norm(points, axis=1)
    inside = distance <= radii[-1] + 1e-6
    distance, points, sites = distance[inside], points[inside], candidates[inside]
    layer = np.searchsorted(np.array(radii[:-1]) + 1e-6, distance).astype(np.uint8)
    interface = np.zeros(sites.size, dtype=bool)
    for radius in radii[:-1]:
        interface |= np.abs(distance - radius) <= interface_width
    return _assemble(grid, sites, points, layer, layers, interface, np.empty(0, dtype=np.uint32), radii)


def box(lattice: Lattice, cells: tuple[int, int, int], layer: str = "bulk") -> Crystal:
    """A periodic box of whole cells: one layer, one zone, no surface.

    Raises
    ------
    BadInput
        If the box is so small that a site meets itself or one neighbour twice.
    """
    grid = _Grid(lattice, cells)
    sites = grid.inner
    nb = len(lattice.basis)
    everywhere = np.arange(int(np.prod(grid.full)) * nb, dtype=np.int64)
    wrapped = grid.cells_of(everywhere) % np.array(cells) + np.array(lattice.halo)
    home = (wrapped @ grid.strides + everywhere % nb).astype(np.uint32)
    around = home[sites[:, None] + grid.offset[sites % nb]]
    ordered = np.sort(np.concatenate([around, sites[:, None]], axis=1), axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        raise BadInput(f"cells: a periodic {lattice.name} box of {cells} cells is too small; a site meets one twice")
    points = lattice.positions(grid.cells_of(sites), sites % nb)
    none = np.zeros(sites.size, dtype=bool)
    return _assemble(grid, sites, points, np.zeros(sites.size, dtype=np.uint8), (layer,), none, home)
