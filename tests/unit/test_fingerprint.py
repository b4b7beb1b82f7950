"""A fingerprint differs whenever rates can: whoever finds two that agree finds two runs that agree."""

import functools
import subprocess
import sys

import numpy as np
import pytest

from ucnp_abm import IONS, Drive, Mechanism, Simulation, mechanism
from ucnp_abm.rules import asking
from ucnp_abm.rules.bound import text_of


def made(law=lambda env: 1.65, **options):
    m = Mechanism("trial", summary="A trial.", source="Assumption: a test")
    m.hop(mover=IONS, **options)(law)
    return m


def print_of(m, particle):
    return Simulation(particle, m, scheduler="rejection").table.fingerprint()


@pytest.fixture
def on_the_way(monkeypatch):
    """Room for so few rows that what reads a count is worked out on the way."""
    monkeypatch.setattr(asking, "MAX_ROWS", 300)


def cut(along, levels=3, width=None):
    m = made(lambda env: 1.65 + 0.05 * max(env.levels))
    m.divide(along, levels, width=width)
    return m


def test_another_cut_of_the_crystal_is_another_fingerprint(small_particle):
    cuts = [cut("x"), cut("y"), cut("z"), cut("radius"), cut("x", 3, "5 Å"), cut("x", 3, "8 Å"), cut("x", 4)]
    assert len({print_of(one, small_particle) for one in cuts}) == len(cuts)


def test_a_reload_with_another_cut_changes_the_crystal_too(small_particle):
    run, other = Simulation(small_particle, cut("x"), seed=1), Simulation(small_particle, cut("z"), seed=1)
    assert run.reload(cut("z"))
    assert (run.crystal.place == other.crystal.place).all()


def test_a_drive_that_acts_on_another_verb_is_another_fingerprint(small_particle):
    def driven(verb):
        m = made()
        m.dock("Y", irreversible=True)(lambda env: 1.7)
        m.etch("Gd", irreversible=True)(lambda env: 1.7)
        lamp = Drive("lamp", summary="A lamp.", source="Assumption: a test")
        lamp.multiply(verb, 50.0)
        return m.driven_by(lamp)

    assert print_of(driven("dock"), small_particle) != print_of(driven("etch"), small_particle)


def rare(env):
    """A parameter that only a rare neighbourhood shows."""
    return env.p.special if env.n["Gd"] == 11 and env.n["Yb"] == 1 else 1.65


def test_parameters_of_a_law_on_the_way_are_in_its_fingerprint(small_particle, on_the_way):
    m = made(rare, lowest="1.2 eV")
    m.parameter("special", "1.3 eV", doc="A rare barrier.")
    assert print_of(m, small_particle) != print_of(m.with_parameters(special="1.7 eV"), small_particle)


WEIGHTED = """
import functools
from ucnp_abm import IONS, Mechanism, Particle, Simulation
from ucnp_abm.rules import asking
from ucnp_abm.rules.bound import text_of
asking.MAX_ROWS = 300
class Law:
    def __init__(self, weight): self.weight = weight
    def __call__(self, env): return 1.65 + self.weight * env.n["Yb"]
def weighted(env, weight): return 1.65 + weight * env.n["Yb"]
particle = Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2 nm", seed=1)
for law in (functools.partial(weighted, weight=0.01), Law(0.01), lambda env, w=0.01: 1.65 + w * env.n["Yb"]):
    m = Mechanism("trial", summary="A trial.", source="Assumption: a test")
    m.hop(mover=IONS, lowest=1.6)(law)
    print(Simulation(particle, m).table.fingerprint())
"""


def test_a_law_on_the_way_has_one_fingerprint_in_every_process(tmp_path):
    script = tmp_path / "weighted.py"
    script.write_text(WEIGHTED)
    runs = [
        subprocess.run([sys.executable, script], capture_output=True, text=True, check=True).stdout for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert len(set(runs[0].split())) == 3


def test_what_is_bound_to_a_law_on_the_way_is_in_its_fingerprint(small_particle, on_the_way):
    def weighted(weight, env):
        return 1.65 + weight * (env.n["Gd"] == 11 and env.n["Yb"] == 1)

    prints = {
        print_of(made(functools.partial(weighted, weight), lowest=1.0), small_particle) for weight in (0.01, 0.02)
    }
    assert len(prints) == 2


def by_method(special):
    class Law:
        def __init__(self):
            self.special = special

        def law(self, env):
            return self.special if env.n["Gd"] == 11 and env.n["Yb"] == 1 else 1.65

    return Law().law


def by_wrapper(special):
    def plain(env):
        return 1.65 + 0 * env.n["Yb"]

    @functools.wraps(plain)
    def law(env):
        return special if env.n["Gd"] == 11 and env.n["Yb"] == 1 else plain(env)

    return law


def by_array(special):
    table = np.full((15, 15), 1.65)
    table[11, 1] = special
    return lambda env: table[env.n["Gd"], env.n["Yb"]]


def by_helper(special):
    def helper(gd, yb):
        return special if gd == 11 and yb == 1 else 1.65

    return lambda env: helper(env.n["Gd"], env.n["Yb"])


def by_scalar(special):
    value = np.float64(special)
    return lambda env: float(value) if env.n["Gd"] == 11 and env.n["Yb"] == 1 else 1.65


@pytest.mark.parametrize("bind", [by_method, by_wrapper, by_array, by_helper, by_scalar])
def test_whatever_a_law_on_the_way_is_bound_to_is_in_its_fingerprint(small_particle, on_the_way, bind):
    one, same, other = (print_of(made(bind(v), lowest=1.0), small_particle) for v in (1.3, 1.3, 1.7))
    assert one == same != other


def test_a_law_that_names_half_the_world_is_said_in_a_moment(small_particle):
    simulation = Simulation(small_particle, made())
    text = text_of(lambda env: 1.65 + simulation.time * env.n["Yb"])
    assert 100 < len(text) < 10_000_000


@pytest.mark.parametrize("order", [0, 1, 2])
def test_which_laws_come_on_the_way_does_not_depend_on_their_order(small_particle, monkeypatch, order):
    """Three laws of one size, two of which may be put off; the table has room for one."""
    rules = [("Gd", None), ("Y", 1.5), ("Yb", 1.5)]
    m = Mechanism("trial", summary="A trial.", source="Assumption: a test")
    for mover, lowest in rules[order:] + rules[:order]:
        m.hop(mover=mover, lowest=lowest)(lambda env: 1.65 + 0.01 * env.n["Gd"] * env.n["Yb"])
    monkeypatch.setattr(asking, "MAX_ROWS", 6_000)
    table = Simulation(small_particle, m, scheduler="rejection").table
    assert len(table.on_the_way) == 2


def test_a_read_that_the_glimpse_missed_takes_no_room_from_others(small_particle, monkeypatch):
    def rarely(env):
        more = env.n["Y"] + env.n["Na"] if env.n["Yb"] == 3 and env.n["Gd"] == 1 else 0
        return 1.65 + 0.001 * more

    monkeypatch.setattr(asking, "MAX_ROWS", 20_000)
    for first, second in (("Gd", "Yb"), ("Yb", "Gd")):
        m = Mechanism("trial", summary="A trial.", source="Assumption: a test")
        laws = {"Gd": rarely, "Yb": lambda env: 1.65 + 0.001 * env.n["Gd"] * env.n["Yb"]}
        for mover in (first, second):
            m.hop(mover=mover, lowest=1.6 if mover == "Gd" else None)(laws[mover])
        assert Simulation(small_particle, m, scheduler="rejection").table.on_the_way == (rarely,)


def test_a_docstring_is_not_in_the_fingerprint_of_a_table(small_particle):
    def one(env):
        return 1.65

    def other(env):
        """Another text."""
        return 1.65

    assert print_of(made(one), small_particle) == print_of(made(other), small_particle)


def test_what_was_taken_from_a_bath_stays_taken(small_particle):
    run = Simulation(small_particle, mechanism("y-complex", reservoir=20), seed=1)
    run.run(steps=30)
    left = int(run.state.reservoir[0])
    assert left < 20
    for values in ({"reservoir": 20, "activity": 0.9}, {"reservoir": 50}, {"reservoir": 1}, {}):
        branch = run.branch(mechanism=mechanism("y-complex", **values))
        size = values.get("reservoir")
        expected = -(20 - left) if size is None else max(size - (20 - left), 0)
        assert branch.state.reservoir.tolist() == [expected]
    endless = run.branch(mechanism=mechanism("y-complex"))
    assert endless.branch(mechanism=mechanism("y-complex", reservoir=20)).state.reservoir.tolist() == [left]
    assert run.branch(mechanism=mechanism("gd-complex", reservoir=7)).state.reservoir.tolist() == [7]
