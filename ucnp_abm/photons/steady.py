"""Stationary populations under a constant pump: each Yb and each activator on its own, or one population for all Yb.

Yb i obeys, with neighbours correlated as far as `ucnp_abm.photons.closure` knows,

    dn_i/dt = G (1 - n_i) - k_i n_i + sum_j W_ij (n_j - n_i) - sum_a [alpha_ia n_i - r_ia⁻⁶ beta_a (1 - n_i)]

with alpha_ia and beta_a what activator a takes and gives at its present populations (`ucnp_abm.photons.cascade`).
Given all alpha and beta this is linear in n; given n, each activator is a small linear problem. The two are solved in
turn until nothing changes. What an activator gives back is proportional to what it gets, nearly, so that the ratio
beta/phi, not beta, is carried from turn to turn: a resonant pair (Er and Yb) converges as fast as any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import LinearOperator

from ucnp_abm.errors import NotConverged
from ucnp_abm.photons.closure import corrections
from ucnp_abm.photons.crowd import settled
from ucnp_abm.photons.solve import conjugate_gradients, fate, jacobi
from ucnp_abm.photons.system import Activators, System

Floats = NDArray[np.float64]

TOLERANCE = 1e-9
MOST_TURNS = 300
STRONG = 0.05
"""Mean share of excited Yb from which on results carry a warning."""
SPREAD, MIXED = 0.05, 0.95
"""The hybrid needs std(n)/mean below the one and k_eff/<k_q> above the other."""


@dataclass(frozen=True, eq=False)
class Populations:
    """Stationary populations.

    Attributes
    ----------
    yb : (n,) float64
        Share of time that each Yb is excited.
    activators : mapping
        (a, L) populations by symbol.
    turns : int
        Iterations that were needed.
    warnings : tuple of str
    """

    yb: Floats
    activators: dict[str, Floats]
    turns: int
    warnings: tuple[str, ...] = ()


class Fields:
    """What Yb and activators feel of each other at given populations.

    Parameters
    ----------
    system : System
    populations : mapping
        (a, L) by symbol.
    pump : float
        G / 1/s.
    """

    def __init__(self, system: System, populations: dict[str, Floats], pump: float = 0.0) -> None:
        self.system = system
        self.populations = populations
        renewal = system.losses + system.leaving + pump
        correlated = system.optics.correlated
        self.seen = {s: corrections(a, populations[s], renewal, correlated) for s, a in system.activators.items()}
        self.given = {s: populations[s] @ each.cascade.gives for s, each in system.activators.items()}

    @property
    def taking(self) -> Floats:
        """(n,) rate / 1/s at which activators take energy from each excited Yb."""
        found = np.zeros(self.system.n_yb)
        for symbol, each in self.system.activators.items():
            found += taking(each, self.seen[symbol], self.populations[symbol] * each.cascade.takes)
        return found

    @property
    def giving(self) -> Floats:
        """(n,) rate / 1/s at which activators give energy to each Yb in the ground state."""
        return sum((each.yb @ self.given[s] for s, each in self.system.activators.items()), np.zeros(self.system.n_yb))

    def phi(self, symbol: str, yb: Floats) -> Floats:
        """(a, L) sum of r⁻⁶ / Å⁻⁶ of the excited Yb around each activator, as each level sees them."""
        mean = self.system.activators[symbol].yb.T @ yb
        return mean[:, None] + np.column_stack([beyond.T @ yb for beyond in self.seen[symbol]])

    def psi(self, symbol: str, yb: Floats) -> Floats:
        """(a,) sum of r⁻⁶ / Å⁻⁶ of the Yb in the ground state around each activator."""
        each = self.system.activators[symbol]
        found: Floats = np.maximum(each.sums - each.yb.T @ yb, 0.0)
        return found


def taking(these: Activators, seen: list[csr_matrix], rates: Floats) -> Floats:
    """(n,) sum over activators and levels of what a level sees of each Yb times a rate of it, shape (a, L)."""
    found: Floats = these.yb @ rates.sum(axis=1)
    for level in np.flatnonzero(these.cascade.takes):
        found += seen[level] @ rates[:, level]
    return found


def grounded(system: System) -> dict[str, Floats]:
    """All activators in the ground state."""
    found = {}
    for symbol, each in system.activators.items():
        found[symbol] = np.zeros((len(each.sites), each.cascade.n_levels))
        found[symbol][:, 0] = 1.0
    return found


def steady(system: System, pump: float | None = None) -> Populations:
    """Stationary populations under a constant pump, Yb by Yb.

    Parameters
    ----------
    system : System
    pump : float or None
        G / 1/s; None: as the optics say.

    Raises
    ------
    NotConverged
        If they do not settle.
    """
    g = system.optics.set.pump(system.optics.intensity) if pump is None else pump
    populations = grounded(system)
    base = system.losses + system.leaving + g
    yb, change = np.full(system.n_yb, g / (g + system.losses.mean())), 1.0
    fields = Fields(system, populations, g)
    for turn in range(1, MOST_TURNS + 1):
        last, populations = populations, _settled(system, fields, yb)
        fields = Fields(system, populations, g)
        diagonal = base + fields.taking + fields.giving
        ratio = {s: _over(fields.given[s], a.yb.T @ yb) for s, a in system.activators.items()}
        new = _balance(system, diagonal, ratio, np.full(system.n_yb, g), yb, change)
        change = max(_change(new, yb), *(_change(populations[s], last[s]) for s in populations))
        yb = new
        if change < TOLERANCE:
            return Populations(yb, populations, turn, _warnings(yb))
    raise NotConverged(
        f"light: populations did not settle in {MOST_TURNS} turns at G = {g:.3g} /s (last relative change "
        f"{change:.1e}); lower the pump, or use the hybrid method"
    )


def hybrid(system: System, pump: float | None = None) -> Populations:
    """Stationary populations with one population for all Yb: what migration gives where it mixes perfectly.

    Raises
    ------
    NotConverged
        If they do not settle.
    """
    g = system.optics.set.pump(system.optics.intensity) if pump is None else pump
    held, n = grounded(system), g / (g + system.losses.mean())
    for turn in range(1, MOST_TURNS + 1):
        last, before, yb = held, n, np.full(system.n_yb, n)
        held = _settled(system, Fields(system, last, g), yb)
        fields = Fields(system, held, g)
        drain, back = (fields.taking + fields.giving).mean(), fields.giving.mean() / n  # what comes back for each
        n = g / (g + system.losses.mean() + drain - back)
        if max(abs(n - before) / n, *(_change(held[s], last[s]) for s in held)) < TOLERANCE:
            return Populations(np.full(system.n_yb, n), held, turn, _warnings(np.array([n])))
    raise NotConverged(f"light: populations did not settle in {MOST_TURNS} turns at G = {g:.3g} /s; lower the pump")


def _settled(system: System, fields: Fields, yb: Floats) -> dict[str, Floats]:
    """All activators at given Yb."""
    known = fields.populations
    return {s: settled(a, fields.phi(s, yb), fields.psi(s, yb), known[s]) for s, a in system.activators.items()}


def mixed(system: System) -> tuple[bool, str]:
    """Whether the hybrid holds in a crystal, and what was looked at.

    It needs an even excitation, std(n)/mean below 0.05, and quenching at its mean, k_eff/<k_q> above 0.95.
    """
    found = fate(system.network)
    dwell = found.dwell_s[: system.n_yb]
    spread = float(dwell.std() / dwell.mean())
    ratio = found.k_eff / found.k_mean if found.k_mean > 0 else 1.0
    return spread < SPREAD and ratio > MIXED, f"std(n)/mean = {spread:.3f}, k_eff/<k_q> = {ratio:.3f}"


def populations(system: System, pump: float | None = None) -> Populations:
    """Stationary populations by the method of the optics; where the hybrid does not hold, Yb by Yb, with a warning."""
    if system.optics.method == "hybrid":
        holds, seen = mixed(system)
        if holds:
            return hybrid(system, pump)
        found = steady(system, pump)
        warning = f"the hybrid does not hold here ({seen}; needed: below {SPREAD}, above {MIXED}): done Yb by Yb"
        return replace(found, warnings=(*found.warnings, warning))
    return steady(system, pump)


def _balance(
    system: System, diagonal: Floats, ratio: dict[str, Floats], right: Floats, guess: Floats, far: float
) -> Floats:
    """Populations of Yb at which gain and loss balance; the farther from the end, the less exactly."""
    pairs = [(each.yb, each.yb.T.tocsr(), ratio[s]) for s, each in system.activators.items() if ratio[s].any()]

    def apply(x: Floats) -> Floats:
        found = diagonal * x.ravel() - system.hops @ x.ravel()
        for there, back, r in pairs:
            found -= there @ (r * (back @ x.ravel()))
        return found

    shape = (right.size, right.size)
    operator = LinearOperator(shape, matvec=apply, dtype=float)
    return conjugate_gradients(operator, right, jacobi(diagonal), guess, max(TOLERANCE / 10, 1e-4 * min(far, 1.0)))


def _over(given: Floats, phi: Floats) -> Floats:
    """What activators give back for what they get; 0 for those that no Yb reaches."""
    found: Floats = np.divide(given, phi, out=np.zeros_like(given), where=phi > 0)
    return found


def _change(new: Floats, old: Floats) -> float:
    size = np.maximum(np.abs(new), 1e-300)
    return float(np.max(np.abs(new - old) / size))


def _warnings(yb: Floats) -> tuple[str, ...]:
    if yb.mean() < STRONG:
        return ()
    return (
        f"strong pump: {100 * yb.mean():.0f} % of Yb are excited, so that excitations often meet; rate equations of "
        "single ions leave out that neighbours are correlated",
    )
