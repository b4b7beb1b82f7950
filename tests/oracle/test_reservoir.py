"""Finite reservoirs: depletion against closed forms, and a balance that holds at every moment."""

import math

import naive
import numpy as np
import pytest
import scipy.linalg
from naive import KB, configuration, filled, shuffled, with_energies

from ucnp_abm import Mechanism, Simulation, mechanism
from ucnp_abm.crystal.species import SPECIES

KELVIN = 573.15
SCHEDULERS = ["rejection", "linear-scan"]
SITES = {("Y", "surface"): 0.03, ("vacancy", "surface"): -0.02, ("Gd", "core"): 0.015}
PAIRS = {("Gd", "Y"): 0.012, ("Y", "vacancy"): -0.009, ("vacancy", "vacancy"): 0.014}
FAST = {"barrier": "1.22 eV"}
ACTIVITY = 1.7  # above 1: the bound must follow


def dock_only(size):
    """Immobile vacancies that a finite bath fills for good."""
    made = Mechanism("dock-only", summary="Vacancies stay where they are.", source="Assumption: a test")
    made.reservoir("Y", activity=ACTIVITY, size=size)
    made.dock("Y", irreversible=True)(lambda env: 1.20)
    return made


def replayed(simulation, n_runs):
    """The simulation from its start, so many times, with fresh random words."""
    before = simulation.state.copy()
    for _ in range(n_runs):
        naive.rewind(simulation, before)
        yield simulation


# --- depletion ---


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("size", [3, 8, 20])
def test_docking_from_a_finite_reservoir_is_a_death_chain_of_second_order(size, scheduler):
    """n docked of n0 = 8: rate k (N_0 - n)/N_0 (n0 - n). Its mean is not that of the deterministic law, which holds
    for large numbers only: n/n0 = (1 - x)/(1 - x n0/N_0) with x = exp(-k t (1 - n0/N_0)), or k t/(1 + k t) at n0 = N_0.
    """
    room, n0 = naive.beta(), 8
    start = tuple("vacancy" if exposed else "Gd" for exposed in naive.System(room, dock_only(9), KELVIN).exposed)
    assert start.count("vacancy") == n0
    k = ACTIVITY * 1e13 * math.exp(-1.20 / (KB * KELVIN))
    rates = np.array([k * max(size - n, 0) / size * (n0 - n) for n in range(n0 + 1)])
    generator = np.diag(-rates) + np.diag(rates[:-1], 1)
    times = [0.2 / k, 0.6 / k, 1.5 / k]
    seen = np.zeros((3, n0 + 1), dtype=int)
    for run in replayed(Simulation(filled(room, start), dock_only(size), KELVIN, seed=1, scheduler=scheduler), 2000):
        for row, time in zip(seen, times, strict=True):
            run.run_to(time=time)
            row[n0 - run.state.n_vacancies] += 1
            assert run.state.reservoir[0] == size - (n0 - run.state.n_vacancies)
    for row, time in zip(seen, times, strict=True):
        assert naive.chi_square_p(row, scipy.linalg.expm(generator * time)[0]) > 1e-4


def test_as_many_complexes_as_vacancies_follow_the_second_order_law_of_large_numbers(small_particle):
    """n0 = N_0: dn/dt = k (n0 - n)^2 / n0, so n/n0 = k t/(1 + k t), to the order of 1/n0."""
    n0 = Simulation(small_particle, dock_only(1), KELVIN).state.n_exposed_vacancies
    k = ACTIVITY * 1e13 * math.exp(-1.20 / (KB * KELVIN))
    n_runs, t, n = 500, np.array([0.5, 1.0, 4.0]), np.arange(n0 + 1)
    rates = (n0 - n) ** 2 / n0
    exact = [scipy.linalg.expm((np.diag(-rates) + np.diag(rates[:-1], 1)) * x)[0] @ n for x in t]
    assert np.array(exact) / n0 == pytest.approx(t / (1 + t), abs=0.5 / n0)
    docked = np.zeros((n_runs, 3))
    runs = replayed(Simulation(small_particle, dock_only(n0), KELVIN, seed=2), n_runs)
    for row, run in zip(docked, runs, strict=True):
        for m, time in enumerate(t / k):
            run.run_to(time=time)
            row[m] = run.state.events
    error = docked.std(axis=0, ddof=1) / math.sqrt(n_runs)
    assert (abs(docked.mean(axis=0) - exact) < 4.5 * error).all()


def test_an_empty_reservoir_ends_a_run_of_docking():
    room = naive.beta()
    start = shuffled(np.random.default_rng(1), Gd=4, vacancy=5)
    simulation = Simulation(filled(room, start), dock_only(2), KELVIN, seed=3)
    assert simulation.run(time="1 h") in ("time reached", "nothing left to happen")
    assert simulation.state.events == 2
    assert simulation.state.reservoir.tolist() == [0]
    assert simulation.total_rate() == 0.0
    assert simulation.fire() is None


@pytest.mark.parametrize("size", [None, 10**9])
def test_an_infinite_reservoir_keeps_its_activity_and_a_huge_one_nearly(size):
    start = shuffled(np.random.default_rng(2), Gd=4, vacancy=5)
    simulation = Simulation(filled(naive.beta(), start), dock_only(size), KELVIN, seed=4)
    simulation.run(events=2)
    now = naive.System(naive.beta(), dock_only(None), KELVIN).events(configuration(simulation))
    rel = 1e-15 if size is None else 1e-8
    assert simulation.total_rate() == pytest.approx(sum(rate for rate, _ in now.values()), rel=rel)


# --- balance ---


def everything(size=None):
    """All verbs at once, each with a reservoir to draw from or to fill."""
    made = Mechanism("everything", summary="All verbs.", source="Assumption: a test")
    made.reservoir("Y", activity=0.8, size=size)
    made.reservoir("Gd", activity=0.5, size=size)
    made.hop(mover=("Gd", "Y", "Yb"))(lambda env: 1.20)
    made.dock("Y", chemical_potential="20 meV")(lambda env: 1.19)
    made.dock("Gd", irreversible=True)(lambda env: 1.21)
    made.swap("Yb", "Y", chemical_potential="-10 meV")(lambda env: 1.20)
    made.etch(("Gd", "Yb"), irreversible=True)(lambda env: 1.19)
    made.sink(irreversible=True)(lambda env: 1.26)
    return made


BALANCED = {
    "everything": lambda: everything(4),
    "y-complex": lambda: mechanism("y-complex", **FAST, chemical_potential="20 meV", reservoir=2),
    "y-complex, stripped": lambda: mechanism("y-complex+laser-strip", **FAST, reservoir=3, ion_yield=1.0),
    "gd-complex": lambda: mechanism("gd-complex", **FAST, why="weaker-binding", reservoir=2),
    "mixed-complex": lambda: mechanism("mixed-complex", **FAST, y_reservoir=1, gd_reservoir=4),
    "mixed-complex, stripped": lambda: mechanism("mixed-complex+laser-strip", y_reservoir=3, ion_yield=1.0),
    "cation-exchange": lambda: mechanism("cation-exchange", swap_barrier="1.2 eV", lanthanide_activity=1, reservoir=5),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", BALANCED)
def test_reservoir_and_crystal_hold_the_same_ions_together_at_every_moment(name, seed):
    """Species by species: infinite reservoirs count from 0 downwards."""
    room, rules = naive.beta(), BALANCED[name]()
    start = shuffled(np.random.default_rng(seed), Gd=3, Y=2, Yb=2, vacancy=2)
    simulation = Simulation(filled(room, start), rules, KELVIN, seed=seed)
    baths = simulation.table.reservoirs
    assert simulation.state.reservoir.tolist() == [bath.size or 0 for bath in baths]
    changes = 0
    for _ in range(400):
        before = simulation.state.reservoir.tolist()
        if simulation.run(time="20 s", events=1) != "count reached":
            break
        now = configuration(simulation)
        for bath, left in zip(baths, simulation.state.reservoir.tolist(), strict=True):
            assert left + now.count(bath.species) == (bath.size or 0) + start.count(bath.species)
            assert bath.size is None or left >= 0
        assert len(now) == sum(now.count(s) for s in SPECIES)
        changes += simulation.state.reservoir.tolist() != before
    assert changes > 1


def test_a_reservoir_may_hold_more_than_at_the_start():
    """Undocking of native ions fills it beyond N_0, and its activity rises above a0."""
    rules = mechanism("y-complex", **FAST, chemical_potential="-0.2 eV", reservoir=2)
    start = ("Y",) * 8 + ("vacancy",)
    simulation = Simulation(filled(naive.beta(), start), rules, KELVIN, seed=5)
    while simulation.state.reservoir[0] <= 4:
        simulation.run(events=1)
    assert simulation.state.reservoir[0] == 5 == 2 + 8 - configuration(simulation).count("Y")
    dockings = [m for n in range(9) for m in simulation.options(n) if m.verb == "dock"]
    assert dockings
    assert all(m.factor == 2.5 for m in dockings)


@pytest.mark.parametrize("size", [3, 7])
def test_an_event_undone_leaves_no_trace_in_the_reservoir(size):
    """Docking and undocking at one site: the count is the same whole number, all rates are the same floats."""
    rules = with_energies(
        mechanism("y-complex", chemical_potential="20 meV", activity=0.3, reservoir=size), SITES, PAIRS
    )
    start = tuple("vacancy" if n == 0 else "Gd" for n in range(9))
    simulation = Simulation(filled(naive.beta(), start), rules.with_parameters(barrier="2 eV"), KELVIN, seed=6)
    assert simulation.crystal.exposed[simulation.crystal.place[simulation.crystal.sites[0]]]
    first = naive.engine_events(simulation), simulation.total_rate(), simulation.state.reservoir.tolist()
    for n in range(20):
        event = simulation.fire()
        assert event.verb == ("dock", "undock")[n % 2]
        if n % 2:
            now = naive.engine_events(simulation), simulation.total_rate(), simulation.state.reservoir.tolist()
            assert now == first
        else:
            assert simulation.state.reservoir.tolist() == [size - 1]


# --- equilibrium ---


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_filling_of_equal_sites_from_a_finite_reservoir_is_hypergeometric_like(scheduler):
    """8 equal sites, N_0 = 5 complexes, no hops: w(n) = C(8, n) N_0!/(N_0 - n)! (a0 exp((mu0 - g)/kT) / N_0)^n."""
    room, n0, size, mu, a0 = naive.beta(), 8, 5, 0.03, 0.6
    made = Mechanism("filling", summary="Docking and undocking.", source="Assumption: a test")
    made.reservoir("Y", activity=a0, size=size)
    made.dock("Y", chemical_potential=mu)(lambda env: 1.20)
    made.site_energy({("Y", "surface"): 0.05})
    start = tuple("vacancy" if exposed else "Gd" for exposed in naive.System(room, made, KELVIN, start=()).exposed)
    x = a0 * math.exp((mu - 0.05) / (KB * KELVIN))
    weight = np.array([math.comb(n0, n) * math.perm(size, n) * (x / size) ** n for n in range(size + 1)])
    simulation = Simulation(filled(room, start), made, KELVIN, seed=7, scheduler=scheduler)
    seen = np.zeros(size + 1, dtype=int)
    for n in range(1, 4001):
        simulation.run_to(time=n * 8.0 / (1e13 * math.exp(-1.20 / (KB * KELVIN))))
        seen[configuration(simulation).count("Y")] += 1
    assert naive.chi_square_p(seen, weight / weight.sum()) > 1e-4
