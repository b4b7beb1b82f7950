"""Commands that move in time, forwards and backwards, and those that say where to stop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ucnp_abm.engine.live import check_ahead
from ucnp_abm.errors import BadInput, BadRate, LiveMismatch, shown
from ucnp_abm.server import search
from ucnp_abm.server.stops import LAW_FAILS
from ucnp_abm.server.words import Answer, number, whole

if TYPE_CHECKING:
    from ucnp_abm.server.session import Session

MOST_EVENTS = 10**12
"""The last event that can be asked for."""


def step(session: Session, n: object = None, steps: object = None, seconds: object = None) -> Answer:
    """So many events, steps or seconds on, or to the first breakpoint before."""
    simulation = session.line.simulation
    if sum(given is not None for given in (n, steps, seconds)) != 1:
        raise BadInput("step: give one of n, steps and seconds")
    if n is not None:
        count = whole(n, "step: n", most=MOST_EVENTS)
        return _single(session) if count == 1 else on(session, event=simulation.state.events + count)
    if steps is not None:
        target = simulation.steps + number(steps, "step: steps")
        return on(session, until=simulation.protocol.time(target, simulation.crystal.z))
    return on(session, until=simulation.time + number(seconds, "step: seconds"))


def _single(session: Session) -> Answer:
    """One event, its laws called again on the way."""
    stops, note = session.stops, ""
    try:
        for line in session.lines.shown:
            check_ahead(line.simulation, math.inf)  # of all, before one of them moves
    except (LiveMismatch, BadRate):
        stops.failures[LAW_FAILS] += 1
        raise
    for line in session.lines.shown:
        event = line.simulation.fire()
        line.chronicle.follow()
        if line is session.line:
            if event is None:
                note = "Nothing can happen any more"
            elif stops.holds(line, event):
                note = stops.strike(line, event.number, event)
    return session.view(note)


def on(
    session: Session, event: object = None, until: object = None, stopping: object = True, hit: object = None
) -> Answer:
    """On to an event or a time / s, in slices; a breakpoint stops it, or a hit that was found already."""
    target = None if event is None else whole(event, "event", most=MOST_EVENTS)
    end = None if until is None else number(until, "time")
    if target is None and end is None:
        raise BadInput("on: give an event or a time")
    found = None if hit is None else whole(hit, "hit", most=MOST_EVENTS)
    while True:
        looked = search.Looked(None, None, True)
        if found is not None:  # not all lines had come to it
            looked = search.Looked(found, found, False)
        elif stopping:
            looked = session.stops.find(session.line, target, end, session.has_time)
        goal = target if looked.all else looked.upto
        paths = [line.forward(goal, end, session.has_time) for line in session.lines.shown]  # all of them run
        arrived = all(paths)
        if arrived and looked.hit is not None:
            last = session.line.simulation.timeline.latest()
            return session.view(session.stops.strike(session.line, looked.hit, last))
        if arrived and looked.all:
            return session.view(_ended(session, target, end))
        if not (arrived and session.has_time()):
            rest = {"event": target, "until": end, "stopping": bool(stopping), "hit": looked.hit}
            return session.view() | {"go_on": ["on", rest]}


def _ended(session: Session, target: int | None, end: float | None) -> str:
    simulation = session.line.simulation
    short = target is not None and simulation.state.events < target
    return "Nothing more can happen" if short and (end is None or simulation.time < end) else ""


def back(session: Session, n: object = 1) -> Answer:
    """So many events back, exactly."""
    count, line = whole(n, "back: n", most=MOST_EVENTS), session.line
    there = line.simulation.state.events - line.first
    if count > there:
        raise BadInput(f"back: this line has had {there} events since its past begins")
    return goto(session, event=line.simulation.state.events - count)


def goto(session: Session, event: object = None, time: object = None) -> Answer:
    """To the moment just after an event, or to a time / s, before or after now; no breakpoint stops it."""
    if (event is None) == (time is None):
        raise BadInput("goto: give an event or a time")
    shown_lines = session.lines.shown
    if event is not None:
        target = whole(event, "goto: event", most=MOST_EVENTS)
        ahead = [line for line in shown_lines if target > line.simulation.state.events]
        for line in shown_lines:
            if line not in ahead:
                line.simulation.goto(event=max(target, line.first) if line is not session.line else target)
        return on(session, event=target, stopping=False) if ahead else session.view()
    moment = number(time, "goto: time")
    for line in shown_lines:
        if moment < line.simulation.time:
            line.simulation.goto(time=moment if line is session.line else max(moment, line.first_time))
    return on(session, until=moment, stopping=False)


def until(session: Session, what: object) -> Answer:
    """To the next event at a breakpoint, or of the selected agent ('its')."""
    if what == "its":
        return _to_its_next(session)
    if what != "breakpoint":
        raise BadInput(f"until: expected 'breakpoint' or 'its', got {shown(what)}")
    if not session.stops.on:
        raise BadInput("To breakpoint: there is none that is on; add one such as event.verb == 'dock'")
    return on(session, event=MOST_EVENTS)


def _to_its_next(session: Session) -> Answer:
    selected, line = session.screen.selected, session.line
    if selected is None:
        raise BadInput("Its next event: select an ion or a vacancy first")
    now = line.simulation.state.events
    chronicle = line.chronicle_after(now)
    found = chronicle.next_of(selected, now)
    if found is None:
        raise BadInput(f"Its next event: there is none up to event {chronicle.last}")
    return on(session, event=found, stopping=False)


def change_breakpoint(
    session: Session, add: object = None, number: object = None, on: object = None, remove: object = False
) -> Answer:
    """Add a breakpoint, switch one on or off, or remove one."""
    stops = session.stops
    if add is not None:
        if not isinstance(add, str):
            raise BadInput(f"breakpoint: expected a condition, got {shown(add)}")
        stops.add(add, session.line.simulation)
        return session.view()
    found = stops.known(number)
    if remove:
        stops.breakpoints.remove(found)
    else:
        found.on = bool(on)
    return session.view()
