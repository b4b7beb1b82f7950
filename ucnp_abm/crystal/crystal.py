"""A crystal: which grid points are sites, what kind of place each one is, and how to step to its neighbours.

Sites live on a grid of cells with a halo around it, so that a step never leaves the arrays. In a finite particle
the points beyond the surface are OUTSIDE; in a periodic box the halo points know the site they stand for.

A crystal is grown by `ucnp_abm.crystal.growth` and never written into; all particles of one geometry share it
(`ucnp_abm.crystal.shared`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ucnp_abm.crystal.grid import Grid, slabs
from ucnp_abm.crystal.lattice import Lattice
from ucnp_abm.crystal.places import INTERFACE, SURFACE
from ucnp_abm.crystal.shapes import Ellipsoid

__all__ = ["INTERFACE", "SURFACE", "Crystal"]


@dataclass(frozen=True, eq=False)
class Crystal:
    """Static geometry. G grid points, N sites, P places, z bonds.

    Kept are `place`, `home`, `sites` and `layer`: 1 byte for each grid point (5 in a periodic box) and 5 for each site,
    besides `exposed_sites`, 4 for each exposed site, and arrays by place. What else has an entry for each site or
    grid point is worked out anew whenever it is asked for: take `position`, `positions`, `number_of` or
    `numbers` of a few instead of entries of `points` or `number`.

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
        Grid point of each site, ascending; site *numbers* (0 … N-1) are positions in this array.
    layer : (N,) uint8
        Layer of each site: the innermost whose boundary holds it.
    strides, cells, halo : (3,) int64
        Grid steps along the axes, cells along them (halo not counted), width of the halo.
    periodic : bool
    boundaries : tuple of Ellipsoid
        Outer boundary of each layer, from the inside; empty in a periodic box.
    interface_width : float
        Sites within this distance / Å of an inner boundary form the zone 'interface'.
    level : (P,) uint8
        Level of each place; empty unless a mechanism divides the crystal (`ucnp_abm.crystal.levels`).
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
    strides: NDArray[np.int64]
    cells: NDArray[np.int64]
    halo: NDArray[np.int64]
    boundaries: tuple[Ellipsoid, ...] = ()
    interface_width: float = 0.0
    level: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))

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

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays that are kept."""
        return sum(array.nbytes for array in vars(self).values() if isinstance(array, np.ndarray))

    @cached_property
    def exposed(self) -> NDArray[np.uint8]:
        """(P,) 1 where a neighbour is missing."""
        return (self.coordination < self.z).astype(np.uint8)

    @cached_property
    def exposed_sites(self) -> NDArray[np.uint32]:
        """Grid points of all exposed sites, in order."""
        pieces = (self.sites[few] for few in slabs(self.n_sites))
        return np.concatenate([sites[self.exposed[self.place[sites]] == 1] for sites in pieces])

    @property
    def empty_neighbours(self) -> NDArray[np.float64]:
        """(M, 3) positions / Å of the lattice points next to a finite particle that a further ion would take."""
        points = self.exposed_sites.astype(np.int64)
        around = np.unique(points[:, None] + self.offset[self.place[points]])
        placed: NDArray[np.float64] = self._grid.positions(around[self.numbers(around) < 0]) - self._centre
        return placed

    @cached_property
    def _grid(self) -> Grid:
        return Grid(self.lattice, (int(self.cells[0]), int(self.cells[1]), int(self.cells[2])))

    @cached_property
    def _centre(self) -> NDArray[np.float64]:
        return np.zeros((1, 3)) if self.periodic else self._grid.middle

    @cached_property
    def _cell(self) -> NDArray[np.float64]:
        return np.array(self.lattice.cell)

    def position(self, number: int) -> NDArray[np.float64]:
        """(3,) position / Å of one site, bit for bit that in `points`."""
        rest, cell = self.sites.item(number), []
        for stride, halo in zip(self.strides.tolist(), self.halo.tolist(), strict=True):
            steps, rest = divmod(rest, stride)
            cell.append(steps - halo)
        fractions = np.array([[n + part for n, part in zip(cell, self.lattice.basis[rest], strict=True)]])
        placed: NDArray[np.float64] = (fractions @ self._cell - self._centre)[0]
        return placed

    def positions(self, numbers: ArrayLike) -> NDArray[np.float64]:
        """(n, 3) positions / Å of the sites with these n numbers; the centre of a particle is at 0."""
        return self._grid.positions(self.sites[np.atleast_1d(numbers)].astype(np.int64)) - self._centre

    @property
    def points(self) -> NDArray[np.float64]:
        """(N, 3) positions / Å of all sites, worked out anew: 24 bytes for each."""
        found = np.empty((self.n_sites, 3))
        for few in slabs(self.n_sites):
            found[few] = self._grid.positions(self.sites[few].astype(np.int64)) - self._centre
        return found

    def lattice_points(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """(N, 3) cell and (N,) basis position of each site, and the (3,) centre / Å that positions are counted from."""
        points = self.sites.astype(np.int64)
        return self._grid.cells_of(points), points % len(self.lattice.basis), self._centre[0]

    @property
    def site_zone(self) -> NDArray[np.uint8]:
        """(N,) zone of each site, looked up anew."""
        found = np.empty(self.n_sites, dtype=np.uint8)
        for few in slabs(self.n_sites):
            found[few] = self.zone[self.place[self.sites[few]]]
        return found

    def zone_of(self, number: int) -> str:
        """Zone of one site."""
        return self.zones[self.zone.item(self.place.item(self.sites.item(number)))]

    @property
    def number(self) -> NDArray[np.int32]:
        """(G,) site number of each grid point, -1 where there is none; worked out anew: 4 bytes for each."""
        numbers = np.full(self.place.size, -1, dtype=np.int32)
        for few in slabs(self.n_sites):
            numbers[self.sites[few]] = np.arange(few.start, few.stop)
        return numbers

    def number_of(self, point: int | np.integer[Any]) -> int:
        """Site number of one grid point; -1 where there is none."""
        found = int(self.sites.searchsorted(np.uint32(point)))
        return found if found < self.n_sites and self.sites.item(found) == point else -1

    def numbers(self, points: ArrayLike) -> NDArray[np.int64]:
        """Site numbers of grid points, in their shape; -1 where there is none."""
        wanted = np.asarray(points).astype(np.uint32)
        found = self.sites.searchsorted(wanted)
        hit = self.sites.take(found, mode="clip") == wanted
        numbers: NDArray[np.int64] = np.where(hit, found, -1)
        return numbers

    def neighbours(self, number: int) -> list[int]:
        """Site numbers of the neighbours, in the order of the directions; -1 where one is missing."""
        point = self.sites.item(number)
        around = point + self.offset[self.place.item(point)]
        if self.periodic:
            around = self.home[around]
        found: list[int] = self.numbers(around).tolist()
        return found

    def around(self, few: slice, direction: int) -> NDArray[np.int64]:
        """Grid points of the neighbours in one direction of the sites with the numbers of a slice."""
        points = self.sites[few].astype(np.int64)
        there: NDArray[np.int64] = points + self.offset[self.place[points], direction]
        return self.home[there].astype(np.int64) if self.periodic else there

    @property
    def bonds(self) -> NDArray[np.int32]:
        """(N, z) site numbers of all neighbours, -1 where one is missing; worked out anew: 4 z bytes for each."""
        number, found = self.number, np.empty((self.n_sites, self.z), dtype=np.int32)
        for few in slabs(self.n_sites):
            for d in range(self.z):
                found[few, d] = number[self.around(few, d)]
        return found

    @cached_property
    def regions(self) -> tuple[tuple[int, int], ...]:
        """(zone, level) of each region; without levels regions are the zones."""
        if not self.level.size:
            return tuple((zone, 0) for zone in range(len(self.zones)))
        return tuple(sorted(set(zip(self.zone.tolist(), self.level.tolist(), strict=True))))

    @cached_property
    def region(self) -> NDArray[np.uint8]:
        """(P,) region of each place: what rates may depend on, besides the neighbours."""
        if not self.level.size:
            return self.zone
        number = {both: n for n, both in enumerate(self.regions)}
        each = zip(self.zone.tolist(), self.level.tolist(), strict=True)
        return np.array([number[both] for both in each], dtype=np.uint8)

    @cached_property
    def bond_regions(self) -> list[tuple[int, int, int]]:
        """(bond class, region, region) of all bonds that exist."""
        occupied = np.zeros(self.place.size, dtype=bool)
        for few in slabs(self.n_sites):
            occupied[self.sites[few]] = True
        n = len(self.regions)
        seen = np.zeros(len(self.lattice.bonds) * n * n, dtype=bool)
        for few in slabs(self.n_sites):
            place = self.place[self.sites[few]]
            for d in range(self.z):
                around = self.around(few, d)
                there = occupied[around]
                kinds = self.bond[place[there], d].astype(np.int64) * n + self.region[place[there]]
                seen[kinds * n + self.region[self.place[around[there]]]] = True
        return [(int(k) // (n * n), int(k) // n % n, int(k) % n) for k in np.flatnonzero(seen)]
