"""A session of the debugger: whatever a page asks for, the engine does what it does without one."""

from __future__ import annotations

import random

import numpy as np
import pytest
from histories import CASES, grown
from screen import Screen

from ucnp_abm import Mechanism, Simulation, mechanism, registry
from ucnp_abm.engine import told
from ucnp_abm.errors import BadInput, BadPlugin, BadRate, LiveMismatch
from ucnp_abm.runs.parting import reasons
from ucnp_abm.server import colours, session, telling
from ucnp_abm.server.lines import MOST_LINES
from ucnp_abm.server.session import Session

SHOWN = ("y-complex", "etch", "sink", "cation-exchange", "thermal pulses", "driven docking", "crowded box")


def opened(case: str = "y-complex", **options) -> Screen:
    return Screen(Session(CASES[case].simulation(), **options))


def run_of(screen: Screen) -> Simulation:
    return screen.session.line.simulation


def driven(case: str, events: int) -> Simulation:
    run = CASES[case].simulation()
    run.goto(event=events)
    return run


# --- time ---


@pytest.mark.parametrize("case", SHOWN)
def test_steps_back_and_goto_leave_the_states_of_a_run_without_a_page(case: str) -> None:
    screen, alone = opened(case), CASES[case].simulation()
    digests = [alone.digest()]
    for _ in range(60):
        alone.fire()
        digests.append(alone.digest())
    for k in range(1, 61):
        answer = screen.ask("step", n=1)
        assert (answer["stopped"], run_of(screen).digest()) == ("", digests[k])
    for k in reversed(range(60)):
        screen.ask("back")
        assert run_of(screen).digest() == digests[k]
    for k in (7, 60, 0, 33):
        screen.ask("goto", event=k)
        assert run_of(screen).digest() == digests[k]


def test_five_hundred_events_forth_and_back_are_exact() -> None:
    screen, alone = opened("etch"), CASES["etch"].simulation()
    start = alone.digest()
    alone.run(events=500)
    screen.ask("step", n=500)
    assert run_of(screen).digest() == alone.digest()
    screen.ask("back", n=500)
    assert run_of(screen).digest() == start
    screen.ask("on", event=500)
    assert run_of(screen).digest() == alone.digest()


@pytest.mark.parametrize("case", ["etch", "thermal pulses"])
def test_steps_and_seconds_are_those_of_the_engine(case: str) -> None:
    screen, alone = opened(case), CASES[case].simulation()
    screen.ask("step", steps=3.5)
    alone.run(steps=3.5)
    assert run_of(screen).digest() == alone.digest()
    screen.ask("step", seconds=0.02)
    alone.run(time=0.02)
    assert run_of(screen).digest() == alone.digest()
    now, event = alone.time, alone.state.events
    screen.ask("goto", time=now / 2)
    alone.goto(time=now / 2)
    assert run_of(screen).digest() == alone.digest()
    assert run_of(screen).state.events < event
    screen.ask("goto", time=now)
    alone.goto(time=now)
    assert run_of(screen).digest() == alone.digest()


def test_a_command_that_pauses_arrives_where_it_would_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ucnp_abm.server.line.PIECE", 40)
    monkeypatch.setattr("ucnp_abm.server.search._FIRST", 30)
    asked = [
        ("step", {"n": 700}),
        ("step", {"steps": 4}),
        ("goto", {"event": 900}),
        ("goto", {"time": 40.0}),
        ("breakpoint", {"add": "event.verb == 'etch'"}),
        ("until", {"what": "breakpoint"}),
        ("step", {"n": 500}),
        ("breakpoint", {"add": "event.probability < 0.00002"}),
        ("breakpoint", {"number": 1, "on": False}),
        ("until", {"what": "breakpoint"}),
        ("beside", {"mechanism": "no-complex"}),
        ("until", {"what": "breakpoint"}),
        ("breakpoint", {"number": 1, "on": True}),
        ("until", {"what": "breakpoint"}),
        ("until", {"what": "breakpoint"}),
        ("select", {"site": 100}),
        ("until", {"what": "its"}),
    ]
    told = []
    for seconds in (100.0, 0.0):
        monkeypatch.setattr(session, "SLICE", seconds)
        screen = opened("etch")
        told.append([])
        for command, given in asked:
            answer = screen.ask(command, **given)
            digests = [line.simulation.digest() for line in screen.session.lines.shown]
            hits = [one["hits"] for one in answer["breakpoints"]]
            told[-1].append((answer["stopped"], digests, hits, screen.session.stops.events[:]))
        assert (screen.n_pauses > 20) == (seconds == 0.0)
    for quick, slow, what in zip(*told, asked, strict=True):
        assert quick == slow, what


def test_a_crystal_at_rest_says_so() -> None:
    screen = opened("y-complex")
    answer = screen.ask("step", n=10_000)
    alone = CASES["y-complex"].simulation()
    alone.run(events=10_000)
    assert answer["stopped"] == "Nothing more can happen"
    assert answer["panes"][0]["event"] == alone.state.events
    assert answer["panes"][0]["vacancies"] == 0
    assert answer["panes"][0]["total"] == 0
    assert answer["panes"][0]["channels"] == answer["panes"][0]["table"]["rows"] == []
    assert screen.ask("step", n=1)["stopped"] == "Nothing can happen any more"
    assert screen.ask("step", seconds=5)["panes"][0]["time"] > answer["panes"][0]["time"]
    for kind in colours.KINDS:
        screen.ask("colour", kind=kind)
    for command in ("draws", "timeline"):
        screen.ask(command)
    screen.ask("why", last=True)
    screen.ask("back")
    alone.back()
    assert run_of(screen).digest() == alone.digest()


def test_going_back_further_than_the_past_is_refused() -> None:
    screen = opened()
    screen.ask("step", n=5)
    with pytest.raises(BadInput, match="this line has had 5 events since its past begins"):
        screen.ask("back", n=6)
    screen.ask("branch", seed="4")
    with pytest.raises(BadInput, match="this line has had 0 events"):
        screen.ask("back")
    with pytest.raises(BadInput, match="lies before the past"):
        screen.ask("goto", event=3)


# --- what is on the screen ---


@pytest.mark.parametrize("seed", range(12))
def test_what_the_page_holds_is_the_crystal_whatever_it_asked_for(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    case = rng.choice(SHOWN)
    monkeypatch.setattr(session, "SLICE", rng.choice([0.0, 10.0]))
    monkeypatch.setattr("ucnp_abm.server.screen.FEW", rng.choice([3, 500]))
    screen = opened(case)
    n, box = run_of(screen).crystal.n_sites, run_of(screen).crystal.periodic
    others = ["no-complex"] if box else ["no-complex", "y-complex", "gd-complex"]
    for _ in range(60):
        now, first = run_of(screen).state.events, screen.session.line.first
        kind = rng.choice(
            [
                "step",
                "steps",
                "back",
                "goto",
                "time",
                "select",
                "branch",
                "beside",
                "show",
                "beside it",
                "alone",
                "open",
            ]
        )
        other = rng.choice(screen.session.lines.all).number
        if kind == "step":
            screen.ask("step", n=rng.choice([0, 1, 2, 30]))
        elif kind == "steps":
            screen.ask("step", steps=rng.random())
        elif kind == "back":
            screen.ask("back", n=rng.randint(0, min(9, now - first)))
        elif kind == "goto":
            screen.ask("goto", event=rng.randint(first, now + 9))
        elif kind == "time":
            begin = run_of(screen).timeline.begin
            low = begin.time if begin else 0.0
            screen.ask("goto", time=low + rng.random() * 1.2 * (run_of(screen).time - low))
        elif kind == "select":
            screen.ask("select", site=rng.choice([None, rng.randrange(n)]))
        elif kind == "branch":
            screen.ask("branch", seed=str(rng.randrange(99)), mechanism=rng.choice(["", *others]))
        elif kind == "beside":
            screen.ask("beside", mechanism=rng.choice(others))
        elif kind == "show":
            screen.ask("show", line=other)
        elif kind == "beside it" and other != screen.session.line.number:
            screen.ask("show", beside=other)
        elif kind == "alone":
            screen.ask("show", beside=None)
        elif kind == "open":
            screen.ask(*rng.choice([("open",), ("look",)]))
    screen.ask("look", full=True)


def test_few_changed_sites_are_told_one_by_one_and_many_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = opened("etch")
    assert len(screen.ask("step", n=1)["panes"][0]["changed"]["sites"]) == 2
    monkeypatch.setattr("ucnp_abm.server.screen.FEW", 20)
    assert list(screen.ask("step", n=300)["panes"][0]["changed"]) == ["all"]
    assert screen.ask("look")["panes"][0]["changed"] == {"sites": [], "codes": []}


def test_an_answer_that_never_came_is_made_up_for_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = opened()
    with monkeypatch.context() as patched:
        patched.setattr(telling, "flicker", lambda line: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            screen.ask("step", n=3)
    screen.ask("look")


def test_the_page_sees_what_others_do_to_the_simulation() -> None:
    screen = opened()
    run_of(screen).run(events=30)
    assert screen.ask("look")["panes"][0]["event"] == 30
    screen.ask("colour", kind="visits")


def test_a_page_begins_with_everything_it_needs() -> None:
    told = opened("etch", title="a title").opened
    run = CASES["etch"].simulation()
    assert told["badge"] == "debug"
    assert told["title"].startswith("a title · no-complex · seed 17 · ")
    assert told["crystal"]["n"] == run.crystal.n_sites
    assert told["mechanisms"] == sorted(registry.installed().mechanisms)
    assert told["lines"] == [{"id": 0, "name": "no-complex", "note": "seed 17"}]
    assert told["panes"][0]["last"] is None
    assert told["inspector"] is told["parting"] is None
    assert "event.verb" in told["words"]


@pytest.mark.parametrize("case", ["etch", "box", "y-complex"])
def test_the_curves_are_those_of_the_run(case: str) -> None:
    screen = opened(case)
    screen.ask("step", n=50)
    (curve,) = screen.ask("timeline")["curves"]
    assert curve["event"] == list(range(51))
    run = CASES[case].simulation()
    for k in range(51):
        assert (curve["t"][k], curve["vacancies"][k]) == (run.time, run.state.n_vacancies)
        if not run.crystal.periodic:
            pane = screen.ask("goto", event=k)["panes"][0]
            assert curve["outside"][k] == pytest.approx(pane["outside"], abs=1e-4)
        run.fire()
    assert (curve["outside"] == []) == run.crystal.periodic


def test_a_core_without_ions_has_no_share_outside() -> None:
    run = CASES["etch"].simulation()
    run.run(events=2_000_000)
    screen = Screen(Session(run))
    assert screen.session.line.core == 0
    answer = screen.ask("look")
    assert answer["panes"][0]["outside"] is None
    assert screen.ask("timeline")["curves"][0]["outside"] == []
    screen.ask("branch", seed="5")
    assert screen.ask("timeline")["curves"][0]["outside"] == []


@pytest.mark.parametrize("case", ["etch", "y-complex", "thermal pulses", "crowded box"])
def test_the_last_event_is_told_also_between_two(case: str) -> None:
    screen, alone = opened(case), CASES[case].simulation()
    for _ in range(25):
        event = alone.fire()
    digest = screen.ask("goto", event=25)["panes"][0]["digest"]
    for wait in (0.0, 0.2, 0.5, 0.9):
        if wait:
            later = alone.branch()
            later.fire()
            answer = screen.ask("goto", time=alone.time + wait * (later.time - alone.time))
            between = alone.branch()
            between.goto(time=alone.time + wait * (later.time - alone.time))
            assert run_of(screen).digest() == between.digest()
            assert digest != between.digest()
        else:
            answer = screen.ask("look")
        last = answer["panes"][0]["last"]
        assert (last["number"], last["time"], last["verb"]) == (25, event.time, event.verb)
        assert (last["site"], last["to"], last["rate"]) == (event.move.site, event.move.to, event.move.rate)
        assert last["probability"] == event.probability
        assert last["rule"] == event.move.source
        why = screen.ask("why", last=True)["why"]
        assert why["rows"][-1] == ["words", " ".join(f"{word:016x}" for word in event.words)]


def test_the_last_event_is_told_where_only_a_state_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ucnp_abm.engine.timeline.FIRST_SPACING", 100)
    monkeypatch.setattr("ucnp_abm.engine.timeline.WINDOW", 60)
    screen, alone = opened("etch"), CASES["etch"].simulation()
    for n in range(100, 700, 100):
        screen.ask("goto", event=n)
    for _ in range(200):
        event = alone.fire()
    last = screen.ask("goto", event=200)["panes"][0]["last"]
    assert (last["number"], last["time"], last["site"], last["rate"]) == (
        200, event.time, event.move.site, event.move.rate,
    )  # fmt: skip
    assert run_of(screen).digest() == alone.digest()
    screen.ask("step", n=100)
    alone.goto(event=300)
    assert run_of(screen).digest() == alone.digest()


# --- breakpoints ---


def naive(run: Simulation, holds, limit: int) -> int | None:
    """Number of the next event at which something holds, by firing one after the other."""
    for _ in range(limit):
        event = run.fire()
        if event is None:
            return None
        if holds(run, event):
            return event.number
    return None


def layer(run: Simulation, site: int) -> str:
    return run.crystal.layers[int(run.crystal.layer[site])]


HOLDS = {
    "event.verb == 'etch'": lambda run, e: e.verb == "etch",
    "event.species == 'Yb' and site.layer == 'core'": lambda run, e: (
        e.move.species == "Yb" and layer(run, e.move.site) == "core"
    ),
    "event.rate < 0.1 and event.species == 'Y'": lambda run, e: e.move.rate < 0.1 and e.move.species == "Y",
    "event.probability < 0.00002": lambda run, e: e.probability < 0.00002,
    "event.activation > 1.75 or event.barrier > 1.75": lambda run, e: e.move.activation > 1.75 or e.move.barrier > 1.75,
    "event.number % 70 == 3": lambda run, e: e.number % 70 == 3,
    "event.time > 20 and to.r_nm < 1": lambda run, e: (
        e.time > 20 and np.linalg.norm(run.crystal.position(e.move.to)) / 10 < 1
    ),
    "steps > 2.5 and to.zone == 'core'": lambda run, e: run.steps > 2.5 and run.crystal.zone_of(e.move.to) == "core",
}


@pytest.mark.parametrize("text", HOLDS)
def test_a_breakpoint_stops_where_events_fired_one_by_one_would(text: str) -> None:
    screen, alone = opened("etch", breakpoints=(text,)), CASES["etch"].simulation()
    for k in range(1, 6):
        event = naive(alone, HOLDS[text], 3000)
        assert event is not None
        answer = screen.ask("until", what="breakpoint")
        assert answer["stopped"] == f"Breakpoint: {text}"
        assert answer["panes"][0]["event"] == event
        assert run_of(screen).digest() == alone.digest()
        assert answer["breakpoints"][0] == {"id": 1, "text": text, "on": True, "hits": k, "hit": True}
        assert screen.session.stops.events[-1] == event
    assert screen.ask("look")["breakpoints"][0]["hit"] is False


def test_a_condition_on_the_crystal_alone_is_hit_when_it_comes_to_hold() -> None:
    text, alone = "vacancies % 3 == 0", CASES["etch"].simulation()
    screen, held, expected = opened("etch", breakpoints=(text,)), False, []
    while len(expected) < 5:
        event = alone.fire()
        assert event is not None
        now = alone.state.n_vacancies % 3 == 0
        expected += [event.number] if now and not held else []
        held = now
    assert [screen.ask("until", what="breakpoint")["panes"][0]["event"] for _ in range(5)] == expected
    screen.ask("goto", event=expected[0])
    stepped = [screen.ask("step", n=1) for _ in range(expected[2] - expected[0])]
    assert [told["panes"][0]["event"] for told in stepped if told["stopped"]] == expected[1:3]


@pytest.mark.parametrize("costly", [False, True])
def test_several_breakpoints_stop_and_count_each_for_itself(costly: bool) -> None:
    texts = ["event.number % 4 == 0", "event.number % 6 == 0", "event.rate < 0" if costly else "event.number < 0"]
    screen = opened("etch", breakpoints=tuple(texts))
    stops = [screen.ask("until", what="breakpoint")["panes"][0]["event"] for _ in range(8)]
    assert stops == [4, 6, 8, 12, 16, 18, 20, 24]
    assert [one["hits"] for one in screen.ask("look")["breakpoints"]] == [6, 4, 0, 0, 0]
    screen.ask("breakpoint", number=1, on=False)
    assert screen.ask("until", what="breakpoint")["panes"][0]["event"] == 30
    screen.ask("breakpoint", number=2, remove=True)
    screen.ask("breakpoint", number=3, on=False)
    with pytest.raises(BadInput, match="there is none that is on"):
        screen.ask("until", what="breakpoint")
    added = screen.ask("breakpoint", add="event.number == 33")["breakpoints"]
    assert [(one["id"], one["on"]) for one in added] == [(1, False), (3, False), (4, True), (-1, True), (-2, True)]
    answer = screen.ask("until", what="breakpoint")
    assert (answer["stopped"], answer["panes"][0]["event"]) == ("Breakpoint: event.number == 33", 33)


@pytest.mark.parametrize("text", ["event.number % 40 == 0", "event.number % 40 == 0 and event.rate > 0"])
def test_runs_by_events_steps_and_seconds_stop_at_a_breakpoint_too(text: str) -> None:
    screen, alone = opened("etch", breakpoints=(text,)), CASES["etch"].simulation()
    alone.run(events=1000)
    seconds, steps = alone.time, alone.steps
    for k, given in enumerate([{"n": 100}, {"seconds": seconds}, {"steps": steps}], start=1):
        answer = screen.ask("step", **given)
        assert (answer["panes"][0]["event"], answer["stopped"]) == (40 * k, f"Breakpoint: {text}")
    assert screen.ask("step", n=39)["stopped"] == ""
    assert screen.ask("step", n=1)["stopped"] == f"Breakpoint: {text}"  # also one event, its law called again
    little = screen.ask("step", seconds=1e-9)
    assert (little["stopped"], little["panes"][0]["event"]) == ("", 160)
    assert screen.ask("goto", event=500)["stopped"] == ""


@pytest.mark.parametrize("text", ["event.number < 0", "event.rate < 0"])
def test_a_breakpoint_that_never_holds_ends_where_nothing_more_can_happen(text: str) -> None:
    screen = opened("sink", breakpoints=(text,))
    answer = screen.ask("until", what="breakpoint")
    alone = CASES["sink"].simulation()
    alone.run(events=10**6)
    assert answer["stopped"] == "Nothing more can happen"
    assert answer["panes"][0]["event"] == alone.state.events
    assert answer["breakpoints"][0]["hits"] == 0


def test_there_are_not_more_breakpoints_than_a_page_shows() -> None:
    screen = opened(breakpoints=("event.number == 1",) * session.Stops.__init__.__globals__["MOST_BREAKPOINTS"])
    with pytest.raises(BadInput, match="there are 50 already; remove one"):
        screen.ask("breakpoint", add="event.number == 1")
    with pytest.raises(BadInput, match=r"event\.verb is never 'dok'; did you mean 'dock'"):
        opened(breakpoints=("event.verb == 'dok'",))


def test_a_hit_is_not_passed_over_while_the_line_beside_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = opened("etch", breakpoints=("event.number == 100",))
    screen.ask("beside", mechanism="y-complex")
    screen.ask("goto", event=90)
    other = screen.session.lines.shown[1].simulation
    other.goto(event=0)
    monkeypatch.setattr(session, "SLICE", 0.0)
    monkeypatch.setattr("ucnp_abm.server.line.PIECE", 7)
    answer = screen.ask("until", what="breakpoint")
    assert [pane["event"] for pane in answer["panes"]] == [100, 100]
    assert (answer["stopped"], answer["breakpoints"][0]["hits"]) == ("Breakpoint: event.number == 100", 1)
    assert screen.n_pauses > 10


# --- lines ---


@pytest.mark.parametrize(("seed", "mechanism_"), [("7", ""), ("", "gd-complex"), ("8", "no-complex"), ("", "")])
def test_a_branch_goes_on_as_one_made_without_a_page(seed: str, mechanism_: str) -> None:
    screen, alone = opened(), driven("y-complex", 40)
    screen.ask("step", n=40)
    left = run_of(screen).digest()
    answer = screen.ask("branch", seed=seed, mechanism=mechanism_)
    assert answer["stopped"] == "Branched at event 40"
    own = alone.branch(seed=int(seed) if seed else None, mechanism=mechanism(mechanism_) if mechanism_ else None)
    assert run_of(screen).digest() == own.digest()
    screen.ask("step", n=60)
    own.run(events=60)
    assert run_of(screen).digest() == own.digest()
    assert screen.session.lines.all[0].simulation.digest() == left == alone.digest()
    note = f"from event 40 of y-complex, seed {seed or 17}"
    assert answer["lines"][1] == {"id": 1, "name": f"{mechanism_ or 'y-complex'}, branch 1", "note": note}
    screen.ask("back", n=60 if seed or mechanism_ else 100)
    assert len(screen.ask("show", line=0)["panes"]) == 1
    assert run_of(screen).digest() == left


@pytest.mark.parametrize("other", ["no-complex", "gd-complex"])
def test_two_lines_part_where_two_runs_do_and_for_the_same_reasons(other: str) -> None:
    screen = opened()
    screen.ask("step", n=20)
    answer = screen.ask("beside", mechanism=other)
    assert [pane["event"] for pane in answer["panes"]] == [20, 20]
    a = CASES["y-complex"].simulation()
    b = Simulation(grown(), mechanism(other), seed=17)
    number, nexts = 0, (None, None)
    while True:
        nexts = (a.fire(), b.fire())
        number += 1
        told = [(e.time, e.verb, e.move.site, e.move.to, e.move.species) for e in nexts]
        if told[0] != told[1]:
            break
    a.back()
    b.back()
    assert answer["parting"]["event"] == number
    assert answer["parting"]["text"] == f"They part at event {number}, because {'; '.join(reasons((a, b), nexts))}."
    assert screen.ask("timeline")["parting"] == number
    both = screen.ask("goto", event=number)["panes"]
    assert [pane["last"]["number"] for pane in both] == [number, number]
    assert [pane["last"]["time"] for pane in both] == [nexts[0].time, nexts[1].time]
    alone = screen.ask("show", beside=None)
    assert (len(alone["panes"]), alone["parting"]) == (1, None)
    assert alone["panes"][0]["name"] == "y-complex"
    assert len(screen.ask("show", beside=1)["panes"]) == 2


def test_lines_that_do_not_part_are_said_to_be_the_same() -> None:
    screen = opened("reflecting")
    answer = screen.ask("beside", mechanism="no-complex")
    assert answer["parting"] == {"event": None, "text": "Both are the same up to event 100000."}
    screen.ask("step", n=10)
    a, b = (line.simulation.digest() for line in screen.session.lines.shown)
    assert a == b


def test_lines_that_are_the_same_for_longer_than_events_are_kept_can_still_be_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ucnp_abm.engine.told.MOST", 1000)
    monkeypatch.setattr("ucnp_abm.server.parting.AHEAD", 100)
    screen = opened("reflecting")
    screen.ask("beside", mechanism="no-complex")
    answer = screen.ask("goto", event=5000)
    assert answer["parting"]["event"] is None
    assert answer["parting"]["text"].endswith("the same up to event 5000.")


def test_old_lines_go_when_there_are_too_many_but_not_the_first_nor_those_on_show() -> None:
    screen = opened()
    screen.ask("beside", mechanism="no-complex")
    for k in range(MOST_LINES + 3):
        answer = screen.ask("branch", seed=str(k))
    assert len(answer["lines"]) == MOST_LINES
    ids = [line["id"] for line in answer["lines"]]
    assert ids[0] == 0
    assert ids[1:] == list(range(ids[-1] - MOST_LINES + 2, ids[-1] + 1))
    assert len({line["name"] for line in answer["lines"]}) == MOST_LINES
    assert answer["panes"][0]["line"] == ids[-1]
    with pytest.raises(BadInput, match="line: there is no number 1"):
        screen.ask("show", line=1)


def test_two_lines_go_back_as_far_as_each_can() -> None:
    screen = opened()
    screen.ask("step", n=20)
    early = run_of(screen).time
    screen.ask("step", n=10)
    screen.ask("branch", seed="3")
    screen.ask("show", line=0)
    screen.ask("show", beside=1)
    assert [pane["event"] for pane in screen.ask("goto", event=10)["panes"]] == [10, 30]
    assert [pane["event"] for pane in screen.ask("goto", time=early)["panes"]] == [20, 30]
    assert [pane["event"] for pane in screen.ask("step", n=40)["panes"]] == [
        run_of(screen).state.events, run_of(screen).state.events,
    ]  # fmt: skip


PLUGIN = """
from ucnp_abm import IONS, Mechanism, hookimpl

trial = Mechanism("trial", summary="A trial.", source="Assumption: a test")


@trial.hop(mover=IONS)
def law(env):
    return {barrier}


{dock}
@hookimpl
def ucnp_mechanisms():
    return [trial]
"""
DOCK = """@trial.dock("Lu", irreversible=True)
def attach(env):
    return 1.2
"""


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "trial.py"

    def write(barrier: str = "1.65", dock: str = DOCK) -> None:
        path.write_text(PLUGIN.format(barrier=barrier, dock=dock))

    write()
    with registry.beside([path]):
        yield write


def test_an_edited_plugin_goes_on_from_the_same_state(plugin) -> None:
    screen = Screen(Session(Simulation(grown(), mechanism("trial"), seed=2)))
    screen.ask("step", n=30)
    alone = run_of(screen).branch()
    assert screen.ask("look")["panes"][0]["plugin"] == {"files": ["trial.py"], "changed": False}
    plugin("1.55 if env.mover == 'Yb' else 1.65")
    assert screen.ask("look")["panes"][0]["plugin"]["changed"] is True
    before = run_of(screen).state.species.copy()
    answer = screen.ask("reload")
    assert "trial loaded again: other rates from here on" in answer["stopped"]
    assert answer["panes"][0]["plugin"]["changed"] is False
    assert answer["panes"][0]["first"] == answer["panes"][0]["event"] == 30
    assert (run_of(screen).state.species == before).all()
    alone.reload(mechanism("trial"))
    screen.ask("step", n=50)
    alone.run(events=50)
    assert run_of(screen).digest() == alone.digest()
    code = screen.ask("why", last=True)["why"]["code"]
    assert code["file"] == "trial.py"
    assert "1.55" in code["text"] or "attach" in code["text"]
    with pytest.raises(BadInput, match="has had 50 events"):
        screen.ask("back", n=51)


def test_a_plugin_that_says_the_same_keeps_its_past(plugin) -> None:
    screen = Screen(Session(Simulation(grown(), mechanism("trial"), seed=2)))
    screen.ask("step", n=30)
    digest = run_of(screen).digest()
    plugin("1.65 + 0.0")
    answer = screen.ask("reload")
    assert answer["stopped"] == "trial loaded again: no rate has changed"
    assert (answer["panes"][0]["digest"], answer["panes"][0]["first"]) == (digest, 0)
    screen.ask("step", n=10)
    screen.ask("back", n=40)


@pytest.mark.parametrize("wrong", ["1.65 +", "-1.0", "1 / 0", "unknown"])
def test_a_broken_plugin_leaves_everything_as_it_was(plugin, wrong: str) -> None:
    screen = Screen(Session(Simulation(grown(), mechanism("trial"), seed=2)))
    screen.ask("step", n=30)
    alone = run_of(screen).branch()
    plugin(wrong)
    with pytest.raises((BadPlugin, BadRate)) as told:
        screen.ask("reload")
    assert "\n" not in str(told.value)
    assert screen.ask("look")["panes"][0]["plugin"]["changed"] is True
    screen.ask("step", n=20)
    alone.run(events=20)
    assert run_of(screen).digest() == alone.digest()
    screen.ask("back", n=50)


def test_a_mechanism_made_in_python_cannot_be_loaded_again() -> None:
    kind = Mechanism("mine", summary="Mine.", source="Assumption: a test")
    kind.hop("Gd")(lambda env: 1.6)
    screen = Screen(Session(Simulation(grown(), kind, seed=1)))
    with pytest.raises(BadInput, match="'mine' came from no file"):
        screen.ask("reload")


def test_two_lines_are_compared_by_what_the_laws_were_when_the_events_happened(plugin) -> None:
    screen = Screen(Session(Simulation(grown(), mechanism("trial"), seed=2)))
    screen.ask("step", n=200)
    screen.ask("beside", mechanism="trial")
    assert screen.ask("look")["parting"]["event"] is None
    plugin("1.65", dock="")
    answer = screen.ask("reload")
    assert answer["parting"]["event"] > 200
    screen.ask("step", n=5)


# --- what goes wrong by itself ---


def test_ions_that_come_from_nowhere_are_told() -> None:
    screen = opened()
    screen.ask("step", n=10)
    run = run_of(screen)
    points = run.crystal.sites[run.state.species[run.crystal.sites] != 0][:1]
    assert screen.ask("look")["stopped"] == ""
    before = int(run.state.species[points[0]])
    run.state.species[points[0]] = 3 if before != 3 else 4
    answer = screen.ask("look")
    assert answer["stopped"].startswith("Ions are not conserved: the crystal holds ")
    assert [one["hits"] for one in answer["breakpoints"]] == [0, 1]
    run.state.species[points[0]] = before
    assert screen.ask("look")["stopped"] == ""


@pytest.mark.parametrize("case", SHOWN)
def test_ions_are_conserved_on_every_way(case: str) -> None:
    screen = opened(case)
    for given in ({"n": 300}, {"steps": 2}):
        assert "conserved" not in screen.ask("step", **given)["stopped"]
    screen.ask("back", n=100)
    assert screen.ask("branch", seed="4")["breakpoints"][-1]["hits"] == 0


@pytest.mark.parametrize("beside", [None, "no-complex"])
def test_a_law_that_disagrees_with_the_table_stops_and_changes_nothing(beside: str | None, monkeypatch) -> None:
    screen = opened()
    if beside:
        screen.ask("beside", mechanism="gd-complex")
    screen.ask("step", n=5)
    wrong = screen.session.lines.shown[-1].simulation
    digests = [line.simulation.digest() for line in screen.session.lines.shown]
    law = type(wrong.table).law_value
    with monkeypatch.context() as patched:
        patched.setattr(
            type(wrong.table), "law_value", lambda t, rule, env: law(t, rule, env) + (0.1 if t is wrong.table else 0)
        )
        with pytest.raises(LiveMismatch, match=r"but row \d+ of the table holds"):
            screen.ask("step", n=1)
    assert [line.simulation.digest() for line in screen.session.lines.shown] == digests
    assert [one["hits"] for one in screen.ask("look")["breakpoints"]] == [1, 0]
    screen.ask("step", n=1)


def test_lines_that_parted_before_what_is_kept_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "MOST", 10_000)
    screen = opened("reflecting")
    screen.ask("step", n=12_000)
    parting = screen.ask("beside", mechanism="cation-exchange")["parting"]
    assert parting["event"] > 1
    assert parting["text"] == f"They part at event {parting['event']} or before."
