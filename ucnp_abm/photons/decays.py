"""How the light decays: after a short pulse, or after a long pump is switched off.

The equations are those of `ucnp_abm.photons.steady` without a pump, with Yb as modes (`ucnp_abm.photons.modes`),
integrated by backward differences (scipy's BDF). A decay curve is reported with two lifetimes, because they differ and
papers seldom say which they mean: the time from the peak until 1/e of it is left, and the integral after the peak
divided by the peak.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.sparse import bmat, csc_matrix, csr_matrix, diags_array

from ucnp_abm.errors import NotConverged
from ucnp_abm.photons.crowd import close_pairs
from ucnp_abm.photons.modes import Modes, modes
from ucnp_abm.photons.steady import Fields, Populations, grounded, taking
from ucnp_abm.photons.system import System

Floats = NDArray[np.float64]

DRIVES = ("pulse", "cw-off")
RELATIVE, TINY = 1e-5, 1e-7
"""Tolerances of the integration: relative, and as a share of a level's stationary population."""
FIRST_S, LAST_S, TIMES = 1e-7, 0.1, 600


@dataclass(frozen=True, eq=False)
class Course:
    """Populations over time without a pump.

    Attributes
    ----------
    times_s : (t,) float64
    yb : (t,) float64
        Mean share of excited Yb.
    levels : mapping
        (t, L) mean populations by activator.
    drive : {'pulse', 'cw-off'}
    """

    times_s: Floats
    yb: Floats
    levels: dict[str, Floats]
    drive: str


@dataclass(frozen=True)
class Lifetimes:
    """Two lifetimes of one curve, and when it peaks.

    Attributes
    ----------
    peak_s : float
        Time of the largest intensity / s.
    to_1_e_s : float
        From the peak until 1/e of it is left / s.
    integral_s : float
        Integral after the peak, divided by the peak / s.
    """

    peak_s: float
    to_1_e_s: float
    integral_s: float


def lifetimes(times: Floats, intensity: Floats) -> Lifetimes:
    """Both lifetimes of a curve.

    Parameters
    ----------
    times : (t,) float64
        s, increasing; long enough that next to nothing is left.
    intensity : (t,) float64

    Raises
    ------
    NotConverged
        If there is no light, or 1/e is not reached.

    Examples
    --------
    >>> t = np.linspace(0, 1, 100001)
    >>> found = lifetimes(t, np.exp(-t / 0.05))
    >>> round(found.to_1_e_s, 6), round(found.integral_s, 5)
    (0.05, 0.05)
    """
    top = int(np.argmax(intensity))
    peak = float(intensity[top])
    if not peak > 0:
        raise NotConverged("light: there is no light whose decay could be read")
    below = np.flatnonzero(intensity[top:] < peak / math.e)
    if not below.size:
        raise NotConverged(f"light: the decay does not fall to 1/e of its peak within {times[-1]:.3g} s")
    n = top + int(below[0])
    logs = np.log(intensity[n - 1 : n + 1] / (peak / math.e))
    crossing = times[n - 1] + (times[n] - times[n - 1]) * logs[0] / (logs[0] - logs[1])
    return Lifetimes(
        float(times[top]), float(crossing - times[top]), float(np.trapezoid(intensity[top:], times[top:]) / peak)
    )


def course(system: System, stationary: Populations, drive: str = "pulse") -> Course:
    """Populations over 0.1 s without a pump.

    Parameters
    ----------
    system : System
    stationary : Populations
        Under the pump: where 'cw-off' begins; a 'pulse' excites as many Yb at once, evenly, from the ground state.
    drive : {'pulse', 'cw-off'}

    Raises
    ------
    NotConverged
        If the integration fails.
    """
    begin = stationary.activators if drive == "cw-off" else grounded(system)
    yb = stationary.yb if drive == "cw-off" else np.full(system.n_yb, stationary.yb.mean())
    motion = _Motion(system, modes(system, yb), stationary, Fields(system, begin))
    times = np.concatenate([[0.0], np.geomspace(FIRST_S, LAST_S, TIMES)])
    with np.errstate(over="raise", invalid="raise"):
        done = solve_ivp(
            motion.change,
            (0.0, LAST_S),
            motion.packed(motion.modes.start, begin),
            method="BDF",
            t_eval=times,
            jac=motion.jacobian,
            rtol=RELATIVE,
            atol=motion.tolerance,
            first_step=FIRST_S / 10,
        )
    if not done.success:
        raise NotConverged(f"light: the decay after {drive} could not be integrated ({done.message})")
    held = motion.modes.shapes.mean(axis=0)
    levels = {s: np.maximum(motion.levels(done.y, s).mean(axis=0), 0.0).T for s in system.activators}
    return Course(times, np.maximum(held @ done.y[: held.size], 0.0), levels, drive)


class _Motion:
    """The equations of motion of modes and activators; populations in units of the stationary ones of their level.

    What the levels see of Yb keeps the weights that it has at the start.
    """

    def __init__(self, system: System, these: Modes, stationary: Populations, begin: Fields) -> None:
        self.system, self.modes, self.beyond = system, these, begin.seen
        # of c, the sum of n_i r⁻⁶, shape (a, m), and phi, shape (a, L, m)
        self.mean = {s: each.yb.T @ these.shapes for s, each in system.activators.items()}
        self.seen = {
            s: self.mean[s][:, None] + np.stack([c.T @ these.shapes for c in begin.seen[s]], axis=1) for s in self.mean
        }
        self.unit = {s: np.maximum(n.mean(axis=0), 1e-60) for s, n in stationary.activators.items()}
        self.part: dict[str, slice] = {}
        end = these.rates.size
        for symbol, each in system.activators.items():
            self.part[symbol] = slice(end, end + len(each.sites) * each.cascade.n_levels)
            end = self.part[symbol].stop
        scale = np.linalg.norm(these.start)
        self.tolerance = np.full(end, TINY)
        self.tolerance[: these.rates.size] = TINY * scale

    def packed(self, c: Floats, levels: dict[str, Floats]) -> Floats:
        return np.concatenate([c, *((levels[s] / self.unit[s]).ravel() for s in self.part)])

    def levels(self, y: Floats, symbol: str) -> Floats:
        """(a, L) populations, or (a, L, t) of several times."""
        unit = self.unit[symbol]
        found = y[self.part[symbol]].reshape(-1, unit.size, *y.shape[1:])
        return found * (unit if y.ndim == 1 else unit[:, None])

    def _pieces(self, y: Floats, symbol: str) -> tuple[Any, ...]:
        each, n = self.system.activators[symbol], self.levels(y, symbol)
        c = y[: self.modes.rates.size]
        mean = self.mean[symbol] @ c
        return each, n, mean, each.cascade.generator(each.own, self.seen[symbol] @ c, each.sums - mean, each.pairs @ n)

    def _lost(self, n: Floats, symbol: str) -> Floats:
        """(n,) what multiplies the excitation of each Yb in its loss, beyond the weakly excited crystal / 1/s."""
        each = self.system.activators[symbol]
        rest = each.yb @ (n @ each.cascade.gives - self.modes.taken[symbol])
        return rest + taking(each, self.beyond[symbol], n * each.cascade.takes)

    def change(self, _: float, y: Floats) -> Floats:
        c = y[: self.modes.rates.size]
        found, excited = np.empty_like(y), self.modes.shapes @ c
        lost, gained = np.zeros(self.system.n_yb), np.zeros(self.system.n_yb)
        for symbol, part in self.part.items():
            each, n, mean, q = self._pieces(y, symbol)
            found[part] = (np.einsum("ai,aij->aj", n, q) / self.unit[symbol]).ravel()
            lost += self._lost(n, symbol)
            gained += each.yb @ (n @ each.cascade.gives - self.modes.ratio[symbol] * mean)
        found[: c.size] = -self.modes.rates * c + self.modes.shapes.T @ (gained - lost * excited)
        return found

    def jacobian(self, _: float, y: Floats) -> csc_matrix:
        c, shapes = y[: self.modes.rates.size], self.modes.shapes
        excited = shapes @ c
        lost = np.zeros(self.system.n_yb)
        blocks: list[list[Any]] = [[None] * (1 + len(self.part)) for _ in range(1 + len(self.part))]
        inner = np.zeros((c.size, c.size))
        for k, symbol in enumerate(self.part, 1):
            each, n, _, q = self._pieces(y, symbol)
            unit, cascade = self.unit[symbol], each.cascade
            mean, seen = self.mean[symbol], self.seen[symbol]
            lost += self._lost(n, symbol)
            inner -= (mean.T * self.modes.ratio[symbol]) @ mean
            felt = np.einsum("ai,lij->alj", n, cascade.cross)
            size = n.size
            blocks[k][k] = close_pairs(each, q, felt, np.broadcast_to(unit, n.shape), np.broadcast_to(unit, n.shape))
            by_c = np.einsum("ai,ij,aim->ajm", n, cascade.up, seen) - (n @ cascade.back)[:, :, None] * mean[:, None, :]
            blocks[k][0] = csc_matrix((by_c / unit[:, None]).reshape(size, c.size))
            near = _weighted(each.yb, excited) @ shapes
            row = (mean - near)[:, None, :] * (cascade.gives * unit)[:, None]
            for level in np.flatnonzero(cascade.takes):
                beyond = _weighted(self.beyond[symbol][level], excited) @ shapes
                row[:, level] -= cascade.takes[level] * unit[level] * (near + beyond)
            blocks[0][k] = csc_matrix(row.reshape(size, c.size).T)
        inner -= shapes.T @ (lost[:, None] * shapes)
        blocks[0][0] = csc_matrix(inner) - diags_array(self.modes.rates)
        return bmat(blocks, format="csc")


def _weighted(pairs: csr_matrix, excited: Floats) -> csr_matrix:
    """(a, n) pair sums, each times the excitation of its Yb."""
    return pairs.multiply(excited[:, None]).T.tocsr()
