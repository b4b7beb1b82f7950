"""The Yb of a crystal as a few modes: what their excitation does over time, without one equation for each ion.

The weakly excited crystal is linear, dn/dt = -A n. Lanczos finds the modes that a given start excites, and those of the
neighbourhood of resonant activators; those that hold next to nothing of either are left out. What strong excitation
adds is projected on the modes that stay.
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
RESONANT = 0.1
"""An activator that gives back more than this share of what it takes has modes of its own neighbourhood."""
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
        phi = faint * np.maximum(each.sums, 1e-300)
        levels = each.cascade.n_levels
        q = each.cascade.generator(each.own, np.tile(phi[:, None], levels), each.sums, np.zeros((len(phi), levels)))
        taken[symbol] = np.full(len(each.sites), each.cascade.takes[0])
        ratio[symbol] = stationary(q) @ each.cascade.gives / phi
    diagonal = system.losses + system.leaving + ground.taking
    back = {symbol: each.yb.T.tocsr() for symbol, each in system.activators.items()}

    def apply(x: Floats) -> Floats:
        found = diagonal * x - system.hops @ x
        for symbol, each in system.activators.items():
            if ratio[symbol].any():
                found -= each.yb @ (ratio[symbol] * (back[symbol] @ x))
        return found

    operator = LinearOperator((start.size, start.size), matvec=apply, dtype=float)
    giving = {symbol: (ratio[symbol] > RESONANT * taken[symbol]).astype(float) for symbol in system.activators}
    around = sum((each.yb @ giving[s] for s, each in system.activators.items()), np.zeros(system.n_yb))
    sources = [each / np.linalg.norm(each) for each in (start, around) if each.any()]
    spaces = [lanczos(operator, each, VECTORS) for each in sources]
    if len(spaces) == 1:
        diagonal_t, off, basis = spaces[0]
        rates, vectors = eigh_tridiagonal(diagonal_t, off)
    else:  # both together, orthonormal
        basis = np.linalg.qr(np.hstack([each for *_, each in spaces]))[0]
        rates, vectors = np.linalg.eigh(basis.T @ np.column_stack([apply(each) for each in basis.T]))
    shapes = basis @ vectors
    held = np.sum([(shapes.T @ each) ** 2 / rates for each in sources], axis=0)
    kept = held > KEPT * held.sum()
    return Modes(rates[kept], shapes[:, kept], shapes[:, kept].T @ start, taken, ratio)
