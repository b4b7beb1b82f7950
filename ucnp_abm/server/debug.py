"""`ucnp_abm.debug`: a simulation or a model, stepped through in a browser."""

from __future__ import annotations

import sys
import threading
import webbrowser
from collections.abc import Sequence
from typing import Any

from ucnp_abm import units
from ucnp_abm.engine.chronicle import Chronicle
from ucnp_abm.engine.draws import draws
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput, shown
from ucnp_abm.replay.page import served
from ucnp_abm.server.serving import Serving
from ucnp_abm.server.session import Session


def debug(
    model: Any,
    *,
    title: str = "",
    breakpoints: Sequence[str] = (),
    beside: str | None = None,
    event: int | None = None,
    port: int = 0,
    browser: bool = True,
    wait: bool | None = None,
) -> Serving:
    """Step through a model in a browser: forwards, backwards, and why.

    The page is served to this machine only, and its link works once. What it does to the model stays done, until it
    shows a branch: that is another simulation, and the model stays where it was left.

    Parameters
    ----------
    model : Model or Simulation
    title : str
        Shown at the top.
    breakpoints : sequence of str
        Conditions such as ``"event.verb == 'dock'"``.
    beside : str or None
        Another mechanism on the same crystal with the same seed, stepped together.
    event : int or None
        Begin just after this event.
    port : int
        0: any free one.
    browser : bool
        Open the link.
    wait : bool or None
        Return when it is closed or Ctrl-C is pressed; None: only in a script, not where somebody types.

    Returns
    -------
    Serving
        With its `link`; `close()` ends it.

    Raises
    ------
    BadInput
        If it is no model, or an option cannot be used.

    Examples
    --------
    >>> from ucnp_abm import Model, Particle, debug
    >>> model = Model(Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2 nm", seed=1), "y-complex")
    >>> with debug(model, browser=False, wait=False) as page:
    ...     page.link.startswith("http://127.0.0.1:")
    True
    """
    simulation = getattr(model, "simulation", model)
    if not isinstance(simulation, Simulation):
        raise BadInput(f"debug: expected a Model or a Simulation, got {shown(model)}")
    if isinstance(breakpoints, str):
        raise BadInput("debug: breakpoints: expected a list of conditions, got one text; put it into [ ]")
    session = Session(simulation, title, tuple(breakpoints))
    _compile(simulation)
    if event is not None:
        chronicle, wanted = session.line.chronicle, units.count(event, "debug: event")
        chronicle.tell(event=wanted)
        if chronicle.last < wanted:
            raise BadInput(f"debug: event: nothing more can happen after event {chronicle.last}, got {wanted}")
        simulation.goto(event=wanted)
    if beside is not None:
        told = session.answer("beside", {"mechanism": beside})
        while "go_on" in told:
            told = session.answer(*told["go_on"])
    serving = Serving(session.answer, served(), port)
    if browser:
        webbrowser.open(serving.link)
    if _in_a_script() if wait is None else wait:
        serving.wait()
    return serving


def _compile(simulation: Simulation) -> None:
    """Let a copy do one of everything: the first time after an installation, numba compiles the loops."""
    note = threading.Timer(
        1.5, print, ("compiling the loops, once after an installation; about a minute …",), {"file": sys.stderr}
    )
    note.start()
    try:
        copy = simulation.branch()
        copy.remember(2)
        if copy.fire() is not None:
            Chronicle(copy).follow()
            draws(copy)
            copy.back()
        copy.candidates()
    finally:
        note.cancel()


def _in_a_script() -> bool:
    return not hasattr(sys, "ps1") and not sys.flags.interactive and "IPython" not in sys.modules
