"""What a cell is called by: everything that decides its numbers, and nothing else."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace

import pytest
from studies import tables

from ucnp_abm import IONS, CoreShell, Mechanism, observables
from ucnp_abm.config.studies import load_study
from ucnp_abm.observables import observable
from ucnp_abm.study import cells, identity
from ucnp_abm.study.design import design
from ucnp_abm.study.grid import Point, Study

SMALL = CoreShell(core="NaGdF4: 49% Yb", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm")


def names(**changes):
    """Identity by mechanism, setting and replicate."""
    tasks = load_study(tables(**changes)).tasks()
    return {(task.cell.label, task.cell.point, task.cell.replicate): task.identity for task in tasks}


def name_of(mechanism, **given):
    designed = design({"a": mechanism}, SMALL, "300 °C", (7,), 10, **given)
    return Study("a", "", {}, (Point({}, designed),), replicates=1).tasks()[0].identity


@pytest.fixture(scope="module")
def base():
    return names()


def test_cells_of_a_study_have_names_of_their_own(base):
    assert len(set(base.values())) == 4
    assert all(len(name) == 64 for name in base.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"study__seed": 1},
        {"particle__diameter": "2.6 nm"},
        {"particle__core": "NaGdF4: 48% Yb"},
        {"particle__surface_vacancies": 0.2},
        {"particle__diameter_spread": "5%"},
        {"mechanism": {"parameters": {"barrier": "1.6 eV"}}},
        {"anneal__protocol": "310 °C"},
        {"anneal__protocol": "300 °C for 1 h, 310 °C"},
        {"anneal__steps": 11},
        {"study__marks": [3]},
        {"study__observables": ["docked", "T_K"]},
        {"optics": {"pump": "4 W/cm²"}},
    ],
    ids=str,
)
def test_what_decides_the_numbers_changes_every_name(changes, base):
    changed = names(**changes)
    assert changed.keys() == base.keys()
    assert not set(changed.values()) & set(base.values())


def test_a_parameter_renames_the_cells_of_mechanisms_that_have_it(base):
    changed = names(mechanism={"parameters": {"dock_barrier": "1.21 eV"}})
    assert {key[0] for key in base if base[key] != changed[key]} == {"y-complex"}
    assert {key[0] for key in base if base[key] == changed[key]} == {"no-complex"}


def test_a_parameter_of_a_drive_is_in_the_name():
    def driven(rise):
        table = {"name": "no-complex+laser-thermal", "laser-thermal.rise": rise}
        return set(names(study__mechanisms=[], mechanisms={"a": table}).values())

    assert not driven("30 K") & driven("31 K")
    assert driven("30 K") == driven(30.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"study__name": "another"},
        {"study__question": "Why?"},
        {"study__precision": {"docked": 1.0}},
        {"study__mechanisms": ["no-complex", "y-complex", "gd-complex"]},
        {"study__mechanisms": ["y-complex", "no-complex"]},
        {"study__replicates": 3},
        {"vary": {"particle.thickness": ["1 nm", "0.8 nm"]}},
        {"study__mechanisms": ["no-complex"], "mechanisms": {"mine": {"name": "y-complex"}}},
    ],
    ids=str,
)
def test_what_decides_no_number_changes_no_name(changes, base):
    assert set(base.values()) <= set(names(**changes).values())


def law(barrier, doc="", comment=""):
    """A mechanism whose law was written so."""
    known = {}
    exec(f'def barrier(env):\n    """{doc}"""\n{comment}\n    return {barrier}', known)
    found = Mechanism(f"mine{doc}", summary=f"Of a test. {doc}", source="Assumption: a test")
    found.hop(mover=IONS)(known["barrier"])
    return found


def test_the_answer_of_a_law_is_in_the_name_and_its_words_are_not():
    first = name_of(law(1.6))
    assert name_of(law(1.6, "Said", "\n    # and why\n")) == first
    assert name_of(law("0.8 * 2")) == first
    assert name_of(law(1.61)) != first


def test_the_code_of_an_observable_is_in_the_name_and_its_words_are_not(monkeypatch):
    def read(code, doc, times=2):
        known = {"times": times}
        exec(f'def read(simulation):\n    """{doc}"""\n    return {code} * times', known)
        monkeypatch.setitem(observables.OBSERVABLES, "mine", observable("mine", unit="")(known["read"]))
        return name_of("no-complex", names=["docked", "mine"])

    first = read("simulation.time", "Said.")
    assert read("simulation.time", "Said in other words.") == first
    assert read("simulation.state.events", "Said.") != first
    assert read("simulation.time", "Said.", times=3) != first


def test_another_engine_or_reading_renames_everything(base, monkeypatch):
    monkeypatch.setattr(identity, "ENGINE_VERSION", identity.ENGINE_VERSION + 1)
    engine = names()
    monkeypatch.undo()
    monkeypatch.setattr(identity, "READINGS_VERSION", identity.READINGS_VERSION + 1)
    readings = names()
    assert len({*base.values(), *engine.values(), *readings.values()}) == 12


def test_kept_occupants_are_in_the_name():
    task = load_study(tables()).tasks()[0]
    without = replace(task.cell, snapshots=())
    assert isinstance(task.cell, cells.Cell)
    assert identity.identity("base", task.cell) != identity.identity("base", without)


ELSEWHERE = """
import json, sys
from ucnp_abm import registry
from ucnp_abm.config.studies import load_study
registry.load_file(sys.argv[2])
print(json.dumps([task.identity for task in load_study(json.loads(sys.argv[1])).tasks()]))
"""
OBSERVABLE = '''
from ucnp_abm import hookimpl, observable

KINDS = {"Yb", "Gd", "Y", "Na", "vacancy"}

@observable("mine", unit="")
def mine(simulation):
    """Of a test."""
    return float(len(KINDS) + ("Yb" in {"Yb", "Gd", "Y", "Tm"})) + simulation.time * 0.0

@hookimpl
def ucnp_observables():
    return [mine]
'''


def turned(data):
    """The same with every table the other way round."""
    return {key: turned(data[key]) for key in reversed(data)} if isinstance(data, dict) else data


def test_names_are_the_same_in_another_process_and_for_any_order_of_keys(tmp_path):
    (tmp_path / "mine.py").write_text(OBSERVABLE)
    table = {"name": "y-complex", "dock_barrier": "1.3 eV", "barrier": "1.6 eV"}
    data = tables(study__observables=["docked", "mine"], mechanisms={"slow": table}, optics={"pump": "4 W/cm²"})

    def elsewhere(data, hashing):
        done = subprocess.run(
            [sys.executable, "-c", ELSEWHERE, json.dumps(data), str(tmp_path / "mine.py")],
            env={**os.environ, "PYTHONHASHSEED": hashing},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    first = elsewhere(data, "1")
    assert len(set(first)) == 6
    assert elsewhere(turned(data), "2") == first


@dataclass(frozen=True)
class Recipe:
    """One of somebody's own, with plain data in it."""

    options: dict


def test_the_order_of_plain_data_in_a_recipe_is_not_in_the_name():
    cell = load_study(tables()).tasks()[0].cell
    first, turned, other = (
        identity.basis(replace(cell, recipe=Recipe(options)), "a table")
        for options in ({"a": 1, "b": [2, 3]}, {"b": [2, 3], "a": 1}, {"a": 1, "b": [3, 2]})
    )
    assert first == turned
    assert first != other


def test_how_a_recipe_of_somebodys_own_builds_is_in_the_name():
    cell = load_study(tables()).tasks()[0].cell

    def recipes(later):
        class Plain:
            def build(self, seed=0):
                return SMALL.build(seed + later)

        @dataclass(frozen=True)
        class Data(Plain):
            size: int = 1

        return Plain(), Data()

    names = [[identity.basis(replace(cell, recipe=recipe), "a table") for recipe in recipes(n)] for n in (1, 1, 2)]
    assert names[0] == names[1]
    assert len({*names[0], *names[2]}) == 4


def test_whether_an_observable_is_read_at_the_marks_only_is_in_the_name(monkeypatch):
    monkeypatch.setitem(observables.OBSERVABLES, "mine", observable("mine", unit="")(lambda simulation: 1.0))
    often = identity.readings(["mine"])
    rarely = replace(observables.OBSERVABLES["mine"], costly=True)
    monkeypatch.setitem(observables.OBSERVABLES, "mine", rarely)
    assert identity.readings(["mine"]) != often
