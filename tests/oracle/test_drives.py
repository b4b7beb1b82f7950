"""Drives against closed forms: heat, pulses, ramps, assisted hops, driven docking, stripped ions."""

import itertools
import math

import naive
import numpy as np
import pytest
import scipy.stats
from naive import KB, configuration, filled, shuffled, with_energies
from scipy.special import exp1

from ucnp_abm import Mechanism, Protocol, Simulation, mechanism
from ucnp_abm.engine.schedule import Schedule
from ucnp_abm.registry import installed

KELVIN = 573.15
SCHEDULERS = ["rejection", "linear-scan"]
SITES = {("Y", "surface"): 0.03, ("vacancy", "surface"): -0.02, ("Gd", "core"): 0.015}
PAIRS = {("Gd", "Y"): 0.012, ("Y", "vacancy"): -0.009, ("vacancy", "vacancy"): 0.014}
REVERSIBLE = {"barrier": "1.60 eV", "dock_barrier": "1.60 eV", "chemical_potential": "20 meV"}


def arrhenius(barrier, kelvin=KELVIN):
    return 1e13 * math.exp(-barrier / (KB * kelvin))


def particle(seed=8):
    return filled(naive.fcc(), shuffled(np.random.default_rng(seed), Gd=7, Y=3, vacancy=3))


def with_pairs(name, **values):
    return with_energies(mechanism(name), SITES, PAIRS, **values)


def one_clock(barrier=1.68, **values):
    """One immobile vacancy and one event, under laser-thermal: a clock that stops when it is docked."""
    made = Mechanism("clock", summary="One event.", source="Assumption: a test")
    made.dock("Y", irreversible=True)(lambda env: barrier)
    return made.driven_by(installed().find("laser-thermal").with_parameters(**values))


def docking_times(rules, n_runs, scheduler="rejection", kelvin=KELVIN):
    """Time / s of the only event in so many runs."""
    start = tuple("vacancy" if n == 0 else "Gd" for n in range(9))
    simulation = Simulation(filled(naive.beta(), start), rules, kelvin, seed=1, scheduler=scheduler)
    before = simulation.state.copy()
    times = []
    for _ in range(n_runs):
        naive.rewind(simulation, before)
        assert simulation.run(events=1) == "count reached"
        times.append(simulation.time)
    return np.array(times)


def depth(times, edges, rates):
    """∫ k dt / 1 up to each time, for a rate that is constant between edges."""
    passed = np.concatenate([[0.0], np.cumsum(np.diff(edges) * rates[:-1])])
    segment = np.searchsorted(edges, times, side="right") - 1
    return passed[segment] + np.asarray(rates)[segment] * (times - np.asarray(edges)[segment])


# --- heat ---


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("name", ["no-complex", "y-complex"])
def test_constant_heat_is_the_run_of_a_hotter_furnace_bit_for_bit(name, scheduler):
    values = REVERSIBLE if name == "y-complex" else {}
    warm = with_pairs(f"{name}+laser-thermal", rise="30 K", **values)
    lit = Simulation(particle(), warm, KELVIN, seed=2, scheduler=scheduler)
    hot = Simulation(particle(), with_pairs(name, **values), KELVIN + 30, seed=2, scheduler=scheduler)
    for run in (lit, hot):
        run.run(events=500)
    assert lit.temperature == hot.temperature == KELVIN + 30
    assert lit.digest() == hot.digest()
    assert [lit.fire(live=True).time for _ in range(20)] == [hot.fire().time for _ in range(20)]
    assert lit.steps == pytest.approx(12 * arrhenius(1.65) * lit.time, rel=1e-12)
    assert hot.steps == pytest.approx(12 * arrhenius(1.65, KELVIN + 30) * lit.time, rel=1e-12)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_survival_of_one_event_follows_the_stairs_of_a_ramp(scheduler):
    rules = one_clock(rise="60 K", shape="ramp", begin="4 s", ramp_time="20 s", stairs=7)
    edges = np.array([0.0, *(4 + 20 * k / 7 for k in range(8))])
    levels = np.array([0.0, *((k + 0.5) / 7 for k in range(7)), 1.0])
    rates = np.array([arrhenius(1.68, KELVIN + 60 * level) for level in levels])
    times = docking_times(rules, 3000, scheduler)
    assert min(np.histogram(times, [*edges, np.inf])[0]) > 30
    assert scipy.stats.kstest(depth(times, edges, rates), "expon").pvalue > 1e-4


def ramp_integral(barrier, start, end, time):
    """∫ nu exp(-E/kT) dt over a linear ramp: nu t/(T1 - T0) [T exp(-a/T) - a E1(a/T)], a = E/k."""
    a = barrier / KB
    there, here = (t * np.exp(-a / t) - a * exp1(a / t) for t in (end, start))
    return 1e13 * time / (end - start) * (there - here)


def test_the_staircase_converges_to_the_ramp_with_the_square_of_the_stairs():
    """S = exp(-∫ k(T(t)) dt) has a closed form in E1; a stair at the ramp's mean level is the midpoint rule."""
    exact = ramp_integral(1.68, KELVIN, KELVIN + 60, 20.0)
    errors = []
    for stairs in (5, 10, 20, 40, 80):
        rules = one_clock(rise="60 K", shape="ramp", ramp_time="20 s", stairs=stairs)
        schedule = Schedule.of(Protocol.parse(KELVIN), rules.drives)
        assert schedule.edges[-1] == 20.0
        kelvins = [schedule.conditions[n].temperature for n in schedule.segments[:-1]]
        total = sum(arrhenius(1.68, t) * w for t, w in zip(kelvins, np.diff(schedule.edges), strict=True))
        errors.append(abs(total / exact - 1))
    assert [a / b for a, b in itertools.pairwise(errors)] == pytest.approx([4.0] * 4, rel=0.03)
    assert errors[2] < 1e-3  # the default number of stairs
    assert errors[4] < 1e-4


def test_survival_of_one_event_on_a_fine_staircase_is_that_of_the_ramp():
    times = docking_times(one_clock(rise="60 K", shape="ramp", ramp_time="20 s", stairs=200), 3000)
    reached = KELVIN + 60 * np.minimum(times, 20.0) / 20.0
    passed = ramp_integral(1.68, KELVIN, reached, np.minimum(times, 20.0))
    passed += arrhenius(1.68, KELVIN + 60) * np.maximum(times - 20.0, 0.0)
    assert scipy.stats.kstest(passed, "expon").pvalue > 1e-4


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_survival_of_one_event_is_carried_across_many_short_pulses(scheduler):
    """Waiting times span some ten pulses."""
    rules = one_clock(1.60, rise="80 K", shape="pulses", begin="0.1 s", pulse_time="0.05 s", period="0.5 s", pulses=40)
    edges = np.array([0.0, *itertools.chain(*((0.1 + 0.5 * n, 0.1 + 0.5 * n + 0.05) for n in range(40)))])
    rates = np.array([arrhenius(1.60), *[arrhenius(1.60, KELVIN + 80), arrhenius(1.60)] * 40])
    times = docking_times(rules, 3000, scheduler)
    assert scipy.stats.kstest(depth(times, edges, rates), "expon").pvalue > 1e-4
    inside = (np.searchsorted(edges, times, side="right") - 1) % 2 == 1
    ends = depth(np.append(edges, 1e9), edges, rates)
    shares = -np.diff(np.exp(-ends))
    assert naive.chi_square_p([inside.sum(), (~inside).sum()], [shares[1::2].sum(), shares[::2].sum()]) > 1e-4


PULSED = {"shape": "pulses", "begin": "3 s", "pulse_time": "0.2 s", "period": "0.9 s", "pulses": 70}


def pulsed(drive, scheduler, **options):
    values = {f"{drive}.{key}": value for key, value in PULSED.items()}
    extra = {"laser-thermal": {"rise": "70 K"}, "laser-dock": {"factor": 30.0}, "laser-strip": {"ion_yield": 2e-3}}
    rules = with_pairs(f"y-complex+{drive}", reservoir=6, **REVERSIBLE, **values, **extra.get(drive, {}))
    start = filled(naive.rectangle(), shuffled(np.random.default_rng(8), Gd=8, Y=2, vacancy=3))
    return Simulation(start, rules, "300 °C for 40 s, 310 °C", seed=3, scheduler=scheduler, **options)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("drive", ["laser-thermal", "laser-athermal", "laser-dock", "laser-strip"])
def test_a_pulsed_run_is_the_same_in_one_in_pieces_in_single_events_and_interpreted(drive, scheduler):
    end = 80.0
    whole = pulsed(drive, scheduler)
    whole.run_to(time=end)
    assert whole.state.events > 60
    pieces, twin, single = (
        pulsed(drive, scheduler),
        pulsed(drive, scheduler, interpreted=True),
        pulsed(drive, scheduler),
    )
    for stop in sorted(np.random.default_rng(4).uniform(0.0, end, 22)):
        pieces.run_to(time=stop)
    pieces.run_to(time=end)
    twin.run_to(time=end)
    while single.run_to(time=end, events=single.state.events + 1) == "count reached":
        pass
    fired = pulsed(drive, scheduler)
    while fired.fire(live=True, until=end) is not None:
        pass
    assert {run.digest() for run in (whole, pieces, twin, single, fired)} == {whole.digest()}


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_another_furnace_temperature_keeps_the_drive(scheduler):
    values = {"barrier": "1.55 eV", "rise": "40 K", "shape": "ramp", "ramp_time": "300 s"}
    rules = with_pairs("no-complex+laser-thermal", **values)
    planned = Simulation(particle(), rules, "280 °C for 100 s, 320 °C", seed=5, scheduler=scheduler)
    by_hand = Simulation(particle(), rules, "280 °C", seed=5, scheduler=scheduler)
    by_hand.run_to(time=100.0)
    assert by_hand.temperature == pytest.approx(553.15 + 40 * 6.5 / 20, rel=1e-14)
    by_hand.set_temperature(593.15)
    for run in (planned, by_hand):
        assert run.run_to(time=400.0) == "time reached"
        assert run.temperature == 633.15
    assert planned.state.events > 50
    assert planned.digest() == by_hand.digest()
    assert planned.steps == by_hand.steps


def test_steps_are_counted_with_the_furnace_only():
    dark = Simulation(particle(), mechanism("no-complex"), "280 °C for 1 min, 300 °C", seed=6)
    values = {"laser-thermal.rise": "100 K", "laser-thermal.shape": "ramp", "laser-thermal.ramp_time": "2 min"}
    lit = mechanism("no-complex+laser-thermal+laser-strip+laser-athermal", **values)
    lit = Simulation(particle(), lit, "280 °C for 1 min, 300 °C", seed=6)
    for run in (dark, lit):
        run.run_to(steps=300)
    assert lit.time == dark.time
    assert lit.steps == dark.steps == pytest.approx(300)
    assert lit.state.events > 2 * dark.state.events


# --- assisted hops ---


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("energies", [False, True], ids=["ideal", "pair energies"])
@pytest.mark.parametrize("relief", [0.4, 1.2, 1.27])
def test_exactly_the_hops_of_exposed_vacancies_gain_what_the_excitations_lend(energies, scheduler, relief):
    """eta G exp(-max(E_a - E_R, 0)/kT); also where the relief exceeds the barrier."""
    kind = with_pairs if energies else mechanism
    values = {"barrier": "0.9 eV" if relief == 1.2 else "1.65 eV"}
    light = {"relief": relief, "efficiency": 0.25, "intensity": "2 kW/cm²"}
    room = naive.rectangle()
    start = filled(room, shuffled(np.random.default_rng(9), Gd=7, Y=2, vacancy=4))
    dark = Simulation(start, kind("no-complex", **values), KELVIN, scheduler=scheduler)
    lit = Simulation(start, kind("no-complex+laser-athermal", **values, **light), KELVIN, scheduler=scheduler)
    zones = [room.zones[z] for z in room.site_zone]
    gained, total = set(), dark.total_rate()
    for site in range(room.n_sites):
        before = {(m.site, m.to): m for m in dark.options(site)}
        after = {(m.site, m.to): m for m in lit.options(site)}
        assert after.keys() == before.keys()
        for key, move in after.items():
            gain = 0.25 * 0.06 * 2000 * math.exp(-max(before[key].activation - relief, 0.0) / (KB * KELVIN))
            gain *= zones[key[0]] == "surface"
            assert move.rate == pytest.approx(before[key].rate + gain, rel=1e-12)
            assert move.assisted == pytest.approx(gain, rel=1e-12)
            assert gain or move.rate == before[key].rate
            total += gain * (configuration(lit)[site] == "vacancy")
            gained.add((zones[key[0]], gain > 0))
    assert gained >= {("surface", True), ("shell", False)}
    assert lit.total_rate() == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize(
    ("intensity", "kelvin", "gain"), [("4 W/cm²", 573.0, 0.004), ("1 kW/cm²", 573.0, 0.9), ("1 kW/cm²", 673.0, 0.02)]
)
def test_how_much_light_adds_to_a_hop_is_what_the_documentation_says(intensity, kelvin, gain):
    """G exp(E_R/kT)/nu, G = 0.06 /s per W/cm²: 0.4 % at 4 W/cm² and 300 °C, about 90 % at 1 kW/cm²."""
    watts = {"4 W/cm²": 4.0, "1 kW/cm²": 1000.0}[intensity]
    exact = 0.06 * watts * math.exp(1.27 / (KB * kelvin)) / 1e13
    assert exact == pytest.approx(gain, rel=0.15)
    rules = mechanism("no-complex+laser-athermal", intensity=intensity)
    run = Simulation(particle(), rules, kelvin)
    hops = [m for n in range(13) for m in run.options(n) if m.assisted]
    assert hops
    for move in hops:
        assert move.assisted / (move.rate - move.assisted) == pytest.approx(exact, rel=1e-9)


def test_light_of_4_watts_does_nothing_at_room_temperature():
    """0.24 /s exp(-0.38 eV/kT): fewer than 0.005 hops of an exposed vacancy in an hour over all 8 bonds."""
    rate = 0.24 * math.exp(-(1.65 - 1.27) / (KB * 298.15))
    assert 8 * 3600 * rate < 0.005
    start = filled(naive.beta(), ("vacancy", *["Gd"] * 8))
    run = Simulation(start, mechanism("no-complex+laser-athermal", intensity="4 W/cm²"), 298.15)
    assert run.total_rate() == pytest.approx(rate * sum(n >= 0 for n in run.crystal.neighbours(0)), rel=1e-6)


# --- driven docking ---


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_light_multiplies_docking_by_its_level_and_leaves_everything_else(scheduler):
    values = {**REVERSIBLE, "reservoir": 5}
    ramp = {"shape": "ramp", "ramp_time": "10 s", "stairs": 5, "begin": "1 s"}
    dark = Simulation(particle(), with_pairs("y-complex", **values), KELVIN, scheduler=scheduler)
    lit = with_pairs("y-complex+laser-dock", **values, factor=7.0, **ramp)
    lit = Simulation(particle(), lit, KELVIN, scheduler=scheduler)
    rates = {e: r for part in naive.engine_events(dark) for e, r in part.items()}
    assert {verb for verb, *_ in rates} == {"hop", "dock", "undock"}
    for time, level in ((0.5, 0.0), (1.5, 0.1), (4.0, 0.3), (10.5, 0.9), (12.0, 1.0)):
        lit.state.clock[:] = time
        now = {e: r for part in naive.engine_events(lit) for e, r in part.items()}
        for event, rate in rates.items():
            factor = 1 + level * 6.0 if event[0] == "dock" else 1.0
            assert now[event] == pytest.approx(factor * rate, rel=1e-13)
        assert now.keys() == rates.keys()


# --- stripped ions ---


def test_every_exposed_ion_is_stripped_at_the_same_rate_whatever_surrounds_it():
    rules = with_pairs("no-complex+laser-strip", intensity="3 kW/cm²", ion_yield=2e-5)
    run = Simulation(particle(), rules, 400.0)
    exposed = {n for n in range(13) if -1 in run.crystal.neighbours(n) and run.occupant(n) != "vacancy"}
    stripped = {m.site: m.rate for n in range(13) for m in run.options(n) if m.verb == "etch"}
    assert stripped.keys() == exposed
    assert list(stripped.values()) == pytest.approx([2e-5 * 0.06 * 3000] * len(exposed), rel=1e-12)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_stripping_is_independent_from_ion_to_ion(scheduler):
    """At 200 K nothing hops: how many of 12 exposed ions are gone is binomial, pulses or not."""
    rules = mechanism(
        "no-complex+laser-strip", ion_yield=1e-3, shape="pulses", pulse_time="2 s", period="7 s", pulses=6
    )
    start = ("Gd",) * 13
    run = Simulation(filled(naive.fcc(), start), rules, 200.0, seed=7, scheduler=scheduler)
    before = run.state.copy()
    n = len(run.crystal.exposed_sites)
    assert n == 12
    seen = np.zeros((2, n + 1), dtype=int)
    for _ in range(2000):
        naive.rewind(run, before)
        for row, time in zip(seen, (8.0, 50.0), strict=True):
            run.run_to(time=time)
            row[run.state.n_vacancies] += 1
    for row, lit in zip(seen, (3.0, 12.0), strict=True):
        chances = scipy.stats.binom.pmf(np.arange(n + 1), n, -math.expm1(-0.06 * lit))
        assert naive.chi_square_p(row, chances) > 1e-4


# --- two at once ---


def test_two_drives_act_side_by_side_each_at_its_own_level():
    name = "y-complex+laser-thermal+laser-strip"
    courses = {
        **{"laser-thermal.shape": "ramp", "laser-thermal.ramp_time": "10 s", "laser-thermal.stairs": 10},
        **{"laser-strip.shape": "pulses", "laser-strip.pulse_time": "2 s", "laser-strip.period": "4 s"},
    }
    rules = with_pairs(name, **REVERSIBLE, ion_yield=0.01, rise="50 K", **courses)
    run = Simulation(particle(), rules, KELVIN, seed=8)
    for time, levels in ((0.5, (0.05, 1.0)), (2.5, (0.25, 0.0)), (4.5, (0.45, 1.0)), (11.0, (1.0, 0.0))):
        run.state.clock[:] = time
        expected = naive.System(naive.fcc(), rules, KELVIN, start=configuration(run), levels=levels)
        rates = {e: rate for e, (rate, _) in expected.events(configuration(run)).items()}
        vacancies, ions = naive.engine_events(run)
        assert vacancies | ions == pytest.approx(rates, rel=1e-12)
        assert run.total_rate() == pytest.approx(sum(rates.values()), rel=1e-12)
