"""Commands about lines: a branch, another mechanism beside, which of them are shown, and an edited plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput, shown
from ucnp_abm.registry import anew
from ucnp_abm.registry import mechanism as installed_mechanism
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.server import moving
from ucnp_abm.server.words import Answer

if TYPE_CHECKING:
    from ucnp_abm.server.session import Session


def branch(session: Session, seed: object = "", mechanism: object = "") -> Answer:
    """Another future from this moment on; the line that it left stays."""
    line, lines = session.line, session.lines
    simulation = line.simulation
    other = None if mechanism in ("", None) else _mechanism(mechanism)
    chosen = None
    if seed not in ("", None):
        digits = shown(seed) if isinstance(seed, int) else str(seed)
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
            raise BadInput(f"branch: seed: expected a whole number of at least 0, got {shown(seed)}")
        chosen = int(digits)
    branched = simulation.branch(seed=chosen, mechanism=other)
    note = f"from event {simulation.state.events} of {line.name}, seed {branched.seed}"
    lines.show(lines.add(branched, f"{branched.mechanism.name}, branch {lines.next_number}", note))
    return session.view(f"Branched at event {simulation.state.events}")


def beside(session: Session, mechanism: object) -> Answer:
    """Another mechanism on the same crystal with the same seed, brought to the same event, beside this one."""
    simulation, lines = session.line.simulation, session.lines
    other = Simulation(simulation.particle, _mechanism(mechanism), simulation.protocol, seed=simulation.seed)
    lines.show(session.line, lines.add(other, other.mechanism.name, f"seed {other.seed}, from the start"))
    return moving.on(session, event=simulation.state.events, stopping=False)


def show(session: Session, line: object = None, beside: object = "") -> Answer:
    """Show another line, or one beside it; None beside: alone again."""
    lines = session.lines
    if line is not None:
        lines.show(lines.known(line))
    elif beside is None:
        lines.show(session.line)
    else:
        lines.show(session.line, lines.known(beside))
    return session.view()


def reload(session: Session) -> Answer:
    """The file of the mechanism, loaded again; the crystal stays. If it is wrong, all stays."""
    line, simulation = session.line, session.line.simulation
    changed = simulation.reload(anew(simulation.mechanism))
    if changed:
        line.chronicle.cut(simulation.state.events)
    line.begin_anew()
    session.lines.compare()
    told = "other rates from here on; what lies before cannot be gone back to" if changed else "no rate has changed"
    return session.view(f"{simulation.mechanism.name} loaded again: {told}")


def _mechanism(name: object) -> Mechanism:
    if not isinstance(name, str) or len(name) > 500:
        raise BadInput(f"mechanism: expected a name, got {shown(name)}")
    return installed_mechanism(name)
