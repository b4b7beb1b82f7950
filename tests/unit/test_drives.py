"""Drives: their courses over time, the schedule that follows, and what is refused in one clear sentence."""

import math

import pytest

from ucnp_abm import Drive, Mechanism, Protocol, Simulation, UcnpError, mechanism
from ucnp_abm.engine.schedule import Condition, Schedule
from ucnp_abm.errors import BadInput, BadMechanism
from ucnp_abm.registry import installed


def lamp(**values):
    made = Drive("lamp", summary="A lamp warms the bath.", source="Assumption: a test")
    rise = made.parameter("rise", "20 K", kind="temperature difference", doc="How much warmer.")
    made.warm(rise)
    return made.with_parameters(**values)


# --- courses ---


def test_a_constant_drive_is_full_from_its_begin():
    assert lamp().profile() == [(0.0, 1.0)]
    assert lamp(begin="2 min").profile() == [(120.0, 1.0)]


def test_a_ramp_is_a_staircase_at_the_ramps_mean_levels_that_ends_full():
    profile = lamp(shape="ramp", begin="10 s", ramp_time="1 min", stairs=4).profile()
    assert profile == [(10.0, 0.125), (25.0, 0.375), (40.0, 0.625), (55.0, 0.875), (70.0, 1.0)]
    area = sum(level * 15.0 for _, level in profile[:-1])
    assert area == 60.0 / 2


def test_pulses_begin_and_end_and_are_as_many_as_asked_for():
    profile = lamp(shape="pulses", begin="1 s", pulse_time="2 s", period="10 s", pulses=3).profile()
    assert profile == [(1.0, 1.0), (3.0, 0.0), (11.0, 1.0), (13.0, 0.0), (21.0, 1.0), (23.0, 0.0)]


# --- the schedule ---


def test_a_schedule_has_the_edges_of_furnace_and_drive_and_adds_the_heat():
    protocol = Protocol.parse("500 K for 20 s, 600 K")
    schedule = Schedule.of(protocol, [lamp(shape="pulses", begin="5 s", pulse_time="20 s", period="40 s", pulses=1)])
    assert schedule.edges == (0.0, 5.0, 20.0, 25.0)
    assert [schedule.conditions[n] for n in schedule.segments] == [
        Condition(500.0, (0.0,)),
        Condition(520.0, (1.0,)),
        Condition(620.0, (1.0,)),
        Condition(600.0, (0.0,)),
    ]
    assert [schedule.condition(t).temperature for t in (0.0, 4.9, 5.0, 20.0, 24.9, 25.0, 1e9)] == [
        *(500.0, 500.0, 520.0, 620.0, 620.0, 600.0, 600.0)
    ]


def test_edges_that_coincide_are_one_and_equal_conditions_are_one():
    pulses = {"shape": "pulses", "pulse_time": "1 s", "period": "2 s", "pulses": 50}
    schedule = Schedule.of(Protocol.parse("500 K"), [lamp(**pulses), lamp(**pulses)])
    assert len(schedule.edges) == len(set(schedule.edges)) == 100
    assert schedule.conditions == (Condition(540.0, (1.0, 1.0)), Condition(500.0, (0.0, 0.0)))


def test_without_drives_the_schedule_is_the_protocol():
    protocol = Protocol.parse("500 K for 20 s, 600 K for 10 s, 500 K")
    schedule = Schedule.of(protocol)
    assert schedule.edges == protocol.edges
    assert schedule.conditions == (Condition(500.0), Condition(600.0))
    assert schedule.segments == (0, 1, 0)


# --- values ---


def test_parameters_of_a_drive_are_set_by_their_bare_or_their_full_name():
    bare = mechanism("y-complex+laser-thermal", rise="50 K", barrier="1.6 eV")
    full = mechanism("y-complex+laser-thermal", **{"laser-thermal.rise": "50 K", "y-complex.barrier": "1.6 eV"})
    assert bare.all_values() == full.all_values()
    assert bare.all_values()["laser-thermal.rise"] == 50.0
    assert bare.name == "y-complex+laser-thermal"


def test_a_copy_under_drives_leaves_mechanism_and_drive_as_they_were():
    before = mechanism("y-complex").all_values(), dict(installed().find("laser-thermal").values)
    mechanism("y-complex+laser-thermal", rise="50 K", dock_barrier="1 eV")
    assert (mechanism("y-complex").all_values(), dict(installed().find("laser-thermal").values)) == before
    assert not mechanism("y-complex").drives


def test_a_drive_that_has_not_begun_changes_nothing(small_particle):
    runs = [Simulation(small_particle, mechanism("no-complex"), "300 °C", seed=1)]
    lit = mechanism(
        "no-complex+laser-thermal+laser-athermal", **{f"laser-{k}.begin": "10 h" for k in ("thermal", "athermal")}
    )
    runs.append(Simulation(small_particle, lit, "300 °C", seed=1))
    for run in runs:
        run.run(events=300)
    assert runs[0].digest() == runs[1].digest()


# --- refusals ---


def refused(message, call, error=BadInput):
    with pytest.raises(error) as caught:
        call()
    text = str(caught.value)
    assert isinstance(caught.value, UcnpError)
    assert all(word in text for word in message), text
    assert "\n" not in text
    assert text.count(". ") == 0  # one sentence


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("laser-thermal", ["'laser-thermal' is a drive", "no-complex+laser-thermal"]),
        ("laser-thermal+laser-strip", ["is a drive", "combine"]),
        ("no-complex+y-complex", ["no-complex and y-complex", "one mechanism"]),
        ("no-complex+laser-thermal+laser-thermal", ["'laser-thermal' is given twice"]),
        ("no-complex+laser-dock", ["'laser-dock' acts on 'dock'", "'no-complex' has no such rule"]),
        ("cation-exchange+laser-dock", ["acts on 'dock'", "'cation-exchange'"]),
        ("no-complex+laser-termal", ["'laser-termal'", "did you mean 'laser-thermal'"]),
        ("no-complex+", ["unknown mechanism ''"]),
    ],
)
def test_a_combination_that_cannot_be_meant_is_refused(name, message):
    refused(message, lambda: mechanism(name))


def test_two_drives_that_assist_hops_are_refused():
    other = Drive("other", summary="Assists too.", source="Assumption: a test")
    other.assist_hops(rate=1.0, relief=1.0)
    athermal = installed().find("laser-athermal")
    refused(["two drives that assist hops"], lambda: mechanism("no-complex").driven_by(athermal, other))


def test_a_drive_that_assists_hops_needs_some():
    still = Mechanism("still", summary="Nothing hops.", source="Assumption: a test")
    still.dock("Y", irreversible=True)(lambda env: 1.0)
    refused(["assists hops", "'still' has none"], lambda: still.driven_by(installed().find("laser-athermal")))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rise": "50 °C"}, ["laser-thermal.rise", "temperature difference", "50 °C"]),
        ({"rise": "-5 K"}, ["laser-thermal.rise", "0 to 2000 K", "-5 K"]),
        ({"rise": "3000 K"}, ["laser-thermal.rise", "0 to 2000 K"]),
        ({"shape": "pulse"}, ["shape", "did you mean 'pulses'"]),
        ({"shape": 3}, ["shape", "allowed: constant, ramp, pulses"]),
        ({"stairs": 0}, ["stairs", "1 to 10000"]),
        ({"stairs": 2.5}, ["stairs", "whole number"]),
        ({"pulses": 0}, ["pulses", "1 to 50000"]),
        ({"pulses": 60_000}, ["pulses", "1 to 50000"]),
        ({"period": "0 s"}, ["period", "at least 1e-12 s"]),
        ({"begin": "-1 s"}, ["begin", "at least 0 s"]),
        ({"begin": "300 °C"}, ["begin", "a time such as"]),
        ({"rize": "50 K"}, ["'rize'", "rise"]),
        ({"laser-termal.rise": "5 K"}, ["'laser-termal'", "did you mean 'laser-thermal'"]),
        ({"laser-thermal.barrier": "1 eV"}, ["'barrier'"]),
    ],
)
def test_a_value_of_a_drive_that_does_not_fit_is_refused(values, message):
    refused(message, lambda: mechanism("no-complex+laser-thermal", **values))


def test_a_bare_name_that_two_drives_know_is_ambiguous():
    name = "no-complex+laser-thermal+laser-strip"
    refused(["'shape' is ambiguous", "'laser-thermal.shape'"], lambda: mechanism(name, shape="ramp"))
    chosen = mechanism(name, **{"laser-strip.shape": "ramp"}).all_values()
    assert (chosen["laser-thermal.shape"], chosen["laser-strip.shape"]) == ("constant", "ramp")


@pytest.mark.parametrize("pulse_time", ["60 s", "61 s"])
def test_pulses_longer_than_their_period_are_refused(small_particle, pulse_time):
    rules = mechanism("no-complex+laser-thermal", shape="pulses", pulse_time=pulse_time)
    refused(["laser-thermal", "does not fit into a period of 60 s"], lambda: Simulation(small_particle, rules))


def test_too_many_edges_are_refused(small_particle):
    values = {}
    for n, drive in enumerate(("laser-thermal", "laser-strip")):
        values |= {f"{drive}.shape": "pulses", f"{drive}.pulses": 30_000, f"{drive}.begin": 10.0 * n}
    rules = mechanism("no-complex+laser-thermal+laser-strip", **values)
    refused(["120,000 edges", "100,000", "fewer pulses"], lambda: Simulation(small_particle, rules))


def test_heat_above_3000_kelvin_is_refused(small_particle):
    rules = mechanism("no-complex+laser-thermal", rise="2000 K")
    refused(["3100 K", "3000 K"], lambda: Simulation(small_particle, rules, "1100 K"))
    Simulation(small_particle, rules, "1000 K")


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda d: d.multiply("hop", 2.0), ["multiply", "'dock'", "'hop'"]),
        (
            lambda d: d.multiply("dock", mechanism("y-complex").parameters["activity"]),
            ["parameter of this", "'activity'"],
        ),
        (lambda d: d.warm(mechanism("y-complex").parameters["barrier"]), ["parameter of this", "'barrier'"]),
        (lambda d: d.etch("Y"), ["etch has no way back", "irreversible=True"]),
        (lambda d: d.etch("Yy", irreversible=True), ["'Yy'", "did you mean 'Y"]),
        (lambda d: d.parameter("shape", 1.0, kind="number", doc="x"), ["lamp", "shape", "twice"]),
    ],
)
def test_a_drive_that_declares_nonsense_is_refused(act, message):
    refused(message, lambda: act(lamp()), BadMechanism)


@pytest.mark.parametrize("bad", [-1.0, math.nan, lambda p: -1.0])
def test_effects_that_come_out_negative_or_as_no_number_are_refused(small_particle, bad):
    drive = lamp()
    drive.multiply("dock", bad)
    with pytest.raises(UcnpError, match="multiply dock"):
        Simulation(small_particle, mechanism("y-complex").driven_by(drive))


def test_a_drive_takes_the_lattices_default_too():
    drive = Drive("trial", summary="A trial.", source="Assumption: a test")
    rise = drive.parameter("rise", "20 K", kind="temperature difference", by_lattice={"alpha": "100 K"}, doc="Heat.")
    drive.warm(rise)
    driven = mechanism("no-complex").driven_by(drive)
    assert driven.on("alpha").drives[0].rise() == 100.0
    assert driven.on("beta").drives[0].rise() == 20.0


def test_a_parameter_of_another_kind_is_refused_as_an_amount():
    drive = Drive("trial", summary="A trial.", source="Assumption: a test")
    energy = drive.parameter("energy", "1 eV", doc="No temperature.")
    with pytest.raises(UcnpError, match="expected a temperature difference"):
        drive.warm(energy)


def test_pulses_too_short_for_the_clock_are_refused():
    lamp = mechanism("no-complex+laser-thermal", shape="pulses", begin=1e10, pulse_time=1e-9, pulses=1)
    with pytest.raises(UcnpError, match="too short to tell"):
        lamp.drives[0].profile()
