"""Where an excitation ends, how long it lives, and how its light decays: linear algebra on a `Network`.

The occupation n of the carriers obeys dn/dt = -Kᵀ n with K = diag(k + sum of W) - W, k the rates of all ends and W the
hops. K is similar to a symmetric, positive definite matrix, because the hops obey detailed balance; so conjugate
gradients solve it, and Lanczos quadrature gives whole decay curves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.sparse import csr_matrix, diags_array
from scipy.sparse.linalg import LinearOperator, cg

from ucnp_abm.errors import NotConverged
from ucnp_abm.photons.network import CHANNELS, Network

TOLERANCE = 1e-13
MOST_ITERATIONS = 20_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fate:
    """Where excitations end.

    Attributes
    ----------
    shares : mapping
        Share of all excitations that ends in each channel; they add up to 1.
    lifetime_s : float
        Mean time / s from absorption to the end.
    k_eff : float
        Effective quench rate / 1/s: quench events per excitation and second.
    k_mean : float
        Mean quench rate / 1/s of the absorbing ions, which k_eff reaches where migration is fast.
    dwell_s : (n,) float64
        Mean time / s that an excitation spends on each carrier: what ends there is `dwell_s` times the rate.
    """

    shares: dict[str, float]
    lifetime_s: float
    k_eff: float
    k_mean: float
    dwell_s: Floats

    @property
    def quantum_yield(self) -> float:
        """Share of excitations that the carriers radiate."""
        return self.shares["radiated"]

    @property
    def quenched(self) -> float:
        """Share that dies at vacancies and surface."""
        return self.shares["vacancies"] + self.shares["surface"]


def matrix(network: Network) -> csr_matrix:
    """K / 1/s, sparse, shape (n, n)."""
    leaving = network.ending + np.asarray(network.hops.sum(axis=1)).ravel()
    return (diags_array(leaving) - network.hops).tocsr()


def fate(network: Network) -> Fate:
    """Where the excitations end that begin as `network.start` says: one solve of Kᵀ n = start.

    Raises
    ------
    NotConverged
        If the solver does not reach its tolerance.
    """
    return ended(network, Solver(network).dwell(network.start))


def ended(network: Network, dwell: Floats) -> Fate:
    """What follows from the time that excitations spend on each carrier."""
    shares = {name: float(dwell @ network.channels[name]) for name in CHANNELS}
    lifetime = float(dwell.sum())
    k_eff = (shares["vacancies"] + shares["surface"]) / lifetime
    return Fate(shares, lifetime, k_eff, network.mean_quenching, dwell)


class Solver:
    """Solves with K, made symmetric by the carriers' weights; reusable for several right-hand sides.

    Parameters
    ----------
    network : Network
    extra : (n,) float64 or None
        Further rates / 1/s on the diagonal.
    """

    def __init__(self, network: Network, extra: Floats | None = None) -> None:
        self.root = np.sqrt(network.weight)
        k = matrix(network)
        if extra is not None:
            k = (k + diags_array(extra)).tocsr()
        if not np.all(network.weight == 1.0):
            k = (diags_array(self.root) @ k @ diags_array(1 / self.root)).tocsr()
        self.symmetric = k
        self.diagonal = k.diagonal()
        if not (self.diagonal > 0).all():
            raise NotConverged("light: some excitations would never end: a carrier has neither decay nor neighbours")
        self.preconditioner = jacobi(self.diagonal)

    def dwell(self, start: Floats) -> Floats:
        """(n,) time / s spent on each carrier, Kᵀ n = start."""
        return self.root * self.solve(start / self.root)

    def expected(self, rates: Floats) -> Floats:
        """(n,) K⁻¹ rates: of an end, the chance to end so from each carrier; of ones, its time / s to live."""
        return self.solve(self.root * rates) / self.root

    def solve(self, right: Floats, guess: Floats | None = None, tolerance: float = TOLERANCE) -> Floats:
        """Solve with the symmetric matrix.

        Raises
        ------
        NotConverged
            If the residual stays above the tolerance.
        """
        return conjugate_gradients(self.symmetric, right, self.preconditioner, guess, tolerance)


def conjugate_gradients(
    operator: csr_matrix | LinearOperator,
    right: Floats,
    preconditioner: LinearOperator,
    guess: Floats | None = None,
    tolerance: float = TOLERANCE,
) -> Floats:
    """Solve a symmetric, positive definite system to a relative residual.

    Raises
    ------
    NotConverged
        If that takes more than 20 000 iterations.
    """
    with np.errstate(all="ignore"):  # a singular matrix divides by zero, which is told below
        found, info = cg(operator, right, x0=guess, rtol=tolerance, atol=0.0, maxiter=MOST_ITERATIONS, M=preconditioner)
    if info or not np.isfinite(found).all():
        size = np.linalg.norm(right)
        left = np.linalg.norm(right - operator @ found) / size if size > 0 else math.nan
        raise NotConverged(
            f"light: a linear solve of {right.size} carriers did not converge in {MOST_ITERATIONS} iterations "
            f"(relative residual {left:.1e}, expected {tolerance:.0e}); do rates differ by many powers of ten?"
        )
    return found


def jacobi(diagonal: Floats) -> LinearOperator:
    """Preconditioner: the inverse of the diagonal. (Multigrid gains nothing: rows hold 100 neighbours.)"""
    inverse = 1 / diagonal
    return LinearOperator((diagonal.size, diagonal.size), matvec=lambda x: inverse * x.ravel(), dtype=float)


@dataclass(frozen=True)
class Decay:
    """A decay as a sum of exponentials.

    Attributes
    ----------
    rates, weights : (m,) float64
        S(t) = sum of weights exp(-rates t); weights add up to 1, rates / 1/s.
    """

    rates: Floats
    weights: Floats

    def __call__(self, times: Floats | float) -> Floats:
        """S at times / s."""
        return np.exp(-np.multiply.outer(np.asarray(times, dtype=float), self.rates)) @ self.weights

    @property
    def integral_s(self) -> float:
        """Integral of S / s."""
        return float((self.weights / self.rates).sum())


def decay(network: Network, accuracy: float = 1e-8) -> Decay:
    """Decay of the absorbing ions after a short pulse: the share of excitations that is still on them.

    Lanczos quadrature (Golub and Meurant, Matrices, Moments and Quadrature, 2010), grown until its integral is that of
    conjugate gradients.

    Raises
    ------
    NotConverged
        If 2000 vectors are not enough.
    """
    solver = Solver(network)
    first = network.start / solver.root
    scale = float(np.linalg.norm(first))
    aim = float(first @ solver.solve(first)) / scale**2
    for m in (20, 40, 80, 160, 320, 640, 1280, 2000):
        diagonal, off, _ = lanczos(solver.symmetric, first / scale, m)
        rates, vectors = eigh_tridiagonal(diagonal, off)
        found = Decay(rates, vectors[0] ** 2)
        if abs(found.integral_s / aim - 1) < accuracy or len(diagonal) < m:
            return found
    raise NotConverged(f"light: the decay of {network.n_carriers} carriers needs more than 2000 Lanczos vectors")


def lanczos(operator: csr_matrix | LinearOperator, first: Floats, m: int) -> tuple[Floats, Floats, Floats]:
    """A tridiagonal matrix T = Vᵀ A V on the Krylov space of a unit vector, with full orthogonalisation.

    Returns
    -------
    tuple
        Diagonal (m,) and off-diagonal (m - 1,) of T, and V (n, m); smaller if the space is exhausted.
    """
    basis = np.zeros((min(m, first.size), first.size))
    basis[0] = first
    diagonal, off = np.zeros(len(basis)), np.zeros(len(basis))
    for n in range(len(basis)):
        vector = operator @ basis[n]
        diagonal[n] = basis[n] @ vector
        for _ in range(2):  # once is not enough
            vector -= basis[: n + 1].T @ (basis[: n + 1] @ vector)
        off[n] = np.linalg.norm(vector)
        if n + 1 == len(basis) or off[n] <= 1e-13 * np.abs(diagonal).max():
            return diagonal[: n + 1], off[:n], basis[: n + 1].T
        basis[n + 1] = vector / off[n]
    raise AssertionError
