"""Figures of the exact truths about displacement: tracer correlation, and the walk of the vacancy."""

from __future__ import annotations

import functools
import math

import numpy as np
from common import BLUE, INK, ORANGE, PURPLE, heading, oracle, rate, sheet
from matplotlib.figure import Figure

from ucnp_abm import Particle, Simulation, mechanism
from ucnp_abm.crystal.lattice import named
from ucnp_abm.crystal.state import displacements

BOXES = {
    "chain": (12, 1, 1),
    "honeycomb": (5, 5, 1),
    "square": (8, 8, 1),
    "diamond": (2, 2, 2),
    "sc": (5, 5, 5),
    "bcc": (4, 4, 4),
    "fcc": (3, 3, 3),
    "hcp": (4, 4, 3),
    "beta": (4, 4, 4),
}
FREE = ("fcc", "bcc", "sc", "diamond", "honeycomb", "chain")
KELVIN = 573.15
WALKS = 6
"""Independent walks of each lattice."""


def correlation() -> Figure:
    """Simulated tracer correlation factors against each box's own exact value."""
    exact = oracle("test_correlation")
    rows = []
    for name, cells in BOXES.items():
        box = exact.chain(name, cells)
        m = 8 * box.n_sites if name != "chain" else 1500
        ions, _ = exact.segments(name, cells, m, 4000)
        steps = np.array(exact.fine(name).bonds[0]) @ exact.fine(name).frame
        split = {"across c": exact.AB, "along c": exact.C} if name in ("hcp", "beta") else {"": exact.ALL}
        for where, axes in split.items():
            found = (ions[:, :, axes] ** 2).sum(axis=(1, 2)) / (m * (steps[:, axes] ** 2).sum(axis=1).mean())
            infinite = exact.INFINITE_HCP["c" if axes == exact.C else "ab"] if name == "hcp" else None
            infinite = 0.0 if name == "chain" else exact.INFINITE.get(name, infinite)
            error = found.std(ddof=1) / math.sqrt(found.size)
            rows.append((f"{name} {where}".strip(), found.mean(), error, box.finite(axes, m), infinite))
            label, mean, _, value, limit = rows[-1]
            known = "unknown" if limit is None else f"{limit:.6f}"
            print(f"{label:15} {mean:.5f} ± {error:.5f}, box {value:.5f}, z {(mean - value) / error:+.1f}, ∞ {known}")
    figure, (left, right) = sheet(
        "Ions remember: each box gives its own exact tracer correlation factor", 2, 3.0, sharey=True
    )
    at = np.arange(len(rows))
    labels, means, errors, values, limits = zip(*rows, strict=True)
    known = [n for n, limit in enumerate(limits) if limit is not None]
    left.plot(
        [limits[n] for n in known], known, ls="", marker="|", ms=11, mew=1.2, color=ORANGE, label="infinite lattice"
    )
    left.plot(values, at, ls="", marker="o", ms=6, mfc="none", mec=INK, mew=0.8, label="this box, exact")
    left.errorbar(means, at, xerr=1.96 * np.array(errors), ls="", marker=".", color=BLUE, label="simulated, 95 %")
    left.set(xlabel="tracer correlation factor f = <R²> / (n d²)", xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5))
    left.set_yticks(at, labels)
    left.legend(loc="lower left")
    heading(left, "one vacancy in a periodic box")
    off = 1e3 * (np.array(means) - values)
    right.axvline(0, color=INK, lw=0.8)
    right.errorbar(off, at, xerr=1.96e3 * np.array(errors), ls="", marker="o", color=BLUE)
    gap = [(n, 1e3 * (limits[n] - values[n])) for n in known]
    reach = 1.15 * float(np.abs(off).max() + 1.96e3 * max(errors))
    for n, x in gap:
        if abs(x) < reach:
            right.plot(x, n, marker="|", ms=11, mew=1.2, color=ORANGE)
        else:
            right.text(-0.98 * reach, n, f"← {x:.0f}", color=ORANGE, va="center")
    right.set(xlabel="difference from the box's exact value / 10⁻³ (95 % bars)", xlim=(-reach, reach))
    heading(right, "simulated - exact (blue), infinite lattice - exact (orange)")
    return figure


def displacement() -> Figure:
    """Mean square displacement of a vacancy against z w d² t, axis by axis on the β lattice."""
    exact, w = oracle("test_correlation"), rate(1.65, KELVIN)
    figure, (left, right) = sheet("A vacancy walks freely: its mean square displacement is z w d² t", 2, 2.8)
    lags, colours = np.arange(1, 9), (BLUE, ORANGE, PURPLE) * 2
    for name, colour, marker in zip(FREE, colours, "os^DvP", strict=True):
        lattice = named(name)
        ((_, d),) = lattice.bonds
        mean, error = _squares(name, 32.0, 4000, lags, slice(0, 3))
        mean, error, law = mean / d**2, error / d**2, lattice.coordination * w * lags * 32.0
        left.plot([0, *lags * 32.0], [0, *law], color=colour, lw=0.9)
        left.errorbar(lags * 32.0, mean, 1.96 * error, ls="", elinewidth=0.8, color=colour, marker=marker)
        left.text(265, law[-1], f"{name}, z = {lattice.coordination}", color=colour, va="center")
        print(f"{name:10} z {', '.join(f'{v:+.1f}' for v in (mean - law) / error)}")
    left.set(xlabel="time t / s at 300 °C", ylabel="mean square displacement / d²", xlim=(0, 375), ylim=(0, None))
    left.set_xticks(range(0, 257, 64))
    heading(left, "runs (marks, 95 % bars) on z w t (lines)")
    lags = 2 ** np.arange(8)
    steps = np.array(exact.fine("beta").bonds[0]) @ exact.fine("beta").frame
    for axis, (text, colour, marker) in enumerate(zip("xyz", (BLUE, ORANGE, PURPLE), "os^", strict=True)):
        mean, error = _squares("beta", 2.0, 16_000, lags, slice(axis, axis + 1))
        law, scale = (steps[:, axis] ** 2).sum() / 100, 100 * w * lags * 2.0
        print(f"beta {text} z {', '.join(f'{v:+.1f}' for v in (mean / scale - law) / error * scale)}")
        right.axhline(law, color=colour if axis != 1 else BLUE, lw=0.9)
        right.errorbar(
            lags * 2.0 * 1.12 ** (axis % 2), mean / scale, 1.96 * error / scale, elinewidth=0.8, ls="",
            color=colour, marker=marker, label=f"{text}{' (along c)' if text == 'z' else ''}: {law:.4f} nm²",
        )  # fmt: skip
    right.set(xlabel="time t / s at 300 °C", ylabel="<x²> / (w t), and so for y, z / nm²", xscale="log", ylim=(0, 0.55))
    right.legend(loc="lower left")
    heading(right, "β, axis by axis: Σ over its 8 bonds of (part along the axis)²")
    return figure


@functools.cache
def _walks(name: str, unit: float, n: int) -> list[np.ndarray]:
    """(n + 1, 3) positions / Å of the only vacancy at equal times / s, unwrapped; one walk for each seed."""
    particle = Particle.box(lattice=name, cells=BOXES[name], composition="Y", vacancies=1, seed=6)
    walks = []
    for seed in range(WALKS):
        own = 31 + seed + 100 * list(BOXES).index(name)
        simulation = Simulation(particle, mechanism("no-complex"), KELVIN, seed=own)
        vacancy = int(simulation.state.slot[simulation.state.vacancies[0]])
        found = np.zeros((n + 1, 3))
        for k in range(1, n + 1):
            simulation.run_to(time=k * unit)
            found[k] = displacements(particle.crystal, simulation.state)[vacancy]
        walks.append(found)
    return walks


def _squares(name: str, unit: float, n: int, lags: np.ndarray, axes: slice) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error / Å² of the square displacement over pieces of each lag that do not overlap."""
    means, errors = [], []
    for lag in lags:
        pieces = [(np.diff(walk[::lag, axes], axis=0) ** 2).sum(axis=1) for walk in _walks(name, unit, n)]
        values = np.concatenate(pieces)
        means.append(values.mean())
        errors.append(values.std(ddof=1) / math.sqrt(values.size))
    return np.array(means), np.array(errors)
