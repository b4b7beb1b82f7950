"""There and back again: whatever way a moment is reached, the state is the same to the last bit."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from histories import CASES, SCHEDULERS, grown, is_whole
from oracle.test_twins import small

from ucnp_abm import Particle, Simulation, mechanism
from ucnp_abm.crystal import growth, lattice
from ucnp_abm.engine import timeline
from ucnp_abm.engine.moves import Event
from ucnp_abm.errors import BadInput

FAST = 200_000
each_scheduler = pytest.mark.parametrize("scheduler", SCHEDULERS)
QUICK = ("finite", "stripped", "counting", "box")
each_case = pytest.mark.parametrize(
    "case", [pytest.param(case, marks=() if case in QUICK else pytest.mark.slow) for case in CASES]
)


def told(event: Event | None) -> tuple[object, ...]:
    """All that an event tells; two environments are equal if they print the same."""
    assert event is not None
    return (
        *(event.number, event.candidate, event.time, event.slot, event.words, event.total_rate),
        *(replace(event.move, environment=None), repr(event.move.environment)),
    )


def blocks_there(run: Simulation, n_events: int, n_blocks: int = 10) -> list[tuple[int, str]]:
    """Event number and digest at the borders of blocks, the start among them."""
    seen = [(run.state.events, run.digest())]
    for n in range(1, n_blocks + 1):
        run.run_to(events=n_events * n // n_blocks)
        run.goto(event=run.state.events)  # null candidates of a crystal at rest left out
        seen.append((run.state.events, run.digest()))
    return seen


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows so small that every way back is taken: records, kept states, thinned kept states, the start."""
    monkeypatch.setattr(timeline, "WINDOW", 13)
    monkeypatch.setattr(timeline, "FIRST_SPACING", 40)
    monkeypatch.setattr(timeline, "KEPT_BYTES", 200_000)


# --- there and back ---


@pytest.mark.parametrize("remembered", [True, False], ids=["records", "replay"])
@pytest.mark.parametrize("scheduler", SCHEDULERS[:2])
@each_case
def test_two_hundred_thousand_events_there_back_and_there_again(case: str, scheduler: str, remembered: bool) -> None:
    run = CASES[case].simulation(scheduler)
    if remembered:
        run.remember(FAST)
    there = blocks_there(run, FAST)
    assert there[-1][0] > 300
    assert (run.state.counts() > 0).all()
    if run.crystal.periodic:
        assert run.state.image.any()
    for event, digest in there[::-1]:
        run.back(run.state.events - event)
        assert run.digest() == digest
        is_whole(run)
    assert blocks_there(run, FAST) == there


@pytest.mark.parametrize("remembered", [True, False], ids=["records", "replay"])
@each_case
def test_events_of_the_linear_scan_there_back_and_there_again(case: str, remembered: bool) -> None:
    run = CASES[case].simulation("linear-scan")
    if remembered:
        run.remember(500)
    there = blocks_there(run, 500)
    for event, digest in there[::-1]:
        run.goto(event=event)
        assert run.digest() == digest
        is_whole(run)
    assert blocks_there(run, 500) == there


@pytest.mark.parametrize("interpreted", [False, True], ids=["compiled", "interpreted"])
@pytest.mark.parametrize("scheduler", SCHEDULERS[:2])
@each_case
def test_every_single_event_is_undone_and_fired_again(case: str, scheduler: str, interpreted: bool) -> None:
    run = CASES[case].simulation(scheduler, interpreted=interpreted)
    run.run(events=50 if interpreted else 300)
    run.remember(40)
    before = run.digest()
    for _ in range(30 if not interpreted else 8):
        event = told(run.fire())
        after = run.digest()
        run.back()
        assert run.digest() == before
        is_whole(run)
        assert told(run.fire()) == event
        assert run.digest() == after
        before = after


@pytest.mark.slow
@each_scheduler
@each_case
def test_every_single_event_of_a_long_run_is_undone_and_fired_again(case: str, scheduler: str) -> None:
    run = CASES[case].simulation(scheduler)
    digests, fired = [run.digest()], []
    while len(fired) < 3000 and (event := run.fire()):
        fired.append(told(event))
        digests.append(run.digest())
    run.goto(event=0)
    run.remember(3000)
    for n, event_before in enumerate(fired, 1):
        assert told(run.fire()) == event_before
        assert run.digest() == digests[n]
    for digest in digests[-2::-1]:
        run.back()
        assert run.digest() == digest


def before_an_event(run: Simulation, least: int) -> tuple[int, float]:
    """Number of an event before which many candidates were in vain, and a time just before it."""
    seen = 0
    while True:
        run.run(events=1)
        if run.state.events >= least and run.state.candidates - seen > 12:
            return run.state.events, math.nextafter(run.time, 0.0)
        seen = run.state.candidates


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 30, 31])
def test_as_many_events_as_were_asked_for_are_undone_right_also_after_candidates_in_vain(n: int) -> None:
    """The record of a candidate in vain must not take the place of the oldest one."""
    event, time = before_an_event(CASES["gd-complex"].simulation(), 200)
    run, plain = (CASES["gd-complex"].simulation() for _ in range(2))
    run.remember(n)
    run.run_to(time=time)
    assert (run.state.events, run.state.nulls > 11) == (event - 1, True)
    log = run.remembered(event - 1 - n)["t_s"].tolist()
    plain.run_to(events=event - 1 - n)
    run.back(n)
    assert run.digest() == plain.digest()
    run.back(1)  # beyond what is kept
    run.run(events=1)
    assert run.digest() == plain.digest()
    for seconds in log:
        plain.run(events=1)
        assert plain.time == seconds


def test_an_event_that_did_not_come_in_time_leaves_the_one_before_undoable() -> None:
    event, time = before_an_event(CASES["gd-complex"].simulation(), 3)
    run, plain = (CASES["gd-complex"].simulation() for _ in range(2))
    for _ in range(event - 1):
        assert run.fire()
    assert run.fire(until=time) is None
    plain.run(events=event - 2)
    run.back()
    assert run.digest() == plain.digest()


# --- to a time, to an event, at random ---


@pytest.mark.usefixtures("narrow")
@each_scheduler
@each_case
def test_any_moment_reached_in_any_order_is_that_of_a_fresh_run(case: str, scheduler: str) -> None:
    run = CASES[case].simulation(scheduler)
    run.run(events=600)
    end, rng = run.time, np.random.default_rng(5)
    for n in range(16):
        fresh = CASES[case].simulation(scheduler)
        if n % 3 == 0:
            mark = int(rng.integers(0, 700))
            run.goto(event=mark)
            fresh.run_to(events=mark)
            assert run.state.events == fresh.state.events
        elif n % 3 == 1:
            time = float(rng.uniform(0.0, 1.1 * end))
            run.goto(time=time)
            fresh.run_to(time=time)
            assert run.time == time
        else:
            step = float(rng.uniform(0.0, run.protocol.steps(end, run.crystal.z)))
            run.goto(step=step)
            fresh.run_to(steps=step)
        assert run.digest() == fresh.digest()
        is_whole(run)
        if n % 5 == 0:
            run.fire()
        if n % 7 == 0:
            run.back(min(run.state.events, 3))


@pytest.mark.usefixtures("narrow")
def test_kept_states_are_thinned_and_never_more_than_their_room() -> None:
    run = CASES["finite"].simulation()
    for _ in range(100):
        run.run(events=50)
    kept = run.timeline._kept
    assert 1 < len(kept) <= 200_000 // run.state.nbytes + 1
    assert run.timeline._spacing > 40
    assert [s.events for s in kept] == sorted(s.events for s in kept)
    for event in [s.events + shift for s in kept for shift in (-1, 0, 1)]:
        fresh = CASES["finite"].simulation()
        fresh.run_to(events=event)
        run.goto(event=event)
        assert run.digest() == fresh.digest()


def test_going_to_a_time_between_events_lands_among_the_candidates_in_vain() -> None:
    run, plain = (CASES["gd-complex"].simulation() for _ in range(2))
    run.remember(500)
    run.run(events=400)
    log = run.remembered(0)["t_s"]
    gap = int(np.argmax(np.diff(log)))
    time = float(log[gap] + 0.9 * (log[gap + 1] - log[gap]))
    run.goto(time=time)
    plain.run_to(time=time)
    assert (run.state.events, run.time) == (gap + 1, time)
    assert run.state.nulls == plain.state.nulls > 0
    assert run.digest() == plain.digest()


@each_scheduler
@pytest.mark.parametrize("remembered", [0, 50])
def test_the_time_of_an_event_is_just_after_it(scheduler: str, remembered: int) -> None:
    run = CASES["finite"].simulation(scheduler)
    run.remember(remembered)
    run.run(events=40)
    time, digest = run.time, run.digest()
    run.run(events=10)
    run.goto(time=time)
    assert (run.state.events, run.digest()) == (40, digest)
    run.goto(time=math.nextafter(time, 0.0))
    assert run.state.events == 39
    run.goto(time=time)
    assert run.digest() == digest


@each_scheduler
def test_going_nowhere_changes_nothing_and_zero_is_the_start(scheduler: str) -> None:
    run = CASES["finite"].simulation(scheduler)
    start = run.digest()
    run.back(0)
    run.goto(time=0)
    run.goto(step=0)
    assert run.digest() == start
    run.run(events=50)
    digest = run.digest()
    run.back(0)
    run.goto(event=50)
    run.goto(time=run.time)
    run.run_to(time=run.time, events=10**6)
    assert run.fire(until=run.time) is None
    assert run.digest() == digest
    for there in ({"event": 0}, {"time": 0.0}, {"step": 0.0}):
        run.goto(**there)
        assert run.digest() == start
        run.run(events=50)
        assert run.digest() == digest


@each_scheduler
def test_lists_that_have_grown_are_undone_past_the_growth(scheduler: str) -> None:
    run = CASES["stripped and docked"].simulation(scheduler)
    room, there = run.state.vacancies.size, blocks_there(run, 4000 if scheduler != "linear-scan" else 500)
    assert run.state.vacancies.size > room or scheduler == "linear-scan"
    for event, digest in there[::-1]:
        run.goto(event=event)
        assert run.digest() == digest
        is_whole(run)


# --- edges at now ---


def heated(scheduler: str, at: str) -> tuple[Simulation, list[tuple[int, str]]]:
    run = CASES["finite"].simulation(scheduler)
    seen = []
    for n, kelvin in enumerate((573.15, 640.0, 520.0, 700.0)):
        if n:
            if at == "time":
                run.run(time=1e-3)
            run.set_temperature(kelvin)
        for _ in range(3):
            run.run(events=20)
            seen.append((run.state.events, run.digest()))
    return run, seen


@pytest.mark.parametrize("way", ["records", "replay", "narrow"])
@pytest.mark.parametrize("at", ["event", "time"])
@each_scheduler
def test_changes_of_temperature_are_crossed_back_and_forth(
    scheduler: str, at: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that was made just after an event: that event stays one of the temperature before."""
    if way == "narrow":
        monkeypatch.setattr(timeline, "WINDOW", 5)
        monkeypatch.setattr(timeline, "FIRST_SPACING", 30)
    run, seen = heated(scheduler, at)
    if way == "records":
        run.goto(event=0)
        run.remember(300)
        run.run_to(events=seen[-1][0])
    for event, digest in [*seen[::-1], *seen]:
        run.goto(event=event)
        assert run.digest() == digest, event
    end = run.digest()
    run.back(20)
    run.run(events=20)
    assert run.digest() == end


@each_scheduler
def test_an_event_just_before_a_change_of_temperature_tells_the_same_when_it_is_fired_again(scheduler: str) -> None:
    """Rate, temperature and total are those under which it was drawn."""
    run = CASES["finite"].simulation(scheduler)
    fired = []
    for kelvin in (640.0, 520.0, 700.0):
        fired += [told(run.fire()) for _ in range(4)]
        run.set_temperature(kelvin)
    fired += [told(run.fire()) for _ in range(4)]
    end = run.digest()
    for back in (16, 9, 5):
        run.back(back)
        again = [told(run.fire(live=True)) for _ in range(back)]
        assert again == fired[-back:]
        assert run.digest() == end


@each_scheduler
def test_a_temperature_set_holds_from_now_on_and_the_last_one_counts(scheduler: str) -> None:
    run, other = (CASES["finite"].simulation(scheduler) for _ in range(2))
    for simulation in (run, other):
        simulation.run(events=30)
    run.set_temperature(900.0)
    assert run.temperature == 900.0
    run.set_temperature(600.0)
    other.set_temperature(600.0)
    assert run.temperature == 600.0
    for simulation in (run, other):
        simulation.run(events=30)
    assert run.digest() == other.digest()
    run.goto(time=0)
    assert run.temperature == 573.15
    run.set_temperature(650.0)
    fresh = Simulation(run.particle, run.mechanism, 650.0, seed=17, scheduler=scheduler)
    for simulation in (run, fresh):
        simulation.run(events=30)
    assert run.digest() == fresh.digest()


@pytest.mark.usefixtures("narrow")
@each_scheduler
def test_another_temperature_in_the_past_forgets_the_future(scheduler: str) -> None:
    run, plain = (CASES["finite"].simulation(scheduler) for _ in range(2))
    run.run(events=300)
    run.goto(event=100)
    plain.run(events=100)
    for simulation in (run, plain):
        simulation.set_temperature(650.0)
        simulation.run(events=300)
    assert run.digest() == plain.digest()
    run.goto(event=250)
    plain.goto(event=0)
    plain.run_to(events=250)
    assert run.digest() == plain.digest()


# --- a crystal at rest ---


def shut_in(scheduler: str) -> Simulation:
    """A vacancy between two ions that never move, far from others that could."""
    ring = growth.box(lattice.named("chain"), (7, 1, 1))
    occupants = ["Gd", "Na", "vacancy", "Na", "Gd", "Gd", "Gd"]
    particle = Particle.of(ring, occupants, immobile=("Na",))
    return Simulation(particle, mechanism("no-complex"), "300 °C", seed=1, scheduler=scheduler)


@each_scheduler
@pytest.mark.parametrize(
    "make", [shut_in, lambda s: CASES["sink"].simulation(s), lambda s: CASES["y-complex"].simulation(s)]
)
def test_a_crystal_at_rest_is_the_same_however_long_and_in_what_pieces_it_waits(make, scheduler) -> None:  # type: ignore[no-untyped-def]
    whole, pieces = make(scheduler), make(scheduler)
    end = 1e6
    assert whole.run_to(time=end) in ("nothing left to happen", "time reached")
    rest = whole.state.events
    for time in (1.0, 30.0, 1e3, 3e3, 1e4, 1e5, 5e5, end):
        pieces.run_to(time=time)
        plain = make(scheduler)
        plain.run_to(time=time)
        assert pieces.digest() == plain.digest()
    assert pieces.digest() == whole.digest()
    assert pieces.time == end
    for run in (whole, pieces):
        digest = run.digest()
        assert run.fire(until=end) is None
        assert run.digest() == digest
        assert run.fire() is None  # nothing comes, ever: no time passes
        assert run.time == end
        assert run.run(events=5) == "nothing left to happen"
        assert run.time == end
        assert run.digest() == digest
        run.goto(event=rest + 7)
        assert (run.state.events, run.time) == (rest, end)
        run.goto(time=2e6)
        assert (run.state.events, run.time) == (rest, 2e6)
        run.goto(time=2e5)
        plain = make(scheduler)
        plain.run_to(time=2e5)
        assert run.digest() == plain.digest()
        run.goto(event=rest // 2)
        assert run.state.events == rest // 2
        run.goto(time=end)
        assert run.digest() == digest


# --- branches ---


@each_scheduler
@pytest.mark.parametrize("wait", [0.0, 1e-2])
@each_case
def test_a_branch_with_the_same_seed_and_mechanism_has_the_same_future(case: str, scheduler: str, wait: float) -> None:
    run = CASES[case].simulation(scheduler)
    run.run(events=60)
    run.run(time=wait)
    branch = run.branch()
    assert branch.digest() == run.digest()
    for simulation in (run, branch, other := run.branch(seed=18)):
        simulation.run(events=60)
    assert branch.digest() == run.digest() != other.digest()


@each_scheduler
@pytest.mark.parametrize("change", [{"seed": 99}, {"mechanism": "y-complex"}, {"mechanism": "gd-complex"}], ids=str)
def test_a_branch_begins_where_it_branches_off_and_goes_no_further_back(scheduler: str, change: dict[str, str]) -> None:
    """Reached by firing, running, going back or going to a time, its moments are the same; none lies before it."""
    parent = CASES["finite"].simulation(scheduler)
    parent.run(events=100)
    if scheduler == "rejection":
        while parent.state.nulls < 2:
            parent.run(candidates=1)
    parent.run(time=1e-5)
    assert parent.state.events == 100 or scheduler == "rejection"
    before, begin, first = parent.digest(), parent.time, parent.state.events
    options = {k: mechanism(v) if k == "mechanism" else v for k, v in change.items()}

    def branch() -> Simulation:
        return parent.branch(**options)  # type: ignore[arg-type]

    moments = [(begin, branch().digest())]
    run = branch()
    for _ in range(20):
        run.run(events=1)
        assert run.time > moments[-1][0]
        moments.append((run.time, run.digest()))
    fired = branch()
    for time, digest in moments[1:]:
        event = fired.fire()
        assert event is not None
        assert (event.time, fired.digest()) == (time, digest)
    for moved in (run, fired):
        for n in (15, 3, 20, 0, 1, 11):
            moved.goto(event=first + n)
            assert (moved.time, moved.digest()) == moments[n]
        moved.goto(time=begin)
        assert (moved.time, moved.digest()) == moments[0]
        moved.run(events=1)
        assert moved.digest() == moments[1][1]
        moved.back()
        assert moved.digest() == moments[0][1]
        with pytest.raises(BadInput, match=f"since event {first}, where its own past begins"):
            moved.back()
        with pytest.raises(BadInput, match="lies before the past that this run knows"):
            moved.goto(time=begin * (1 - 1e-6))
        assert moved.digest() == moments[0][1]
    assert parent.digest() == before


def test_branches_wait_for_their_first_event_from_now_on() -> None:
    """Their waiting times are exponential from the moment of branching, however long the parent had waited."""
    parent = CASES["reflecting"].simulation("sum-tree")
    parent.run(events=100)
    parent.run(time=0.8 / parent.total_rate())
    waits = []
    for seed in range(200):
        branch = parent.branch(seed=1000 + seed)
        rate = branch.total_rate()
        branch.run(events=1)
        waits.append((branch.time - parent.time) * rate)
    assert scipy.stats.kstest(waits, "expon").pvalue > 1e-4


def test_words_that_are_known_to_be_late_do_not_delay_a_branch_with_another_mechanism() -> None:
    """The parent waits for 0.8 of a mean waiting time after an event; where nothing came, the words say so."""
    parent = Simulation(small(0.2), mechanism("no-complex"), "300 °C", seed=1, scheduler="sum-tree")
    rules, waits = mechanism("no-complex", barrier="1.6 eV"), []
    for _ in range(150):
        parent.run(events=3)
        parent.run(time=0.8 / parent.total_rate())
        branch = parent.branch(mechanism=rules)
        rate, begin = branch.total_rate(), branch.time
        branch.run(events=1)
        waits.append((branch.time - begin) * rate)
    assert scipy.stats.kstest(waits, "expon").pvalue > 1e-4


def test_a_branch_with_another_mechanism_conserves_the_crystal_and_goes_on_counting() -> None:
    run = CASES["reflecting"].simulation()
    run.run(events=200)
    docked = run.branch(mechanism=mechanism("y-complex", dock_barrier="1.6 eV", reservoir=30))
    assert (docked.state.species == run.state.species).all()
    assert (docked.state.slot == run.state.slot).all()
    assert docked.state.counts().tolist() == [200, 0]
    assert docked.time == run.time
    assert docked.state.reservoir.tolist() == [30]
    docked.run(events=100)
    is_whole(docked)
    n_docked = docked.state.counts()[1]
    assert n_docked > 0
    more = docked.branch(mechanism=mechanism("mixed-complex", y_reservoir=30, gd_reservoir=20))
    kept = docked.branch(mechanism=mechanism("y-complex", dock_barrier="1.7 eV", reservoir=30))
    other = docked.branch(mechanism=mechanism("gd-complex", reservoir=20))
    assert kept.state.reservoir.tolist() == [30 - n_docked]
    assert kept.state.counts().tolist() == docked.state.counts().tolist()
    assert other.state.reservoir.tolist() == [20]
    assert other.state.counts().tolist() == [docked.state.counts()[0], 0]
    before = np.bincount(docked.state.species, minlength=32)
    for branch in (more, kept, other):
        assert (np.bincount(branch.state.species, minlength=32) == before).all()
        branch.run(events=5)
        assert branch.state.events == docked.state.events + 5


def test_a_branch_keeps_the_counters_of_channels_that_do_the_same_in_two_ways() -> None:
    """Ions that etch and ions that light strips leave through channels of their own."""
    rules = mechanism("no-complex+laser-strip", surface="etch", ion_yield=1.0, etch_barrier="1.6 eV")
    run = Simulation(grown(), rules, "300 °C", seed=1, scheduler="sum-tree")
    run.run(events=600)
    assert run.branch().state.counts().tolist() == run.state.counts().tolist()


# --- what is kept of events ---


@each_scheduler
@each_case
def test_remembered_events_are_those_that_fire_tells(case: str, scheduler: str) -> None:
    run, other = CASES[case].simulation(scheduler), CASES[case].simulation(scheduler)
    run.remember(250)
    run.run(events=230)
    log = run.remembered(0)
    verbs = ["hop", *(channel.verb for channel in run.table.channels)]
    fired = [other.fire() for _ in range(230)]
    assert log.dtype == timeline.EVENT
    assert len(log) == 230
    for row, event in zip(log, fired, strict=True):
        assert event is not None
        assert (row["t_s"], row["site"], verbs[row["channel"]]) == (event.time, event.move.site, event.verb)
        if event.verb == "hop":
            assert run.crystal.neighbours(event.move.site)[row["direction"]] == event.move.to
        else:
            assert run.table.channels[row["channel"] - 1].species == event.species
    assert (run.remembered(100) == log[100:]).all()
    assert run.remembered(230).size == 0
    run.back(30)
    assert (run.remembered(0) == log[:200]).all()


def test_events_that_are_no_longer_kept_are_not_told() -> None:
    run = CASES["reflecting"].simulation()
    assert run.remembered(0).size == 0
    run.remember(10)
    run.run(events=500)
    assert run.remembered(490).size == 10
    for after in (100, 501, -1, True, 490.5, math.nan, "495", None):
        with pytest.raises(BadInput, match="events: "):
            run.remembered(after)  # type: ignore[arg-type]


# --- what is refused ---


REFUSED = {
    "back": [{"events": n} for n in (-1, 1.5, True, math.nan, 2**70, 101, "3", None)],
    "goto": [
        *({"event": n} for n in (-1, 1.0, True, math.nan, 2**62, "3")),
        *({"time": t} for t in (-1.0, math.nan, math.inf, True, "-1 s", "5 eV", [1])),
        *({"step": s} for s in (-1.0, math.nan, math.inf, True, "3")),
        {},
        {"event": 3, "time": 1.0},
    ],
    "remember": [{"n": n} for n in (-1, 1.5, True, math.nan, "3", 10**13, 2**61)],
    "fire": [{"until": t} for t in (-1.0, 0.0, True, math.nan, "10 s", None)],
    "branch": [*({"seed": s} for s in (-1, 1.5, True)), {"mechanism": "y-complex"}],
    "set_temperature": [{"temperature": t} for t in (-3, math.nan, True, 1e9, "5 eV")],
    "run_to": [{"time": t} for t in (1e-3, math.nan, True, -1.0)],
}


@pytest.mark.parametrize(
    ("verb", "options"), [pytest.param(v, o, id=f"{v} {o}") for v, many in REFUSED.items() for o in many]
)
def test_nonsense_is_refused_in_one_sentence_and_changes_nothing(verb: str, options: dict[str, object]) -> None:
    run = Simulation(small(0.2), mechanism("no-complex"), seed=17)
    run.run(events=100)
    digest = run.digest()
    with pytest.raises(BadInput) as refusal:
        getattr(run, verb)(**options)
    assert "\n" not in str(refusal.value)
    assert run.digest() == digest
    run.back()
    run.run(events=1)
    assert run.digest() == digest
