"""Lattices: a cell, a basis, and bonds named by class. Every lattice is data; the loop knows none by name."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadInput, nearest

Neighbour = tuple[tuple[int, int, int], int, int]
"""Step in cells, basis position, bond class."""


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
    """

    name: str
    cell: tuple[tuple[float, float, float], ...]
    basis: tuple[tuple[float, float, float], ...]
    bonds: tuple[tuple[str, float], ...]
    sodium: tuple[float, ...] = ()
    neighbours: tuple[tuple[Neighbour, ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            cell, basis = np.array(self.cell, dtype=float), np.array(self.basis, dtype=float)
            lengths = np.array([length for _, length in self.bonds], dtype=float)
        except (TypeError, ValueError):
            raise BadInput(
                f"lattice '{self.name}': expected numbers for cell and basis and (name, length) bonds"
            ) from None
        if basis.ndim != 2 or basis.shape[1] != 3 or not np.isfinite(basis).all():
            raise BadInput(f"lattice '{self.name}': expected basis positions of three fractions each, got {self.basis}")
        if not lengths.size or not (np.isfinite(lengths).all() and (lengths > 0).all() and (lengths < 20).all()):
            raise BadInput(f"lattice '{self.name}': expected bonds of 0 to 20 Å, got {self.bonds}")
        gaps = (basis[:, None] - basis[None]) % 1.0
        same = np.minimum(gaps, 1.0 - gaps).max(axis=2) < 1e-6
        if same.sum() > len(basis):
            raise BadInput(f"lattice '{self.name}': two basis positions coincide in {self.basis}")
        if self.sodium and (len(self.sodium) != len(basis) or not all(0 <= s <= 1 for s in self.sodium)):
            raise BadInput(f"lattice '{self.name}': expected one sodium share from 0 to 1 for each basis position")
        if cell.shape != (3, 3) or not np.isfinite(cell).all() or abs(np.linalg.det(cell)) < 1e-6:
            raise BadInput(f"lattice '{self.name}': expected three independent cell vectors, got {self.cell}")
        rows = tuple(tuple(self._around(b)) for b in range(len(self.basis)))
        numbers = {len(row) for row in rows}
        if len(numbers) != 1 or 0 in numbers:
            raise BadInput(f"lattice '{self.name}': its positions have {sorted(numbers)} bonds, expected one number")
        object.__setattr__(self, "neighbours", rows)

    def _around(self, b: int) -> list[Neighbour]:
        cell, basis = np.array(self.cell), np.array(self.basis)
        reach = max(length for _, length in self.bonds) * 1.001
        spans = [math.ceil(reach / h) + 1 for h in (1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0))]
        found: list[Neighbour] = []
        for step in itertools.product(*(range(-s, s + 1) for s in spans)):
            for other in range(len(basis)):
                distance = float(np.linalg.norm((np.array(step) + basis[other] - basis[b]) @ cell))
                for kind, (_, length) in enumerate(self.bonds):
                    if abs(distance - length) < 1e-3 * length:
                        found.append(((step[0], step[1], step[2]), other, kind))
        return sorted(found, key=lambda n: (n[2], n[0], n[1]))

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


def _cubic(name: str, a: float, basis: tuple[tuple[float, float, float], ...], bond: float) -> Lattice:
    return Lattice(name, ((a, 0.0, 0.0), (0.0, a, 0.0), (0.0, 0.0, a)), basis, (("nn", bond * a),))


def beta(a: float = 5.960, c: float = 3.530) -> Lattice:
    """β-NaREF4 (P-6): its 1a and 1f sites; topologically hcp, z = 8 (2 bonds 'c', 6 bonds 'ab').

    The defaults are those of NaYF4 / Å. Assumption: one rigid lattice for core and shell (their misfit is 0.25 %).
    In the ordered crystal 1a holds RE only and 1f half RE, half Na.
    """
    cell = ((a, 0.0, 0.0), (-a / 2, a * math.sqrt(3) / 2, 0.0), (0.0, 0.0, c))
    between = math.sqrt(a * a / 3 + c * c / 4)
    basis = ((0.0, 0.0, 0.0), (2 / 3, 1 / 3, 1 / 2))
    return Lattice("beta", cell, basis, (("c", c), ("ab", between)), (0.0, 0.5))


def sc(a: float = 3.87) -> Lattice:
    """Simple cubic, z = 6; a / Å gives the bond length of the cubic phase."""
    return _cubic("sc", a, ((0.0, 0.0, 0.0),), 1.0)


def bcc(a: float = 4.47) -> Lattice:
    """Body-centred cubic, z = 8."""
    return _cubic("bcc", a, ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5)), math.sqrt(3) / 2)


def fcc(a: float = 5.47) -> Lattice:
    """Face-centred cubic, z = 12: the cations of α-NaREF4, a = 5.47 Å."""
    corners = ((0.0, 0.0, 0.0), (0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0))
    return _cubic("fcc", a, corners, math.sqrt(0.5))


LATTICES: dict[str, Callable[[], Lattice]] = {
    "beta": beta,
    "sc": sc,
    "bcc": bcc,
    "fcc": fcc,
}


def named(name: str | Lattice) -> Lattice:
    """A lattice by name ('beta', 'sc', 'bcc', 'fcc'), or the lattice that was given.

    Raises
    ------
    BadInput
        If there is no such lattice.
    """
    if isinstance(name, Lattice):
        return name
    if not isinstance(name, str) or name not in LATTICES:
        raise BadInput(f"lattice: unknown lattice '{name}'{nearest(str(name), LATTICES)}")
    return LATTICES[name]()
