"""Activators that see each other: stationary populations of all of one kind at given Yb.

Taking each in turn at fixed neighbours would need as many turns as energy hops back and forth in a close pair (10⁵ for
3F4 of two neighbouring Tm). So a few turns are followed by Newton steps on all populations together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import bsr_matrix, csc_matrix, csr_matrix, diags_array
from scipy.sparse.linalg import LinearOperator, gmres, splu

from ucnp_abm.errors import NotConverged
from ucnp_abm.photons.cascade import stationary
from ucnp_abm.photons.system import Activators

Floats = NDArray[np.float64]

TOLERANCE = 1e-10
FIRST_TURNS, MOST_STEPS = 5, 200
LONG = 1e9
"""Seconds after which nothing changes any more."""
CLOSE = 25.0
"""Distance / Å up to which pairs are in the preconditioner of a Newton step."""


def generators(these: Activators, phi: Floats, psi: Floats, populations: Floats) -> Floats:
    """(a, L, L) generator / 1/s of every activator among the others."""
    return these.cascade.generator(these.own, phi, psi, these.pairs @ populations)


def settled(these: Activators, phi: Floats, psi: Floats, guess: Floats) -> Floats:
    """Stationary populations (a, L) at given phi (a, L) and psi (a,) / Å⁻⁶.

    Raises
    ------
    NotConverged
        If they do not settle.
    """
    populations, stretch = guess, LONG
    for _ in range(FIRST_TURNS):
        populations = stationary(generators(these, phi, psi, populations))
    for _ in range(MOST_STEPS):
        q = generators(these, phi, psi, populations)
        rate = np.einsum("ai,aij->aj", populations, q)
        left = float(np.max(np.abs(rate) / np.maximum(-populations * np.einsum("aii->ai", q), 1e-100)))
        if left < TOLERANCE:
            return stationary(q)
        step = _newton(these, q, rate, populations, stretch)
        if step.min() > -0.9 and step.max() < 10:
            populations = populations * (1.0 + step)
            populations, stretch = populations / populations.sum(axis=1, keepdims=True), 5 * stretch
        else:  # too far for one step: go there in time
            stretch = min(stretch, 1.0) / 5
    raise NotConverged(
        f"light: populations of {len(guess)} {these.cascade.symbol} did not settle in {MOST_STEPS} steps (relative "
        f"imbalance {left:.1e}); lower the pump"
    )


def _newton(these: Activators, q: Floats, rate: Floats, populations: Floats, stretch: float) -> Floats:
    """Relative changes (a, L) after a stretch / s (implicit Euler), sums kept; a long one would end all change.

    Every equation is divided by what leaves its level, so that small populations count as much as large ones.
    """
    n, levels = populations.shape
    populations = np.maximum(populations, 1e-100)
    leaving = -populations * np.einsum("aii->ai", q)
    leaving[:, 0] = 1.0
    felt = np.einsum("ai,lij->alj", populations, these.cascade.cross)  # of dN_a/dt by the others' sums m_a

    def apply(step: Floats) -> Floats:
        x = step.reshape(n, levels) * populations
        found = np.einsum("ai,aij->aj", x, q) + np.einsum("al,alj->aj", these.pairs @ x, felt)
        found -= x / stretch
        found[:, 0] = x.sum(axis=1)
        return (found / leaving).ravel()

    right = -rate / leaving
    right[:, 0] = 0.0
    factors = splu(_close(these, q - np.eye(levels) / stretch, felt, populations, leaving))
    shape = (n * levels, n * levels)
    step, _ = gmres(
        LinearOperator(shape, matvec=apply, dtype=float),
        right.ravel(),
        M=LinearOperator(shape, matvec=factors.solve, dtype=float),
        rtol=1e-8,
        maxiter=20,
    )  # what is left of it, the next turn sees
    return step.reshape(n, levels)


def _close(these: Activators, q: Floats, felt: Floats, populations: Floats, leaving: Floats) -> csc_matrix:
    """The Newton matrix without the pairs that are far apart; the ground state's equation keeps the sums instead."""
    n, levels = populations.shape
    ground = np.arange(n) * levels
    kept = np.ones(n * levels)
    kept[ground] = 0.0
    rest = diags_array(kept) @ close_pairs(these, q, felt, populations, leaving)
    sums = csr_matrix((populations.ravel(), (np.repeat(ground, levels), np.arange(n * levels))), shape=rest.shape)
    return (rest + sums).tocsc()


def close_pairs(these: Activators, q: Floats, felt: Floats, unit: Floats, divided: Floats) -> csc_matrix:
    """Derivative of dN/dt by N, without the pairs that are more than 25 Å apart; shape (a L, a L).

    Parameters
    ----------
    these : Activators
    q : (a, L, L) float64
        Generators / 1/s.
    felt : (a, L, L) float64
        Derivative of dN_a/dt by the others' sums m_a.
    unit, divided : (a, L) float64
        In what N is measured, and by what dN/dt is divided.
    """
    n, levels = q.shape[:2]
    pairs = these.pairs.tocoo()
    near = pairs.data > CLOSE**-6
    row = np.concatenate([pairs.row[near], np.arange(n)])
    column = np.concatenate([pairs.col[near], np.arange(n)])
    blocks = np.concatenate([pairs.data[near][:, None, None] * felt[pairs.row[near]].swapaxes(1, 2), q.swapaxes(1, 2)])
    blocks *= unit[column][:, None, :] / divided[row][:, :, None]
    order = np.lexsort((column, row))
    starts = np.searchsorted(row[order], np.arange(n + 1))
    return bsr_matrix((blocks[order], column[order], starts), shape=(n * levels, n * levels)).tocsc()
