"""Studies: settings, pairing, rounds, shards; runs that fail and workers that vanish."""

import json
import math
import os
import re
import signal
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from studies import FILE, held, tables

from ucnp_abm import observables, registry
from ucnp_abm.cli import compare
from ucnp_abm.config.studies import load_study
from ucnp_abm.errors import BadInput, Stopped, UcnpError
from ucnp_abm.observables import observable
from ucnp_abm.runs import disk
from ucnp_abm.study import running
from ucnp_abm.study.grid import distinct
from ucnp_abm.study.live import Lines
from ucnp_abm.study.outcome import StudyResult
from ucnp_abm.study.report import conclusions, methods, warnings
from ucnp_abm.study.running import existing, part_of, run_study
from ucnp_abm.study.store import StudyDirectory


def small(**changes):
    return load_study(tables(**changes))


def run(study, directory=None, jobs=1, **given):
    return run_study(study, directory, jobs=jobs, progress=False, **given)


def digests(result):
    """Final state by setting, mechanism and replicate."""
    return {
        (comparison.design.point, label, n): cell.digest
        for comparison in result.comparisons
        for (label, n), cell in comparison.found.items()
    }


@pytest.fixture(scope="module")
def result():
    return run(small())


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished study directory; look, and do not touch."""
    directory = tmp_path_factory.mktemp("studies") / "done"
    run(small(study__replicates=4), directory, jobs=2)
    return directory


def test_progress_counts_all_runs_of_a_cell_that_settings_share():
    study = small(vary={"mechanism.dock_barrier": ["1.2 eV", "1.3 eV"]})
    lines = Lines(study, table=True)
    found, tasks = run(study), study.tasks()
    cells = {task.identity: found.comparisons[task.point].found[task.cell.label, task.cell.replicate] for task in tasks}
    lines.begin(tasks, {})
    for task in distinct(tasks):
        lines.done(task, cells[task.identity], "here:1")
    ended = {name: (bar.n, bar.total) for name, bar in lines._bars.items()}
    lines.close()
    assert ended == {"": (8, 8), "no-complex": (4, 4), "y-complex": (4, 4)}


# --- what is asked ---


def test_a_file_says_what_a_mapping_says(tmp_path):
    (tmp_path / "why.toml").write_text(FILE)
    study = load_study(tmp_path / "why.toml")
    assert study.name == "why"
    assert study.source == tables()
    assert [task.identity for task in study.tasks()] == [task.identity for task in small().tasks()]


def test_a_factorial_has_all_combinations():
    study = small(vary={"particle.thickness": ["0.8 nm", "1 nm"], "mechanism.barrier": [1.6, "1.65 eV", 2]})
    assert study.axes == {"particle.thickness": ("0.8 nm", "1 nm"), "mechanism.barrier": ("1.6", "1.65 eV", "2")}
    assert len({point.name for point in study.points}) == len(study.points) == 6
    assert study.points[4].name == "thickness = 1 nm, barrier = 1.65 eV"
    assert study.points[4].design.recipe.thickness == "1 nm"
    assert study.points[5].design.mechanisms["no-complex"].values["barrier"] == 2.0
    assert study.n_cells == len(study.tasks()) == 24


def test_one_at_a_time_changes_one_thing_of_the_first_setting():
    vary = {"particle.thickness": ["0.8 nm", "1 nm"], "mechanism.barrier": [1.6, 1.65, 1.7]}
    study = small(study__arrangement="one-at-a-time", vary=vary)
    assert [list(point.levels.values()) for point in study.points] == [
        ["0.8 nm", "1.6"],
        ["1 nm", "1.6"],
        ["0.8 nm", "1.65"],
        ["0.8 nm", "1.7"],
    ]


def test_named_levels_change_several_keys_at_once():
    hot = {"anneal.protocol": "320 °C", "mechanism.barrier": "1.7 eV"}
    study = small(vary={"furnace": {"as it is": {}, "hot and slow": hot}})
    usual, other = (point.design for point in study.points)
    assert [point.name for point in study.points] == ["furnace = as it is", "furnace = hot and slow"]
    assert other.protocol.temperatures[0] - usual.protocol.temperatures[0] == pytest.approx(20)
    assert other.mechanisms["y-complex"].values["barrier"] == 1.7
    plain, varied = small().tasks(), study.tasks()
    assert [task.identity for task in plain] == [task.identity for task in varied[:4]]


def test_a_number_of_many_digits_is_told_with_all_of_them():
    study = small(vary={"mechanism.barrier": [1.6500001, 1.6500002, 2.0]})
    assert study.axes["mechanism.barrier"] == ("1.6500001", "1.6500002", "2")
    assert compare._word(1234567.0) == "1234567"


def test_two_axes_that_disagree_about_one_key_are_refused():
    vary = {"mechanism.barrier": [1.6, 1.7], "also": {"x": {"mechanism.parameters.barrier": 1.8}, "y": {}}}
    with pytest.raises(
        BadInput, match=r"2 of 4 settings(.|\n)*barrier = 1.6, also = x: .*'mechanism.barrier' and 'also'"
    ):
        small(vary=vary)


def test_settings_do_not_change_each_other_or_what_was_given():
    given = tables(vary={"particle.thickness": ["1 nm", "0.8 nm"]})
    before = json.dumps(given)
    study = load_study(given, settings=["study.replicates=3"], vary=["mechanism.barrier=1.6 eV, 1.7 eV"])
    assert json.dumps(given) == before
    assert (study.replicates, len(study.points)) == (3, 4)


# --- pairing ---


def test_all_mechanisms_and_settings_have_the_same_crystals():
    study = small(vary={"mechanism.barrier": [1.6, 1.7], "anneal.protocol": ["300 °C", "310 °C"]})
    by_replicate = {}
    for task in study.tasks():
        by_replicate.setdefault(task.cell.replicate, set()).add(task.cell.seed)
    assert [len(seeds) for seeds in by_replicate.values()] == [1, 1]
    found = run(study)
    starts = {c.found[label, 0].snapshots[0.0].tobytes() for c in found.comparisons for label in found.labels}
    assert len(starts) == 1


def test_more_mechanisms_levels_or_replicates_change_no_other_run(result):
    more = run(
        small(
            study__mechanisms=["gd-complex", "no-complex", "y-complex"],
            study__replicates=3,
            vary={"particle.thickness": ["1 nm", "0.8 nm"]},
        )
    )
    there = digests(more)
    for (_, label, replicate), digest in digests(result).items():
        assert there["thickness = 0.8 nm", label, replicate] == digest
    assert len(there) == 18


def test_marks_as_times_are_at_equal_times_at_any_temperature():
    study = small(
        study__marks=["10 min", "20 min"],
        anneal={"duration": "30 min"},
        vary={"anneal.protocol": ["280 °C", "320 °C", "260 °C for 5 min, 300 °C"]},
    )
    steps = [point.design.marks for point in study.points]
    assert len({marks[-1] for marks in steps}) == 3
    for point in study.points:
        assert [point.design.time(mark) for mark in point.design.marks] == pytest.approx([0, 600, 1200, 1800])
    rows = [row for row in run(study).rows if row["mechanism"] == "y-complex"]
    assert [row["t_s"] for row in rows] == pytest.approx([0, 600, 1200, 1800] * 3)


def test_cells_that_do_not_have_what_varies_run_once_and_are_not_called_missing(tmp_path):
    study = small(vary={"mechanism.dock_barrier": ["1.2 eV", "1.4 eV"]})
    assert len({task.identity for task in study.tasks()}) == 6
    for found in (run(study, tmp_path / "s"), run(study, tmp_path / "s"), existing(study, tmp_path / "s")):
        assert found.n_finished == found.n_wanted == 8
        account = found.account
        assert (account.wanted, account.ran + account.found, account.shared) == (6, 6, 2)
    assert len(list((tmp_path / "s/cells").iterdir())) == 6


# --- observables ---


def test_costly_observables_are_read_at_the_marks_only(monkeypatch):
    read = Counter()

    def counting(name):
        def reading(simulation):
            """Of a test."""
            read[name] += 1
            return simulation.time

        return reading

    for name, costly in (("dear", True), ("cheap", False)):
        each = observable(name, unit="", costly=costly)(counting(name))
        monkeypatch.setitem(observables.OBSERVABLES, name, each)
    study = small(study__observables=["docked", "cheap", "dear"], study__marks=[2, 5])
    read.clear()
    found = run(study)
    samples, marks = study.points[0].design.samples, study.points[0].design.marks
    assert marks == (0, 2, 5, 10)
    assert read == {"dear": 4 * 4, "cheap": 4 * len(samples)}
    course = found.comparisons[0].course("y-complex", "dear")
    assert (~np.isnan(course)).sum(axis=1).tolist() == [4, 4]
    assert np.isfinite(found.comparisons[0].values("y-complex", "dear", 5)).all()


# --- precision ---

PRECISE = {"study__precision": {"outside_core_pct": 9.0}, "study__max_replicates": 24}


@pytest.fixture(scope="module")
def precise(tmp_path_factory):
    directory = tmp_path_factory.mktemp("studies") / "precise"
    return run(small(**PRECISE, vary={"particle.thickness": ["0.8 nm", "1.2 nm"]}), directory, jobs=2)


def test_precision_adds_crystals_until_intervals_are_narrow(precise):
    replicates = [len(comparison.design.seeds) for comparison in precise.comparisons]
    assert all(2 < n <= 24 for n in replicates)
    assert precise.imprecise() == []
    for comparison, n in zip(precise.comparisons, replicates, strict=True):
        mean = comparison.difference("y-complex", "outside_core_pct")
        assert (mean.high - mean.low) / 2 <= 9.0
        assert comparison.design.seeds == small(study__replicates=n).points[0].design.seeds
    assert precise.n_finished == precise.n_wanted == 2 * sum(replicates)


def test_precision_gives_up_at_the_most_crystals():
    found = run(small(study__precision={"outside_core_pct": 1e-6}, study__max_replicates=5))
    assert [len(comparison.design.seeds) for comparison in found.comparisons] == [5]
    assert found.imprecise() == [0]


def test_precision_asks_for_no_crystals_where_an_observable_is_undefined():
    asked = {"study__observables": ["outside_core_pct", "qy"], "study__max_replicates": 8}
    found = run(small(**asked, study__precision={"qy": 0.1}))
    assert len(found.comparisons[0].design.seeds) == 2
    assert found.imprecise() == [0]
    both = run(small(**asked, study__precision={"qy": 0.1, "outside_core_pct": 1e-6}))
    assert len(both.comparisons[0].design.seeds) == 8


def test_precision_does_not_depend_on_jobs_or_on_where_it_was_interrupted(precise, tmp_path, monkeypatch):
    study = precise.study
    alone = run(study, tmp_path / "alone")
    assert held(tmp_path / "alone", "cells") == held(precise.directory, "cells")
    assert digests(alone) == digests(precise)

    class Interrupted(Exception):
        pass

    complete, rounds = running._Run.complete, Counter()

    def leaving(self, *arguments):
        complete(self, *arguments)
        rounds["all"] += 1
        if self.ran:  # each call does one round
            raise Interrupted

    monkeypatch.setattr(running._Run, "complete", leaving)
    n, found = 0, None
    while found is None:
        n += 1
        try:
            found = run(study, tmp_path / "parts")
        except Interrupted:
            known = existing(study, tmp_path / "parts")
            assert known.n_finished <= precise.n_finished
    assert n > 2
    assert digests(found) == digests(precise) == digests(existing(study, tmp_path / "parts"))
    assert held(tmp_path / "parts", "cells") == held(precise.directory, "cells")


# --- who works ---


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_directory_holds_the_same_for_any_number_of_jobs(jobs, done, tmp_path):
    run(small(study__replicates=4), tmp_path / "s", jobs=jobs)
    assert held(tmp_path / "s", "cells") == held(done, "cells")


def test_a_borrowed_executor_works_and_is_not_shut_down(done, tmp_path):
    with ThreadPoolExecutor(1) as executor:
        run_study(small(study__replicates=4), tmp_path / "s", executor=executor, progress=False)
        assert executor.submit(int, "1").result() == 1
    assert held(tmp_path / "s", "cells") == held(done, "cells")
    with pytest.raises(
        UcnpError, match=r"executor: it failed with RuntimeError.*runs are finished and kept; go on with"
    ):
        run_study(small(study__replicates=5), tmp_path / "s", executor=executor, progress=False)


def test_shards_share_the_cells_out_and_fill_one_directory(done, tmp_path):
    study = small(study__replicates=4)
    parts = [part_of(study.tasks(), (n, 3)) for n in (1, 2, 3)]
    assert sorted(task.identity for part in parts for task in part) == sorted(t.identity for t in study.tasks())
    found = [run(study, tmp_path / "s", shard=(n, 3)) for n in (1, 2, 3)]
    assert [result.account.ran for result in found] == [len(part) for part in parts]
    assert held(tmp_path / "s", "cells") == held(done, "cells")
    assert digests(existing(study, tmp_path / "s")) == digests(existing(study, done))
    assert [each for each in (tmp_path / "s").iterdir() if each.name.startswith("lock")] == []


def test_a_shard_that_finds_another_one_at_work_joins_in(tmp_path):
    study = small()
    one, two = (StudyDirectory.begin(tmp_path / "s", study, f"{n}of2") for n in (1, 2))
    with one.held(), two.held():
        pass
    assert [file.name for file in (tmp_path / "s").iterdir()].count("study.json") == 1


# --- what fails ---

FAILING = """
from multiprocessing import parent_process
from pathlib import Path

from ucnp_abm import IONS, Mechanism, hookimpl

FLAG = Path(__file__).with_name("flag")
mine = Mechanism("mine", summary="Fails in other processes.", source="Assumption: a test")


@mine.hop(mover=IONS)
def barrier(env):
    if parent_process() is not None and FLAG.exists():
        raise ArithmeticError("no barrier today")  # here
    return 1.6


@hookimpl
def ucnp_mechanisms():
    return [mine]
"""


def test_the_rest_finishes_beside_runs_that_fail_and_they_are_tried_again(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(FAILING)
    (tmp_path / "flag").touch()
    line = FAILING.splitlines().index('        raise ArithmeticError("no barrier today")  # here') + 1
    with registry.beside([tmp_path / "mine.py"]):
        study = small(study__mechanisms=["no-complex", "mine"])
        found = run(study, tmp_path / "s", jobs=2)
        assert {key[1] for key in digests(found)} == {"no-complex"}
        assert [re.sub(r"\d+", "N", failed.cell) for failed in found.failures] == ["mine, seed N"] * 2
        for failed in found.failures:
            assert "ArithmeticError: no barrier today" in failed.said
            assert f'mine.py", line {line}, in barrier' in failed.file.read_text()
        assert found.account.ran == 2
        told = existing(study, tmp_path / "s")
        assert {failed.cell for failed in told.failures} == {failed.cell for failed in found.failures}
        assert "no barrier today" in told.failures[0].said
        again = run(study, tmp_path / "s", jobs=2)
        assert (len(again.failures), again.account.ran, again.account.found) == (2, 0, 2)
        (tmp_path / "flag").unlink()
        last = run(study, tmp_path / "s", jobs=2)
        assert (last.failures, last.account.ran, last.account.found) == ((), 2, 2)
        assert list((tmp_path / "s/failures").iterdir()) == []


def test_a_failure_that_several_settings_share_is_not_missing_elsewhere(tmp_path):
    (tmp_path / "mine.py").write_text(FAILING)
    (tmp_path / "flag").touch()
    with registry.beside([tmp_path / "mine.py"]):
        vary = {"mechanism.dock_barrier": ["1.2 eV", "1.4 eV"]}
        study = small(study__mechanisms=["y-complex", "mine"], vary=vary)
        found = run(study, tmp_path / "s", jobs=2)
    assert [failed.runs for failed in found.failures] == [2, 2]
    assert found.n_wanted - found.n_finished == 4
    from ucnp_abm.study.report.warnings import notes

    assert "Not finished" not in dict(notes(found))
    assert "Failed" in dict(notes(found))


def test_in_memory_the_first_failure_ends_the_study(tmp_path):
    (tmp_path / "mine.py").write_text(FAILING)
    (tmp_path / "flag").touch()
    with registry.beside([tmp_path / "mine.py"]):
        study = small(study__mechanisms=["mine", "no-complex"])
        with pytest.raises(UcnpError, match=r"^mine, seed \d+: .*no barrier today"):
            run(study, jobs=2)


def fatal(monkeypatch, when):
    """An observable that kills its own process, if that is a worker and a condition holds."""
    from multiprocessing import parent_process

    def reading(simulation):
        """Of a test."""
        if parent_process() is not None and when(simulation):
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    monkeypatch.setitem(observables.OBSERVABLES, "fatal", observable("fatal", unit="")(reading))
    return small(study__replicates=4, study__observables=["docked", "fatal"])


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_worker_that_is_killed_costs_no_run(jobs, tmp_path, monkeypatch):
    def once(simulation):
        try:
            (tmp_path / "killed").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    study = fatal(monkeypatch, once)
    found = run(study, tmp_path / "s", jobs=jobs)
    assert (tmp_path / "killed").exists()
    assert found.failures == ()
    assert found.n_finished == 8
    assert digests(found) == digests(run(small(study__replicates=4)))


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_always_kills_its_worker_is_named_and_all_others_finish(jobs, tmp_path, monkeypatch):
    seed = small(study__replicates=4).points[0].design.seeds[2]
    study = fatal(monkeypatch, lambda simulation: simulation.seed == seed and simulation.mechanism.name == "y-complex")
    found = run(study, tmp_path / "s", jobs=jobs)
    assert [failed.cell for failed in found.failures] == [f"y-complex, seed {seed}"]
    assert found.failures[0].said.startswith(f"y-complex, seed {seed}: its worker vanished, twice")
    assert len(found.failures[0].said) < 200
    assert found.n_finished == 7
    assert existing(study, tmp_path / "s").failures[0].said == found.failures[0].said


# --- replicates that are missing ---


@pytest.fixture(scope="module")
def cut():
    """Of two settings with the same values, the second lacks a crystal of one mechanism."""
    vary = {"mechanism.barrier": ["1.65 eV", "1.6 eV"]}
    found = run(small(study__replicates=4, study__observables=["outside_core_pct"], **ALONE, vary=vary))
    base, other = found.comparisons
    there = {key: cell for key, cell in base.found.items() if key != ("y-complex", 0)}
    return replace(found, comparisons=(base, replace(other, found=there)))


ALONE = {"study__arrangement": "one-at-a-time"}


def test_settings_are_contrasted_on_the_same_crystals_where_one_is_missing(cut):
    (influence,) = conclusions.influences(cut)
    assert influence.change.n_values == 3
    assert influence.change.value == influence.change.error == 0


def test_settings_that_share_no_crystal_have_no_contrast(cut):
    base, other = cut.comparisons
    only = replace(base, found={key: cell for key, cell in base.found.items() if key[1] == 0})
    assert conclusions.influences(replace(cut, comparisons=(only, other))) == []


def test_words_count_the_crystals_that_are_there():
    found = run(small(study__replicates=4))
    (whole,) = found.comparisons

    def left(kept):
        there = {key: cell for key, cell in whole.found.items() if kept(*key)}
        return replace(found, comparisons=(replace(whole, found=there),))

    assert "over 4 particles" in found.table()
    assert "over 3 to 4 particles" in left(lambda label, n: n or label == "no-complex").table()
    one = left(lambda _, n: n == 0)
    assert ("1 particle", "No interval can be given.") in warnings.notes(one)
    assert "One particle: no interval." in one.table()
    assert left(lambda *_: False).finding == "No run is finished."


def test_table_counts_the_crystals_that_are_there(cut):
    last = {(row["mechanism.barrier"], row["mechanism"]): row["replicates"] for row in cut.rows}
    assert last["1.65 eV", "y-complex"] == last["1.6 eV", "no-complex"] == 4
    assert last["1.6 eV", "y-complex"] == 3


def test_nothing_is_ranked_or_called_idle_where_the_observable_is_undefined():
    given = {"study__mechanisms": ["no-complex", "gd-complex", "y-complex"], "study__observables": ["qy"]}
    found = run(small(**given, vary={"mechanism.barrier": ["1.6 eV", "1.65 eV"]}))
    assert np.isnan(found.comparisons[0].values("y-complex", "qy")).all()
    assert found.finding == "The finished runs define no difference in qy."
    assert warnings.idle_axes(found) == []
    assert "paired tests were made" not in methods.paragraphs(found)[-1]


def test_one_crystal_puts_no_mechanism_above_another():
    given = {"study__mechanisms": ["no-complex", "gd-complex", "y-complex"], "study__replicates": 1}
    found = run(small(**given, study__observables=["docked"], vary={"mechanism.barrier": ["1.6 eV", "1.65 eV"]}))
    assert len({cell.course("docked")[-1] for cell in found.comparisons[0].found.values()}) > 1
    assert "The order of the means no-complex ≈ gd-complex ≈ y-complex holds at every setting." in found.finding


# --- what is on disk ---


def test_study_json_is_there_at_every_moment_while_a_changed_design_is_written(tmp_path, monkeypatch):
    run(small(), tmp_path / "s")
    first, moved = (tmp_path / "s" / "study.json").read_bytes(), os.replace

    def watched(source, target):
        assert (tmp_path / "s" / "study.json").exists()
        moved(source, target)
        assert (tmp_path / "s" / "study.json").exists()

    monkeypatch.setattr(os, "replace", watched)
    with StudyDirectory.begin(tmp_path / "s", small(study__seed=1)).held():
        assert (tmp_path / "s" / "study.json").read_bytes() != first
    assert (tmp_path / "s" / "study.previous.json").read_bytes() == first


def test_machines_with_one_process_number_write_beside_each_other(tmp_path, monkeypatch):
    there = set()
    for machine in ("one", "two"):
        monkeypatch.setattr("platform.node", lambda machine=machine: machine)
        there.add(disk.beside(tmp_path / "study.json"))
    assert len(there) == 2


def test_a_plan_asks_only_its_own_cells_how_long_they_took(done, monkeypatch):
    asked = []
    monkeypatch.setattr(
        compare.estimate, "seconds", lambda missing, known: asked.append((len(missing), len(known))) or 1
    )
    for changes in ({"study__replicates": 5}, {"study__replicates": 5, "anneal__steps": 11}):
        compare._say_plan(small(**changes), done, 1, None, True)
    assert asked == [(2, 8), (10, 0)]


def test_a_cell_that_two_processes_finish_is_not_called_damaged(tmp_path):
    store = StudyDirectory.begin(tmp_path / "s", small())
    for content in (b"same", b"same"):
        store.put("ab", content)
    assert [file.name for file in (tmp_path / "s" / "cells").iterdir()] == ["ab.npz"]
    store.put("ab", b"other")
    assert held(tmp_path / "s", "cells") == {"cells/ab.npz": b"other", "cells/ab.npz.damaged": b"same"}


def test_a_report_is_written_again_when_an_observable_reads_another_number(tmp_path, monkeypatch):
    def reading(number):
        @observable("mine", unit="")
        def mine(simulation):
            """Of a test."""
            return number

        monkeypatch.setitem(observables.OBSERVABLES, "mine", mine)
        return run(small(study__observables=["mine"]), tmp_path / "s")

    assert reading(1.0).keep_report()
    assert not reading(1.0).keep_report()
    assert reading(2.0).keep_report()
    assert "2" in {row.split(",")[-1] for row in (tmp_path / "s" / "runs.csv").read_text().splitlines()}


def test_bytes_on_disk_do_not_know_when_or_where(done):
    said = b"".join(held(done, "cells").values())
    assert str(os.getpid()).encode() not in said
    log = [json.loads(line) for line in (done / "log.jsonl").read_text().splitlines()]
    assert {line["cell"] for line in log} == {file.stem for file in (done / "cells").iterdir()}


def test_a_process_killed_while_it_begins_leaves_a_directory_that_goes_on(tmp_path, done):
    """Whatever is there before study.json is."""
    directory = tmp_path / "s"
    (directory / "cells").mkdir(parents=True)
    (directory / ".study.json.77.partial").write_text('{"sch')
    (directory / "lock").write_text("77\n")
    (directory / "cells" / ".ab.npz.77.partial").write_bytes(b"half")
    (directory / ".77.report.partial").mkdir()
    run(small(study__replicates=4), directory)
    assert held(directory, "cells") == held(done, "cells")
    assert [file.name for file in directory.iterdir() if file.name.startswith(".")] == []


def test_a_second_process_changes_nothing_in_a_directory_that_is_held(tmp_path):
    store = StudyDirectory.begin(tmp_path / "s", small())
    with store.held():
        before = held(tmp_path / "s")
        with pytest.raises(BadInput, match=r"is being run by process \d+; wait for it"):
            run(small(study__seed=5), tmp_path / "s")
        assert held(tmp_path / "s") == before
    assert run(small(), tmp_path / "s").n_finished == 4


def test_what_could_not_be_written_is_not_called_kept(tmp_path, monkeypatch):
    put, calls = StudyDirectory.put, []

    def full(self, *arguments):
        calls.append(1)
        if len(calls) > 3:
            raise OSError(28, "No space left on device")
        put(self, *arguments)

    monkeypatch.setattr(StudyDirectory, "put", full)
    with pytest.raises(Stopped, match=r"No space left on device\): 3 runs are finished and kept; go on with\n  again"):
        run(small(), tmp_path / "s", resume="again")
    monkeypatch.undo()
    assert len(existing(small(), tmp_path / "s").comparisons[0].found) == 3
    assert run(small(), tmp_path / "s").account.found == 3


def test_a_report_that_was_cut_short_is_written_again(tmp_path, done, monkeypatch):
    import shutil
    from pathlib import Path

    from ucnp_abm.study.report import writing as report

    monkeypatch.setattr(report, "_sections", lambda *_: [])
    directory = Path(shutil.copytree(done, tmp_path / "s"))
    assert existing(small(study__replicates=4), directory).keep_report()
    assert not existing(small(study__replicates=4), directory).keep_report()
    smaller, original = existing(small(study__replicates=3), directory), Path.replace

    def dying(self, target):
        if Path(target).name == "index.html":
            raise KeyboardInterrupt
        return original(self, target)

    monkeypatch.setattr(Path, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        smaller.keep_report()
    monkeypatch.setattr(Path, "replace", original)
    assert smaller.keep_report()
    assert not smaller.keep_report()


def test_a_comparison_at_a_setting_is_found_by_its_levels():
    study = small(vary={"particle.thickness": ["0.8 nm", "1 nm"], "mechanism.barrier": [1.6, 1.7]})
    found = StudyResult.from_cells(study, study.tasks(), {})
    assert found.at(thickness="1 nm", barrier="1.7").design.point == "thickness = 1 nm, barrier = 1.7"
    with pytest.raises(BadInput, match="2 settings"):
        found.at(thickness="1 nm")
    with pytest.raises(BadInput, match="did you mean '1 nm'"):
        found.at(thickness="1.1 nm", barrier="1.7")
    with pytest.raises(BadInput, match="did you mean 'barrier'"):
        found.at(barier="1.7")
    assert math.isnan(found.comparisons[0].mixed_pct)
    assert replace(study, name="x").n_cells == 16


def test_bars_are_for_terminals_and_running_notebooks(monkeypatch, capsys):
    from types import SimpleNamespace

    from ucnp_abm.study import live

    for shell, shown in ((None, live.Watch), (SimpleNamespace(kernel=1), live.Lines)):
        monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace())
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda shell=shell: shell))
        with live.watching(small(), True) as watch:
            assert type(watch) is shown
        with live.watching(small(), False) as watch:
            assert type(watch) is live.Watch
