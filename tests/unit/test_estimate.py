"""How long a study will take: which runs are tried, and what follows from them."""

import pytest

from ucnp_abm import load_study
from ucnp_abm.study import estimate
from ucnp_abm.study.grid import distinct

TABLES = {
    "study": {"mechanisms": ["no-complex", "y-complex"], "replicates": 2, "arrangement": "one-at-a-time"},
    "particle": {"core": "NaGdF4: 49% Yb", "diameter": "2.4 nm", "shell": "NaYF4", "thickness": "0.8 nm"},
    "anneal": {"steps": 10},
    "vary": {"mechanism.dock_barrier": ["1.2 eV", "1.4 eV", "1.5 eV"], "mechanism.barrier": ["1.65 eV", "1.6 eV"]},
}


@pytest.fixture
def tasks():
    return load_study(TABLES).tasks()


def test_a_run_that_settings_share_is_done_for_the_first_of_them(tasks):
    found = distinct(tasks)
    assert len(tasks) == 4 * 2 * 2
    assert len(found) == len(tasks) - 2 * 2  # no-complex does not dock: two settings more have the runs of the base
    assert {t.point for t in found if t.cell.label == "no-complex"} == {0, 3}


def test_every_setting_is_tried_also_where_some_share_runs(tasks, monkeypatch):
    tried = []
    seconds = {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}
    monkeypatch.setattr(estimate, "warm_up", lambda cell: None)
    points = {task.identity: task.point for task in distinct(tasks)}
    of_cell = {(t.cell.point, t.cell.label): points[t.identity] for t in distinct(tasks)}
    monkeypatch.setattr(estimate, "_of", lambda cell: tried.append(cell) or seconds[of_cell[cell.point, cell.label]])
    about = estimate.seconds(distinct(tasks), {})
    assert len(tried) == 6  # two mechanisms at two settings, one at the two others
    assert about == pytest.approx(12 * (1 + 1 + 2 + 3 + 4 + 4) / 6)


def test_finished_runs_tell_more_than_trials(tasks, monkeypatch):
    monkeypatch.setattr(estimate, "_of", lambda cell: 1 / 0)
    assert estimate.seconds(tasks, {"a": 1.0, "b": 3.0}) == 2.0 * len(tasks)
    assert estimate.seconds([], {}) == 0.0


def test_patience_ends_after_the_ends_and_the_middle(monkeypatch, tasks):
    monkeypatch.setattr(estimate, "PATIENCE_S", -1.0)
    monkeypatch.setattr(estimate, "warm_up", lambda cell: None)
    tried = []
    monkeypatch.setattr(estimate, "_of", lambda cell: tried.append(cell.point) or 1.0)
    estimate.seconds(tasks, {})
    assert set(tried) == {"base"}
    assert estimate._spread(list(range(9))) == [0, 8, 4, 2, 6, 1, 3, 5, 7]


def test_a_short_run_is_tried_whole_and_a_long_one_by_its_beginning(tasks, monkeypatch):
    timed = []
    monkeypatch.setattr(estimate, "_timed", lambda cell: timed.append(cell.marks[-1]) or 0.01)
    assert estimate._of(tasks[0].cell) == 0.01
    assert timed == [0.0, pytest.approx(0.5), 10.0]
    times = iter([1.0, 2.0])
    monkeypatch.setattr(estimate, "_timed", lambda cell: next(times))
    assert estimate._of(tasks[0].cell) == pytest.approx(1.0 + 1.0 / 0.05)
