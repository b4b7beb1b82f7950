"""A chronicle against the simulation itself, which fires the same events one by one and counts everything anew."""

from __future__ import annotations

import math

import numpy as np
import pytest
from histories import CASES
from oracle.test_twins import small

from ucnp_abm import Mechanism, Simulation, mechanism
from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.engine import chronicle as chronicle_module
from ucnp_abm.engine import timeline, told
from ucnp_abm.engine.chronicle import Chronicle
from ucnp_abm.errors import BadInput
from ucnp_abm.observables.atoms import outside_core
from ucnp_abm.probes import census

N_EVENTS = 200
each_case = pytest.mark.parametrize("case", CASES)


def seen(run: Simulation, n: int = N_EVENTS) -> list[tuple[float | int, ...]]:
    """The events from now on as rows of a chronicle: fired one by one, everything counted anew after each."""
    rows: list[tuple[float | int, ...]] = []
    sites, channels = run.crystal.sites, run.table.channels
    for _ in range(n):
        before = run.state.slot[sites].copy()
        event = run.fire()
        if event is None:
            break
        move = event.move
        record = run.remembered(run.state.events - 1)[0]
        channel = int(record["channel"])
        assert move.verb == ("hop" if channel == 0 else channels[channel - 1].verb)
        held, origin = census.occupants(run.crystal, run.state), census.origins(run.crystal, run.state)
        core = census.ions(held) & (origin == 0)
        out = int((core & (run.crystal.layer != 0)).sum())
        if not run.crystal.periodic:
            assert outside_core(run) == 100.0 * (out / core.sum()) if core.any() else math.isnan(outside_core(run))
        rows.append(
            (
                *(event.time, move.site, move.to, channel, int(record["direction"]), SPECIES[event.species].code),
                *(event.slot, int(before[move.site]), run.state.n_vacancies, out),
            )
        )
    return rows


def rows_of(events: np.ndarray) -> list[tuple[float | int, ...]]:
    return [tuple(row) for row in events.tolist()]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little room that events are told in pieces and dropped, the outline is thinned, the twin begins anew."""
    monkeypatch.setattr(timeline, "WINDOW", 13)
    monkeypatch.setattr(timeline, "FIRST_SPACING", 40)
    monkeypatch.setattr(told, "MOST", 60)
    monkeypatch.setattr(told, "POINTS", 20)


# --- every column ---


@each_case
def test_every_column_is_what_the_simulation_does_and_counts(case: str) -> None:
    run = CASES[case].simulation()
    chronicle = Chronicle(run)
    digest = run.digest()
    chronicle.tell(event=N_EVENTS)
    assert (run.digest(), run.state.events) == (digest, 0)
    rows = seen(run)
    assert rows_of(chronicle.told(0)) == rows
    assert chronicle.last == len(rows)


@pytest.mark.parametrize("case", ["sink", "etch", "y-complex", "cation-exchange", "reading box"])
@pytest.mark.parametrize("scheduler", ["rejection", "sum-tree"])
def test_a_long_past_that_begins_in_the_middle_of_a_run_is_told(case: str, scheduler: str) -> None:
    run = CASES[case].simulation(scheduler)
    run.run(events=2000)
    middle = run.state.events
    run.begin_here()
    run.remember(500)
    digest = run.digest()
    chronicle = Chronicle(run)
    assert (chronicle.first, chronicle.last) == (middle, middle)
    chronicle.tell(event=middle + 50)
    assert run.digest() == digest
    assert rows_of(chronicle.told(middle)) == seen(run, 50)


@pytest.mark.parametrize("case", ["finite", "etch", "crowded box"])
def test_interpreted_it_tells_the_same(case: str) -> None:
    plain = CASES[case].simulation(interpreted=True)
    chronicle, compiled = Chronicle(plain), Chronicle(CASES[case].simulation())
    for each in (chronicle, compiled):
        each.tell(event=60)
    assert rows_of(chronicle.told(0)) == rows_of(compiled.told(0))
    assert chronicle.last == 60


def test_ions_of_the_core_that_leave_the_crystal_from_outside_are_no_longer_counted() -> None:
    kind = Mechanism("leaving", summary="All ions hop, leave and come back.", source="Assumption: a test")
    kind.hop(("Gd", "Yb", "Y", "Na"))(lambda env: 1.6)
    kind.etch(("Gd", "Yb"), irreversible=True)(lambda env: 1.6)
    kind.dock("Y", irreversible=True)(lambda env: 1.6)
    run = Simulation(small(0.2), kind, seed=3)
    chronicle = Chronicle(run)
    chronicle.tell(event=1200)
    events = chronicle.told(0)
    core = np.flatnonzero(run.crystal.layer == 0)
    channels = ["hop", *(channel.verb for channel in run.table.channels)]
    verbs = np.array(channels)[events["channel"]]
    left = events["slot"][(verbs == "etch") & np.isin(events["slot"], core)]
    came = events["slot"][(verbs == "dock")]
    assert np.isin(came, left).any()
    assert rows_of(events) == seen(run, 1200)


@pytest.mark.usefixtures("narrow")
def test_an_outline_begins_where_the_chronicle_does() -> None:
    run = CASES["etch"].simulation()
    run.run(events=7)
    run.begin_here()
    chronicle = Chronicle(run)
    chronicle.tell(event=300)
    assert chronicle.outline(5)[0].tolist()[:3] == (7, run.time, run.state.n_vacancies)
    assert chronicle.at(run.time) == 7


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("case", ["finite", "etch", "box"])
def test_told_in_pieces_it_is_told_the_same_and_the_newest_are_kept(case: str) -> None:
    run = CASES[case].simulation()
    chronicle, rows = Chronicle(run), seen(CASES[case].simulation(), 300)
    early = []
    for event in (1, 2, 30, 45, 46, 200, 300):
        chronicle.tell(event=event)
        assert chronicle.last == event
        assert chronicle.last - chronicle.kept_after <= 60
        assert rows_of(chronicle.told(chronicle.kept_after)) == rows[chronicle.kept_after : event]
        early.append((chronicle.told(chronicle.kept_after), chronicle.kept_after, event))
    assert chronicle.kept_after > 200
    assert not chronicle._twin.timeline._kept
    for view, after, event in early:  # what was handed out stays
        assert rows_of(view) == rows[after:event]
    with pytest.raises(BadInput, match="only events after"):
        chronicle.told(10)
    outline = chronicle.outline(1000)
    numbers = outline["event"].tolist()
    assert numbers[0] == 0
    assert numbers[-1] == 300
    assert (np.diff(numbers) > 0).all()
    assert max(np.diff(numbers)) <= 32
    for event, *rest in outline[1:].tolist():
        row = rows[event - 1]
        assert rest == [row[0], row[-2], row[-1]]
    assert chronicle.outline(4)["event"][[0, -1]].tolist() == [0, 300]
    assert len(chronicle.outline(4)) <= 4


# --- ahead, back, another future ---


def test_it_tells_up_to_a_time_and_follows_the_simulation() -> None:
    run = CASES["y-complex"].simulation()
    chronicle = Chronicle(run)
    run.run(events=100)
    chronicle.follow()
    assert chronicle.last == 100
    time = float(chronicle.told(69, 70)["t_s"][0])
    ahead = Chronicle(run)
    ahead.tell(time=time)
    assert ahead.last == 70
    assert ahead.time == time
    ahead.tell(time=time / 2)
    ahead.tell(event=3)
    assert ahead.last == 70
    ahead.tell(event=90, time=math.nextafter(time, 1e9))
    assert ahead.last == 70
    assert [chronicle.at(t) for t in (-1.0, 0.0, time, math.nextafter(time, 0), 1e9)] == [0, 0, 70, 69, 100]
    with pytest.raises(BadInput, match="give an event or a time"):
        ahead.tell()


def test_it_stops_when_nothing_more_can_happen() -> None:
    run = CASES["y-complex"].simulation()
    run.run(events=10**6)
    end = run.state.events
    assert end < 10**6
    for mark in ({"event": 10**6}, {"time": 1e30}, {"event": 10**6, "time": 1e30}):
        chronicle = Chronicle(run)
        chronicle.tell(**mark)
        chronicle.tell(**mark)
        assert chronicle.last == end
        assert chronicle.told(end - 1)["vacancies"].tolist() == [run.state.n_vacancies]
    assert chronicle.next_of(int(chronicle.told(end - 1)["slot"][0]), end) is None


@pytest.mark.parametrize("ahead", [0, 60, 150])
def test_after_a_cut_the_other_future_is_told(ahead: int) -> None:
    run = CASES["etch"].simulation()
    chronicle = Chronicle(run)
    rows = seen(CASES["etch"].simulation(), 150)
    chronicle.tell(event=ahead)
    held = chronicle.told(0)
    run.run(events=100)
    run.back(events=20)
    run.set_temperature("340 °C")
    with pytest.raises(BadInput, match="cut the chronicle"):
        chronicle.follow()
    with pytest.raises(BadInput, match="stands at event 80"):
        chronicle.cut(79)
    digest = run.digest()
    chronicle.cut(80)
    assert chronicle.last == 80
    chronicle.tell(event=150)
    assert run.digest() == digest
    assert rows_of(held) == rows[:ahead]
    assert rows_of(chronicle.told(0, 80)) == rows[:80]
    other = seen(run, 70)
    assert other != rows[80:150]
    assert rows_of(chronicle.told(80)) == other


@pytest.mark.usefixtures("narrow")
def test_a_cut_before_what_is_kept_leaves_the_outline() -> None:
    run = CASES["etch"].simulation()
    chronicle = Chronicle(run)
    chronicle.tell(event=300)
    run.run(events=101)
    run.set_temperature("340 °C")
    chronicle.cut(101)
    assert (chronicle.kept_after, chronicle.last, len(chronicle.told(101))) == (101, 101, 0)
    end = chronicle.outline(1000)[-1].tolist()
    assert end[:3] == (101, run.time, run.state.n_vacancies)
    assert chronicle.visits(101).sum() == 0
    chronicle.tell(event=150)
    assert rows_of(chronicle.told(101)) == seen(run, 49)


def test_other_laws_are_told_after_a_cut_and_their_channels_are_named() -> None:
    run = CASES["y-complex"].simulation()
    chronicle = Chronicle(run)
    before = run.table
    run.run(events=60)
    chronicle.tell(event=200)
    assert not run.reload(mechanism("y-complex"))
    run.set_temperature("310 °C")
    with pytest.raises(BadInput, match="cut the chronicle"):
        chronicle.tell(event=201)
    chronicle.cut(60)
    chronicle.tell(event=201)
    assert run.reload(mechanism("gd-complex"))
    with pytest.raises(BadInput, match="cut the chronicle"):
        chronicle.tell(event=202)
    chronicle.cut(60)
    chronicle.tell(event=160)
    assert chronicle.table_of(60).fingerprint() == before.fingerprint()
    assert chronicle.table_of(61) is run.table
    anew = Chronicle(run)
    anew.tell(event=160)
    assert anew.first == 60
    rows = seen(run, 100)
    assert rows_of(anew.told(60)) == rows_of(chronicle.told(60)) == rows
    assert {SPECIES["Gd"].code} < {row[5] for row in rows}
    assert SPECIES["Y"].code in {row[5] for row in rows_of(chronicle.told(0, 60))}


def test_a_branch_has_a_chronicle_of_its_own() -> None:
    run = CASES["finite"].simulation()
    run.run(events=50)
    same, other = run.branch(), run.branch(seed=5)
    for branch, first in ((same, 0), (other, 50)):
        chronicle = Chronicle(branch)
        assert chronicle.first == first
        chronicle.tell(event=120)
        assert rows_of(chronicle.told(50)) == seen(branch, 70)


# --- questions ---


@pytest.mark.parametrize("case", ["etch", "cation-exchange", "box"])
def test_visits_and_moves_are_those_that_one_counts_by_hand(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chronicle_module, "_FIRST_PIECE", 16)
    run = CASES[case].simulation()
    chronicle, rows = Chronicle(run), seen(CASES[case].simulation(), 400)
    chronicle.tell(event=400)
    for upto in (0, 1, 150, 400):
        visits = np.zeros(run.crystal.n_sites, dtype=int)
        for _, site, to, *_ in rows[:upto]:
            for each in {site, to}:
                visits[each] += 1
        assert (chronicle.visits(upto) == visits).all()
    slots = {row[6] for row in rows[:30]} | {row[7] for row in rows[:30]} | {run.crystal.n_sites - 1}
    for slot in slots:
        taken = [n for n, row in enumerate(rows, 1) if slot in row[6:8]]
        for upto, most in ((400, 3), (400, 1000), (150, 2), (0, 5), (400, 0)):
            expected = [n for n in taken if n <= upto]
            assert chronicle.moves_of(slot, upto, most).tolist() == expected[max(len(expected) - most, 0) :]
        ahead = Chronicle(run)
        for after in (0, 10, 200):
            later = [n for n in taken if n > after]
            assert ahead.next_of(slot, after, limit=400 - after) == (later[0] if later else None)
            assert ahead.last <= 400
    with pytest.raises(BadInput, match="slot: expected an identity"):
        chronicle.moves_of(run.crystal.n_sites, 10)


def test_a_view_cannot_be_written_and_an_outline_needs_two_points() -> None:
    chronicle = Chronicle(CASES["finite"].simulation())
    chronicle.tell(event=10)
    with pytest.raises(ValueError, match="read-only"):
        chronicle.told(0)["site"][0] = 1
    with pytest.raises(BadInput, match="at least 2"):
        chronicle.outline(1)
    with pytest.raises(BadInput, match="only events after 0 and up to 10"):
        chronicle.told(0, 11)
