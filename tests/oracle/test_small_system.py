"""The small-system oracle: every state of a tiny crystal, against the engine and against Boltzmann."""

import naive
import numpy as np
import pytest
import scipy.sparse.linalg
from naive import configuration, filled, shuffled, with_energies

from ucnp_abm import Mechanism, Simulation, mechanism

KELVIN = 573.15
HOT = 1000.0  # K, for long runs: pair energies of a few kT would make nearly all candidates null
SITES = {
    ("Gd", "core"): 0.031,
    ("Gd", "surface"): -0.022,
    ("Y", "core"): -0.017,
    ("Y", "shell"): 0.024,
    ("Y", "surface"): 0.041,
    ("vacancy", "core"): 0.013,
    ("vacancy", "shell"): 0.055,
    ("vacancy", "surface"): -0.036,
}
PAIRS = {
    ("Gd", "Gd"): 0.008,
    ("Gd", "Y"): -0.015,
    ("Y", "Y"): 0.011,
    ("Gd", "vacancy"): 0.019,
    ("Y", "vacancy"): -0.014,
    ("vacancy", "vacancy"): -0.027,
}
SCHEDULERS = ["rejection", "linear-scan"]


def no_complex(barrier="1.65 eV"):
    return with_energies(mechanism("no-complex"), SITES, PAIRS, barrier=barrier)


def y_complex(potential="50 meV", barrier="1.22 eV", dock_barrier="1.20 eV"):
    chosen = mechanism("y-complex", chemical_potential=potential, barrier=barrier, dock_barrier=dock_barrier)
    return with_energies(chosen, SITES, PAIRS)


def curious(activity=1.0):
    """A mechanism whose laws read everything that a law may read."""
    made = Mechanism("curious", summary="Laws that look around.", source="Assumption: a test")
    made.parameter("step", "15 meV", doc="Barrier per neighbour.")

    @made.hop(mover="Gd")
    def gadolinium(env):
        if env.bond in ("long", "c") and env.zones == ("surface", "surface") and env.n["Y"] == 3:
            return None
        return 1.20 + env.p.step * env.n["Y"] - 0.006 * env.n["vacancy"] + 0.02 * (env.bond in ("long", "ab"))

    @made.hop(mover="Y", attempt=3e12)
    def yttrium(env):
        return 1.22 + 0.04 * (env.zones == ("core", "surface")) + 0.006 * env.n["Gd"] * env.zones.count("surface")

    @made.dock("Y", chemical_potential="90 meV", attempt=4e12, activity=activity)
    def attach(env):
        return 1.21 + env.p.step * env.site.n["Gd"] / 3 + 0.02 * env.site.coordination - 0.01 * env.site.n["vacancy"]

    made.site_energy(SITES)
    made.pair_energy(PAIRS)
    return made


def directed():
    """Everything that is irreversible: a drift, etching, and docking of two species at their own rates."""
    made = Mechanism("directed", summary="No way back.", source="Assumption: a test")

    @made.hop(mover="Gd", irreversible=True)
    def drift(env):
        return 1.20 + 0.05 * (env.start == "core") - 0.07 * (env.end == "core") + 0.01 * env.n["Y"]

    @made.hop(mover="Y")
    def yttrium(env):
        return 1.22

    @made.dock("Lu", irreversible=True, activity=2.5)
    def attach(env):
        return 1.19 + 0.01 * env.site.n["Y"]

    @made.undock("Gd", irreversible=True, attempt=2e12)
    def etch(env):
        return 1.18 + 0.02 * env.site.coordination if env.site.n["vacancy"] < 2 else None

    made.site_energy(SITES)
    made.pair_energy(PAIRS)
    return made


CHAINS = {
    "no-complex, plane": (naive.rectangle, no_complex, {"Gd": 10, "Y": 1, "vacancy": 2}),
    "no-complex, beta": (naive.beta, no_complex, {"Gd": 5, "Y": 2, "vacancy": 2}),
    "no-complex, clipped": (naive.beta, lambda: no_complex("5 meV"), {"Gd": 5, "Y": 2, "vacancy": 2}),
    "y-complex, plane": (naive.rectangle, y_complex, {"Gd": 11, "vacancy": 2}),
    "y-complex, beta": (naive.beta, y_complex, {"Gd": 6, "Y": 1, "vacancy": 2}),
    "y-complex, clipped": (
        naive.beta,
        lambda: y_complex("-40 meV", "5 meV", "25 meV"),
        {"Gd": 6, "Y": 1, "vacancy": 2},
    ),
    "curious, plane": (naive.rectangle, curious, {"Gd": 11, "vacancy": 2}),
    "curious, beta": (naive.beta, curious, {"Gd": 6, "Y": 1, "vacancy": 2}),
    "curious, diluted": (naive.beta, lambda: curious(activity=0.4), {"Gd": 6, "Y": 1, "vacancy": 2}),
}


@pytest.mark.parametrize("make", [naive.rectangle, naive.beta, naive.fcc])
def test_bonds_of_a_crystal_join_the_sites_at_bond_lengths(make):
    room = make()
    system = naive.System(room, no_complex(), KELVIN)
    assert [sorted(n for n in row if n >= 0) for row in room.bonds.tolist()] == system.around


@pytest.mark.parametrize("name", CHAINS)
def test_stationary_state_of_the_declared_rates_is_boltzmann(name):
    make, rules, numbers = CHAINS[name]
    system = naive.System(make(), rules(), KELVIN)
    states = system.reachable(shuffled(np.random.default_rng(1), **numbers))
    assert len(states) > 50
    expected = system.boltzmann(states)
    assert expected.max() > 5 * expected.min()
    np.testing.assert_allclose(naive.stationary(system.generator(states)), expected, rtol=1e-10, atol=1e-13)


def test_docking_reaches_the_grand_canonical_state_of_a_chain_with_thousands_of_states():
    system = naive.System(naive.rectangle(), y_complex(), KELVIN)
    states = system.reachable(shuffled(np.random.default_rng(2), Gd=10, Y=1, vacancy=2))
    buried = 10  # all three Y on the five inner sites and no vacancy: nothing can happen, nothing leads there
    assert len(states) == 286 * 2**3 - buried
    assert {c.count("vacancy") for c in states} == {0, 1, 2, 3}
    generator, expected = system.generator(states), system.boltzmann(states)
    connected, _ = scipy.sparse.csgraph.connected_components(generator, connection="strong")
    assert connected == 1  # so the stationary vector is unique
    flow = abs(generator) @ np.ones(len(states)) * expected
    assert abs(expected @ generator).max() < 1e-10 * flow.max()


def engine_events(simulation):
    """All options of all sites, with their rates; the hops seen from vacancies and from ions."""
    vacant = [n for n in range(simulation.crystal.n_sites) if simulation.occupant(n) == "vacancy"]
    occupied = [n for n in range(simulation.crystal.n_sites) if n not in vacant]
    seen = []
    for sites in (vacant, occupied):
        moves = [m for n in sites for m in simulation.options(n)]
        seen.append({(m.verb, m.species, m.site, m.to): m.rate for m in moves})
        assert len(seen[-1]) == len(moves)
    return seen


def assert_same_rates(room, rules, numbers, seed, *, n=12, immobile=(), temperature=KELVIN):
    rng = np.random.default_rng(seed)
    system = naive.System(room, rules, temperature, immobile)
    for _ in range(n):
        start = shuffled(rng, **numbers)
        expected = {event: rate for event, (rate, _) in system.events(start).items()}
        simulation = Simulation(filled(room, start, immobile), rules, temperature)
        from_vacancies, from_ions = engine_events(simulation)
        hops = {e for e in expected if e[0] == "hop"}
        assert from_vacancies.keys() == hops | {e for e in expected if e[0] == "dock"}
        assert from_ions.keys() == hops | {e for e in expected if e[0] == "undock"}
        for event, rate in [*from_vacancies.items(), *from_ions.items()]:
            assert rate == pytest.approx(expected[event], rel=1e-12, abs=0.0), event
        assert simulation.total_rate() == pytest.approx(sum(expected.values()), rel=1e-12)


@pytest.mark.parametrize("name", [name for name in CHAINS if name != "curious, diluted"])
def test_every_rate_of_the_engine_is_that_of_the_whole_configuration(name):
    make, rules, numbers = CHAINS[name]
    assert_same_rates(make(), rules(), numbers, seed=3)


@pytest.mark.parametrize("make", [naive.rectangle, naive.beta, naive.fcc])
@pytest.mark.parametrize("rules", [no_complex, y_complex, curious])
def test_every_rate_is_right_with_many_vacancies_and_mixed_neighbours(make, rules):
    room = make()
    numbers = {"Gd": room.n_sites - 6, "Y": 3, "vacancy": 3}
    assert_same_rates(room, rules(), numbers, seed=4, temperature=640.0)


def test_activity_multiplies_docking_but_not_undocking():
    assert_same_rates(naive.beta(), curious(activity=0.4), {"Gd": 5, "Y": 2, "vacancy": 2}, seed=3)


@pytest.mark.parametrize("make", [naive.rectangle, naive.beta])
def test_every_irreversible_rate_is_the_laws_own_number(make):
    room = make()
    assert_same_rates(room, directed(), {"Gd": room.n_sites - 5, "Y": 2, "Lu": 1, "vacancy": 2}, seed=5)


def test_immobile_species_stay_though_a_law_names_them():
    assert_same_rates(naive.beta(), no_complex(), {"Gd": 3, "Na": 4, "vacancy": 2}, seed=6, immobile=("Na",))


def test_rates_follow_a_change_of_temperature():
    room = naive.rectangle()
    simulation = Simulation(filled(room, shuffled(np.random.default_rng(7), Gd=8, Y=3, vacancy=2)), y_complex(), KELVIN)
    simulation.run(events=200)
    simulation.set_temperature(610.0)
    simulation.run(events=200)
    events = naive.System(room, y_complex(), 610.0).events(configuration(simulation))
    assert simulation.total_rate() == pytest.approx(sum(rate for rate, _ in events.values()), rel=1e-12)
    seen = engine_events(simulation)
    assert seen[0] | seen[1] == pytest.approx({event: rate for event, (rate, _) in events.items()}, rel=1e-12)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize(
    "name", ["no-complex, plane", "no-complex, beta", "y-complex, plane", "y-complex, beta", "curious, beta"]
)
def test_a_long_run_visits_states_as_boltzmann_says(name, scheduler):
    """Samples at equal times, five relaxation times apart, so that they are independent to 0.7 %."""
    make, rules, numbers = CHAINS[name]
    room, chosen = make(), rules()
    start = shuffled(np.random.default_rng(8), **numbers)
    system = naive.System(room, chosen, HOT)
    states = system.reachable(start)
    expected = system.boltzmann(states)
    assert expected.max() > 20 * expected.min()
    pause = 5 * naive.relaxation_time(system.generator(states), expected)
    simulation = Simulation(filled(room, start), chosen, HOT, seed=11, scheduler=scheduler)
    number = {c: n for n, c in enumerate(states)}
    observed = np.zeros(len(states), dtype=int)
    for n in range(1, 2501):
        simulation.run_to(time=n * pause)
        observed[number[configuration(simulation)]] += 1
    assert naive.chi_square_p(observed, expected) > 1e-4


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_docking_fills_the_vacancies_as_the_master_equation_says(scheduler):
    """Irreversible docking: how many are filled at three times, and where the yttrium is in the end."""
    room = naive.rectangle()
    rules = with_energies(mechanism("y-complex", barrier="1.19 eV", dock_barrier="1.18 eV"), SITES, PAIRS)
    assert rules.irreversible_verbs == ["dock Y"]
    start = ["Gd"] * room.n_sites
    middle = int(np.argmin(np.linalg.norm(room.points, axis=1)))
    start[middle] = start[room.bonds[middle][0]] = "vacancy"
    start = tuple(start)
    system = naive.System(room, rules, KELVIN)
    states = system.reachable(start)
    generator = system.generator(states).T
    docked = np.array([c.count("Y") for c in states])
    begin = np.eye(len(states))[states.index(start)]
    alive = docked < 2
    mean = np.linalg.solve(-generator.toarray()[alive][:, alive], begin[alive]).sum()
    times = [0.3 * mean, mean, 60 * mean]
    number = {c: n for n, c in enumerate(states)}
    n_runs = 1500
    seen = np.zeros((3, len(states)), dtype=int)
    for seed in range(n_runs):
        simulation = Simulation(filled(room, start), rules, KELVIN, seed=seed, scheduler=scheduler)
        for row, time in zip(seen, times, strict=True):
            simulation.run_to(time=time)
            row[number[configuration(simulation)]] += 1
    for row, time in zip(seen, times, strict=True):
        chances = np.clip(scipy.sparse.linalg.expm_multiply(generator * time, begin), 0.0, None)
        assert naive.chi_square_p(row, chances) > 1e-4
        if time < times[2]:
            by_number = [row[docked == n].sum() for n in range(3)]
            assert naive.chi_square_p(by_number, [chances[docked == n].sum() for n in range(3)]) > 1e-4
    assert seen[2][alive].sum() == 0
