"""One run three ways: compiled, interpreted, and with every law called anew; they must part nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.particle import Particle
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import LiveMismatch
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.workbench.checking.finding import ERROR, WARNING, Finding

CHECK = "compiled = interpreted = live"
SEED = 7
_LATE = 300
"""Events of a run whose rows come on the way."""
LEAST = 1e-3
"""Acceptance below which a run by rejection would take too long to be tried."""
_MISMATCH = re.compile(
    r"(?P<law>.+), (?P<file>.+) line (?P<line>\d+) says (?P<now>.+) for a (?P<environment>.+), "
    r"but row \d+ of the table holds (?P<held>.+)"
)


def replay(
    mechanism: Mechanism, particle: Particle, protocol: Protocol | str | float, events: int, present: list[str]
) -> Iterator[Finding]:
    """The same events from the compiled loop, from its plain text, and event by event with the laws themselves."""

    def begin(*, interpreted: bool = False) -> Simulation:
        made = Simulation(particle, mechanism, protocol, seed=SEED, interpreted=interpreted, present=present)
        made.remember(events)
        return made

    compiled, plain, live = begin(), begin(interpreted=True), begin()
    if compiled.memo and (acceptance := compiled.acceptance) < LEAST:
        lowest = min(rule.lowest for rule in mechanism.active_hops() if rule.lowest is not None)
        text = (
            f"with rows on the way and the lowest barrier {lowest:g} eV only one candidate in {1 / acceptance:.2g} "
            f"would be an event, so no run was tried; the lowest one met is {compiled.memo.lowest:g} eV: declare it "
            "as high as it can be"
        )
        yield Finding(CHECK, WARNING, text)
        return
    if compiled.memo:
        events = min(events, _LATE)  # each of them may need rows
    compiled.run(events=events)
    plain.run(events=events)
    try:
        while live.state.events < events and live.fire(live=True) is not None:
            pass
    except LiveMismatch as error:
        yield _mismatch(str(error).removeprefix(f"{mechanism.name}: "), live.state.events + 1)
        live = compiled
    first = compiled.remembered(0)
    for name, other in (("interpreted", plain), ("live", live)):
        at = _parting(first, other.remembered(0))
        if at is not None:
            yield Finding(CHECK, ERROR, f"the {name} run parts from the compiled one at event {at}", "", f"event {at}")
        elif other.digest() != compiled.digest():
            yield Finding(CHECK, ERROR, f"the {name} run ends in another state than the compiled one")


def _mismatch(text: str, event: int) -> Finding:
    """A law that disagrees with its row."""
    found = _MISMATCH.fullmatch(text)
    if not found:
        return Finding(CHECK, ERROR, text, "", f"event {event}")
    message = (
        f"the law '{found['law']}' says {found['now']} at event {event}, and the table that drives the run holds "
        f"{found['held']}; a barrier follows from env alone"
    )
    return Finding(CHECK, ERROR, message, f"{found['file']}, line {found['line']}", found["environment"])


def _parting(one: NDArray[np.void], other: NDArray[np.void]) -> int | None:
    """Number of the first event that is not the same; None if all are."""
    both = min(one.size, other.size)
    different = np.flatnonzero(one[:both] != other[:both])
    if different.size:
        return int(different[0]) + 1
    return None if one.size == other.size else both + 1
