"""Observables: columns, units, families, and what a plugin may add."""

import math

import numpy as np
import pytest

from ucnp_abm import IONS, Mechanism, Particle, Simulation, mechanism, observables
from ucnp_abm.errors import BadInput
from ucnp_abm.observables import DEFAULT, OBSERVABLES, SUFFIXES, Observable, observable, read, register

HOT = "300 °C"
OTHER_UNITS = {"tau_450_ms": "ms", "i_450": "photons/s", "k_eff": "quenchings/s"}


def made(**site_rules):
    """A mechanism whose ions hop, with site rules by (verb, options)."""
    built = Mechanism("made", summary="For tests.", source="Assumption: none")
    built.hop(mover=IONS)(lambda env: 1.65)
    for verb, (arguments, options) in site_rules.items():
        getattr(built, verb)(*arguments, **options)(lambda env: 1.3)
    return built


@pytest.fixture
def run(small_particle):
    def go(chosen, steps=60, seed=3):
        simulation = Simulation(small_particle, chosen, HOT, seed=seed)
        simulation.run(steps=steps)
        return simulation

    return go


@pytest.fixture
def own_registry(monkeypatch):
    monkeypatch.setattr(observables, "OBSERVABLES", dict(OBSERVABLES))


# --- what ships ---


def test_default_columns_are_those_of_every_run(small_particle):
    seen = read(Simulation(small_particle, mechanism("y-complex"), HOT))
    assert tuple(seen) == DEFAULT
    shown = "t_s steps events vacancies outside_core_pct docked charge_budget reversals_pct"
    assert " ".join(DEFAULT) == shown
    assert seen == dict.fromkeys(DEFAULT, 0) | {"vacancies": small_particle.counts["vacancy"]}


def test_every_observable_says_what_it_is_and_its_name_carries_the_unit():
    told = observables.describe()
    assert [name for name, _, _ in told] == list(OBSERVABLES)
    for name, unit, doc in told:
        assert doc.endswith(".")
        assert unit not in SUFFIXES or f"_{name}".endswith(f"_{SUFFIXES[unit]}")
        ending = name.rpartition("_")[2]
        assert unit == next((u for u, suffix in SUFFIXES.items() if suffix == ending), OTHER_UNITS.get(name, ""))


@pytest.mark.parametrize("name", sorted(OBSERVABLES))
@pytest.mark.parametrize("kind", ["particle", "box"])
def test_every_observable_keeps_its_columns_and_gives_numbers(small_particle, kind, name):
    grown = small_particle if kind == "particle" else Particle.box(lattice="sc", cells=(5, 5, 5), composition="Y")
    simulation = Simulation(grown, mechanism("y-complex"), HOT, seed=1)
    before = read(simulation, [name])
    simulation.run(steps=20)
    after = read(simulation, [name])
    assert list(before) == list(after)
    assert all(type(value) in (int, float) for value in after.values())
    assert all(column.isidentifier() for column in after)


def test_all_observables_together(run):
    simulation = run(mechanism("y-complex"))
    seen = read(simulation, OBSERVABLES)
    assert seen["vacancies"] == sum(n for c, n in seen.items() if c.startswith("vacancies_"))
    assert seen["docked_Y"] == seen["docked"] == seen["events_dock_Y"]
    assert seen["events"] == seen["events_hop"] + seen["events_dock_Y"]
    assert seen["acceptance_pct"] == pytest.approx(100 * seen["events"] / seen["candidates"])
    assert seen["charge_budget"] == 3 * seen["docked"]
    assert 0 < seen["width_erf_nm"] < seen["width_10_90_nm"]
    assert seen["rms_displacement_nm"] > 0
    assert 0 < seen["outside_core_pct"] < 30
    assert seen["warren_cowley_Y_Gd"] > 0 > seen["warren_cowley_Gd_Yb"]


def test_temperature_is_that_of_the_moment(small_particle):
    simulation = Simulation(small_particle, mechanism("no-complex"), "300 °C for 1 s, 350 °C")
    seen = [read(simulation, ["T_K"])["T_K"]]
    simulation.run(time="2 s")
    assert [*seen, read(simulation, ["T_K"])["T_K"]] == pytest.approx([573.15, 623.15])


def test_layers_of_a_multilayer_have_their_columns():
    grown = Particle.core_shell(core="NaGdF4", diameter="2 nm", shells=(("NaYbF4", "0.6 nm"), ("NaYF4", "0.6 nm")))
    seen = read(Simulation(grown, mechanism("no-complex"), HOT), ["outside_by_layer_pct"])
    assert seen == {"outside_core_pct": 0, "outside_shell_1_pct": 0, "outside_shell_2_pct": 0}


def test_no_core_ion_is_outside_after_docking_alone(small_particle):
    chosen = Mechanism("dock only", summary="For tests.", source="Assumption: none")
    chosen.dock("Gd", irreversible=True)(lambda env: 1.2)
    simulation = Simulation(small_particle, chosen, HOT)
    simulation.run(events=20)
    assert read(simulation, ["outside_core_pct", "docked_by_species"]) == {"outside_core_pct": 0, "docked_Gd": 20}


# --- dockings among other verbs ---


def test_sunk_vacancy_is_not_docked(run):
    simulation = run(made(sink=((), {"irreversible": True})))
    seen = read(simulation, ["docked", "voids", "vacancies", "events_by_channel"])
    assert seen["voids"] > 0
    assert seen["docked"] == 0
    assert seen["voids"] == simulation.particle.counts["vacancy"] - seen["vacancies"]
    assert seen["voids"] == seen["events_sink_vacancy"]


def test_etched_and_swapped_ions_are_no_undockings(run):
    rules = {
        "dock": (("Y",), {"irreversible": True}),
        "etch": ((("Gd", "Yb", "Na"),), {"irreversible": True}),
        "swap": (("Y", "Lu"), {"irreversible": True}),
    }
    simulation = run(made(**rules))
    seen = read(simulation, ["docked", "docked_by_species", "events_by_channel"])
    assert seen["docked"] == seen["events_dock_Y"] > 0
    assert seen["docked_Lu"] > 0
    assert seen["docked_Y"] + seen["docked_Lu"] != seen["docked"]


def test_undockings_are_subtracted(run):
    simulation = run(made(dock=(("Y",), {"chemical_potential": 0.0})), steps=20)
    seen = read(simulation, ["docked", "vacancies", "events_by_channel"])
    assert seen["events_undock_Y"] > 0
    assert seen["docked"] == seen["events_dock_Y"] - seen["events_undock_Y"]
    assert seen["docked"] == simulation.particle.counts["vacancy"] - seen["vacancies"]


def test_reservoir_and_docked_ions_add_up(run):
    chosen = made(dock=(("Y",), {"irreversible": True}))
    chosen.reservoir("Y", size=40)
    seen = read(run(chosen), ["docked", "reservoir_left"])
    assert 0 < seen["docked"] <= 40
    assert seen["reservoir_Y"] + seen["docked"] == 40


def test_infinite_reservoirs_have_no_column(run):
    assert read(run(mechanism("y-complex"), steps=1), ["reservoir_left"]) == {}


# --- what a plugin adds ---


@observable("exposed_vacancies", unit="")
def exposed(simulation):
    """Vacancies on sites where a neighbour is missing.

    More words.
    """
    return np.int64(simulation.state.n_exposed_vacancies)


def test_decorated_function_is_an_observable_that_nobody_knows_yet(small_particle):
    simulation = Simulation(small_particle, mechanism("no-complex"), HOT)
    assert exposed.doc == "Vacancies on sites where a neighbour is missing."
    assert exposed(simulation) == simulation.state.n_exposed_vacancies
    assert "exposed_vacancies" not in OBSERVABLES


@pytest.mark.usefixtures("own_registry")
def test_registered_observable_is_read_by_name_as_a_plain_number(small_particle):
    register(exposed)
    seen = read(Simulation(small_particle, mechanism("no-complex"), HOT), ["t_s", "exposed_vacancies"])
    assert type(seen["exposed_vacancies"]) is int
    assert seen["exposed_vacancies"] > 0


def told(simulation):
    """A number."""
    return 1.0


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (told, "expected an Observable, made with @observable"),
        (observable("vacancies", unit="")(told), "name is taken .Vacancies now"),
        (observable("a-b", unit="")(told), "expected a name such as 'r_nm'"),
        (observable(3, unit="")(told), "expected a name such as 'r_nm'"),
        (observable("strain", unit=None)(told), "expected a unit such as 'nm'"),
        (observable("strain", unit="%")(told), "its name must end with '_pct'"),
        (observable("mass", unit="s")(told), "its name must end with '_s'"),
        (observable("strain", unit="")(lambda simulation: 1.0), "needs a docstring"),
        (Observable("strain", "", "A number.", 1.0), "expected a function"),
    ],
)
def test_observable_that_would_not_fit_is_refused(wrong, text):
    with pytest.raises(BadInput, match=text):
        register(wrong)


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize(
    "value", [None, "3", True, [1.0], 1j, math.inf, {"a b": 1.0}, {1: 1.0}, {"a": None}, ZeroDivisionError("by 0")]
)
def test_observable_that_fails_is_named_with_the_time(small_particle, value):
    def broken(simulation):
        """Nothing good."""
        if isinstance(value, Exception):
            raise value
        return value

    register(observable("broken", unit="")(broken))
    simulation = Simulation(small_particle, mechanism("no-complex"), HOT)
    simulation.run(time=12.5)
    with pytest.raises(BadInput, match=r"'broken' at 12\.5 s"):
        read(simulation, ["broken"])


@pytest.mark.usefixtures("own_registry")
def test_what_is_not_defined_is_nan(small_particle):
    register(Observable("undefined", "", "Not a number.", lambda simulation: math.nan))
    simulation = Simulation(small_particle, mechanism("no-complex"), HOT)
    assert math.isnan(read(simulation, ["undefined"])["undefined"])


@pytest.mark.usefixtures("own_registry")
def test_two_families_cannot_share_a_column(small_particle):
    register(Observable("zones_again", "", "The same.", OBSERVABLES["vacancies_by_zone"].read))
    simulation = Simulation(small_particle, mechanism("no-complex"), HOT)
    with pytest.raises(BadInput, match="column 'vacancies_core' is that of another"):
        read(simulation, ["vacancies_by_zone", "zones_again"])


def test_share_outside_the_core_may_be_asked_for_twice(run):
    seen = read(run(mechanism("no-complex")), ["outside_core_pct", "outside_by_layer_pct", "outside_core_pct"])
    assert list(seen) == ["outside_core_pct", "outside_shell_pct"]


def test_unknown_observable_is_refused_with_the_nearest(small_particle):
    with pytest.raises(BadInput, match="did you mean 'outside_core_pct'"):
        read(Simulation(small_particle, mechanism("no-complex"), HOT), ["outside_core"])
