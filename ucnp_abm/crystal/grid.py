"""The grid: points of a block of cells and its halo, numbered so that neighbours are a fixed number of steps away."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.lattice import Lattice
from ucnp_abm.errors import BadInput

MAX_GRID = 50_000_000  # about 25 million sites in a sphere


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

    @property
    def inner(self) -> NDArray[np.int64]:
        """Grid points that are not halo, in order."""
        grid = np.arange(self.size, dtype=np.int64).reshape(*self.full, len(self.lattice.basis))
        return grid[tuple(slice(w, w + n) for w, n in zip(self.lattice.halo, self.shape, strict=True))].ravel()
