"""What cannot be meant is refused at the border, in one sentence, by an error of the package."""

import math

import numpy as np
import pytest

from ucnp_abm import IONS, Mechanism, Model, Particle, Simulation, UcnpError, mechanism
from ucnp_abm.agents.agents import Vacancy
from ucnp_abm.crystal.lattice import Lattice, beta
from ucnp_abm.rules.tabulate import tabulate

CELL = ((3.0, 0, 0), (0, 3.0, 0), (0, 0, 3.0))
GROWN = {"core": "NaGdF4", "diameter": "2.4 nm"}


def made(law=lambda env: 1.65):
    m = Mechanism("trial", summary="A trial.", source="Assumption: a test")
    m.hop(mover=IONS)(law)
    return m


@pytest.fixture
def simulation(small_particle):
    return Simulation(small_particle, made(), seed=1)


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.run(),
        lambda s: s.run(steps=math.nan),
        lambda s: s.run(steps=-1),
        lambda s: s.run(steps="10"),
        lambda s: s.run(time=math.nan),
        lambda s: s.run(time="1 hour"),
        lambda s: s.run(events=-1),
        lambda s: s.run(events=1.5),
        lambda s: s.run(events=True),
        lambda s: s.run(events=10**30),
        lambda s: s.run(candidates="many"),
        lambda s: s.run_to(time=-1),
        lambda s: s.fire(until=math.nan),
        lambda s: s.fire(until=-1.0),
        lambda s: s.options(-1),
        lambda s: s.options(1.5),
        lambda s: s.options(10**9),
        lambda s: s.occupant(None),
        *(lambda s, t=t: s.set_temperature(t) for t in (math.nan, math.inf, 0, -5, "hot", None, "20 K", "1e9 K")),
    ],
)
def test_a_bad_call_is_refused_and_changes_nothing(simulation, call):
    before = simulation.digest()
    with pytest.raises(UcnpError):
        call(simulation)
    assert simulation.digest() == before
    assert simulation.run(events=5) == "count reached"


def test_a_run_cannot_go_back_in_time(simulation):
    simulation.run(events=20)
    with pytest.raises(UcnpError, match="before now"):
        simulation.run_to(time=simulation.time / 2)
    assert simulation.run(steps=0) == "time reached"


@pytest.mark.parametrize(
    "call",
    [
        lambda p: Simulation("particle", made()),
        lambda p: Simulation(p, "y-complex"),
        lambda p: Simulation(p, made(), scheduler=["rejection"]),
        lambda p: Simulation(p, made(), "20 K"),
        lambda p: Simulation(p, made(), seed=1.5),
        lambda p: Model(p, None),
        lambda p: Model(p).agent(-1),
        lambda p: Model(p).agent(10**9),
        lambda p: Model(p).occupant(-1),
        lambda p: Particle.core_shell(**GROWN, diametre=1),
        lambda p: Particle.core_shell(core="NaGdF4"),
        lambda p: Particle.core_shell(**GROWN, shells=None),
        lambda p: Particle.core_shell(**GROWN, shells=("NaYF4", "1 nm")),
        lambda p: Particle.core_shell(**GROWN, interface_width=-5),
        lambda p: Particle.core_shell(core="NaGdF4", diameter="2000 nm"),
        lambda p: Particle.core_shell(core="NaGdF4", diameter=1e308),
        lambda p: Particle.core_shell(core="NaGdF4", diameter=10**400),
        lambda p: Particle.core_shell(**GROWN, lattice=["beta"]),
        lambda p: Particle.box(lattice="sc", cells=3, composition="Y"),
        lambda p: Particle.box(lattice="sc", cells=(10**6, 10**6, 10**6), composition="Y"),
        lambda p: Particle.box(lattice="sc", cells=(4, 4, 4), composition="Y", vacancies="1"),
        lambda p: Lattice("x", CELL, ((0, 0, 0),), ()),
        lambda p: Lattice("x", CELL, ((0, 0, 0),), (("nn", math.nan),)),
        lambda p: Lattice("x", CELL, ((0, 0, 0),), (("nn", 1e4),)),
        lambda p: Lattice("x", CELL, ((0, 0, 0),), (("nn", "three"),)),
        lambda p: Lattice("x", CELL, ((0, 0),), (("nn", 3.0),)),
        lambda p: Lattice("x", CELL, ((0, 0, 0), (0, 0, 1)), (("nn", 3.0),)),
        lambda p: Lattice("x", ((1, 2), (3,)), ((0, 0, 0),), (("nn", 3.0),)),
        lambda p: Lattice("x", CELL, ((0, 0, 0),), (("nn", 3.0),), (7.0,)),
        lambda p: made().hop(lambda env: 1.0),
        lambda p: made().hop(mover=None),
        lambda p: made().hop(mover=[]),
        lambda p: made().hop(mover=["Yb", "Yb"]),
        lambda p: made().site_energy({("Yb", "surface"): "1e9 eV"}),
        lambda p: made().site_energy({"Yb": 1}),
        lambda p: made().site_energy(None),
        lambda p: made().pair_energy({("Yb", "Yb"): 1e308}),
        lambda p: made().parameter("pressure", 1.0, kind="pressure", doc="x"),
        lambda p: made().dock("Y", chemical_potential=mechanism("y-complex").parameters["chemical_potential"]),
        lambda p: Simulation(p, made(lambda env: 10**400)),
        lambda p: Simulation(p, made(lambda env: exit(0))),
        lambda p: Simulation(p, made(lambda: 1.0)),
    ],
)
def test_a_bad_part_is_refused(small_particle, call):
    with pytest.raises(UcnpError):
        call(small_particle)


def test_a_zone_that_does_not_exist_is_refused(small_particle):
    m = made()
    m.site_energy({("Yb", "shel"): 0.1})
    with pytest.raises(UcnpError, match="did you mean 'shell'"):
        Simulation(small_particle, m)


def test_rates_that_are_not_finite_are_refused(small_particle):
    m = Mechanism("fast", summary="", source="")
    m.hop(mover=IONS, attempt=1e200)(lambda env: 0.0)
    with pytest.raises(UcnpError, match="exceeds"):
        Simulation(small_particle, m)


def test_a_law_cannot_change_its_parameters(small_particle):
    m = made()
    m.parameter("barrier", 1.6, doc="x")

    def law(env):
        env.p.barrier += 0.1
        return env.p.barrier

    other = Mechanism("writes", summary="", source="")
    other.parameter("barrier", 1.6, doc="x")
    other.hop(mover=IONS)(law)
    with pytest.raises(UcnpError, match="never sets"):
        Simulation(small_particle, other)


def test_a_law_that_swallows_everything_is_still_traced(small_particle):
    def law(env):
        try:
            return 1.6 + 0.01 * env.n["Y"]
        except BaseException:
            return 1.0

    table = tabulate(made(law), small_particle.crystal, small_particle.counts)
    assert table.hop_counts.any()
    assert 1.0 not in table.barrier


def test_a_run_ends_when_candidates_remain_but_no_event_can():
    m = Mechanism("only-gd", summary="", source="")
    m.hop(mover="Gd")(lambda env: 1.0)
    box = Particle.box(lattice="fcc", cells=(5, 5, 5), composition="Y: 0.4% Gd", vacancies=1, seed=3)
    simulation = Simulation(box, m, seed=1)
    assert simulation.total_rate() == 0.0
    assert simulation.fire() is None
    assert simulation.run(events=1) == "nothing left to happen"
    assert simulation.run(time="1 ms") == "nothing left to happen"
    assert simulation.time == 1e-3


def test_a_model_sees_a_run_of_its_simulation(small_particle):
    model = Model(small_particle, "y-complex", seed=7)
    model.simulation.run(steps=50)
    docked = [model.agent(s) for s in np.flatnonzero(model.simulation.state.generation)]
    assert docked
    assert not any(isinstance(agent, Vacancy) for agent in docked)
    assert len(model.vacancies) == model.simulation.state.n_vacancies


def test_a_docked_ion_has_not_moved_yet(small_particle):
    model = Model(small_particle, "y-complex", seed=7)
    event = model.fire()
    while not (event.verb == "dock" and model.kmc_time > 1):
        event = model.fire()
    assert (model.agent(event.slot).displacement == 0).all()


def test_sodium_shares_of_the_shipped_lattice_are_valid():
    assert beta().sodium == (0.0, 0.5)
