"""Going back, seen from the agents: who is there, since when, and what they remember."""

from __future__ import annotations

import pytest

from ucnp_abm import Model
from ucnp_abm.agents import model as model_module
from ucnp_abm.agents.agents import Ion, Vacancy
from ucnp_abm.engine.moves import explain
from ucnp_abm.errors import BadInput

SEEN = ("unique_id", "slot", "generation", "site", "species", "origin", "age")


def census(model):
    """All that one can see of every occupant."""
    told = [[str(value) for value in row] for row in model.space.agents.get(SEEN)]
    paths = [agent.displacement.tolist() for agent in model.space.agents]
    return sorted(zip(told, paths, strict=True))


@pytest.fixture(params=[model_module.MAX_REGISTERED_IONS, 10], ids=["registered", "on access"])
def model(request, small_particle, monkeypatch):
    monkeypatch.setattr(model_module, "MAX_REGISTERED_IONS", request.param)
    return Model(small_particle, "y-complex", seed=7)


def test_agents_after_a_way_back_are_those_that_were_there(model):
    told = [census(model)]
    for _ in range(6):
        model.run(events=40)
        told.append(census(model))
    assert model.complex("Y").n_docked > 5
    for then in reversed(told[:-1]):
        model.back(events=40)
        assert census(model) == then
    for then in told[1:]:
        model.run(events=40)
        assert census(model) == then


def test_a_docked_vacancy_that_somebody_holds_comes_back_as_itself(model):
    event = model.fire()
    while event.verb != "dock":
        event = model.fire()
    docked = model.agent(event.slot)
    model.back()
    vacancy = model.agent(event.slot)
    assert type(docked) is Ion
    assert not docked.is_alive
    assert type(vacancy) is Vacancy
    model.fire()
    assert model.agent(event.slot) is docked
    assert docked.is_alive
    assert not vacancy.is_alive
    with pytest.raises(BadInput, match="is gone"):
        _ = vacancy.site
    model.back()
    assert model.agent(event.slot) is vacancy
    assert vacancy in model.agents


def test_an_ion_docked_inside_a_run_counts_its_way_from_where_it_docked(model, small_particle):
    told = Model(small_particle, "y-complex", seed=7)
    model.run(events=300)
    while told.simulation.state.events < 300:
        told.fire()
    ways = {ion.slot: ion.displacement.tolist() for ion in model.complex("Y").docked}
    assert any(max(map(abs, way)) > 1 for way in ways.values())
    assert ways == {slot: told.agent(slot).displacement.tolist() for slot in ways}


def test_history_forgets_what_is_undone_and_tells_it_again(small_particle):
    model = Model(small_particle, "y-complex", seed=7, history=True)
    model.run(events=60)

    def remembered():
        return {slot: [(e.number, explain(e)) for e in model.history_of(slot)] for slot in range(model.crystal.n_sites)}

    whole = remembered()
    model.back(events=25)
    assert max(number for events in remembered().values() for number, _ in events) == 35
    model.goto(event=60)
    assert remembered() == whole
    model.goto(event=20)
    model.goto(time=model.simulation.time * 3)
    assert remembered() == {
        slot: [e for e in events if e[0] <= model.simulation.state.events] for slot, events in whole.items()
    }


def test_a_branch_is_a_model_of_its_own(model):
    model.run(events=100)
    here = census(model)
    same, other, gd = model.branch(), model.branch(seed=8), model.branch(mechanism="gd-complex")
    assert census(same) == census(other) == here
    assert gd.complex("Gd").n_docked == 0
    for one in (model, same, other, gd):
        one.run(events=100)
    assert same.digest() == model.digest() != other.digest()
    assert gd.complex("Gd").n_docked > 0
    other.back(events=100)
    assert census(other) == here
    with pytest.raises(BadInput, match="this run has had 0 since event 100, where its own past begins"):
        other.back()
    same.back(events=150)  # nothing was changed: its past is its own
    model.back(events=150)
    assert same.digest() == model.digest()
