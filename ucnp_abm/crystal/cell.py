"""A lattice is data: a cell, a basis, and bonds named by class. Neighbours are found from distances."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadInput

Neighbour = tuple[tuple[int, int, int], int, int]
"""Step in cells, basis position, bond class."""
Vector = tuple[float, float, float]
MIN_GAP = 0.5
"""Å; sites nearer than this, or cells flatter, are taken for a mistake."""
MAX_BOND = 20.0
"""Å; the longest bond."""
MAX_COORDINATION = 60


@dataclass(frozen=True)
class Lattice:
    """A crystal lattice on which ions hop.

    Attributes
    ----------
    name : str
    cell : tuple of 3 vectors
        Cell vectors / Å (rows).
    basis : tuple of 3 fractions each
        Positions in the cell.
    bonds : tuple of (str, float)
        Name and length / Å of each class of bond along which vacancies hop.
    sodium : tuple of float
        Share of sodium on each basis position in the *ordered* crystal; empty where there is none.

    Raises
    ------
    BadInput
        If it is no lattice: sites that coincide, bonds that no two sites have, sites with unequal numbers of bonds.
    """

    name: str
    cell: tuple[Vector, ...]
    basis: tuple[Vector, ...]
    bonds: tuple[tuple[str, float], ...]
    sodium: tuple[float, ...] = ()
    neighbours: tuple[tuple[Neighbour, ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise BadInput(f"lattice: expected text as its name, got {self.name!r}")
        checked = {
            "cell": self._vectors(self.cell, "three cell vectors of three numbers / Å each"),
            "basis": self._vectors(self.basis, "basis positions of three fractions of the cell, -2 to 2, each", 2.0),
            "bonds": self._checked_bonds(),
            "sodium": self._numbers(self.sodium, "one sodium share from 0 to 1 for each basis position"),
        }
        for key, value in checked.items():
            object.__setattr__(self, key, value)
        self._check_cell()
        if self.sodium and (len(self.sodium) != len(self.basis) or not all(0 <= s <= 1 for s in self.sodium)):
            raise self._wrong("one sodium share from 0 to 1 for each basis position", self.sodium)
        object.__setattr__(self, "neighbours", self._find_neighbours())

    def _wrong(self, expected: str, got: object) -> BadInput:
        return BadInput(f"lattice '{self.name}': expected {expected}, got {got!r}")

    def _numbers(self, given: object, expected: str, most: float = 1e6) -> tuple[float, ...]:
        values = given.tolist() if isinstance(given, np.ndarray) else given
        if not isinstance(values, (tuple, list)):
            raise self._wrong(expected, given)
        for x in values:
            if isinstance(x, bool) or not isinstance(x, (int, float)) or not abs(x) <= most:
                raise self._wrong(expected, given)
        return tuple(float(x) for x in values)

    def _vectors(self, given: object, expected: str, most: float = 1e6) -> tuple[tuple[float, ...], ...]:
        values = given.tolist() if isinstance(given, np.ndarray) else given
        if not isinstance(values, (tuple, list)) or not values:
            raise self._wrong(expected, given)
        rows = tuple(self._numbers(row, expected, most) for row in values)
        if any(len(row) != 3 for row in rows):
            raise self._wrong(expected, given)
        return rows

    def _checked_bonds(self) -> tuple[tuple[str, float], ...]:
        expected = f"bonds of a name and a length up to {MAX_BOND:g} Å each, such as ('nn', 3.5)"
        if not isinstance(self.bonds, (tuple, list)) or not self.bonds:
            raise self._wrong(expected, self.bonds)
        found: list[tuple[str, float]] = []
        for bond in self.bonds:
            if not isinstance(bond, (tuple, list)) or len(bond) != 2 or not isinstance(bond[0], str) or not bond[0]:
                raise self._wrong(expected, self.bonds)
            (length,) = self._numbers((bond[1],), expected)
            if not 0 < length <= MAX_BOND:
                raise self._wrong(expected, self.bonds)
            for name, other in found:
                if name == bond[0]:
                    raise BadInput(f"lattice '{self.name}': two classes of bond are called '{name}'")
                if abs(length - other) < 0.0025 * length:
                    raise BadInput(
                        f"lattice '{self.name}': the bonds '{name}' and '{bond[0]}' have one length, {length:g} Å; "
                        "give one of them"
                    )
            found.append((bond[0], length))
        return tuple(found)

    def _check_cell(self) -> None:
        cell = np.array(self.cell)
        if cell.shape != (3, 3) or abs(np.linalg.det(cell)) < 1e-6:
            raise self._wrong("three independent cell vectors", self.cell)
        height = float((1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)).min())
        if height < MIN_GAP:
            raise BadInput(
                f"lattice '{self.name}': its cell is only {height:.2g} Å high, expected at least {MIN_GAP} Å; "
                "are the vectors in Å, and is there no less oblique cell?"
            )

    def _find_neighbours(self) -> tuple[tuple[Neighbour, ...], ...]:
        cell, basis = np.array(self.cell), np.array(self.basis)
        basis_span = np.ceil(np.ptp(basis, axis=0)).astype(int)
        reach = max(length for _, length in self.bonds) * 1.001
        heights = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
        spans = [math.ceil(reach / h) + max(1, int(s)) for h, s in zip(heights, basis_span, strict=True)]
        steps = np.array(list(itertools.product(*(range(-s, s + 1) for s in spans))))
        rows: list[tuple[Neighbour, ...]] = []
        seen: list[float] = []
        for b in range(len(basis)):
            away = np.linalg.norm((steps[:, None] + basis - basis[b]) @ cell, axis=2)
            away[len(steps) // 2, b] = np.inf  # itself
            other = int(away.min(axis=0).argmin())
            if away.min() < MIN_GAP:
                raise BadInput(
                    f"lattice '{self.name}': the basis positions {b + 1} and {other + 1} coincide (they are "
                    f"{away.min():.2g} Å apart, cells repeated); expected at least {MIN_GAP} Å"
                )
            found: list[Neighbour] = []
            for kind, (_, length) in enumerate(self.bonds):
                for s, to in np.argwhere(np.abs(away - length) < 1e-3 * length).tolist():
                    found.append(((int(steps[s, 0]), int(steps[s, 1]), int(steps[s, 2])), to, kind))
            rows.append(tuple(sorted(found, key=lambda n: (n[2], n[0], n[1]))))
            seen += np.unique(away.round(3)).tolist()[:3]
        self._check_neighbours(rows, sorted(set(seen))[:3])
        return tuple(rows)

    def _check_neighbours(self, rows: list[tuple[Neighbour, ...]], shortest: list[float]) -> None:
        kinds = {kind for row in rows for _, _, kind in row}
        for kind, (name, length) in enumerate(self.bonds):
            if kind not in kinds:
                lengths = ", ".join(f"{x:g}" for x in shortest)
                raise BadInput(
                    f"lattice '{self.name}': no two sites are {length:g} Å apart (bond '{name}'); "
                    f"the shortest distances are {lengths} Å"
                )
        numbers = [len(row) for row in rows]
        if len(set(numbers)) != 1 or numbers[0] > MAX_COORDINATION:
            raise BadInput(
                f"lattice '{self.name}': its basis positions have {', '.join(map(str, numbers))} bonds, expected the "
                f"same number, at most {MAX_COORDINATION}, for each"
            )

    @property
    def coordination(self) -> int:
        """Number of bonds of a site in the bulk, z."""
        return len(self.neighbours[0])

    @property
    def halo(self) -> tuple[int, int, int]:
        """Largest step / cells to a neighbour along each axis."""
        steps = np.array([n[0] for row in self.neighbours for n in row])
        wide = abs(steps).max(axis=0)
        return int(wide[0]), int(wide[1]), int(wide[2])

    def positions(self, cells: NDArray[np.int64], basis: NDArray[np.int64]) -> NDArray[np.float64]:
        """Cartesian positions / Å, shape (n, 3), of basis positions in cells of shape (n, 3)."""
        placed: NDArray[np.float64] = (cells + np.array(self.basis)[basis]) @ np.array(self.cell)
        return placed
