"""Short-range order: Warren-Cowley parameters of the ions over nearest-neighbour bonds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.grid import slabs
from ucnp_abm.crystal.species import IONS, N_CODES, VACANCY, code
from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.probes.census import ions


@dataclass(frozen=True, eq=False)
class ShortRangeOrder:
    """Warren-Cowley parameters of S species.

    Attributes
    ----------
    symbols : tuple of str
        What rows and columns are.
    alpha : (S, S) float64
        Row A, column B: 0 at random, negative where A and B seek each other, 1 where they never meet.
    neighbours : (S, S) int64
        B seen from all A, summed; symmetric, and twice the number of bonds on the diagonal.
    """

    symbols: tuple[str, ...]
    alpha: NDArray[np.float64]
    neighbours: NDArray[np.int64]


def warren_cowley(
    crystal: Crystal, occupants: NDArray[np.uint8], symbols: tuple[str, ...], bond: str | None = None
) -> ShortRangeOrder:
    """alpha_AB = 1 - P(B|A) / x_B|A over nearest-neighbour bonds between ions.

    Source: Cowley 1950, doi:10.1103/PhysRev.77.669. P(B|A) is the share of B among all ions next to an A. Vacancies
    and voids are no partners: they count neither as neighbours nor in the shares.
    x_B|A = (N_B - [A = B]) / (N - 1) is the share of B among the *other* ions, N in all. So a random arrangement of
    fixed counts has the expectation 0, exactly if all ions have equally many ions around them; Cowley's x_B = N_B / N
    would give -1/(N - 1) for A != B. Where the numbers of neighbours differ (surface, vacancies), P(B|A) is a ratio
    of two random numbers and the expectation is 0 up to a term of order 1/N, small against the scatter between
    arrangements (order 1/sqrt(N)). If a species prefers sites with fewer neighbours, alpha_AB and alpha_BA differ.

    Parameters
    ----------
    crystal : Crystal
    occupants : (N,) uint8
        Species code on each site.
    symbols : tuple of str
        Ions whose parameters are wanted; all others count as 'something else'.
    bond : str or None
        Class of bonds, such as 'c' or 'ab'; None for all.

    Returns
    -------
    ShortRangeOrder
        nan where A has no ions around it, or there is no other ion B.

    Raises
    ------
    BadInput
        If a symbol is no ion, or the lattice has no such class of bonds.
    """
    codes = np.array([code(symbol, "Warren-Cowley", IONS) for symbol in symbols], dtype=np.int64)
    names = [name for name, _ in crystal.lattice.bonds]
    if bond is not None and bond not in names:
        raise BadInput(f"bond: the lattice '{crystal.lattice.name}' has no bonds '{bond}'{nearest(str(bond), names)}")
    everything = _pairs(crystal, occupants, None if bond is None else names.index(bond))
    held = np.bincount(occupants[ions(occupants)], minlength=N_CODES)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = everything[np.ix_(codes, codes)] / everything[codes].sum(axis=1)[:, None]
        expected = (held[codes][None, :] - np.eye(codes.size)) / (held.sum() - 1)
        alpha = np.where(expected > 0, 1.0 - found / expected, np.nan)
    return ShortRangeOrder(tuple(symbols), alpha, everything[np.ix_(codes, codes)])


def _pairs(crystal: Crystal, occupants: NDArray[np.uint8], kind: int | None) -> NDArray[np.int64]:
    """Ions next to ions by species code, each bond seen from both ends; bonds of one class, or of all (None)."""
    held = np.full(crystal.place.size, VACANCY, dtype=np.uint8)  # where there is no site, there is no ion
    for few in slabs(crystal.n_sites):
        held[crystal.sites[few]] = occupants[few]
    found = np.zeros(N_CODES * N_CODES, dtype=np.int64)
    for few in slabs(crystal.n_sites):
        here, place = occupants[few], crystal.place[crystal.sites[few]]
        for d in range(crystal.z):
            there = held[crystal.around(few, d)]
            counted = ions(here) & ions(there)
            if kind is not None:
                counted &= crystal.bond[place, d] == kind
            found += np.bincount(here[counted].astype(np.int64) * N_CODES + there[counted], minlength=found.size)
    return found.reshape(N_CODES, N_CODES)
