"""A run goes on under an edited mechanism: state and key stay, and what cannot be used changes nothing."""

import pytest

from ucnp_abm import Model, Simulation, mechanism, registry
from ucnp_abm.errors import BadInput, BadPlugin, BadRate

TEXT = """
from ucnp_abm import IONS, Mechanism, hookimpl

trial = Mechanism("trial", summary="A trial.", source="Assumption: a test")
trial.parameter("barrier", "1.65 eV", doc="A barrier.")


@trial.hop(mover=IONS)
def law(env):
    return env.p.barrier + 0.0


@trial.dock("Lu", irreversible=True)
def attach(env):
    return 1.2


@hookimpl
def ucnp_mechanisms():
    return [trial]
"""


@pytest.fixture
def file(tmp_path):
    """A plugin file that is loaded for one test."""
    path = tmp_path / "trial.py"
    path.write_text(TEXT)
    with registry.beside([path]):
        yield path


def test_a_reload_keeps_state_time_and_key(small_particle):
    run = Simulation(small_particle, mechanism("no-complex"), seed=3)
    run.run(steps=5)
    before = run.state.species.copy(), run.time, run.key, run.state.events
    assert run.reload(mechanism("y-complex", dock_barrier="1.3 eV"))
    assert (run.state.species == before[0]).all()
    assert (run.time, run.key, run.state.events) == before[1:]
    assert run.mechanism.name == "y-complex"
    run.run(steps=50)
    assert run.state.n_vacancies < (before[0][run.crystal.sites] == 0).sum()


def test_a_reloaded_run_is_the_branch_under_that_mechanism(small_particle):
    run = Simulation(small_particle, mechanism("no-complex"), seed=3)
    run.run(events=500)
    branch = run.branch(mechanism=mechanism("gd-complex"))
    run.reload(mechanism("gd-complex"))
    run.run(events=500)
    branch.run(events=500)
    assert run.digest() == branch.digest()


def test_if_no_energy_changed_all_goes_on_as_if_nothing_had_happened(small_particle):
    run, twin = (Simulation(small_particle, mechanism("y-complex"), seed=3) for _ in range(2))
    run.remember(100)
    run.run(events=50)
    start = run.digest()
    assert not run.reload(mechanism("y-complex", barrier="1.65 eV"))
    run.run(events=50)
    twin.run(events=100)
    assert run.digest() == twin.digest()
    run.back(50)
    assert run.digest() == start  # the past stays


def test_nothing_before_a_change_of_rates_can_be_gone_back_to(small_particle):
    run = Simulation(small_particle, mechanism("no-complex"), seed=3)
    run.remember(1000)
    run.run(events=50)
    run.reload(mechanism("no-complex", barrier="1.6 eV"))
    here = run.digest()
    run.run(events=20)
    run.back(20)
    assert run.digest() == here
    with pytest.raises(BadInput, match="this run has had 0 since event 50"):
        run.back(1)


def test_a_mechanism_that_cannot_be_used_changes_nothing(small_particle):
    run, twin = (Simulation(small_particle, mechanism("no-complex"), seed=3) for _ in range(2))
    run.run(events=50)
    wrong = mechanism("no-complex").with_parameters()
    wrong.hops.clear()
    wrong.hop(mover="Gd")(lambda env: -1.0)
    with pytest.raises(BadRate, match="at least 0 eV"):
        run.reload(wrong)
    run.run(events=50)
    twin.run(events=100)
    assert run.digest() == twin.digest()
    assert run.mechanism.name == "no-complex"


def test_an_edited_file_takes_effect_where_the_run_is(small_particle, file):
    model = Model(small_particle, "trial", seed=5)
    model.run(events=100)
    file.write_text(TEXT.replace("+ 0.0", "+ 0.1 * (env.mover == 'Gd')"))
    assert model.reload()
    assert model.simulation.state.events == 100
    moves = [move for vacancy in model.vacancies for move in vacancy.options() if move.species == "Gd"]
    assert {move.barrier for move in moves} == {1.75}
    assert model.fire(live=True)


def test_values_that_were_set_outlive_a_reload(small_particle, file):
    model = Model(small_particle, mechanism("trial", barrier="1.5 eV"), seed=5)
    file.write_text(TEXT.replace('summary="A trial."', 'summary="Another one."'))
    assert not model.reload()
    assert model.simulation.mechanism.values["barrier"] == 1.5
    assert model.simulation.mechanism.summary == "Another one."


def test_a_file_that_is_wrong_now_leaves_the_run_as_it_was(small_particle, file):
    model = Model(small_particle, "trial", seed=5)
    model.run(events=10)
    digest = model.digest()
    file.write_text(TEXT.replace("return env.p", "retrun env.p"))
    with pytest.raises(BadPlugin, match=r"trial.py.*line 10"):
        model.reload()
    file.write_text(TEXT.replace("+ 0.0", "- 9.0"))
    with pytest.raises(BadRate, match="at least 0 eV"):
        model.reload()
    assert model.digest() == digest
    assert model.fire()


def test_agents_stay_and_the_bath_is_that_of_the_new_mechanism(small_particle):
    model = Model(small_particle, "no-complex", seed=5)
    model.run(events=100)
    vacancy = model.vacancies[3]
    assert not model.complexes
    model.reload("y-complex")
    assert [bath.species for bath in model.complexes] == ["Y"]
    assert model.vacancies[3] is vacancy
    assert len(model.agents) == model.crystal.n_sites + 1
    model.reload("gd-complex")
    assert [bath.species for bath in model.complexes] == ["Gd"]
    assert len(model.agents) == model.crystal.n_sites + 1
    model.run(steps=20)
    assert sum(event == "Gd" for event in (ion.species for ion in model.agents)) > 0


def test_a_mechanism_made_in_python_must_be_given(small_particle):
    model = Model(small_particle, mechanism("no-complex").driven_by(), seed=5)
    model.simulation.mechanism.name = "made here"
    with pytest.raises(BadInput, match="'made here' came from no file; give the mechanism"):
        model.reload()
