import gc
import itertools
import multiprocessing
import tracemalloc
import weakref

import numpy as np
import pytest

from ucnp_abm import IONS, Mechanism, Model, Particle
from ucnp_abm.agents import model as model_module
from ucnp_abm.agents._mesa import mesa
from ucnp_abm.agents.agents import Complex, Ion, Occupant, Vacancy, Void
from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.engine import inspection, simulation, timeline
from ucnp_abm.errors import BadInput


@pytest.fixture
def model(small_particle):
    return Model(small_particle, "y-complex", temperature="300 °C", seed=7)


@pytest.fixture
def by_access(monkeypatch):
    """Crystals as if they were large: ions are made when they are asked for."""
    monkeypatch.setattr(model_module, "MAX_REGISTERED_IONS", 10)


def restless(finite=None):
    """A mechanism in which identities die in every way: docked, sunk, swapped and undocked."""
    made = Mechanism("restless", summary="Every verb at once.", source="Assumption: a test")
    made.hop(mover=IONS)(lambda env: 1.65)
    made.dock("Y", chemical_potential=0.0)(lambda env: 1.60)
    made.swap("Y", "Lu", irreversible=True)(lambda env: 1.62)
    made.sink(irreversible=True)(lambda env: 1.70)
    made.reservoir("Y", activity=0.5, size=finite)
    return made


def _counts(model):
    """Events of each verb of the channels so far."""
    simulation = model.simulation
    channels = zip(simulation.table.channels, simulation.state.counts()[1:].tolist(), strict=True)
    return {channel.verb: n for channel, n in channels}


def check_all_agents(model):
    """What `model.agents` must be at any time: one live agent of the right class for each identity it stands for."""
    state, crystal = model.simulation.state, model.crystal
    everywhere = crystal.n_sites <= model_module.MAX_REGISTERED_IONS
    symbols = [model.simulation.occupant(site) for site in range(crystal.n_sites)]
    expected = {site: s for site, s in enumerate(symbols) if everywhere or s in ("vacancy", "void")}
    occupants = [a for a in model.agents if isinstance(a, Occupant)]
    assert {a.site: a.species for a in occupants} == expected
    assert len(occupants) == len(expected)
    kinds = {"vacancy": Vacancy, "void": Void}
    for agent in occupants:
        assert type(agent) is kinds.get(agent.species, Ion)
        assert agent.generation == state.generation[agent.slot]
        assert model.agent(agent.slot) is agent
        assert model.occupant(agent.site) is agent
    assert [c.site for c in model.space.empties] == [s for s, e in enumerate(symbols) if e in ("vacancy", "void")]
    assert len({a.unique_id for a in model.agents}) == len(model.agents)
    assert all(a.unique_id > 0 for a in model.space.agents)
    for kind in (Ion, Vacancy, Void, Complex):
        assert set(model.agents_by_type.get(kind, ())) == {a for a in model.agents if type(a) is kind}


def test_every_site_has_one_agent(model):
    assert sorted(a.site for a in model.space.agents) == list(range(model.crystal.n_sites))
    assert len(model.agents) == model.crystal.n_sites + 1  # and the complex
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
    assert (docked.species, docked.origin, docked.generation) == ("Y", "complex", 1)
    assert model.complex("Y").docked == [docked]


def test_agents_are_born_and_retired_when_a_batch_returns(model):
    gone = model.vacancies
    n = len(gone)
    model.run(steps=2000)
    assert len(model.agents_by_type.get(Vacancy, ())) == model.simulation.state.n_vacancies < n
    assert len(model.space.agents) == model.crystal.n_sites
    dead = next(v for v in gone if not v.is_alive)
    for ask in ("site", "species", "zone", "layer", "origin", "age", "displacement", "neighbours", "cell"):
        with pytest.raises(BadInput, match="is gone"):
            getattr(dead, ask)
    assert "gone" in repr(dead)
    assert dead not in model.agents


@pytest.mark.parametrize("size", ["every ion registered", "ions on access"])
def test_agents_are_right_after_run_and_fire_and_step(size, small_particle, monkeypatch):
    if size == "ions on access":
        monkeypatch.setattr(model_module, "MAX_REGISTERED_IONS", 10)
    model = Model(small_particle, restless(), seed=3)
    check_all_agents(model)
    for _ in range(120):
        model.fire()
    check_all_agents(model)
    model.run(events=500)
    check_all_agents(model)
    model.step()
    check_all_agents(model)
    model.simulation.run(events=500)  # behind the model's back
    check_all_agents(model)
    counts = _counts(model)
    assert min(counts[verb] for verb in ("dock", "undock", "swap", "sink")) > 0


def test_a_swapped_ion_is_another_agent(small_particle):
    model = Model(small_particle, restless(), seed=3)
    held = {a.slot: a for a in model.space.agents}
    event = model.fire()
    while event.verb != "swap":
        held |= {a.slot: a for a in model.space.agents}
        event = model.fire()
    new = model.agent(event.slot)
    assert (type(new), new.species, held[event.slot].is_alive) == (Ion, "Lu", False)


def test_a_sunk_vacancy_is_a_void_that_nothing_moves(small_particle):
    model = Model(small_particle, restless(), seed=3)
    event = model.fire()
    while event.verb != "sink":
        event = model.fire()
    void = model.occupant(event.move.site)
    assert (type(void), void.species, void.origin) == (Void, "void", "surface")
    assert void.options() == []
    site = void.site
    model.run(events=2000)
    assert void.site == site


def test_age_counts_from_the_birth(model):
    event = model.fire()
    while event.verb != "dock":
        event = model.fire()
    docked, old = model.agent(event.slot), model.vacancies[0]
    assert docked.age == 0.0
    assert old.age == model.kmc_time
    born = model.kmc_time
    model.run(time="10 s")
    assert docked.age == model.kmc_time - born == pytest.approx(10.0)


def test_displacement_of_a_docked_ion_counts_from_where_it_docked(small_particle):
    model = Model(small_particle, "y-complex", seed=7)
    born = {}
    for _ in range(400):
        event = model.fire()
        if event.verb == "dock":
            born[event.slot] = model.crystal.points[event.move.site]
    ions = model.complex("Y").docked
    assert sum(np.linalg.norm(ion.displacement) > 3 for ion in ions) > 0
    for ion in ions:
        assert ion.displacement == pytest.approx(ion.position - born[ion.slot], abs=1e-9)


def test_displacement_in_a_box_is_unwrapped():
    particle = Particle.box(lattice="sc", cells=(4, 4, 4), composition="Y", vacancies=1, seed=1)
    model = Model(particle, "no-complex", seed=1)
    vacancy, edge, path = model.vacancies[0], 3.87, np.zeros(3)
    for _ in range(200):
        before = vacancy.position
        model.fire()
        step = vacancy.position - before
        path += step - 4 * edge * np.rint(step / (4 * edge))
    assert vacancy.displacement == pytest.approx(path, abs=1e-9)
    assert np.abs(path).max() > 4 * edge


# --- complexes ---


def test_a_finite_bath_is_used_up(small_particle):
    model = Model(small_particle, restless(finite=30), seed=3)
    bath = model.complex("Y")
    assert [c.species for c in model.complexes] == ["Y", "Lu"]
    assert (bath.size, bath.left, bath.activity, bath.n_docked) == (30, 30, 0.5, 0)
    model.run(events=300)
    n = _counts(model)
    assert bath.left == 30 - n["dock"] + n["undock"] + n["swap"]
    assert bath.activity == pytest.approx(0.5 * bath.left / 30)
    assert bath.n_docked == len(bath.docked)
    assert model.complex("Lu").n_docked == n["swap"] > 0
    assert all(type(ion) is Ion and ion.origin == "complex" and ion.species == "Y" for ion in bath.docked)


def test_an_infinite_bath_has_no_number(model):
    bath = model.complex("Y")
    model.run(events=100)
    assert (bath.size, bath.left, bath.activity) == (None, None, 1.0)
    assert bath.n_docked == sum(a.origin == "complex" for a in model.space.agents) > 0


def test_complexes_are_registered_and_sit_in_the_bath(model, small_particle):
    assert list(model.agents_by_type[Complex]) == model.complexes
    assert model.agents.groupby("zone").count()["bath"] == 1
    assert model.complexes[0].age == model.kmc_time
    assert Model(small_particle, "no-complex", seed=1).complexes == []


def test_asking_for_a_complex_that_is_not_there_is_refused(model, small_particle):
    with pytest.raises(BadInput, match="holds no 'Gd'"):
        model.complex("Gd")
    with pytest.raises(BadInput, match="has no complexes"):
        Model(small_particle, "no-complex", seed=1).complex("Y")


# --- history ---


def test_a_remembering_run_is_the_same_run(small_particle):
    for marks in ({"steps": 3}, {"time": "20 s"}, {"events": 60}, {"events": 10**6, "steps": 1.5}):
        one = Model(small_particle, "y-complex", seed=7)
        two = Model(small_particle, "y-complex", seed=7, history=True)
        assert one.run(**marks) == two.run(**marks)
        assert one.digest() == two.digest()


def test_history_is_every_event_of_an_identity(small_particle):
    model = Model(small_particle, restless(), seed=3, history=True)
    model.run(events=400)
    model.fire()
    everything = {e.number for slot in range(model.crystal.n_sites) for e in model.history_of(slot)}
    assert everything == set(range(1, 402))
    ion = max(model.agents_by_type[Ion], key=lambda a: sum(e.verb == "hop" for e in a.history))
    assert ion.history[-1].move.site == ion.site
    vacancy = max(model.vacancies, key=lambda a: len(a.history))
    hops = [e for e in vacancy.history if e.verb == "hop"]
    assert hops[-1].move.to == vacancy.site
    assert all(a.move.to == b.move.site for a, b in itertools.pairwise(hops))


def test_history_of_a_dead_agent_ends_with_its_death(small_particle):
    model = Model(small_particle, "y-complex", seed=7, history=True)
    held = {v.slot: v for v in model.vacancies}
    model.run(events=500)
    docked = {ion.slot: ion for ion in model.complex("Y").docked}
    for slot, ion in docked.items():
        dead = held[slot]
        assert dead.history[-1] == ion.history[0]
        assert (ion.history[0].verb, ion.history[0].slot) == ("dock", slot)
        assert model.history_of(slot) == dead.history + ion.history[1:]
    assert max(len(ion.history) for ion in docked.values()) > 1
    assert max(len(held[slot].history) for slot in docked) > 1


def test_history_must_be_asked_for_beforehand(model, small_particle):
    model.fire()
    with pytest.raises(BadInput, match="history=True"):
        _ = model.vacancies[0].history
    remembering = Model(small_particle, "y-complex", seed=7, history=True)
    with pytest.raises(BadInput, match="counts events"):
        remembering.run(candidates=3)
    with pytest.raises(BadInput, match="say for how long"):
        remembering.run()
    remembering.simulation.run(events=5)
    with pytest.raises(BadInput, match="only the first 0"):
        _ = remembering.vacancies[0].history


# --- asking ---


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


def test_why_names_one_site_where_one_site_changes(model):
    event = model.fire()
    while event.verb != "dock":
        event = model.fire()
    assert model.why(event).splitlines()[0].endswith(f"dock Y, site {event.move.site}")


def test_why_gives_numbers_that_multiply(model):
    event = model.fire()
    assert event.probability == pytest.approx(event.move.rate / event.total_rate)
    assert event.move.rate == pytest.approx(
        event.move.attempt * np.exp(-event.move.activation / (8.617333262e-5 * event.move.temperature)), rel=1e-12
    )


# --- Mesa ---


def test_mesa_selects_and_collects(model):
    collector = mesa.DataCollector(
        model_reporters={"vacancies": lambda m: len(m.vacancies), "seconds": "kmc_time"},
        agent_reporters={"layer": "layer", "site": "site"},
    )
    for _ in range(3):
        collector.collect(model)
        model.step()
    seen = collector.get_model_vars_dataframe()
    assert seen["vacancies"].tolist() == sorted(seen["vacancies"], reverse=True)
    assert seen["seconds"].is_monotonic_increasing
    frame = collector.get_agent_vars_dataframe()
    assert (frame.groupby(level=0).size() == model.crystal.n_sites + 1).all()
    moved = model.agents.select(lambda a: a.origin == "core" and a.layer == "shell")
    assert 0 < len(moved) < len(model.agents)


def test_agentsets_agree_with_the_arrays(model):
    model.run(steps=2)
    state, crystal = model.simulation.state, model.crystal
    occupants = model.space.agents
    counts = occupants.groupby("species").count()
    assert counts == {s: int((state.species[crystal.sites] == SPECIES[s].code).sum()) for s in counts}
    assert occupants.agg("site", [min, max, len]) == [0, crystal.n_sites - 1, crystal.n_sites]
    assert sorted(occupants.shuffle().get("slot")) == list(range(crystal.n_sites))
    assert occupants.groupby("layer").agg("age", max)["core"] == model.kmc_time
    assert [a.slot for a in occupants.select(agent_type=Vacancy).sort("slot", ascending=True)] == [
        v.slot for v in model.vacancies
    ]


def test_above_the_limit_ions_are_made_when_they_are_asked_for(by_access, small_particle):
    model = Model(small_particle, "y-complex", seed=1)
    assert len(model.space.agents) == model.simulation.state.n_vacancies
    ion = model.agents_by_type[Vacancy].select(lambda v: any(type(n) is Ion for n in v.neighbours), at_most=1)
    ion = next(n for n in next(iter(ion)).neighbours if type(n) is Ion)
    assert model.agent(ion.slot) is ion
    assert ion not in model.agents
    assert ion.unique_id == 1 + ion.slot


def test_an_ion_on_access_goes_with_its_last_reference(by_access, small_particle):
    model = Model(small_particle, "no-complex", seed=1)
    slot = next(s for s in range(model.crystal.n_sites) if type(model.agent(s)) is Ion)
    gone = weakref.ref(model.agent(slot))
    assert gone() is None


def test_displacement_on_access_does_not_forget(small_particle, monkeypatch):
    registered = Model(small_particle, "y-complex", seed=7)
    monkeypatch.setattr(model_module, "MAX_REGISTERED_IONS", 10)
    model = Model(small_particle, "y-complex", seed=7)
    for _ in range(400):
        model.fire()
        registered.fire()
    moved = {ion.slot: ion.displacement.tolist() for ion in model.complex("Y").docked}
    gc.collect()
    assert any(np.linalg.norm(path) > 3 for path in moved.values())
    assert moved == {slot: model.agent(slot).displacement.tolist() for slot in moved}
    assert moved == {slot: registered.agent(slot).displacement.tolist() for slot in moved}


def test_importing_mesa_leaves_the_start_method_alone():
    assert multiprocessing.get_start_method(allow_none=True) != "spawn"


def test_a_dropped_model_is_collected(small_particle):
    model = Model(small_particle, "no-complex", seed=1)
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None


def test_200_dropped_models_leave_nothing():
    particle = Particle.core_shell(core="Gd", diameter="2 nm", lattice="sc", seed=1)
    _used_model(particle)
    tracemalloc.start()
    try:
        growths = []
        for _ in range(3):  # what grows once, such as a cache of numpy, is no leak
            before = _held()
            alive = [weakref.ref(_used_model(particle)) for _ in range(200)]
            growths.append(_held() - before)
    finally:
        tracemalloc.stop()
    assert [ref for ref in alive if ref() is not None] == []
    assert min(growths) < 200 * 50  # B; the smallest Python object with a content has more than 50


def _held():
    """Bytes held, this test's own left out, and calls of the loop: what they free is not seen by tracemalloc."""
    gc.collect()
    callers = (inspection.__file__, simulation.__file__, timeline.__file__)
    others = [tracemalloc.Filter(False, name) for name in (__file__, *callers, tracemalloc.__file__)]
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(others).traces)


def _used_model(particle):
    model = Model(particle, "no-complex", seed=1)
    model.run(events=5)
    assert len(model.space[0].neighborhood.cells) > 0
    model.agents.groupby("species").count()
    return model
