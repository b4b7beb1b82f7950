"""Commands that look: what is on the screen, who is selected, why, colours and curves. No crystal changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ucnp_abm
from ucnp_abm.errors import BadInput, shown
from ucnp_abm.replay.crystal import described
from ucnp_abm.server import colours, telling
from ucnp_abm.server.words import Answer, base64_of, site_in, whole

if TYPE_CHECKING:
    from ucnp_abm.server.session import Session

_CURVE = 400  # points of a curve
_MARKS = 100  # hits of breakpoints on the time line


def open_page(session: Session) -> Answer:
    """Everything that a page must know when it begins."""
    session.screen.forget()
    simulation = session.line.simulation
    about, arrays = described(simulation)
    about["arrays"] = {name: base64_of(array) for name, array in arrays.items()}
    parts = [session.title, simulation.mechanism.name, f"seed {simulation.seed}", str(simulation.protocol)]
    title = " · ".join(dict.fromkeys(part for part in parts if part))
    return session.view() | {"crystal": about, "badge": "debug", "title": title, "version": ucnp_abm.__version__}


def look(session: Session, full: object = False) -> Answer:
    """What is on the screen, again."""
    if full:
        session.screen.forget()
    return session.view()


def filter_events(session: Session, verb: object = ..., species: object = ..., near: object = ...) -> Answer:
    """Which candidate events the table shows; what is not given stays."""
    given = {"verb": verb, "species": species, "near": near}
    which = {name: value for name, value in given.items() if value is not ...}
    for name, value in which.items():
        if not (isinstance(value, bool) if name == "near" else value is None or isinstance(value, str)):
            allowed = "true or false" if name == "near" else "a text or nothing"
            raise BadInput(f"filter: {name}: expected {allowed}, got {shown(value)}")
    session.screen.filter |= which
    return session.view()


def select(session: Session, site: object = None) -> Answer:
    """Whom the inspector follows: the occupant of a site, or nobody."""
    simulation, slot = session.line.simulation, None
    if site is not None:
        slot = int(simulation.state.slot[simulation.crystal.sites[site_in(simulation, site)]])
    session.screen.selected = slot
    return session.view()


def why(
    session: Session, channel: object = None, site: object = None, direction: object = 0, last: object = False
) -> Answer:
    """Why a rate is what it is: of one candidate, or of the last event."""
    simulation = session.line.simulation
    if last:
        event = simulation.timeline.latest()
        if event is None:
            raise BadInput("why: nothing has happened yet that could be asked about")
        reasons = telling.reasons(event.move, event.total_rate, event)
        return {"why": reasons, "site": event.move.site, "to": event.move.to}
    move = simulation.look_at(whole(channel, "channel"), site_in(simulation, site), whole(direction, "direction"))
    return {"why": telling.reasons(move, simulation.total_rate())}


def draws(session: Session) -> Answer:
    """How the last event was drawn."""
    return {"told": telling.drawn(session.line.simulation)}


def colour(session: Session, kind: object, pane: object = 0) -> Answer:
    """A number for each site, as a byte, and what it means."""
    shown_lines = session.lines.shown
    return colours.tones(shown_lines[whole(pane, "pane", most=len(shown_lines) - 1)], kind)


def timeline(session: Session) -> Answer:
    """The curves of the lines on show, hits of breakpoints, and where two lines part."""
    curves = []
    for line in session.lines.shown:
        points, core = line.chronicle.outline(_CURVE), line.core
        curves.append(
            {
                "event": points["event"].tolist(),
                "t": points["t_s"].tolist(),
                "vacancies": points["vacancies"].tolist(),
                "outside": [] if not core else (100 * points["outside"] / core).round(4).tolist(),
            }
        )
    parted = session.lines.parted
    return {"curves": curves, "hits": session.stops.events[-_MARKS:], "parting": parted.event if parted else None}
