"""Figures of the exact truths about occupancy: Boltzmann, the exclusion identity, docking."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from common import BLUE, GREY, INK, ORANGE, PURPLE, heading, oracle, rate, share_interval, sheet, zone_looks
from matplotlib.figure import Figure
from scipy.linalg import expm
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import expm_multiply
from scipy.stats import binom

from ucnp_abm import Mechanism, Particle, Simulation, mechanism
from ucnp_abm.crystal.species import VACANCY

KELVIN = 573.15
HOT = 1000.0
"""K; colder, pair energies of a few kT would make nearly all candidates of a long run null."""
PANELS = {
    "no-complex, plane": "13 sites of a plane, 2 vacancies, no docking",
    "y-complex, beta": "9 sites of the β lattice, docking and undocking",
}


def boltzmann() -> Figure:
    """Shares of a long run against exp(-H/kT), state by state."""
    cases, naive = oracle("test_small_system"), oracle("naive")
    truth = "A long run visits every state as often as Boltzmann says"
    figure, row = sheet(truth, 2, 2.9)
    for axes, (name, text) in zip(row, PANELS.items(), strict=True):
        make, rules, numbers = cases.CHAINS[name]
        room, chosen = make(), rules()
        start = naive.shuffled(np.random.default_rng(8), **numbers)
        system = naive.System(room, chosen, HOT)
        states = system.reachable(start)
        expected = system.boltzmann(states)
        pause, n = 5 * naive.relaxation_time(system.generator(states), expected), 12_000
        simulation = Simulation(naive.filled(room, start), chosen, HOT, seed=21)
        number = {state: k for k, state in enumerate(states)}
        seen = np.zeros(len(states), dtype=int)
        for k in range(1, n + 1):
            simulation.run_to(time=k * pause)
            seen[number[naive.configuration(simulation)]] += 1
        p = naive.chi_square_p(seen, expected)
        print(f"{name}: {len(states)} states, {n} samples, {simulation.state.events} events, chi-square p = {p:.3f}")
        vacancies = np.array([state.count("vacancy") for state in states])
        _states(axes, seen, expected, vacancies, n)
        heading(axes, text)
        axes.text(
            0.03,
            0.97,
            f"{len(states)} states, {n} samples\nat {HOT:.0f} K, χ² test: p = {p:.2f}\ngrey: 95 % of single states",
            transform=axes.transAxes,
            va="top",
        )
    return figure


def _states(axes: Any, seen: np.ndarray, expected: np.ndarray, vacancies: np.ndarray, n: int) -> None:
    """Single states small and pale; pools of states of about equal probability with their 95 % bars."""
    floor, ceiling = 0.5 * min(expected.min(), 1 / n), 2 * expected.max()
    looks = {0: (GREY, "o"), 1: (BLUE, "s"), 2: (ORANGE, "^"), 3: (PURPLE, "D")}
    grid = np.geomspace(floor, ceiling, 400)
    low, high = binom.ppf(0.025, n, grid) / n, binom.ppf(0.975, n, grid) / n
    axes.fill_between(grid, np.maximum(low, floor / 2), high, color=GREY, alpha=0.22, lw=0)
    axes.plot([floor, ceiling], [floor, ceiling], color=INK, lw=0.8)
    for number in sorted(set(vacancies.tolist()), reverse=True):
        colour, marker = looks[number]
        of = (vacancies == number) & (seen > 0)
        label = f"one state, {number} vacanc{'y' if number == 1 else 'ies'}"
        axes.plot(expected[of], seen[of] / n, ls="", marker=marker, ms=1.8, mew=0, alpha=0.6, color=colour, label=label)
    order = np.argsort(expected)
    pools = np.array_split(
        order, np.searchsorted(expected[order], np.geomspace(expected.min(), expected.max(), 15)[1:-1])
    )
    pools = [pool for pool in pools if pool.size]
    x = np.array([expected[pool].mean() for pool in pools])
    y = np.array([seen[pool].mean() / n for pool in pools])
    ends = np.array([share_interval(int(seen[pool].sum()), n) for pool in pools])
    bars = np.abs(ends / np.array([[pool.size] for pool in pools]) - y[:, None]).T
    inside = np.mean([(a <= expected[p].sum() <= b) for p, (a, b) in zip(pools, ends, strict=True)])
    print(f"  {100 * inside:.0f} % of {len(pools)} pools have the exact value inside their 95 % bar")
    axes.errorbar(
        x, y, bars, ls="", marker="o", ms=3, mfc="white", mew=0.8, color=INK, elinewidth=0.8, label="pool, 95 % bar"
    )
    axes.set(xscale="log", yscale="log", xlim=(floor, ceiling), ylim=(floor, ceiling))
    axes.set(xlabel="probability, exp(-(H - μN)/kT) / Z", ylabel="share of samples")
    axes.legend(loc="lower right", handletextpad=0.2, markerscale=1.3)


def exclusion() -> Figure:
    """Mean vacancy occupancy of every site and zone against the linear master equation."""
    exact, n_seeds, marks = oracle("test_exclusion"), 3000, (1, 2, 4, 8, 16, 32, 64)
    particle = Particle.core_shell(core="NaGdF4: 20% Yb", diameter="3 nm", shell="NaYF4", thickness="1 nm", seed=3)
    crystal, dock = particle.crystal, 1.63
    from_to = np.argwhere(crystal.bonds >= 0)
    to = crystal.bonds[crystal.bonds >= 0]
    bonds = csr_matrix((np.ones(len(to)), (from_to[:, 0], to)), shape=(crystal.n_sites,) * 2)
    simulation = Simulation(particle, mechanism("y-complex", dock_barrier=dock), "300 °C")
    hop = rate(1.65, KELVIN)
    found = exact.ensemble(simulation, [m / (8 * hop) for m in marks], n_seeds)
    start = (particle.occupants == VACANCY).astype(float)
    motion = exact.generator(bonds, hop, rate(dock, KELVIN))
    expected = np.array([expm_multiply(motion * (m / (8 * hop)), start) for m in marks])
    mean = found.mean(axis=1)
    truth = "The mean vacancy occupancy obeys a linear equation exactly, at any concentration, with docking"
    figure, (left, right) = sheet(truth, 2, 2.9)
    _sites(left, crystal, mean[2], expected[2], n_seeds)
    heading(left, f"after {marks[2]} steps: {crystal.n_sites} sites, mean of {n_seeds} runs")
    _zones(right, crystal, found, start, motion, marks, hop)
    heading(right, "by zone: mean of the runs (marks, 95 % bars), equation (lines)")
    variance = expected * (1 - expected) / n_seeds
    z = (mean - expected) / np.sqrt(variance)
    spread = ", ".join(f"{m}: {s:.3f}" for m, s in zip(marks, z.std(axis=1), strict=True))
    print(f"{crystal.n_sites} sites, {int(start.sum())} vacancies; spread of (mean - exact)/error by step: {spread}")
    return figure


def _sites(axes: Any, crystal: Any, mean: np.ndarray, expected: np.ndarray, n: int) -> None:
    top = 1.12 * max(mean.max(), expected.max())
    grid = np.linspace(0, top, 200)
    axes.fill_between(grid, binom.ppf(0.025, n, grid) / n, binom.ppf(0.975, n, grid) / n, color=GREY, alpha=0.3, lw=0)
    axes.plot([0, top], [0, top], color=INK, lw=0.8)
    axes.plot(expected, mean, ls="", marker="o", ms=1.8, mew=0, color="#6E6E6E", label="one site")
    for number, zone in enumerate(crystal.zones):
        of = crystal.site_zone == number
        look = zone_looks()[zone]
        axes.plot(expected[of].mean(), mean[of].mean(), ls="", ms=6, mec="white", mew=0.6, label=zone, **look)
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="exact occupancy, exp(Lt) n₀", ylabel="mean occupancy of the runs")
    axes.legend(loc="upper left", handletextpad=0.2)
    axes.text(0.98, 0.04, "grey band: 95 % of single sites", transform=axes.transAxes, ha="right")


def _zones(axes: Any, crystal: Any, found: np.ndarray, start: np.ndarray, motion: Any, marks: Any, hop: float) -> None:
    fine = np.geomspace(0.3, marks[-1], 60)
    curve = np.array([expm_multiply(motion * (m / (8 * hop)), start) for m in fine])
    for number, zone in enumerate(crystal.zones):
        of, look = crystal.site_zone == number, zone_looks()[zone]
        held = found[:, :, of].sum(axis=2)
        error = 1.96 * held.std(axis=1, ddof=1) / math.sqrt(held.shape[1])
        exact = np.interp(marks, fine, curve[:, of].sum(axis=1))
        worst = np.abs((held.mean(axis=1) - exact) / np.maximum(error / 1.96, 1e-12)).max()
        print(f"  {zone}: {held.mean(axis=1).round(2).tolist()}, largest |z| {worst:.1f}")
        axes.plot(fine, curve[:, of].sum(axis=1), color=look["color"], lw=1)
        axes.errorbar(marks, held.mean(axis=1), error, ls="", elinewidth=0.8, **look)
        axes.text(0.28, curve[0, of].sum(), zone, color=look["color"], ha="right", va="center", fontweight="bold")
    axes.set(xscale="log", xlim=(0.06, marks[-1] * 1.15), xlabel="steps (mean hops of a bulk vacancy)")
    axes.set(ylabel="vacancies in the zone", ylim=(0, None))
    axes.set_xticks(marks, marks)
    axes.minorticks_off()


def docking() -> Figure:
    """Immobile vacancies that are filled one by one, from an infinite and from a finite reservoir."""
    exact = oracle("test_exclusion")
    particle = Particle.core_shell(core="NaGdF4: 20% Yb", diameter="3 nm", shell="NaYF4", thickness="1 nm", seed=3)
    n0, k = int(particle.state().n_exposed_vacancies), rate(1.20, KELVIN)
    times = np.linspace(0, 4, 81)
    truth = "Vacancies that cannot hop are filled as independent clocks; a finite bath runs dry as it should"
    figure, row = sheet(truth, 2, 2.7, sharey=True)
    for axes, size in zip(row, (None, int(0.6 * n0)), strict=True):
        kind = Mechanism("dock-only", summary="Vacancies stay where they are.", source="Assumption: a figure")
        kind.reservoir("Y", size=size)
        kind.dock("Y", irreversible=True)(lambda env: 1.20)
        simulation, n_runs = Simulation(particle, kind, "300 °C"), 300
        left = np.empty((n_runs, times.size))
        for seed in range(n_runs):
            run = exact.reseeded(simulation, seed)
            for m, t in enumerate(times):
                run.run_to(time=t / k)
                left[seed, m] = run.state.n_exposed_vacancies
        law, low, high = _infinite(n0, times) if size is None else _finite(n0, size, times)
        outside = ((left < low) | (left > high))[:, 1:].mean()
        axes.fill_between(times, low, high, color=BLUE, alpha=0.18, lw=0, label="95 % of runs, exact")
        for one in left[:12]:
            axes.step(times, one, where="post", color=GREY, lw=0.4)
        axes.plot([], [], color=GREY, lw=0.6, label="12 of the runs")
        name = "N₀ exp(-kt)" if size is None else "law of many vacancies"
        axes.plot(times, law, color=INK, lw=1, label=name)
        every = slice(4, None, 8)
        axes.plot(times[every], left.mean(axis=0)[every], ls="", marker="o", color=BLUE, label=f"mean of {n_runs} runs")
        heading(axes, "infinite reservoir" if size is None else f"reservoir of {size} complexes: a = N_left / {size}")
        axes.set(xlabel="time × k (k: rate of one docking)", xlim=(0, 4), ylim=(0, 1.05 * n0))
        axes.legend(loc="upper right")
        if size is not None:
            axes.axhline(n0 - size, color=INK, lw=0.6, ls=(0, (1, 2)))
            axes.text(0.06, n0 - size - 1, f"{n0} - {size} can never be filled", va="top")
            text = f"law: N(t) = {n0 - size} / (1 - {size}/{n0} exp(-kt × {n0 - size}/{size}))"
            axes.text(0.06, 1.5, text, va="bottom")
        z = (left[:, 40].mean() - law[40]) / (left[:, 40].std(ddof=1) / math.sqrt(n_runs))
        print(
            f"reservoir {size}: N0 = {n0}, at kt = 2 {left[:, 40].mean():.2f} (law {law[40]:.2f}, z {z:.1f}); ", end=""
        )
        print(f"{100 * outside:.1f} % of values outside the 95 % band")
    row[0].set_ylabel("exposed vacancies left")
    return figure


def _infinite(n0: int, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    p = np.exp(-times)
    return n0 * p, binom.ppf(0.025, n0, p), binom.ppf(0.975, n0, p)


def _finite(n0: int, size: int, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dN/dt = -k N R/size with R = N - (n0 - size); the band from the exact chain of the number docked."""
    law = (n0 - size) / (1 - size / n0 * np.exp(-times * (n0 - size) / size))
    docked = np.arange(size + 1)
    out = (n0 - docked) * (size - docked) / size
    step = expm((np.diag(out[:-1], -1) - np.diag(out)) * (times[1] - times[0]))
    chance, low, high = np.eye(size + 1)[0], [], []
    for _ in times:
        total = np.cumsum(chance)
        high.append(n0 - np.searchsorted(total, 0.025))
        low.append(n0 - np.searchsorted(total, 0.975))
        chance = step @ chance
    return law, np.array(low, dtype=float), np.array(high, dtype=float)
