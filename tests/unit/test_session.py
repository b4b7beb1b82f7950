"""A session of the debugger: whatever a page asks for, the engine does what it does without one."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from histories import CASES, boxed, crowded, grown
from screen import Screen

from ucnp_abm import Mechanism, Model, Particle, Simulation, mechanism, registry
from ucnp_abm.errors import BadInput, BadPlugin, BadRate, LiveMismatch, UcnpError
from ucnp_abm.photons.light import light
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
