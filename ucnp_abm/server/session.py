"""One person's session: lines, of which one or two are shown, breakpoints, and one method for each command of the page.

Every command answers with what changed on the screen. What takes longer than a quarter of a second answers early and
says how to go on, so that the page can show where it is, and stop.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ucnp_abm
from ucnp_abm.engine.moves import Event
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput, BadRate, LiveMismatch, nearest, shown
from ucnp_abm.registry import anew, installed, mechanism
from ucnp_abm.replay.crystal import described
from ucnp_abm.server import colours, search, telling
from ucnp_abm.server.grammar import NAMES
from ucnp_abm.server.line import Line
from ucnp_abm.server.parting import Parted
from ucnp_abm.server.words import base64_of, number, site_in, whole

SLICE = 0.25
"""Seconds after which a command answers, though it is not done."""
MOST_EVENTS, MOST_LINES, MOST_BREAKPOINTS = 10**12, 12, 50
_FEW = 500  # changed sites that are told one by one
_CURVE = 400  # points of a curve
Answer = dict[str, Any]
_SAME = object()
"""An argument that was not given."""


class Session:
    """What the page can do with one simulation and its branches.

    Parameters
    ----------
    simulation : Simulation
        It is used as it is: whoever holds it sees what the page does, until the page shows another line.
    title : str
        Where it comes from.
    breakpoints : sequence of str

    Raises
    ------
    BadInput
        If a breakpoint is no condition, or there are more sites than a page can draw.
    """

    def __init__(self, simulation: Simulation, title: str = "", breakpoints: tuple[str, ...] = ()) -> None:
        described(simulation)
        self.lines = [Line(simulation, 0, simulation.mechanism.name, f"seed {simulation.seed}")]
        self.shown = [self.lines[0]]
        self.title = title
        self.breakpoints: list[search.Breakpoint] = []
        self.failures = {"a law disagrees with the table or fails": 0, "ions are not conserved": 0}
        self.stops: list[int] = []
        self.selected: int | None = None
        self.parted: Parted | None = None
        self._filter: dict[str, Any] = {"verb": None, "species": None, "near": False}
        self._told: list[NDArray[np.uint8] | None] = [None, None]
        self._held: list[str] = []
        self._begun = time.perf_counter()
        installed().load_all()
        for text in breakpoints:
            self._add(text)

    def answer(self, command: str, arguments: Mapping[str, Any]) -> Answer:
        """Do what the page asks for.

        Raises
        ------
        BadInput
            If there is no such command, or an argument does not fit.
        """
        act = getattr(type(self), f"do_{command}", None)
        if act is None:
            known = [name.removeprefix("do_") for name in vars(type(self)) if name.startswith("do_")]
            raise BadInput(f"no command '{command}'{nearest(command, known)}")
        expected = list(inspect.signature(act).parameters)[1:]
        for name in arguments:
            if name not in expected:
                raise BadInput(f"{command}: unknown argument {shown(name)}{nearest(name, expected)}")
        self._begun = time.perf_counter()
        found: Answer = act(self, **arguments)
        return found

    @property
    def line(self) -> Line:
        """The line on the left, which breakpoints, tables and inspector are about."""
        return self.shown[0]

    # --- commands: looking ---

    def do_open(self) -> Answer:
        """Everything that a page must know when it begins."""
        self._told = [None, None]
        about, arrays = described(self.line.simulation)
        about["arrays"] = {name: base64_of(array) for name, array in arrays.items()}
        first = {"crystal": about, "badge": "debug", "title": self._title(), "version": ucnp_abm.__version__}
        return self._view() | first

    def do_look(self, full: object = False) -> Answer:
        """What is on the screen, again."""
        if full:
            self._told = [None, None]
        return self._view()

    def do_filter(self, verb: object = _SAME, species: object = _SAME, near: object = _SAME) -> Answer:
        """Which candidate events the table shows; what is not named stays."""
        given = {
            name: value for name, value in (("verb", verb), ("species", species), ("near", near)) if value is not _SAME
        }
        for name, value in given.items():
            if not (isinstance(value, bool) if name == "near" else value is None or isinstance(value, str)):
                raise BadInput(
                    f"filter: {name}: expected {'true or false' if name == 'near' else 'a text'}, got {shown(value)}"
                )
        self._filter |= given
        return self._view()

    def do_select(self, site: object = None) -> Answer:
        """Whom the inspector follows: the occupant of a site, or nobody."""
        simulation = self.line.simulation
        self.selected = None
        if site is not None:
            self.selected = int(simulation.state.slot[simulation.crystal.sites[site_in(simulation, site)]])
        return self._view()

    def do_why(
        self, channel: object = None, site: object = None, direction: object = 0, last: object = False
    ) -> Answer:
        """Why a rate is what it is: of one candidate, or of the last event."""
        simulation = self.line.simulation
        if last:
            event = self._last(self.line)
            if event is None:
                raise BadInput("why: nothing has happened yet that could be asked about")
            return {
                "why": telling.reasons(event.move, event.total_rate, event),
                "site": event.move.site,
                "to": event.move.to,
            }
        move = simulation.look_at(whole(channel, "channel"), site_in(simulation, site), whole(direction, "direction"))
        return {"why": telling.reasons(move, simulation.total_rate())}

    def do_draws(self) -> Answer:
        """How the last event was drawn."""
        return {"told": telling.drawn(self.line.simulation)}

    def do_colour(self, kind: object, pane: object = 0) -> Answer:
        """A number for each site, as a byte, and what it means."""
        at = whole(pane, "pane", most=len(self.shown) - 1)
        return colours.tones(self.shown[at], kind)

    def do_timeline(self) -> Answer:
        """The curves of the lines on show, hits of breakpoints, and where two lines part."""
        panes = []
        for line in self.shown:
            points = line.chronicle.outline(_CURVE)
            core = line.core
            panes.append(
                {
                    "event": points["event"].tolist(),
                    "t": points["t_s"].tolist(),
                    "vacancies": points["vacancies"].tolist(),
                    "outside": [] if core is None else (100 * points["outside"] / core).round(4).tolist(),
                }
            )
        parting = self.parted.event if self.parted else None
        return {"curves": panes, "hits": self.stops[-100:], "parting": parting}

    # --- commands: time ---

    def do_step(self, n: object = None, steps: object = None, seconds: object = None) -> Answer:
        """So many events, steps or seconds on, or to the first breakpoint before."""
        simulation = self.line.simulation
        if sum(given is not None for given in (n, steps, seconds)) != 1:
            raise BadInput("step: give one of n, steps and seconds")
        if n is not None:
            count = whole(n, "step: n", most=MOST_EVENTS)
            if count == 1:
                return self._single()
            return self.do_on(event=simulation.state.events + count)
        if steps is not None:
            target = simulation.steps + number(steps, "step: steps")
            return self.do_on(until=simulation.protocol.time(target, simulation.crystal.z))
        return self.do_on(until=simulation.time + number(seconds, "step: seconds"))

    def do_on(self, event: object = None, until: object = None, stopping: object = True) -> Answer:
        """On to an event or a time / s, in slices; the first breakpoint before stops it."""
        target = None if event is None else whole(event, "event", most=MOST_EVENTS)
        end = None if until is None else number(until, "time")
        if target is None and end is None:
            raise BadInput("on: give an event or a time")
        while True:
            looked = self._stop(target, end) if stopping else search.Looked(None, None, True)
            goal = target if looked.all else looked.upto
            paths = [line.forward(goal, end, self._has_time) for line in self.shown]  # all of them run
            arrived = all(paths)
            if arrived and looked.hit is not None:
                return self._view(self._at_breakpoint(looked.hit))
            if arrived and looked.all:
                return self._view(self._ended(target, end))
            if not (arrived and self._has_time()):
                return self._view() | {"go_on": ["on", {"event": target, "until": end, "stopping": bool(stopping)}]}

    def do_back(self, n: object = 1) -> Answer:
        """So many events back, exactly."""
        count = whole(n, "back: n", most=MOST_EVENTS)
        state = self.line.simulation.state
        if count > state.events - self.line.first:
            raise BadInput(f"back: this line has had {state.events - self.line.first} events since its past begins")
        return self.do_goto(event=state.events - count)

    def do_goto(self, event: object = None, time: object = None) -> Answer:
        """To the moment just after an event, or to a time / s, before or after now; no breakpoint stops it."""
        if (event is None) == (time is None):
            raise BadInput("goto: give an event or a time")
        if event is not None:
            target = whole(event, "goto: event", most=MOST_EVENTS)
            ahead = [line for line in self.shown if target > line.simulation.state.events]
            for line in self.shown:
                if line not in ahead:
                    line.simulation.goto(event=max(target, line.first) if line is not self.line else target)
            return self.do_on(event=target, stopping=False) if ahead else self._view()
        moment = number(time, "goto: time")
        for line in self.shown:
            if moment < line.simulation.time:
                line.simulation.goto(time=moment)
        return self.do_on(until=moment, stopping=False)

    def do_until(self, what: object) -> Answer:
        """To the next event at a breakpoint, or of the selected agent ('its')."""
        if what == "its":
            return self._to_its_next()
        if what != "breakpoint":
            raise BadInput(f"until: expected 'breakpoint' or 'its', got {shown(what)}")
        if not any(one.on for one in self.breakpoints):
            raise BadInput("To breakpoint: there is none that is on; add one such as event.verb == 'dock'")
        return self.do_on(event=MOST_EVENTS)

    def do_breakpoint(
        self, add: object = None, number: object = None, on: object = None, remove: object = False
    ) -> Answer:
        """Add a breakpoint, switch one on or off, or remove one."""
        if add is not None:
            if not isinstance(add, str):
                raise BadInput(f"breakpoint: expected a condition, got {shown(add)}")
            self._add(add)
            return self._view()
        wanted = whole(number, "breakpoint: number")
        found = next((one for one in self.breakpoints if one.number == wanted), None)
        if found is None:
            raise BadInput(f"breakpoint: there is no number {wanted}")
        if remove:
            self.breakpoints.remove(found)
        else:
            found.on = bool(on)
        return self._view()

    # --- commands: lines ---

    def do_branch(self, seed: object = "", mechanism: object = "") -> Answer:
        """Another future from this moment on; the line that it left stays."""
        simulation = self.line.simulation
        other = None if mechanism in ("", None) else _mechanism(mechanism)
        chosen = None
        if seed not in ("", None):
            digits = str(seed)
            if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
                raise BadInput(f"branch: seed: expected a whole number of at least 0, got {shown(seed)}")
            chosen = int(digits)
        branch = simulation.branch(seed=chosen, mechanism=other)
        note = f"from event {simulation.state.events} of {self.line.name}, seed {branch.seed}"
        self._show(self._new(branch, f"{branch.mechanism.name}, branch {len(self.lines)}", note))
        return self._view(f"Branched at event {simulation.state.events}")

    def do_beside(self, mechanism: object) -> Answer:
        """Another mechanism on the same crystal with the same seed, brought to the same event, beside this one."""
        simulation = self.line.simulation
        other = Simulation(simulation.particle, _mechanism(mechanism), simulation.protocol, seed=simulation.seed)
        line = self._new(other, other.mechanism.name, f"seed {other.seed}, from the start")
        self._show(self.line, line)
        return self.do_on(event=simulation.state.events, stopping=False)

    def do_show(self, line: object = None, beside: object = "") -> Answer:
        """Show another line, or one beside it; None beside: alone again."""
        if line is not None:
            self._show(self._known(line))
        elif beside is None:
            self._show(self.line)
        else:
            self._show(self.line, self._known(beside))
        return self._view()

    def do_reload(self) -> Answer:
        """The file of the mechanism, loaded again; the crystal stays. If it is wrong, all stays."""
        line, simulation = self.line, self.line.simulation
        changed = simulation.reload(anew(simulation.mechanism))
        if changed:
            line.chronicle.cut(simulation.state.events)
        line.begin_anew()
        self._compare()
        told = "other rates from here on; what lies before cannot be gone back to" if changed else "no rate has changed"
        return self._view(f"{simulation.mechanism.name} loaded again: {told}")

    # --- helpers: time ---

    def _has_time(self) -> bool:
        return time.perf_counter() - self._begun < SLICE

    def _single(self) -> Answer:
        """One event, its laws called again on the way."""
        note = ""
        for line in self.shown:
            try:
                event = line.simulation.fire(live=True)
            except (LiveMismatch, BadRate):
                self.failures["a law disagrees with the table or fails"] += 1
                raise
            line.chronicle.follow()
            if event is None and line is self.line:
                note = "Nothing can happen any more"
            elif event is not None and line is self.line:
                on = [one for one in self.breakpoints if one.on]
                number = event.number
                if search.first_hit(line, on, number - 1, number, search.costs_of(event)) is not None:
                    note = self._at_breakpoint(number)
        return self._view(note)

    def _stop(self, target: int | None, end: float | None) -> search.Looked:
        """Look for the first hit of a breakpoint on the way; those that ask for rates do so event by event."""
        on = [one for one in self.breakpoints if one.on]
        if not on:
            return search.Looked(None, None, True)
        if not any(one.condition.costly for one in on):
            return search.next_hit(self.line, on, target, end, self._has_time)
        line, simulation = self.line, self.line.simulation
        while target is None or simulation.state.events < target:
            event = simulation.fire(until=np.inf if end is None else max(end, simulation.time))
            if event is None:
                break
            line.chronicle.follow()
            if search.first_hit(line, on, event.number - 1, event.number, search.costs_of(event)) is not None:
                return search.Looked(event.number, event.number, False)
            if not self._has_time():
                return search.Looked(None, event.number, event.number == target)
        return search.Looked(None, target, True)

    def _ended(self, target: int | None, end: float | None) -> str:
        simulation = self.line.simulation
        short = target is not None and simulation.state.events < target
        if short and (end is None or simulation.time < end):
            return "Nothing more can happen"
        return ""

    def _at_breakpoint(self, event: int) -> str:
        """Count the hit; the words for it."""
        self.stops.append(event)
        last = self._last(self.line)
        costs = search.costs_of(last) if last else {}
        held = []
        for one in self.breakpoints:
            if one.on and search.first_hit(self.line, [one], event - 1, event, costs) is not None:
                one.hits += 1
                held.append(one.condition.text)
        self._held = held
        return f"Breakpoint: {' and '.join(held)}"

    def _to_its_next(self) -> Answer:
        if self.selected is None:
            raise BadInput("Its next event: select an ion or a vacancy first")
        line = self.line
        now = line.simulation.state.events
        chronicle = line.chronicle_after(now)
        found = chronicle.next_of(self.selected, now)
        if found is None:
            raise BadInput(f"Its next event: there is none up to event {chronicle.last}")
        return self.do_on(event=found, stopping=False)

    # --- helpers: lines ---

    def _new(self, simulation: Simulation, name: str, note: str) -> Line:
        if len(self.lines) >= MOST_LINES:
            others = [line for line in self.lines[1:] if line not in self.shown]
            self.lines.remove(others[0])
        line = Line(simulation, 1 + max(each.number for each in self.lines), name, note)
        self.lines.append(line)
        return line

    def _known(self, wanted: object) -> Line:
        number = whole(wanted, "line")
        found = next((line for line in self.lines if line.number == number), None)
        if found is None:
            raise BadInput(f"line: there is no number {number}")
        return found

    def _show(self, line: Line, beside: Line | None = None) -> None:
        if beside is line:
            raise BadInput("beside: a line cannot stand beside itself")
        self.shown = [line] if beside is None else [line, beside]
        self._told[1] = None  # the page may have a new, empty pane for it
        self._compare()

    def _compare(self) -> None:
        self.parted = Parted(*self.shown) if len(self.shown) == 2 else None

    def _add(self, text: str) -> None:
        if len(self.breakpoints) >= MOST_BREAKPOINTS:
            raise BadInput(f"breakpoint: there are {MOST_BREAKPOINTS} already; remove one")
        condition = search.condition(text, self.line.simulation)
        number = 1 + max((one.number for one in self.breakpoints), default=0)
        self.breakpoints.append(search.Breakpoint(number, condition))

    # --- helpers: the screen ---

    def _title(self) -> str:
        simulation = self.line.simulation
        parts = [self.title, simulation.mechanism.name, f"seed {simulation.seed}", str(simulation.protocol)]
        return " · ".join(dict.fromkeys(part for part in parts if part))

    def _last(self, line: Line) -> Event | None:
        simulation = line.simulation
        if simulation.state.events == line.first:
            return None
        if simulation.state.nulls or simulation.time > simulation.state.clock[2]:
            return _between(simulation)
        return simulation.timeline.last_event()

    def _view(self, stopped: str = "") -> Answer:
        """Everything that a command may have changed."""
        panes = [self._pane(line, at) for at, line in enumerate(self.shown)]
        line = self.line
        if wrong := line.unconserved():
            self.failures["ions are not conserved"] += 1
            stopped = wrong
        if self.parted:
            self.parted.follow()
        near = None
        if self._filter["near"] and self.selected is not None:
            site = telling.site_of(line.simulation, self.selected)
            near = np.array([site, *(n for n in line.simulation.crystal.neighbours(site) if n >= 0)])
        events = telling.next_events(line, self._filter["verb"], self._filter["species"], near)
        events["table"]["near"] = self._filter["near"]
        panes[0] |= events | {"warning": telling.flicker(line)}
        return {
            "panes": panes,
            "stopped": stopped,
            "lines": [{"id": each.number, "name": each.name, "note": each.note} for each in self.lines],
            "parting": self.parted.told() if self.parted else None,
            "mechanisms": sorted(installed().mechanisms),
            "breakpoints": self._breakpoints(),
            "words": list(NAMES),
            "inspector": None if self.selected is None else telling.inspected(line, self.selected),
        }  # fmt: skip

    def _breakpoints(self) -> list[Answer]:
        held, self._held = self._held, []
        own = [
            {"id": n, "text": text, "on": one.on, "hits": one.hits, "hit": text in held}
            for one in self.breakpoints
            for n, text in [(one.number, one.condition.text)]
        ]
        return own + [
            {"id": -k, "text": text, "on": True, "hits": n, "hit": False, "automatic": True}
            for k, (text, n) in enumerate(self.failures.items(), 1)
        ]

    def _pane(self, line: Line, at: int) -> Answer:
        simulation, event = line.simulation, self._last(line)
        last = None
        if event is not None:
            move = event.move
            rule = telling.reasons(move, event.total_rate)["rows"][1][1]
            last = {
                **{
                    "number": event.number,
                    "verb": move.verb,
                    "species": move.species,
                    "site": move.site,
                    "to": move.to,
                },
                **{"time": event.time, "rate": move.rate, "probability": event.probability, "rule": rule},
            }
        now = simulation.state.species[simulation.crystal.sites]
        before, self._told[at] = self._told[at], now
        changed: Answer = {"all": base64_of(now)}
        if before is not None:
            sites = np.flatnonzero(before != now)
            if sites.size <= _FEW:
                changed = {"sites": sites.tolist(), "codes": now[sites].tolist()}
        return line.state_of() | {"last": last, "changed": changed, "outside": line.outside}


def _between(simulation: Simulation) -> Event | None:
    """The last event, of a run that stands between two: looked at from a copy."""
    copy = simulation.branch()
    copy.goto(event=simulation.state.events)
    copy.remember(2)
    if copy.state.events == copy.timeline.first_event:
        return None
    copy.back()
    return copy.fire()


def _mechanism(name: object) -> Any:
    if not isinstance(name, str) or len(name) > 500:
        raise BadInput(f"mechanism: expected a name, got {shown(name)}")
    return mechanism(name)
