"""The small-system oracle: every state of a tiny crystal, against the engine and against Boltzmann."""

import naive
import numpy as np
import pytest
import scipy.sparse.linalg
from naive import configuration, filled, shuffled, with_energies

from ucnp_abm import Mechanism, Simulation, mechanism
from ucnp_abm.registry import installed

KELVIN = 573.15
HOT = 1000.0  # K, for long runs: pair energies of a few kT would make nearly all candidates null
SITES = {
    ("Gd", "core"): 0.031,
    ("Gd", "surface"): -0.022,
    ("Yb", "core"): 0.019,
    ("void", "surface"): 0.03,
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
    ("Yb", "Gd"): 0.021,
    ("Yb", "vacancy"): -0.006,
    ("void", "Gd"): 0.01,
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

    made.reservoir("Y", activity=activity)

    @made.dock("Y", chemical_potential="90 meV", attempt=4e12)
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

    made.reservoir("Lu", activity=2.5)

    @made.dock("Lu", irreversible=True)
    def attach(env):
        return 1.19 + 0.01 * env.site.n["Y"]

    @made.etch("Gd", irreversible=True, attempt=2e12)
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


def assert_same_rates(room, rules, numbers, seed, *, n=12, immobile=(), temperature=KELVIN, events=0):
    """In n random configurations, and after so many events from each, all rates are those of the naive system."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        start = shuffled(rng, **numbers)
        system = naive.System(room, rules, temperature, immobile, start=start)
        simulation = Simulation(filled(room, start, immobile), rules, temperature)
        for _ in range(1 + (events > 0)):
            expected = {event: rate for event, (rate, _) in system.events(configuration(simulation)).items()}
            from_vacancies, from_ions = naive.engine_events(simulation)
            hops = {e for e in expected if e[0] == "hop"}
            assert from_vacancies.keys() == hops | {e for e in expected if e[0] in ("dock", "sink")}
            assert from_ions.keys() == hops | {e for e in expected if e[0] in ("undock", "etch", "swap", "unswap")}
            for event, rate in [*from_vacancies.items(), *from_ions.items()]:
                assert rate == pytest.approx(expected[event], rel=1e-12, abs=0.0), event
            assert simulation.total_rate() == pytest.approx(sum(expected.values()), rel=1e-12)
            simulation.run(events=events)


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
    seen = naive.engine_events(simulation)
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


# --- every mechanism and drive that ships ---

BARRIERS = {"barrier": "1.22 eV"}
DOCKING = {**BARRIERS, "dock_barrier": "1.20 eV"}
MIXED = {**BARRIERS, "y_dock_barrier": "1.20 eV", "gd_dock_barrier": "1.21 eV"}
SHIPPED = {
    "no-complex, reflecting": ("no-complex", BARRIERS),
    "no-complex, sink": ("no-complex", {**BARRIERS, "surface": "sink"}),
    "no-complex, etch": ("no-complex", {**BARRIERS, "surface": "etch", "etch_barrier": "1.25 eV"}),
    "y-complex": ("y-complex", DOCKING),
    "y-complex, finite": ("y-complex", {**DOCKING, "reservoir": 3, "activity": 0.7}),
    "y-complex, reversible": ("y-complex", {**DOCKING, "chemical_potential": "50 meV", "activity": 1.3}),
    "y-complex, both": ("y-complex", {**DOCKING, "chemical_potential": "50 meV", "activity": 1.3, "reservoir": 3}),
    **{
        f"gd-complex, {why}": ("gd-complex", {**DOCKING, "why": why, "slower_by": "30 meV", "reservoir": 2})
        for why in ("none", "slower", "gd-path", "empirical")
    },
    "gd-complex, weaker-binding": (
        "gd-complex",
        {**DOCKING, "why": "weaker-binding", "chemical_potential": "30 meV", "reservoir": 4},
    ),
    "mixed-complex": ("mixed-complex", MIXED),
    "mixed-complex, finite": ("mixed-complex", {**MIXED, "y_reservoir": 1, "gd_reservoir": 2, "y_activity": 0.8}),
    "cation-exchange": (
        "cation-exchange",
        {
            **{"barrier": "1.20 eV", "swap_barrier": "1.19 eV", "chemical_potential": "40 meV"},
            **{"lanthanide_activity": 0.3, "activity": 0.6, "reservoir": 3},
        },
    ),
}
DRIVEN = {"laser-thermal": {}, "laser-athermal": {}, "laser-dock": {"factor": 3.0}, "laser-strip": {"ion_yield": 0.8}}


def shipped(name, drives=()):
    """A variant with energies, under drives."""
    base, values = SHIPPED[name]
    driven = {f"{drive}.{key}": value for drive in drives for key, value in DRIVEN[drive].items()}
    return with_energies(mechanism("+".join([base, *drives])), SITES, PAIRS, **values, **driven)


def together(name):
    """The drives that a variant takes, one at a time and in pairs."""
    docks = any(rule.verb == "dock" for rule in mechanism(SHIPPED[name][0]).site_rules)
    drives = [drive for drive in DRIVEN if docks or drive != "laser-dock"]
    return [(), *((d,) for d in drives), *((a, b) for n, a in enumerate(drives) for b in drives[:n])]


CASES = [pytest.param(name, drives, id="+".join([name, *drives])) for name in SHIPPED for drives in together(name)]


def test_every_mechanism_drive_and_choice_that_ships_is_among_the_cases():
    installed().load_all()
    assert {base for base, _ in SHIPPED.values()} == set(installed().mechanisms)
    assert set(DRIVEN) == set(installed().drives)
    for base, found in installed().mechanisms.items():
        for parameter in found.parameters.values():
            used = {m.values[parameter.name] for m in map(shipped, SHIPPED) if m.name == base}
            assert used >= set(parameter.choices)


@pytest.mark.parametrize(("name", "drives"), CASES)
def test_every_rate_of_what_ships_is_that_of_the_whole_configuration(name, drives):
    """Also after some events, when reservoirs are no longer full."""
    rules = shipped(name, drives)
    assert_same_rates(naive.beta(), rules, {"Gd": 4, "Y": 1, "Yb": 2, "vacancy": 2}, seed=9, n=3, events=12)


@pytest.mark.parametrize(("name", "drives"), CASES)
def test_exactly_what_is_said_to_be_irreversible_breaks_detailed_balance(name, drives):
    """With the declared energies and bath, event by event: w_a k_ab = w_b k_ba."""
    room, rules = naive.beta(), shipped(name, drives)
    rng = np.random.default_rng(10)
    starts = [shuffled(rng, Gd=4, Y=1, Yb=2, vacancy=2) for _ in range(4)]
    system = naive.System(room, rules, KELVIN, start=starts[0])
    worst = max(system.imbalance(c) for c in starts)
    if rules.irreversible_verbs:
        assert worst > 1e-3
    else:
        assert worst < 1e-10


REVERSIBLE = {
    "y-complex, reversible": (naive.beta, {"Gd": 6, "Y": 1, "vacancy": 2}),
    "y-complex, both": (naive.beta, {"Gd": 6, "Y": 1, "vacancy": 2}),
    "gd-complex, weaker-binding": (naive.beta, {"Y": 6, "Gd": 1, "vacancy": 2}),
    "cation-exchange": (naive.row, {"Gd": 1, "Yb": 1, "vacancy": 1}),
    "no-complex, reflecting": (naive.beta, {"Gd": 5, "Y": 2, "vacancy": 2}),
}


def test_all_reversible_variants_are_compared_with_boltzmann():
    assert set(REVERSIBLE) == {name for name in SHIPPED if not shipped(name).irreversible_verbs}


@pytest.mark.parametrize("name", REVERSIBLE)
@pytest.mark.parametrize("drives", [(), ("laser-thermal",)], ids=["dark", "laser-thermal"])
def test_stationary_state_of_what_ships_is_boltzmann_with_what_is_left_in_the_bath(name, drives):
    make, numbers = REVERSIBLE[name]
    start = shuffled(np.random.default_rng(11), **numbers)
    system = naive.System(make(), shipped(name, drives), KELVIN, start=start)
    states = system.reachable(start)
    assert len(states) > 20
    expected = system.boltzmann(states)
    np.testing.assert_allclose(naive.stationary(system.generator(states)), expected, rtol=1e-10, atol=1e-13)


def test_assisted_hops_settle_as_if_a_vacancy_at_the_surface_had_more_energy():
    """Above the relief every barrier is assisted by one factor 1 + g, so its energy there is higher by kT ln(1 + g)."""
    room, start = naive.beta(), shuffled(np.random.default_rng(12), Gd=5, Y=2, vacancy=2)
    values = {"barrier": "1.6 eV", "relief": "1.2 eV", "intensity": "4 kW/cm²"}
    rules = with_energies(mechanism("no-complex+laser-athermal"), SITES, PAIRS, **values)
    system = naive.System(room, rules, KELVIN)
    states = system.reachable(start)
    gain = 240.0 / 1e13 * np.exp(1.2 / system.kt)
    assert 0.5 < gain < 2.0
    dearer = {**SITES, ("vacancy", "surface"): SITES["vacancy", "surface"] + system.kt * np.log1p(gain)}
    other = naive.System(room, with_energies(mechanism("no-complex"), dearer, PAIRS), KELVIN)
    found = naive.stationary(system.generator(states))
    np.testing.assert_allclose(found, other.boltzmann(states), rtol=1e-10, atol=1e-13)


def test_driven_docking_settles_as_at_a_higher_activity():
    room, start = naive.beta(), shuffled(np.random.default_rng(13), Gd=6, Y=1, vacancy=2)
    system = naive.System(room, shipped("y-complex, both", ("laser-dock",)), KELVIN, start=start)
    base, values = SHIPPED["y-complex, both"]
    rules = with_energies(mechanism(base), SITES, PAIRS, **{**values, "activity": 3 * values["activity"]})
    states = system.reachable(start)
    expected = naive.System(room, rules, KELVIN, start=start).boltzmann(states)
    np.testing.assert_allclose(naive.stationary(system.generator(states)), expected, rtol=1e-10, atol=1e-13)


def assert_visited(observed, chances, states):
    """Chi-square over all states, and over compositions, which notices wrong rates of exchange with the bath sooner."""
    assert naive.chi_square_p(observed, chances) > 1e-4
    seen, expected = {}, {}
    for c, n, chance in zip(states, observed, chances, strict=True):
        key = tuple(sorted(c))
        seen[key], expected[key] = seen.get(key, 0) + n, expected.get(key, 0.0) + chance
    if len(expected) > 1 and sorted(expected.values())[-2] * observed.sum() >= 5:
        assert naive.chi_square_p(list(seen.values()), list(expected.values())) > 1e-4


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("name", ["gd-complex, weaker-binding", "cation-exchange"])
def test_a_long_run_of_what_ships_visits_states_as_boltzmann_says(name, scheduler):
    make, numbers = REVERSIBLE[name]
    room, chosen, start = make(), shipped(name), shuffled(np.random.default_rng(14), **numbers)
    system = naive.System(room, chosen, HOT, start=start)
    states = system.reachable(start)
    expected = system.boltzmann(states)
    pause = 5 * naive.relaxation_time(system.generator(states), expected)
    simulation = Simulation(filled(room, start), chosen, HOT, seed=15, scheduler=scheduler)
    number = {c: n for n, c in enumerate(states)}
    observed = np.zeros(len(states), dtype=int)
    for n in range(1, 2501):
        simulation.run_to(time=n * pause)
        observed[number[configuration(simulation)]] += 1
    assert_visited(observed, expected, states)


ONE_WAY = {
    "no-complex, sink": (naive.beta, {"Gd": 5, "Y": 2, "vacancy": 2}, ()),
    "no-complex, etch": (naive.row, {"Gd": 1, "Y": 1, "vacancy": 1}, ()),
    "no-complex, reflecting": (naive.row, {"Gd": 1, "Y": 1, "vacancy": 1}, ("laser-strip", "laser-athermal")),
    "y-complex, finite": (naive.beta, {"Gd": 5, "Y": 1, "vacancy": 3}, ()),
    "gd-complex, none": (naive.beta, {"Y": 6, "vacancy": 3}, ()),
    "gd-complex, slower": (naive.beta, {"Y": 6, "vacancy": 3}, ("laser-dock",)),
    "mixed-complex, finite": (naive.beta, {"Yb": 7, "vacancy": 2}, ()),
}


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("name", ONE_WAY)
def test_irreversible_runs_follow_the_master_equation(name, scheduler):
    make, numbers, drives = ONE_WAY[name]
    room, rules, start = make(), shipped(name, drives), shuffled(np.random.default_rng(16), **numbers)
    assert rules.irreversible_verbs
    system = naive.System(room, rules, KELVIN, start=start)
    states = system.reachable(start)
    generator, number = system.generator(states), {c: n for n, c in enumerate(states)}
    times = [t / -generator.diagonal()[0] for t in (0.5, 2.0, 6.0)]
    simulation = Simulation(filled(room, start), rules, KELVIN, seed=17, scheduler=scheduler)
    before = simulation.state.copy()
    seen = np.zeros((3, len(states)), dtype=int)
    for _ in range(1500):
        naive.rewind(simulation, before)
        for row, time in zip(seen, times, strict=True):
            simulation.run_to(time=time)
            row[number[configuration(simulation)]] += 1
    for row, time in zip(seen, times, strict=True):
        chances = scipy.sparse.linalg.expm_multiply(generator.T * time, np.eye(len(states))[0])
        assert_visited(row, np.clip(chances, 0.0, None), states)
