"""The Yb of a crystal as a few modes: what their excitation does over time, without one equation for each ion.

The weakly excited crystal is linear, dn/dt = -A n. Lanczos finds the modes that a given start excites; those that hold
next to nothing of it are left out. What strong excitation adds is projected on the modes that stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.sparse.linalg import LinearOperator

from ucnp_abm.photons.cascade import stationary
from ucnp_abm.photons.solve import lanczos
from ucnp_abm.photons.steady import Fields, grounded
from ucnp_abm.photons.system import System

Floats = NDArray[np.float64]

VECTORS = 160
KEPT = 1e-7
"""A mode is kept if it holds more than this share of the light that the start would give."""


@dataclass(frozen=True, eq=False)
class Modes:
    """n = shapes @ c, and dc/dt = -rates c in the weakly excited crystal. m modes, n Yb.

    Attributes
    ----------
    rates : (m,) float64
        1/s.
    shapes : (n, m) float64
        Orthonormal columns.
    start : (m,) float64
        c at the start.
    taken, ratio : mapping
        (a,) what each activator takes, and gives back for what it gets, in the weakly excited crystal: they are part of
        the rates.
    """

    rates: Floats
    shapes: Floats
    start: Floats
    taken: dict[str, Floats]
    ratio: dict[str, Floats]


def modes(system: System, start: Floats) -> Modes:
    """The modes that a start excites.

    Parameters
    ----------
    system : System
    start : (n,) float64
        Share of each Yb that is excited.
    """
    faint = 1e-9
    taken, ratio = {}, {}
    ground = Fields(system, grounded(system))
    for symbol, each in system.activators.items():
        phi = np.full(len(each.sites), faint * np.maximum(each.sums, 1e-300))
        q = each.cascade.generator(each.own, phi, each.sums, np.zeros((len(phi), each.cascade.n_levels)))
        taken[symbol] = ground.taken[symbol]
        ratio[symbol] = stationary(q) @ each.cascade.gives / phi
    diagonal = system.losses + system.leaving + ground.on_yb(taken)
    back = {symbol: each.yb.T.tocsr() for symbol, each in system.activators.items()}

    def apply(x: Floats) -> Floats:
        found = diagonal * x - system.hops @ x
        for symbol, each in system.activators.items():
            if ratio[symbol].any():
                found -= each.yb @ (ratio[symbol] * (back[symbol] @ x))
        return found

    scale = float(np.linalg.norm(start))
    shape = (start.size, start.size)
    diagonal_t, off, basis = lanczos(LinearOperator(shape, matvec=apply, dtype=float), start / scale, VECTORS)
    rates, vectors = eigh_tridiagonal(diagonal_t, off)
    held = vectors[0] ** 2 / rates
    kept = held > KEPT * held.sum()
    return Modes(rates[kept], basis @ vectors[:, kept], scale * vectors[0, kept], taken, ratio)
