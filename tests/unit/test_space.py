import copy

import numpy as np
import pytest

from ucnp_abm import Model, Particle
from ucnp_abm.agents import model as model_module
from ucnp_abm.agents._mesa import mesa
from ucnp_abm.agents.agents import Vacancy
from ucnp_abm.errors import BadInput


@pytest.fixture
def model(small_particle):
    return Model(small_particle, "y-complex", seed=7)


@pytest.fixture
def box():
    return Model(Particle.box(lattice="beta", cells=(3, 4, 5), composition="Y", vacancies=2, seed=1), "no-complex")


def test_the_crystal_is_a_discrete_space(model):
    assert isinstance(model.space, mesa.discrete_space.DiscreteSpace)
    assert isinstance(model.space[0], mesa.discrete_space.Cell)
    assert isinstance(model.space.all_cells, mesa.discrete_space.CellCollection)
    assert len(model.space) == len(model.space.all_cells) == model.crystal.n_sites


@pytest.mark.parametrize("which", ["model", "box"])
def test_a_coordinate_leads_back_to_its_cell(which, request):
    model = request.getfixturevalue(which)
    basis, cell = np.array(model.crystal.lattice.basis), np.array(model.crystal.lattice.cell)
    first = model.space[0]
    for here in model.space:
        assert model.space[here.coordinate] == here
        assert model.space[here.coordinate].site == here.site
        steps = np.array(here.coordinate[:3]) + basis[here.coordinate[3]]
        shift = (steps - first.coordinate[:3] - basis[first.coordinate[3]]) @ cell
        assert here.position == pytest.approx(first.position + shift, abs=1e-9)


@pytest.mark.parametrize("which", ["model", "box"])
def test_connections_are_bonds_by_relative_coordinate(which, request):
    model = request.getfixturevalue(which)
    cells = model.crystal.cells
    for here in model.space:
        around = {site for site in model.crystal.neighbours(here.site) if site >= 0}
        assert {other.site for other in here.connections.values()} == around
        for step, other in here.connections.items():
            apart = np.array(other.coordinate) - here.coordinate - step
            if model.crystal.periodic:
                apart[:3] %= cells
            assert not apart.any()


def test_neighborhood_grows_bond_by_bond(model):
    bulk = next(c for c in model.space if c.zone == "core")
    for radius in (1, 2, 3):
        reached = {bulk.site}
        for _ in range(radius):
            reached |= {n for site in reached for n in model.crystal.neighbours(site) if n >= 0}
        assert {c.site for c in bulk.get_neighborhood(radius, include_center=True)} == reached
        assert {c.site for c in bulk.get_neighborhood(radius=radius)} == reached - {bulk.site}
    assert [c.site for c in bulk.neighborhood] == model.crystal.neighbours(bulk.site)
    assert [a.site for a in bulk.neighborhood.agents] == [n.site for n in bulk.agents[0].neighbours]


def test_neighborhood_is_that_of_mesa(model):
    here = model.space[0]
    theirs = mesa.discrete_space.Cell._neighborhood.__wrapped__
    for cell in here.neighborhood:
        expected = theirs(cell, 1, True)
        assert set(expected) == set(cell.get_neighborhood(1, True))
        assert all(agents == c.agents for c, agents in expected.items())


def test_cells_see_what_the_loop_writes(model):
    event = model.fire()
    while event.verb != "hop":
        cell = model.space[event.move.site]
        event = model.fire()
    filled, emptied = model.space[event.move.site], model.space[event.move.to]
    assert filled.agents == [model.agent(event.slot)]
    assert (filled.is_empty, filled.is_full) == (False, True)
    assert (emptied.is_empty, emptied.is_full) == (True, False)
    assert type(emptied.agents[0]) is Vacancy
    assert cell.agents[0].cell == cell


def test_an_agent_knows_its_cell(model):
    for agent in model.space.agents:
        assert agent.cell.site == agent.site
        assert agent.cell.agents == [agent]
        assert agent.cell.position is not None
        assert agent.cell.properties == {"zone": agent.zone, "layer": agent.layer}


def test_empty_cells_are_those_of_vacancies(model):
    assert [c.site for c in model.space.empties] == sorted(v.site for v in model.vacancies)
    assert model.space.select_random_empty_cell().is_empty
    assert all(c.is_empty == (c.agents[0].species == "vacancy") for c in model.space)
    assert {c.site for c in model.space.all_cells.select(lambda c: c.is_empty)} == {c.site for c in model.space.empties}


def test_cells_are_selected_by_condition_and_number(model):
    cells = model.space.all_cells
    surface = cells.select(lambda c: c.zone == "surface")
    assert {c.zone for c in surface} == {"surface"}
    assert len(surface) == sum(c.zone == "surface" for c in cells)
    assert [c.site for c in cells.select(at_most=3)] == [0, 1, 2]
    assert len(cells.select(at_most=0.5)) == len(cells) // 2
    assert len(cells.select(lambda c: c.zone == "surface", at_most=4)) == 4
    assert surface.select_random_cell() in surface
    assert surface.select_random_agent().zone == "surface"
    assert cells.select(at_most=0).select_random_agent(None) is None
    assert surface[surface.cells[0]] == surface.cells[0].agents
    assert model.space[0] in cells
    assert repr(surface) == f"<{len(surface)} cells>"


def test_cells_of_one_site_are_equal_and_of_two_models_are_not(model, small_particle):
    other = Model(small_particle, "y-complex", seed=7)
    assert model.space[3] == model.space[3]
    assert len({model.space[3], model.space[3], model.space[4]}) == 2
    assert model.space[3] != other.space[3]
    assert copy.deepcopy(model.space[3]) == model.space[3]


def test_the_nearest_cell_is_found(model, box):
    off = np.array([0.3, -0.4, 0.5])
    for cell in model.space:
        assert model.space.find_nearest_cell(cell.position + off) == cell
    turn = np.array([1, -2, 3]) * box.crystal.cells @ np.array(box.crystal.lattice.cell)
    for cell in box.space:
        assert box.space.find_nearest_cell(cell.position + turn + off) == cell


@pytest.mark.parametrize(
    "act",
    [
        lambda m: m.space[0].add_agent(m.vacancies[0]),
        lambda m: m.space[0].remove_agent(m.vacancies[0]),
        lambda m: m.space[0].connect(m.space[1]),
        lambda m: m.space[0].disconnect(m.space[1]),
        lambda m: m.space.add_cell(m.space[0]),
        lambda m: m.space.remove_cell(m.space[0]),
        lambda m: m.space.add_connection(m.space[0], m.space[1]),
        lambda m: m.space.remove_connection(m.space[0], m.space[1]),
    ],
)
def test_the_crystal_is_not_changed_by_hand(act, model):
    with pytest.raises(BadInput, match=r"model\.fire"):
        act(model)


@pytest.mark.parametrize("key", [-1, 10**6, 1.5, True, "core", (0, 0, 0), (0, 0, 0, 0), (-1, 0, 0, 0), (9, 9, 9, 9.0)])
def test_what_is_no_site_is_refused(key, model):
    with pytest.raises(BadInput, match="space"):
        model.space[key]


@pytest.mark.parametrize("radius", [0, -1, 1.0, True])
def test_a_radius_is_a_number_of_bonds(radius, model):
    with pytest.raises(BadInput, match="radius"):
        model.space[0].get_neighborhood(radius)


@pytest.mark.parametrize("position", [(1, 2), "here", (0, 0, float("nan"))])
def test_what_is_no_position_is_refused(position, model):
    with pytest.raises(BadInput, match="position"):
        model.space.find_nearest_cell(position)


def test_a_look_at_all_cells_of_a_large_crystal_keeps_nothing(monkeypatch, small_particle):
    monkeypatch.setattr(model_module, "MAX_REGISTERED_IONS", 10)
    model = Model(small_particle, "y-complex", seed=7)
    n = len(model.agents)
    assert sum(len(c.agents) for c in model.space) == model.crystal.n_sites
    assert len(model.agents) == n
    assert len(model.roster._on_access) <= 1  # the last one looked at
    assert len(model.space.agents) == n - len(model.complexes)


def test_mesa_collects_cells(model):
    collector = mesa.DataCollector(agent_reporters={"cell": "cell"})
    collector.collect(model)
    cells = collector.get_agent_vars_dataframe()["cell"].dropna()
    assert sorted(c.site for c in cells) == list(range(model.crystal.n_sites))
