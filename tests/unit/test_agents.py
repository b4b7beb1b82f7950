import gc
import multiprocessing
import weakref

import numpy as np
import pytest

from ucnp_abm import Model
from ucnp_abm.agents import model as model_module
from ucnp_abm.agents.agents import Ion, Vacancy
from ucnp_abm.errors import BadInput


@pytest.fixture
def model(small_particle):
    return Model(small_particle, "y-complex", temperature="300 °C", seed=7)


def test_every_site_has_one_agent(model):
    assert len(model.agents) == model.crystal.n_sites
    assert sorted(a.site for a in model.agents) == list(range(model.crystal.n_sites))
    assert len(model.agents_by_type[Vacancy]) == model.simulation.state.n_vacancies


def test_agents_see_what_the_loop_writes(model):
    event = model.fire()
    while event.verb != "hop":
        event = model.fire()
    ion = model.agent(event.slot)
    assert ion.site == event.move.site
    assert ion.species == event.species
    assert model.occupant(event.move.to).species == "vacancy"
    assert np.linalg.norm(ion.displacement) > 3


def test_docked_vacancy_is_an_ion_of_the_complex(model):
    event = model.fire()
    while event.verb != "dock":
        event = model.fire()
    docked = model.agent(event.slot)
    assert isinstance(docked, Ion)
    assert (docked.species, docked.origin) == ("Y", "complex")


def test_agents_are_born_and_retired_when_a_batch_returns(model):
    gone = model.vacancies
    n = len(gone)
    model.run(steps=2000)
    assert len(model.agents_by_type.get(Vacancy, ())) == model.simulation.state.n_vacancies < n
    assert len(model.agents) == model.crystal.n_sites
    with pytest.raises(BadInput, match="is gone"):
        _ = next(v for v in gone if v.generation != model.simulation.state.generation[v.slot]).site


def test_vacancies_are_ordered_by_identity(model):
    model.run(events=200)
    slots = [v.slot for v in model.vacancies]
    assert slots == sorted(slots)
    assert all(v.species == "vacancy" for v in model.vacancies)


def test_a_step_is_the_mean_time_between_two_hops_of_a_bulk_vacancy(model):
    model.step()
    assert model.kmc_steps == pytest.approx(1.0)
    assert model.kmc_time == pytest.approx(4.03, abs=0.01)


def test_model_and_simulation_walk_the_same_way(model, small_particle):
    other = Model(small_particle, "y-complex", seed=7)
    for _ in range(40):
        model.fire()
    other.run(events=40)
    assert model.digest() == other.digest()


def test_options_and_neighbours_are_consistent(model):
    vacancy = model.vacancies[3]
    hops = [m for m in vacancy.options() if m.verb == "hop"]
    around = {n.site for n in vacancy.neighbours if n.species != "vacancy"}
    assert {m.to for m in hops} == around
    ion = model.occupant(hops[0].to)
    assert any(m.site == vacancy.site for m in ion.options())


def test_agents_do_not_move_by_assignment(model):
    with pytest.raises(BadInput, match=r"model\.fire"):
        model.vacancies[0].cell = 3


def test_why_names_rule_environment_rate_and_words(model):
    event = model.fire()
    text = model.why(event)
    for part in ("y_complex.py line", "environment", f"{event.move.rate:.6g} /s", "candidate", "probability"):
        assert part in text


def test_why_gives_numbers_that_multiply(model):
    event = model.fire()
    assert event.probability == pytest.approx(event.move.rate / event.total_rate)
    assert event.move.rate == pytest.approx(
        event.move.attempt * np.exp(-event.move.activation / (8.617333262e-5 * event.move.temperature)), rel=1e-12
    )


def test_mesa_selects_and_collects(model):
    import mesa

    collector = mesa.DataCollector(model_reporters={"vacancies": lambda m: len(m.vacancies)})
    for _ in range(3):
        collector.collect(model)
        model.step()
    seen = collector.get_model_vars_dataframe()["vacancies"].tolist()
    assert seen == sorted(seen, reverse=True)
    moved = model.agents.select(lambda a: a.origin == "core" and a.layer == "shell")
    assert 0 < len(moved) < len(model.agents)


def test_above_the_limit_ions_are_made_when_they_are_asked_for(monkeypatch, small_particle):
    monkeypatch.setattr(model_module, "MAX_REGISTERED_IONS", 10)
    model = Model(small_particle, "no-complex", seed=1)
    assert len(model.agents) == model.simulation.state.n_vacancies
    assert isinstance(model.occupant(model.vacancies[0].neighbours[0].site), (Ion, Vacancy))


def test_importing_mesa_leaves_the_start_method_alone():
    assert multiprocessing.get_start_method(allow_none=True) != "spawn"


def test_a_dropped_model_is_collected(small_particle):
    model = Model(small_particle, "no-complex", seed=1)
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None
