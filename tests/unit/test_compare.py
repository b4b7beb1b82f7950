"""Comparisons: pairing, equal steps, any number of processes, what is said of bad input."""

import multiprocessing
import signal
import threading
import warnings
from dataclasses import dataclass, replace

import numpy as np
import pytest

from ucnp_abm import IONS, Box, CoreShell, Mechanism, Simulation, mechanism
from ucnp_abm.crystal.population import Population
from ucnp_abm.errors import BadInput, BadMechanism, UcnpError
from ucnp_abm.study import conduct, crew
from ucnp_abm.study.cells import run_cell, warm_up
from ucnp_abm.study.compare import compare
from ucnp_abm.study.design import design, replicate_seeds
from ucnp_abm.study.numbers import statistics
from ucnp_abm.study.record import pack
from ucnp_abm.study.report import findings
from ucnp_abm.study.report.pictures import slabs

SMALL = CoreShell(core="NaGdF4: 49% Yb", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm")
BOTH = ["no-complex", "y-complex"]


def small(mechanisms=BOTH, **given):
    options = {"particle": SMALL, "replicates": 3, "steps": 40, "jobs": 1} | given
    return compare(mechanisms, **options)


def cells(result, label):
    return [result.found[label, n] for n in result.replicates(label)]


def told(found):
    """What runs left behind, as bytes."""
    return {key: pack("", cell) for key, cell in found.items()}


def run_cells(cells, jobs):
    done = conduct.in_processes(run_cell, cells, jobs, False, "run", first=lambda: warm_up(cells[0]))
    return {(cell.label, cell.replicate): result for cell, result in zip(cells, done, strict=True)}


@pytest.fixture(scope="module")
def result():
    return small()


def test_every_mechanism_anneals_the_same_crystal(result):
    first, second = (result.found[label, 0] for label in BOTH)
    assert first.seed == second.seed
    assert np.array_equal(first.snapshots[0.0], second.snapshots[0.0])
    assert not np.array_equal(first.snapshots[40.0], second.snapshots[40.0])


def test_a_cell_is_the_run_with_its_seed(result):
    cell = cells(result, "y-complex")[2]
    simulation = Simulation(SMALL.build(cell.seed), mechanism("y-complex"), "300 °C", seed=cell.seed)
    simulation.run_to(steps=40)
    assert cell.digest == simulation.digest()
    assert cell.row(-1)["events"] == simulation.state.events


def test_one_more_mechanism_or_replicate_changes_no_other_run(result):
    more = small([*BOTH, "y-complex+laser-thermal"], replicates=4)
    before = told(result.found)
    assert {key: told(more.found)[key] for key in before} == before


def test_another_seed_grows_other_crystals():
    assert not set(replicate_seeds(0, 100)) & set(replicate_seeds(1, 100))
    assert len(set(replicate_seeds(0, 2000))) == 2000


def test_results_do_not_depend_on_jobs_or_order(result):
    assert told(small(jobs=2).found) == told(result.found)
    assert told(small(jobs=5).found) == told(result.found)
    assert told(run_cells(result.design.cells()[::-1], jobs=2)) == told(result.found)


def test_a_law_of_a_notebook_runs_in_other_processes():
    local = Mechanism("local", summary="A closure.", source="Assumption: a test")
    barrier = 1.6
    local.hop(mover=IONS)(lambda env: barrier)
    assert told(small([local], jobs=2).found) == told(small([local], jobs=1).found)


def test_forking_beside_other_threads_warns_nobody(result):
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            assert told(small(jobs=2).found) == told(result.found)
        assert [str(each.message) for each in heard] == []
    finally:
        done.set()
        thread.join()


@pytest.mark.slow
def test_spawned_processes_give_the_same_and_refuse_what_cannot_be_sent(result, monkeypatch):
    monkeypatch.setattr(crew, "_START", "spawn")
    assert told(run_cells(result.design.cells(), jobs=2)) == told(result.found)
    local = Mechanism("local", summary="A closure.", source="Assumption: a test")
    local.hop(mover=IONS)(lambda env: 1.6)
    with pytest.raises(BadInput, match=r"cannot be sent to another process.*jobs=1"):
        small([local], jobs=2)


def test_all_runs_end_at_the_same_step():
    found = small([*BOTH, "y-complex+laser-thermal"], protocol="200 °C for 1 h, 300 °C for 2 min", steps=None)
    for cell in found.found.values():
        assert cell.course("steps") == pytest.approx(found.design.samples, rel=1e-9)
        assert cell.row(-1)["t_s"] == pytest.approx(3720.0)


def test_length_is_the_protocols_own_or_the_last_mark_or_1000_steps():
    def length(protocol, **given):
        return design(BOTH, SMALL, protocol, (1,), **given).marks

    assert length("300 °C") == (0, 100, 500, 1000)
    assert length("300 °C for 1 h")[-1] == pytest.approx(892.8, abs=0.1)
    assert length("300 °C for 1 h", steps=50) == (0, 5, 25, 50)
    assert length("300 °C", marks=(0, 100, 500)) == (0, 100, 500)
    assert length("300 °C", marks=(10,), steps=50) == (0, 10, 50)


def test_differences_are_paired_by_crystal(result):
    first, second = (result.values(label, "outside_core_pct") for label in BOTH)
    assert result.difference("y-complex", "outside_core_pct") == statistics.mean(second - first)
    assert result.relative("y-complex", "vacancies", 0).value == 0.0
    assert result.relative("y-complex", "docked") is None
    last = result.rows[-1]
    assert last["mechanism"] == "y-complex"
    assert last["outside_core_pct_difference"] == (second - first).mean()
    assert last["docked_relative_pct"] is None
    assert (last["steps"], last["replicates"]) == (40, 3)
    assert last["t_s"] == pytest.approx(40 * 4.032, rel=1e-3)
    assert result.rows[0]["vacancies_difference"] is None


def test_table_gives_means_and_differences_at_the_marks(result):
    text = result.table()
    assert "over 3 particles" in text
    assert "Difference from no-complex on the same particles." in text
    shown = result.mean("y-complex", "vacancies", 20).interval()
    assert any(line.startswith("y-complex") and shown in line for line in text.splitlines())
    assert "One particle: no interval" in small(replicates=1).table()


def test_finding_says_what_could_be_chance():
    found = small({"a": "y-complex", "b": mechanism("y-complex", dock_barrier="1.25 eV"), "c": "y-complex"})
    text = findings.finding(found)
    assert found.difference("b", "outside_core_pct").low < 0 < found.difference("b", "outside_core_pct").high
    assert "with b by" in text
    assert "which could be chance; with c by +0 [+0, +0] points, no difference at all." in text


def test_reader_is_warned_of_few_particles_and_of_what_has_not_settled(result):
    said = dict(findings.notes(result)[:2])
    assert said["3 particles"] == "Intervals are wide."
    assert said["no-complex"].startswith("Not settled: core ions outside the core / % changed by +")


def test_what_is_not_defined_is_none_and_not_nan():
    last = small(replicates=1).rows[-1]
    assert last["vacancies"] is not None
    assert [last[f"vacancies_{end}"] for end in ("standard_error", "low", "high", "difference_low")] == [None] * 4


def test_a_family_is_compared_by_column_where_a_mechanism_has_it():
    found = small(["y-complex", "gd-complex"], observables=["docked_by_species"])
    assert found.design.columns == ("docked_Y", "docked_Gd")
    assert found.mean("gd-complex", "docked_Gd").value > 0
    assert found.rows[-1]["docked_Y"] is None
    assert "undefined" in found.table()


def test_the_command_gives_the_same_again(result):
    slow = mechanism("y-complex", dock_barrier="1.5 eV")
    found = small({"none": "no-complex", "slow": slow}, marks=[10, 40])
    space = {"compare": lambda *a, **k: compare(*a, **k, jobs=1), "CoreShell": CoreShell, "mechanism": mechanism}
    assert told(eval(found.command, space).found) == told(found.found)
    assert told(eval(result.command, space).found) == told(result.found)


def test_rules_for_a_surface_that_is_not_there_are_named():
    box = Box("fcc", (4, 4, 4), "Y: 50% Gd", vacancies=3)
    said = dict(findings.notes(small(particle=box, mechanisms=["no-complex", "y-complex"])))
    assert "never act" in str(findings.notes(small(particle=box, mechanisms=["y-complex"])))
    assert "never act" not in said["no-complex"]


def test_a_periodic_box_is_compared_as_well():
    found = small(particle=Box("fcc", (4, 4, 4), "Y: 50% Gd", vacancies=3), mechanisms=["no-complex"])
    assert found.mean("no-complex", "vacancies").value == 3
    assert slabs(found) == {}  # it has no surface to look at


def test_crystals_of_a_population_differ_and_are_paired_all_the_same():
    found = small(particle=Population(SMALL, diameter_spread=0.2), steps=5)
    first, second = ([cell.mixed_pct for cell in cells(found, label)] for label in BOTH)
    assert first == second
    assert len(set(first)) == 3
    assert found.mixed_pct == pytest.approx(np.mean(first))


@dataclass(frozen=True)
class Failing:
    """A recipe that grows the first crystal only."""

    error: Exception
    first: int = replicate_seeds(0, 1)[0]

    def build(self, seed=0):
        if seed != self.first:
            raise self.error
        return SMALL.build(seed)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("error", [BadMechanism("it is broken"), ZeroDivisionError("it is broken")])
def test_a_run_that_fails_is_told_with_mechanism_and_seed(jobs, error):
    seed = replicate_seeds(0, 2)[1]
    before = set(multiprocessing.active_children())
    with pytest.raises(BadMechanism, match=f"^no-complex, seed {seed}: .*it is broken$"):
        small(["no-complex"], particle=Failing(error), replicates=2, jobs=jobs)
    assert set(multiprocessing.active_children()) == before


class Telling:
    """A recipe that tells, in another process, how that process takes Ctrl-C."""

    def build(self, seed=0):
        if multiprocessing.parent_process():
            raise BadInput(signal.getsignal(signal.SIGINT).name)
        return SMALL.build(seed)


def test_a_worker_leaves_ctrl_c_to_its_parent():
    with pytest.raises(BadInput, match="SIG_IGN"):
        small(particle=Telling(), jobs=2)


def test_a_worker_that_dies_is_told_in_a_sentence(result, monkeypatch):
    monkeypatch.setattr(crew, "_work_numbers", _die)
    with pytest.raises(UcnpError, match=r"^no-complex, seed \d+: its worker vanished, twice"):
        run_cells(result.design.cells(), jobs=2)


def _die(numbers):
    import os

    os._exit(1)


BAD = {
    "no mechanism": ({"mechanisms": []}, "at least one"),
    "a text": ({"mechanisms": "no-complex"}, r"expected a list such as"),
    "a number": ({"mechanisms": [3]}, "expected a name or a Mechanism"),
    "twice": ({"mechanisms": ["y-complex", "y-complex"]}, "'y-complex' is given twice"),
    "unknown mechanism": ({"mechanisms": ["y-complx"]}, "did you mean 'y-complex'"),
    "empty label": ({"mechanisms": {"": "y-complex"}}, "labels that are text"),
    "no replicate": ({"replicates": 0}, "replicates: expected a whole number of at least 1, got 0"),
    "half a replicate": ({"replicates": 1.5}, "replicates: expected a whole number"),
    "no job": ({"jobs": 0}, "jobs: expected a whole number of at least 1, got 0"),
    "no step": ({"steps": 0}, "steps: expected a finite number above zero"),
    "negative steps": ({"steps": -1}, "steps: expected a number of at least 0"),
    "nan steps": ({"steps": float("nan")}, "steps: expected a number of at least 0"),
    "endless": ({"steps": float("inf")}, "steps: expected a finite number"),
    "negative seed": ({"seed": -1}, "seed: expected a whole number"),
    "unknown observable": ({"observables": ["vacancy"]}, "did you mean 'vacancies'"),
    "no observable": ({"observables": []}, "observables: expected a list"),
    "a text for observables": ({"observables": "docked"}, "observables: expected a list"),
    "mark beyond the end": ({"marks": [100]}, "100 lies beyond the end, 40 steps"),
    "negative mark": ({"marks": [-1]}, "marks: expected a number of at least 0"),
    "a particle": ({"particle": SMALL.build(0)}, "particle: expected a recipe"),
    "a class": ({"particle": CoreShell}, "particle: expected a recipe"),
    "no particle": ({"particle": "NaYF4"}, "particle: expected a recipe"),
    "cold": ({"protocol": "0 K"}, "above zero"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(case):
    given, says = BAD[case]
    with pytest.raises(BadInput, match=says) as refused:
        small(**given)
    assert "\n" not in str(refused.value)


def test_asking_for_what_was_not_read_is_refused(result):
    for ask, says in (
        (lambda: result.mean("y-complx", "docked"), "did you mean 'y-complex'"),
        (lambda: result.mean("y-complex", "dokced"), "did you mean 'docked'"),
        (lambda: result.mean("y-complex", "docked", 3), "marks: 0, 4, 20 and 40"),
    ):
        with pytest.raises(BadInput, match=says):
            ask()


def test_cells_are_small_values(result):
    cell = result.design.cells()[0]
    assert replace(cell) == cell
    with pytest.raises(AttributeError):
        cell.seed = 3
    assert [bool(c.snapshots) for c in result.found.values()] == [True, True, False, False, False, False]
