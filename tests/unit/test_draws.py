"""The candidates that led to an event: all of them, as they were drawn, and nothing is changed by asking."""

from __future__ import annotations

import numpy as np
import pytest
from histories import CASES
from oracle.test_reach import whole

from ucnp_abm import Simulation
from ucnp_abm.engine.draws import draws
from ucnp_abm.kernels.random_words import hazard, unit
from ucnp_abm.kernels.rates import bound_total


def asked(run: Simulation, most: int = 12):
    """The draws, asked for twice; the state, the records and what follows stay as they are."""
    digest, records = run.digest(), [array.tobytes() for array in run._loop.records]
    found = draws(run, most)
    assert run.digest() == digest
    if any(records):
        assert [array.tobytes() for array in run._loop.records] == records
    again = draws(run, most)
    assert (again.n_drawn, list(map(str, again.newest))) == (found.n_drawn, list(map(str, found.newest)))
    return found


@pytest.fixture
def on_the_way(monkeypatch: pytest.MonkeyPatch, small_particle) -> Simulation:
    monkeypatch.setattr("ucnp_abm.rules.asking.MAX_ROWS", 120)
    return Simulation(small_particle, whole(), seed=6)


def is_told(run: Simulation, n: int = 25) -> int:
    """Fire events and compare the draws of each with it; returns how many candidates were refused."""
    refused, twin = 0, run.branch()
    for _ in range(n):
        before, since = run.state.candidates, run.time
        event = run.fire()
        assert event is not None
        found = asked(run, 10**6)
        assert found.n_drawn == len(found.newest) == event.candidate - before
        *nulls, last = found.newest
        refused += len(nulls)
        assert [one.candidate for one in found.newest] == list(range(before + 1, event.candidate + 1))
        assert [one.accepted for one in found.newest] == [False] * len(nulls) + [True]
        assert (last.time, last.words, last.move.rate) == (event.time, event.words, event.move.rate)
        assert (last.move.site, last.move.to, last.move.verb) == (event.move.site, event.move.to, event.verb)
        assert all(one.agrees for one in found.newest)
        assert last.law == event.move.barrier
        times = [since, *(one.time for one in found.newest)]
        assert (np.diff(times) > 0).all()
        for one in found.newest:
            if run.scheduler == "rejection":
                assert one.bound is not None
                assert (unit(np.uint64(one.words[2])) * one.bound < one.move.rate) == one.accepted
            else:
                assert one.bound is None
        assert [one.candidate for one in draws(run, 2).newest] == [one.candidate for one in found.newest[-2:]]
    twin.run(events=n)
    assert twin.digest() == run.digest()
    return refused


@pytest.mark.parametrize("scheduler", ["rejection", "sum-tree", "linear-scan"])
@pytest.mark.parametrize("case", ["y-complex", "etch", "energies", "thermal pulses", "crowded box"])
def test_the_last_draw_is_the_event_and_all_before_it_were_refused(case: str, scheduler: str) -> None:
    run = CASES[case].simulation(scheduler)
    run.run(events=60)
    refused = is_told(run)
    assert (refused > 0) == (scheduler == "rejection")


def test_rows_that_come_on_the_way_are_drawn_again(on_the_way: Simulation) -> None:
    assert is_told(on_the_way, 6) > 0
    assert not on_the_way.reload(whole())  # the rows are forgotten
    assert len(on_the_way.memo) == 0
    found = asked(on_the_way)
    assert found.newest[-1].accepted
    assert found.newest[-1].agrees


def test_no_row_is_worked_out_twice(on_the_way: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ucnp_abm.engine.memo._ROOM", 1)
    on_the_way.remember(30)
    on_the_way.run(events=20)
    assert not on_the_way.reload(whole())
    draws(on_the_way, 10**6)
    known = len(on_the_way.memo)
    assert known > 1
    draws(on_the_way, 10**6)
    assert len(on_the_way.memo) == known


def test_interpreted_draws_are_the_same() -> None:
    plain, compiled = CASES["etch"].simulation(interpreted=True), CASES["etch"].simulation()
    drawn = []
    for run in (plain, compiled):
        run.remember(30)
        told = []
        for _ in range(12):
            run.run(events=1)
            told.append((draws(run).n_drawn, list(map(str, draws(run).newest))))
        drawn.append(told)
    assert drawn[0] == drawn[1]
    assert max(n for n, _ in drawn[0]) > 1


@pytest.mark.parametrize("scheduler", ["rejection", "sum-tree"])
def test_a_run_without_records_stays_where_it_is_between_two_events(scheduler: str) -> None:
    run = CASES["etch"].simulation(scheduler)
    run.run(events=500)
    event_time = run.time
    if scheduler == "rejection":
        while run.state.nulls < 3:
            run.run(candidates=1)
    run.run(time=(run.time - event_time) / 2 or 1e-12)
    other = run.branch()
    found = asked(run)
    assert found.newest[-1].time == run.state.clock[2]
    for each in (run, other):
        each.run(events=100)
    assert run.digest() == other.digest()


def test_nothing_was_drawn_where_the_known_past_begins() -> None:
    run = CASES["y-complex"].simulation()
    assert draws(run) == (0, [])
    run.run(events=10)
    branch = run.branch(seed=3)
    assert draws(branch) == (0, [])
    branch.run(events=1)
    assert asked(branch).newest[-1].accepted


def test_the_clock_of_a_draw_runs_by_the_sum_of_all_bounds() -> None:
    run = CASES["reflecting"].simulation()
    run.run(events=30)
    run.remember(10)
    run.run(events=3)
    while draws(run).n_drawn < 2:
        run.run(events=1)
    first, second, *_ = draws(run, 10**6).newest
    total = bound_total(run._loop.lattice, run._loop.state, run._loop.rates, 0)
    assert second.time == first.time + hazard(np.uint64(second.words[3])) / total


def test_a_law_that_changed_its_mind_is_told() -> None:
    run = CASES["y-complex"].simulation()
    run.run(events=30)
    before = draws(run).newest[-1]
    rule = before.move.rule
    assert rule is not None
    table, said = run.table, []
    original = type(table).law_value
    try:
        type(table).law_value = lambda self, rule, env: said.append(rule) or original(self, rule, env) + 0.1
        after = draws(run).newest[-1]
    finally:
        type(table).law_value = original
    assert said
    assert not after.agrees
    assert after.law == before.move.barrier + 0.1
    assert "refused" not in str(after)
