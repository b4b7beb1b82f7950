"""The reach of the rules, against total energies of whole configurations: levels, groups, saturation, zones, light.

Each case is one that the documentation shows. Everything is compared on crystals small enough to enumerate.
"""

import math

import naive
import numpy as np
import pytest
from naive import configuration, filled, shuffled
from oracle.test_small_system import HOT, KELVIN, PAIRS, SITES, assert_same_rates

from ucnp_abm import Drive, Mechanism, Simulation
from ucnp_abm.errors import BadInput, BadMechanism, BadRate
from ucnp_abm.rules import on_the_way

ALONG = ("depth", "radius", "x", "y", "z")


def trial(**about):
    return Mechanism("trial", summary="A trial.", source="Assumption: a test", **about)


def graded(along="x", levels=5, width=None, directed=False):
    """Barriers and energies that change from level to level."""
    made = trial()
    made.divide(along, levels, width=width)
    made.parameter("slope", "11 meV", low=-1.0, doc="Energy from level to level.")

    @made.hop(mover=("Gd", "Y"))
    def hop(env):
        return 1.20 + 0.013 * env.levels[0] + 0.029 * env.levels[1] + 0.01 * env.n["Y"] * (env.levels[0] > 1)

    if directed:

        @made.hop(mover="Yb", irreversible=True)
        def drift(env):
            return 1.2 + 0.02 * env.start_level - 0.017 * env.end_level

        @made.etch("Gd", irreversible=True)
        def etch(env):
            return 1.2 + 0.03 * env.site.level

    @made.dock("Y", chemical_potential="40 meV")
    def attach(env):
        return 1.19 + 0.021 * env.site.level

    for level in range(levels):
        made.site_energy({("vacancy", level): lambda p, level=level: p.slope * level, ("Y", level): -0.007 * level})
    made.site_energy(SITES)
    made.pair_energy(PAIRS)
    return made


def grouped():
    """Counts of several species together, counts that are cut, and both beside single ones."""
    made = trial()

    @made.hop(mover=("Gd", "Yb"))
    def hop(env):
        return 1.20 + 0.012 * env.n["Y", "Yb"] + 0.03 * env.n.up_to(2, "Y") - 0.004 * env.n["vacancy"]

    @made.hop(mover="Y")
    def yttrium(env):
        return 1.22 + 0.02 * env.n.up_to(3, "Gd", "Yb") + 0.001 * env.n["Gd"]

    @made.dock("Y", chemical_potential="60 meV")
    def attach(env):
        return None if env.site.n.up_to(1, "Yb") == 0 and env.site.n["Y", "vacancy"] > 2 else 1.19

    made.site_energy(SITES)
    made.pair_energy(PAIRS)
    return made


def by_zone():
    """Energies of zones that are parameters, or functions of parameters."""
    made = trial()
    surface = made.parameter("surface", "60 meV", low=-1.0, doc="Energy of a vacancy at the surface.")
    made.parameter("apart", "15 meV", low=-1.0, doc="Energy between yttrium and gadolinium.")
    made.hop(mover=("Gd", "Y"))(lambda env: 1.2)
    made.site_energy(
        {("vacancy", "surface"): surface, ("Y", "core"): lambda p: -p.surface / 2, ("Gd", "core"): "5 meV"}
    )
    made.pair_energy({("Y", "Gd"): lambda p: p.apart})
    return made.with_parameters(surface="45 meV", apart="-20 meV")


def whole(limit=0):
    """A law that reads everything; with a small enough table its rows are worked out on the way."""
    made = trial()

    @made.hop(mover=("Gd", "Y", "Yb"), lowest="1.1 eV")
    def hop(env):
        weights = {"Gd": 3, "Y": 5, "Yb": -2, "vacancy": 1, "Na": 4}
        return 1.25 + sum(0.002 * w * env.n[s] for s, w in weights.items()) + 0.01 * (env.bond in ("c", "long"))

    @made.dock("Y", chemical_potential="60 meV", lowest=lambda p: 1.0)
    def attach(env):
        return 1.18 + 0.003 * env.site.n["Gd"] * env.site.n["Y"] + 0.01 * env.site.n["Yb"]

    made.site_energy(SITES)
    made.pair_energy(PAIRS)
    return made


def rising():
    """A law that reads everything and is lowest where no ion is around, so that both ways have the same bounds."""
    made = trial()

    @made.hop(mover=("Gd", "Y", "Yb"), lowest=1.2)
    def hop(env):
        return 1.2 + sum(0.002 * w * env.n[s] for w, s in enumerate(("Gd", "Yb", "Y", "Na"), 1))

    @made.dock("Y", chemical_potential="60 meV", lowest=1.1)
    def attach(env):
        return 1.1 + 0.003 * env.site.n["Gd"] + 0.002 * env.site.n["Y"]

    made.pair_energy(PAIRS)
    return made


@pytest.fixture
def small_table(monkeypatch):
    """Room for so few rows that what reads a count at all is worked out on the way."""
    monkeypatch.setattr("ucnp_abm.rules.asking.MAX_ROWS", 120)


MIXED = {"Gd": 3, "Y": 2, "Yb": 2, "vacancy": 2}


@pytest.mark.parametrize("along", ALONG)
@pytest.mark.parametrize("width", [None, "2.1 Å"])
def test_rates_with_levels_are_those_of_the_whole_configuration(along, width):
    assert_same_rates(naive.beta(), graded(along, 4, width), MIXED, seed=21, n=4, events=8)
    assert_same_rates(naive.rectangle(), graded(along, 3, width), {**MIXED, "Gd": 7}, seed=22, n=4, events=8)


def test_directed_rates_with_levels_are_those_of_the_whole_configuration():
    assert_same_rates(naive.beta(), graded("z", 3, directed=True), MIXED, seed=23, n=6, events=6)


@pytest.mark.parametrize("rules", [grouped, by_zone, whole])
def test_rates_are_those_of_the_whole_configuration(rules):
    assert_same_rates(naive.beta(), rules(), MIXED, seed=24, n=6, events=8)


def test_rates_worked_out_on_the_way_are_those_of_the_whole_configuration(small_table):
    simulation = Simulation(filled(naive.beta(), shuffled(np.random.default_rng(0), **MIXED)), whole(), KELVIN)
    assert [law.__name__ for law in simulation.table.on_the_way] == ["hop", "attach"]
    assert_same_rates(naive.beta(), whole(), MIXED, seed=25, n=6, events=8)


CHAINS = {
    "levels along x": (naive.rectangle, graded, {"Gd": 11, "vacancy": 2}),
    "levels in depth": (naive.beta, lambda: graded("depth", 2), {"Gd": 6, "Y": 1, "vacancy": 2}),
    "groups": (naive.beta, grouped, {"Gd": 6, "Yb": 1, "vacancy": 2}),
    "zones": (naive.beta, by_zone, {"Gd": 5, "Y": 2, "vacancy": 2}),
    "everything": (naive.beta, whole, {"Gd": 6, "Y": 1, "vacancy": 2}),
}


@pytest.mark.parametrize("name", CHAINS)
def test_the_stationary_state_is_boltzmann(name):
    make, rules, numbers = CHAINS[name]
    system = naive.System(make(), rules(), KELVIN)
    states = system.reachable(shuffled(np.random.default_rng(26), **numbers))
    expected = system.boltzmann(states)
    assert expected.max() > 5 * expected.min()
    np.testing.assert_allclose(naive.stationary(system.generator(states)), expected, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("name", CHAINS)
def test_a_long_run_visits_states_as_boltzmann_says(name, request):
    if name == "everything":
        request.getfixturevalue("small_table")
    make, rules, numbers = CHAINS[name]
    room, chosen = make(), rules()
    start = shuffled(np.random.default_rng(27), **numbers)
    system = naive.System(room, chosen, HOT)
    states = system.reachable(start)
    expected = system.boltzmann(states)
    pause = 5 * naive.relaxation_time(system.generator(states), expected)
    simulation = Simulation(filled(room, start), chosen, HOT, seed=28)
    assert bool(simulation.memo) == (name == "everything")
    number = {c: n for n, c in enumerate(states)}
    observed = np.zeros(len(states), dtype=int)
    for n in range(1, 2001):
        simulation.run_to(time=n * pause)
        observed[number[configuration(simulation)]] += 1
    assert naive.chi_square_p(observed, expected) > 1e-4


@pytest.mark.parametrize("scheduler", ["rejection", "sum-tree", "linear-scan"])
def test_one_vacancy_in_a_field_lies_as_the_barometric_formula_says(scheduler):
    """A row of sites, a vacancy whose energy rises by 0.5 kT from level to level: n(level) ~ exp(-level / 2)."""
    room = naive.rectangle()
    field = 0.5 * naive.KB * KELVIN
    made = trial()
    made.divide("x", 5)
    made.hop(mover="Gd")(lambda env: 1.2 + 0.05 * (env.levels == (1, 2)))
    made.site_energy({("vacancy", level): field * level for level in range(5)})
    simulation = Simulation(
        filled(room, ("Gd",) * (room.n_sites - 1) + ("vacancy",)), made, KELVIN, seed=3, scheduler=scheduler
    )
    level = np.array(naive.levels_of(room, made.division))
    weight = np.exp(-0.5 * level)
    pause, seen = 200.0 / simulation.total_rate(), np.zeros(room.n_sites, dtype=int)
    for n in range(1, 4001):
        simulation.run_to(time=n * pause)
        seen[configuration(simulation).index("vacancy")] += 1
    assert naive.chi_square_p(seen, weight / weight.sum()) > 1e-4


@pytest.mark.parametrize("interpreted", [False, True])
def test_events_are_the_same_whether_rows_are_in_the_table_or_come_on_the_way(small_particle, monkeypatch, interpreted):
    n, rules = 300 if interpreted else 20_000, rising()
    known = Simulation(small_particle, rules, seed=5, scheduler="rejection", interpreted=interpreted)
    known.run(events=n)
    monkeypatch.setattr("ucnp_abm.rules.asking.MAX_ROWS", 600)
    monkeypatch.setattr("ucnp_abm.engine.memo._ROOM", 16)  # the memo must grow
    unknown = Simulation(small_particle, rules, seed=5, interpreted=interpreted)
    unknown.run(events=n)
    assert not known.memo
    assert len(unknown.memo) > 100
    assert unknown.digest() == known.digest()
    assert unknown.total_rate() == known.total_rate()


def test_time_travel_and_live_laws_work_with_rows_on_the_way(small_particle, small_table):
    simulation = Simulation(small_particle, whole(), seed=6)
    simulation.remember(1000)
    marks = {}
    for _ in range(20):
        assert simulation.fire(live=True)
        marks[simulation.state.events] = simulation.digest()
    simulation.run(events=200)
    simulation.back(210)
    assert simulation.digest() == marks[10]
    simulation.goto(event=20)
    assert simulation.digest() == marks[20]
    assert {simulation.move(0, int(simulation.state.vacancies[0]), d, 0).rate for d in range(8)}
    twin = simulation.branch()
    twin.run(events=100)
    simulation.run(events=100)
    assert twin.digest() == simulation.digest()


def test_temperature_steps_and_drives_reach_rows_that_came_on_the_way(small_particle, small_table):
    lamp = Drive("lamp", summary="A lamp.", source="Assumption: a test")
    lamp.assist_hops(rate=1e3, relief="0.6 eV")
    protocol = "300 °C for 0.2 ms, 320 °C for 0.2 ms, 250 °C"
    simulation = Simulation(small_particle, whole().driven_by(lamp), protocol, seed=7)
    for time in (1e-4, 3e-4, 6e-4):
        simulation.run_to(time=time)
        for vacancy in simulation.state.vacancies[:5].tolist():
            for move in simulation.options(simulation.crystal.number_of(vacancy)):
                expected = move.factor * move.attempt * math.exp(-move.activation / (naive.KB * move.temperature))
                assert move.rate == pytest.approx(expected + move.assisted, rel=1e-12)


def test_a_barrier_below_the_declared_lowest_one_is_refused(small_particle, small_table):
    made = trial()
    made.hop(mover="Gd", lowest="1.2 eV")(lambda env: 1.2 - 0.001 * (env.n["Y"] == 3) + 0.1 * env.n["Gd"])
    simulation = Simulation(small_particle, made, "300 °C", seed=1)
    with pytest.raises(BadRate, match=r"returned 1.199 eV for a hop of Gd.*below the lowest barrier that is declared"):
        simulation.run(steps=5)


def test_in_a_table_too_no_barrier_may_lie_below_the_declared_lowest_one(small_particle):
    made = trial()
    made.hop(mover="Gd", lowest="1.2 eV")(lambda env: 1.3 if "core" in env.zones else 1.1)
    with pytest.raises(BadRate, match="below the lowest barrier that is declared, 1"):
        Simulation(small_particle, made)


@pytest.mark.parametrize("scheduler", ["sum-tree", "linear-scan"])
def test_rows_on_the_way_need_rejection(small_particle, small_table, scheduler):
    with pytest.raises(BadInput, match="need the scheduler 'rejection'"):
        Simulation(small_particle, whole(), scheduler=scheduler)


def test_what_cannot_even_be_told_apart_on_the_way_is_refused(small_particle, small_table, monkeypatch):
    monkeypatch.setattr("ucnp_abm.rules.asking.MAX_NUMBERS", 15**4)
    assert on_the_way.MAX_NUMBERS == 1 << 43
    with pytest.raises(BadMechanism, match="too many to tell apart"):
        Simulation(small_particle, whole())


def photo_etching():
    """Light strips an exposed ion the sooner the fewer neighbours hold it, and only beside an ytterbium ion."""
    lamp = Drive("lamp", summary="A lamp.", source="Assumption: a test")
    lamp.parameter("power", 2e-3, kind="rate", doc="Photons that are taken up.")

    @lamp.etch(("Gd", "Y", "Yb"), irreversible=True, attempt=lambda p: p.power)
    def strip(env):
        return 0.005 * env.site.coordination if env.site.n.up_to(1, "Yb") else None

    made = trial()
    made.hop(mover=("Gd", "Y", "Yb"))(lambda env: 1.5)
    return made.driven_by(lamp)


def test_photo_etching_has_the_rates_of_the_whole_configuration():
    assert_same_rates(naive.beta(), photo_etching(), MIXED, seed=29, n=6, events=4)


def test_ions_that_light_strips_go_as_a_pure_death_process_says():
    """Immobile ions, one rate k: what is left is binomial with exp(-k t)."""
    room = naive.beta()
    lamp = Drive("lamp", summary="A lamp.", source="Assumption: a test")
    lamp.etch("Gd", irreversible=True, attempt=0.01)(lambda env: 0.0)
    made = trial()
    made.hop(mover="Gd")(lambda env: 3.0)
    simulation = Simulation(filled(room, ("Gd",) * room.n_sites), made.driven_by(lamp), KELVIN, seed=8)
    n_exposed, begin, left = simulation.crystal.exposed_sites.size, simulation.state.copy(), []
    for _ in range(600):
        naive.rewind(simulation, begin)
        simulation.run_to(time=70.0)
        left.append(configuration(simulation).count("Gd") - (room.n_sites - n_exposed))
    chance = math.exp(-0.01 * 70.0)
    binomial = [math.comb(n_exposed, k) * chance**k * (1 - chance) ** (n_exposed - k) for k in range(n_exposed + 1)]
    assert naive.chi_square_p(np.bincount(left, minlength=n_exposed + 1), binomial) > 1e-4
