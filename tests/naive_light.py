"""The rate equations of light, as they stand in a textbook: a list of what can happen, and nothing clever.

Knows nothing of networks, cascades or modes: only positions, levels, and `RateSet.transfers`.
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp


class NaiveLight:
    """One vector of populations: all levels of all ions, one after the other."""

    def __init__(self, rates, ions, quenchers):
        """`ions`: list of (symbol, position / Å); `quenchers`: list of (position / Å, C / Å⁶/s), act on Yb only."""
        self.ions = ions
        self.first = np.cumsum([0, *(len(rates.ion(symbol).levels) for symbol, _ in ions)])
        alone = []  # (from, to, rate)
        for (symbol, place), at in zip(ions, self.first, strict=False):
            decay = rates.ion(symbol).decay
            alone += [(at + i, at + j, decay[i, j]) for i, j in np.argwhere(decay)]
            if symbol == "Yb":
                alone.append((at + 1, at, sum(c / np.linalg.norm(place - there) ** 6 for there, c in quenchers)))
        pairs = []  # (from, to, from, to, rate)
        for i, (donor, a) in enumerate(ions):
            for j, (acceptor, b) in enumerate(ions):
                for t in rates.between(donor, acceptor) if i != j else ():
                    d, u = self.first[i] + np.array(t.down), self.first[j] + np.array(t.up)
                    pairs.append((*d, *u, t.constant / np.linalg.norm(a - b) ** 6))
        self.alone, self.pairs = np.array(alone), np.array(pairs)
        self.grounds = np.array([at for (s, _), at in zip(ions, self.first, strict=False) if s == "Yb"])

    def change(self, n, pump):
        """dn/dt and its derivative by n."""
        found, slope = np.zeros(n.size), np.zeros((n.size, n.size))
        start, end, rate = self.alone[:, 0].astype(int), self.alone[:, 1].astype(int), self.alone[:, 2]
        start = np.concatenate([start, self.grounds])
        end = np.concatenate([end, self.grounds + 1])
        rate = np.concatenate([rate, np.full(self.grounds.size, pump)])
        for sign, at in ((-1, start), (1, end)):
            np.add.at(found, at, sign * rate * n[start])
            np.add.at(slope, (at, start), sign * rate)
        d0, d1, a0, a1 = self.pairs[:, :4].astype(int).T
        rate = self.pairs[:, 4]
        for sign, at in ((-1, d0), (1, d1), (-1, a0), (1, a1)):
            np.add.at(found, at, sign * rate * n[d0] * n[a0])
            np.add.at(slope, (at, d0), sign * rate * n[a0])
            np.add.at(slope, (at, a0), sign * rate * n[d0])
        return found, slope

    def grounded(self):
        n = np.zeros(self.first[-1])
        n[self.first[:-1]] = 1.0
        return n

    def until(self, times, start, pump, size):
        """Populations at times / s, shape (t, all levels); `size` is what they may reach."""
        done = solve_ivp(
            lambda _, n: self.change(n, pump)[0],
            (0.0, times[-1]),
            start,
            method="BDF",
            t_eval=times,
            jac=lambda _, n: self.change(n, pump)[1],
            rtol=1e-6,
            atol=1e-9 * np.maximum(size, 1e-60),
        )
        assert done.success
        return done.y.T

    def steady(self, pump, guess=None):
        """Populations when nothing changes any more: Newton's way from long after the lamp went on."""
        n = guess
        if guess is None:
            n = np.maximum(
                self.until(np.array([0.0, 1.0]), self.grounded(), pump, np.full(self.first[-1], 1e-9))[-1], 0.0
            )
        for _ in range(60):
            n = np.maximum(n, 1e-100)
            rate, slope = self.change(n, pump)
            leaving = -n * np.diag(slope)
            right, matrix = -rate / leaving, slope * n / leaving[:, None]
            for at, last in zip(self.first[:-1], self.first[1:], strict=True):
                right[at], matrix[at] = 1 - n[at:last].sum(), 0.0
                matrix[at, at:last] = n[at:last]
            step = np.linalg.solve(matrix, right)
            n = n * (1 + np.clip(step, -0.9, 1e9))
            if np.abs(step[n > 1e-80]).max() < 1e-11:
                return n
        raise AssertionError("did not settle")

    def levels(self, n, symbol):
        """(ions, L) populations of one kind, or (t, ions, L)."""
        spans = zip(self.ions, self.first, self.first[1:], strict=False)
        return np.stack([n[..., a:b] for (s, _), a, b in spans if s == symbol], axis=-2)
