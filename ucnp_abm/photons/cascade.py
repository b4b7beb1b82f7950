"""How one activator climbs: its generator as a function of the light around it, and its stationary populations.

All pair rates fall as r⁻⁶, so an activator sees its surroundings through a few sums only, all / Å⁻⁶:

- phi_l: of the excited Yb, sum of n_i r⁻⁶, as they are when it is in level l (`ucnp_abm.photons.closure`)
- psi: of the Yb in the ground state, sum of (1 - n_i) r⁻⁶
- m_l: of the other activators in level l, sum of N_l r⁻⁶

and its levels obey dN/dt = N Q with Q = own + phi A + psi B + sum over l of m_l T_l, generators whose rows add up to 0
(phi multiplies the rows of A).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.photons.rates import RateSet

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cascade:
    """The generators of one kind of activator with L levels.

    Attributes
    ----------
    symbol : str
    own : (L, L) float64
        Decay of the ion alone / 1/s.
    up, back : (L, L) float64
        A and B: energy from Yb, and back to it / Å⁶/s.
    cross : (L, L, L) float64
        T, by the level of the partner / Å⁶/s: cross relaxation, seen from either ion.
    """

    symbol: str
    own: Floats
    up: Floats
    back: Floats
    cross: Floats

    @property
    def n_levels(self) -> int:
        return len(self.own)

    @property
    def takes(self) -> Floats:
        """(L,) constant / Å⁶/s with which an ion in each level takes energy from an excited Yb."""
        found: Floats = -np.diagonal(self.up)
        return found

    @property
    def gives(self) -> Floats:
        """(L,) constant / Å⁶/s with which an ion in each level gives energy to a Yb in the ground state."""
        found: Floats = -np.diagonal(self.back)
        return found

    def generator(self, own: Floats, phi: Floats, psi: Floats, others: Floats) -> Floats:
        """Q / 1/s of n activators, shape (n, L, L).

        Parameters
        ----------
        own : (L, L) or (n, L, L) float64
            `Cascade.own`, with whatever else takes energy from each ion.
        phi : (n, L) float64
        psi : (n,) float64
        others : (n, L) float64
            m of each ion.
        """
        q: Floats = own + phi[:, :, None] * self.up + psi[:, None, None] * self.back
        return q + np.tensordot(others, self.cross, axes=1)


def cascade(rates: RateSet, symbol: str) -> Cascade:
    """The generators of an activator.

    Raises
    ------
    BadInput
        If the rate set has no levels of it.
    """
    ion = rates.ion(symbol)
    n = len(ion.levels)
    up, back, cross = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n, n))
    for t in rates.between("Yb", symbol):
        if t.down == (1, 0):
            up[t.up] += t.constant
    for t in rates.between(symbol, "Yb"):
        if t.up == (0, 1):
            back[t.down] += t.constant
    for t in rates.between(symbol, symbol):
        cross[(t.up[0], *t.down)] += t.constant  # the donor's step, by the acceptor's level
        cross[(t.down[0], *t.up)] += t.constant
    return Cascade(symbol, closed(ion.decay), closed(up), closed(back), np.array([closed(each) for each in cross]))


def closed(rates: Floats) -> Floats:
    """Rates from row to column made a generator: the diagonal is what makes each row add up to 0. Shape (…, L, L)."""
    found = np.array(rates, dtype=float)
    n = np.arange(found.shape[-1])
    found[..., n, n] = 0.0
    found[..., n, n] = -found.sum(axis=-1)
    return found


def stationary(q: Floats) -> Floats:
    """Stationary populations of generators of shape (n, L, L), shape (n, L): positive, adding up to 1.

    By elimination without subtraction (Grassmann, Taksar and Heyman, Oper. Res. 33, 1107 (1985),
    doi:10.1287/opre.33.5.1107): every population has full relative accuracy, however small it is. Levels must be
    ordered so that each has a way to one below it; the ground state comes first.
    """
    a = np.array(q)
    last = a.shape[-1]
    for n in range(last - 1, 0, -1):
        leaving = a[:, n, :n].sum(axis=1)
        a[:, :n, n] /= leaving[:, None]
        a[:, :n, :n] += a[:, :n, n, None] * a[:, n, None, :n]
    found = np.zeros(a.shape[:2])
    found[:, 0] = 1.0
    for n in range(1, last):
        found[:, n] = np.einsum("ij,ij->i", found[:, :n], a[:, :n, n])
    populations: Floats = found / found.sum(axis=1, keepdims=True)
    return populations
