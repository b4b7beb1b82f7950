"""The clock: waiting times, counts and choices against exact distributions, and time that may be cut anywhere."""

import math

import naive
import numpy as np
import pytest
import scipy.stats
from naive import KB, configuration, filled, rewind, shuffled, with_energies

from ucnp_abm import Box, Mechanism, Simulation, mechanism

SCHEDULERS = ["rejection", "linear-scan"]
SITES = {("Y", "surface"): 0.03, ("vacancy", "surface"): -0.02, ("Gd", "core"): 0.015}
PAIRS = {("Gd", "Y"): 0.012, ("Y", "vacancy"): -0.009, ("vacancy", "vacancy"): 0.014}


def two_bonds(along_c, in_plane):
    """Barriers by bond only: in a box with one vacancy the total rate never changes."""
    made = Mechanism("two-bonds", summary="Barriers by bond.", source="Assumption: a test")

    @made.hop(mover=("Gd", "Y"))
    def barrier(env):
        return along_c if env.bond == "c" else in_plane

    return made


def hops(barrier, kelvin):
    """Rate / s⁻¹ of one hop."""
    return 1e13 * math.exp(-barrier / (KB * kelvin))


def box(vacancies=1, seed=0):
    return Box("beta", (4, 4, 4), "Gd: 30% Y", vacancies=vacancies).build(seed)


def next_wait(simulation):
    """Time / s to the next candidate."""
    before = simulation.time
    simulation.run(candidates=1)
    return simulation.time - before


# --- when ---


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("vacancies", [1, 7])
def test_waiting_times_of_equal_rates_are_exponential(scheduler, vacancies):
    simulation = Simulation(box(vacancies), mechanism("no-complex"), 573.15, seed=1, scheduler=scheduler)
    k, bonds = hops(1.65, 573.15), simulation.crystal.bonds
    seen = []
    for _ in range(5000):
        ways = 8 * vacancies
        if scheduler == "linear-scan":  # no candidates towards other vacancies
            now = configuration(simulation)
            ways = sum(now[j] != "vacancy" for i, s in enumerate(now) if s == "vacancy" for j in bonds[i])
        seen.append(next_wait(simulation) * ways * k)
    assert scipy.stats.kstest(seen, "expon").pvalue > 1e-4


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_waiting_times_between_events_are_exponential_with_null_candidates_between(scheduler):
    simulation = Simulation(box(), two_bonds(1.60, 1.65), 573.15, seed=2, scheduler=scheduler)
    q = 2 * hops(1.60, 573.15) + 6 * hops(1.65, 573.15)
    times = [0.0]
    for _ in range(5000):
        simulation.run(events=1)
        times.append(simulation.time)
    assert scipy.stats.kstest(np.diff(times) * q, "expon").pvalue > 1e-4
    null = simulation.state.candidates - simulation.state.events
    if scheduler == "linear-scan":
        assert null == 0
    else:
        accepted = q / (8 * hops(1.60, 573.15))
        assert scipy.stats.binomtest(5000, simulation.state.candidates, accepted).pvalue > 1e-4


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize(("along_c", "in_plane"), [(1.65, 1.65), (1.61, 1.66)])
def test_hop_counts_in_equal_times_are_poisson(scheduler, along_c, in_plane):
    simulation = Simulation(box(), two_bonds(along_c, in_plane), 573.15, seed=3, scheduler=scheduler)
    mean, n_windows = 4.0, 5000
    window = mean / (2 * hops(along_c, 573.15) + 6 * hops(in_plane, 573.15))
    assert simulation.total_rate() == pytest.approx(mean / window, rel=1e-12)
    marks = [0]
    for n in range(1, n_windows + 1):
        simulation.run_to(time=n * window)
        marks.append(simulation.state.events)
    counts = np.bincount(np.diff(marks), minlength=30)
    chances = scipy.stats.poisson.pmf(np.arange(counts.size), mean)
    chances[-1] += 1 - chances.sum()
    assert naive.chi_square_p(counts, chances) > 1e-4


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_survival_follows_a_temperature_staircase(scheduler):
    """The first event under Q(T(t)): 1 - exp(-∫Q dt) is uniform."""
    text = "250 °C for 10 min, 300 °C for 1 min, 350 °C"
    simulation = Simulation(box(), two_bonds(1.76, 1.79), text, seed=4, scheduler=scheduler)
    before = simulation.state.copy()
    edges = np.array([0.0, 600.0, 660.0])
    q = np.array([2 * hops(1.76, t + 273.15) + 6 * hops(1.79, t + 273.15) for t in (250, 300, 350)])
    passed = np.array([0.0, *np.cumsum(np.diff(edges) * q[:-1])])
    times = []
    for _ in range(5000):
        rewind(simulation, before)
        assert simulation.run(events=1) == "count reached"
        times.append(simulation.time)
    segment = np.searchsorted(edges, times, side="right") - 1
    assert min(np.bincount(segment, minlength=3)) > 250
    depth = passed[segment] + q[segment] * (np.array(times) - edges[segment])
    assert scipy.stats.kstest(-np.expm1(-depth), "uniform").pvalue > 1e-4
    shares = -np.diff([*np.exp(-passed), 0.0])
    assert naive.chi_square_p(np.bincount(segment, minlength=3), shares) > 1e-4


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_temperature_set_by_hand_is_an_edge_of_the_protocol(scheduler):
    """A change while a candidate is pending gives the trajectory of the protocol that planned it."""
    planned = Simulation(box(3), two_bonds(1.70, 1.72), "280 °C for 100 s, 320 °C", seed=5, scheduler=scheduler)
    by_hand = Simulation(box(3), two_bonds(1.70, 1.72), "280 °C", seed=5, scheduler=scheduler)
    by_hand.run_to(time=100.0)
    by_hand.set_temperature(593.15)
    for simulation in (planned, by_hand):
        simulation.run_to(time=200.0)
        assert simulation.temperature == 593.15
    assert planned.state.events > 50
    assert planned.digest() == by_hand.digest()


# --- what ---


def unequal():
    """Each mover has a barrier of its own."""
    made = Mechanism("unequal", summary="Barriers by mover.", source="Assumption: a test")
    for symbol, barrier in (("Gd", 1.65), ("Y", 1.62), ("Lu", 1.68), ("Yb", 1.70)):
        made.hop(mover=symbol)(lambda env, barrier=barrier: barrier - 0.02 * (env.bond == "c"))
    made.dock("Y", chemical_potential="20 meV")(lambda env: 1.66)
    made.reservoir("Lu", activity=0.5)
    made.dock("Lu", irreversible=True)(lambda env: 1.64)
    made.site_energy(SITES)
    made.pair_energy(PAIRS)
    return made


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("vacancies", [1, 3])
def test_the_next_event_is_multinomial_in_the_rates(scheduler, vacancies):
    """Branching among unequal neighbours, vacancies, dockings and undockings, from one configuration."""
    room, rules = naive.rectangle(), unequal()
    start = shuffled(np.random.default_rng(vacancies), Gd=13 - 5 - vacancies, Y=3, Lu=1, Yb=1, vacancy=vacancies)
    events = naive.System(room, rules, 650.0).events(start)
    assert {verb for verb, *_ in events} == {"hop", "dock", "undock"}
    after = {c: n for n, (_, c) in enumerate(events.values())}
    rates = np.array([rate for rate, _ in events.values()])
    assert len(after) == len(rates)
    simulation = Simulation(filled(room, start), rules, 650.0, seed=6, scheduler=scheduler)
    before = simulation.state.copy()
    counts = np.zeros(len(rates), dtype=int)
    for _ in range(8000):
        rewind(simulation, before)
        simulation.run(events=1)
        counts[after[configuration(simulation)]] += 1
    assert naive.chi_square_p(counts, rates / rates.sum()) > 1e-4


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_what_happens_does_not_depend_on_how_long_it_took(scheduler):
    """Choice and waiting time of one candidate are independent: the kinds of bond hopped over, by waiting time."""
    simulation = Simulation(box(), two_bonds(1.63, 1.66), 573.15, seed=7, scheduler=scheduler)
    k_c, k_ab = hops(1.63, 573.15), hops(1.66, 573.15)
    seen = np.zeros((2, 3), dtype=int)  # wait below or above the median; nothing, a hop along c or in the plane
    q = 8 * k_c if scheduler == "rejection" else 2 * k_c + 6 * k_ab
    height = simulation.crystal.points[:, 2]
    here = configuration(simulation).index("vacancy")
    for _ in range(12000):
        wait = next_wait(simulation)
        there = configuration(simulation).index("vacancy")
        rise = (height[there] - height[here]) / 3.53  # whole numbers along c, halves in the plane
        kind = 0 if there == here else 1 if abs(rise - round(rise)) < 0.1 else 2
        seen[int(wait * q > math.log(2)), kind] += 1
        here = there
    chances = np.array([q - 2 * k_c - 6 * k_ab, 2 * k_c, 6 * k_ab]) / q
    assert naive.chi_square_p(seen.ravel(), np.concatenate([chances, chances]) / 2) > 1e-4


# --- cut anywhere ---


def particle():
    return filled(naive.fcc(), shuffled(np.random.default_rng(8), Gd=7, Y=3, vacancy=3))


def reversible():
    chosen = mechanism("y-complex", barrier="1.60 eV", dock_barrier="1.60 eV", chemical_potential="20 meV")
    return with_energies(chosen, SITES, PAIRS)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_stopping_anywhere_changes_nothing(scheduler):
    text, end = "290 °C for 300 s, 320 °C for 200 s, 270 °C", 700.0

    def fresh():
        return Simulation(particle(), reversible(), text, seed=9, scheduler=scheduler)

    whole = fresh()
    whole.run_to(time=end)
    assert whole.state.events > 300
    cut = fresh()
    rng = np.random.default_rng(10)
    stops = sorted([0.0, 300.0, 500.0, *rng.uniform(0.0, end, 20)])
    assert len(stops) == 23
    for stop in stops:
        cut.run_to(time=stop)
        assert cut.time == stop
        assert cut.temperature == {0: 563.15, 1: 593.15, 2: 543.15}[int(stop >= 300.0) + int(stop >= 500.0)]
    cut.run_to(time=end)
    assert cut.digest() == whole.digest()
    by_candidate = fresh()
    while by_candidate.run_to(time=end, candidates=by_candidate.state.candidates + 37) == "count reached":
        pass
    assert by_candidate.digest() == whole.digest()


# --- what is conserved ---


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_without_complex_each_species_is_conserved(scheduler):
    rules = with_energies(mechanism("no-complex"), SITES, PAIRS)
    simulation = Simulation(particle(), rules, 573.15, seed=11, scheduler=scheduler)
    for _ in range(50):
        simulation.run(events=200)
        now = configuration(simulation)
        assert {s: now.count(s) for s in ("Gd", "Y", "vacancy")} == {"Gd": 7, "Y": 3, "vacancy": 3}
        assert simulation.state.n_vacancies == 3
    assert simulation.state.counts().tolist() == [10000]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_with_complex_vacancies_and_docked_ions_add_up(scheduler):
    simulation = Simulation(particle(), reversible(), 573.15, seed=12, scheduler=scheduler)
    for _ in range(50):
        simulation.run(events=200)
        now = configuration(simulation)
        hopped, docked, undocked = simulation.state.counts().tolist()
        assert now.count("Gd") == 7
        assert now.count("vacancy") == simulation.state.n_vacancies == 3 + undocked - docked
        assert now.count("Y") == 3 + docked - undocked
        assert hopped + docked + undocked == simulation.state.events
    assert min(hopped, docked, undocked) > 100


def test_irreversible_docking_only_ever_removes_vacancies():
    simulation = Simulation(particle(), mechanism("y-complex", barrier="1.15 eV"), 573.15, seed=13)
    left = [3]
    while simulation.fire() is not None:
        left.append(simulation.state.n_vacancies)
        assert left[-1] + simulation.state.counts()[1] == 3
    assert left[-1] == 0
    assert set(-np.diff(left)) == {0, 1}
