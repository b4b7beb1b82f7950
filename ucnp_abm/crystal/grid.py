"""The grid: points of a block of cells and its halo, numbered so that neighbours are a fixed number of steps away."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.lattice import Lattice
from ucnp_abm.crystal.shapes import Ellipsoid
from ucnp_abm.errors import BadInput

MAX_GRID = 50_000_000  # about 25 million sites in a sphere
SLAB = 1 << 16
"""Points or sites that are worked on at once: temporary arrays of half a megabyte, which fit into a cache."""


def slabs(n: int) -> Iterator[slice]:
    """Slices of at most `SLAB` that cover 0 … n - 1 in order."""
    return (slice(start, min(start + SLAB, n)) for start in range(0, n, SLAB))


@dataclass(frozen=True)
class Grid:
    """The points of a block of cells with its halo.

    Attributes
    ----------
    lattice : Lattice
    shape : tuple of 3 ints
        Cells along each axis, the halo not counted.
    """

    lattice: Lattice
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        points = math.prod(float(n) for n in self.shape) * len(self.lattice.basis)
        if points > MAX_GRID:
            raise BadInput(
                f"this crystal would have {points:.2g} grid points, more than {MAX_GRID:.2g}; make it smaller"
            )

    @classmethod
    def about(cls, lattice: Lattice, outer: Ellipsoid) -> Grid:
        """A grid that holds an ellipsoid whose origin is in the middle cell."""
        longest = max(outer.semiaxes)
        reach = []
        for plane in np.linalg.inv(np.array(lattice.cell)).T:
            across = longest * float(np.linalg.norm(np.array(outer.semiaxes) / longest * plane))
            across += abs(float(np.dot(outer.centre, plane)))
            reach.append(math.ceil(min(across, 1e9)) + 1)  # far beyond what is refused
        return cls(lattice, (2 * reach[0] + 1, 2 * reach[1] + 1, 2 * reach[2] + 1))

    @property
    def full(self) -> NDArray[np.int64]:
        """(3,) cells along each axis with the halo."""
        return np.array(self.shape, dtype=np.int64) + 2 * np.array(self.lattice.halo, dtype=np.int64)

    @property
    def size(self) -> int:
        """Number of grid points, G."""
        return int(np.prod(self.full)) * len(self.lattice.basis)

    @property
    def strides(self) -> NDArray[np.int64]:
        """(3,) grid steps from a cell to the next along each axis."""
        nb = len(self.lattice.basis)
        full = self.full
        return np.array([full[1] * full[2] * nb, full[2] * nb, nb], dtype=np.int64)

    @property
    def offset(self) -> NDArray[np.int32]:
        """(basis positions, z) grid steps to the neighbours."""
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

    def positions(self, points: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n, 3) positions / Å of grid points; the corner of the first cell inside the halo is 0."""
        return self.lattice.positions(self.cells_of(points), points % len(self.lattice.basis))

    @property
    def middle(self) -> NDArray[np.float64]:
        """(1, 3) position / Å of basis position 0 in the middle one of an odd number of cells."""
        return self.lattice.positions(np.array([[n // 2 for n in self.shape]]), np.array([0]))

    def home(self) -> NDArray[np.uint32]:
        """(G,) the grid point inside a periodic box that each point stands for."""
        found = np.empty(self.size, dtype=np.uint32)
        for few in slabs(self.size):
            points = np.arange(few.start, few.stop)
            wrapped = self.cells_of(points) % np.array(self.shape) + np.array(self.lattice.halo)
            found[few] = wrapped @ self.strides + points % len(self.lattice.basis)
        return found

    @property
    def n_inner(self) -> int:
        """Number of grid points that are not halo."""
        return math.prod(self.shape) * len(self.lattice.basis)

    def inner(self, few: slice) -> NDArray[np.int64]:
        """Grid points that are not halo, in order; of these the ones from `few.start` to `few.stop`."""
        *cells, basis = np.unravel_index(np.arange(few.start, few.stop), (*self.shape, len(self.lattice.basis)))
        points: NDArray[np.int64] = basis.astype(np.int64)
        for cell, halo, stride in zip(cells, self.lattice.halo, self.strides.tolist(), strict=True):
            points += (cell + halo) * stride
        return points
