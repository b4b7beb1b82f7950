"""One person's session: lines, of which one or two are shown, breakpoints, and a table of the commands of the page.

Every command answers with what changed on the screen. What takes longer than a quarter of a second answers early and
says how to go on, so that the page can show where it is, and stop.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping

from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput, nearest, shown
from ucnp_abm.registry import installed
from ucnp_abm.replay.crystal import described
from ucnp_abm.server import branching, looking, moving
from ucnp_abm.server.line import Line
from ucnp_abm.server.lines import Lines
from ucnp_abm.server.screen import Screen
from ucnp_abm.server.stops import Stops
from ucnp_abm.server.words import Answer

SLICE = 0.25
"""Seconds after which a command answers, though it is not done."""
COMMANDS: Mapping[str, Callable[..., Answer]] = {
    "open": looking.open_page,
    "look": looking.look,
    "filter": looking.filter_events,
    "select": looking.select,
    "why": looking.why,
    "draws": looking.draws,
    "colour": looking.colour,
    "timeline": looking.timeline,
    "step": moving.step,
    "on": moving.on,
    "back": moving.back,
    "goto": moving.goto,
    "until": moving.until,
    "breakpoint": moving.change_breakpoint,
    "branch": branching.branch,
    "beside": branching.beside,
    "show": branching.show,
    "reload": branching.reload,
}
"""What the page may ask for: functions of the session and of what the page gives."""


class Session:
    """What the page can do with one simulation and its branches.

    Parameters
    ----------
    simulation : Simulation
        It is used as it is: whoever holds it sees what the page does, until the page shows another line.
    title : str
        Where it comes from.
    breakpoints : sequence of str

    Attributes
    ----------
    lines : Lines
    stops : Stops
        Breakpoints and what they found.
    screen : Screen

    Raises
    ------
    BadInput
        If a breakpoint is no condition, or there are more sites than a page can draw.
    """

    def __init__(self, simulation: Simulation, title: str = "", breakpoints: tuple[str, ...] = ()) -> None:
        described(simulation)
        self.lines = Lines(simulation)
        self.stops = Stops()
        self.screen = Screen()
        self.title = title
        self._begun = time.perf_counter()
        installed().load_all()
        for text in breakpoints:
            self.stops.add(text, simulation)

    @property
    def line(self) -> Line:
        """The line on the left, which breakpoints, tables and inspector are about."""
        return self.lines.shown[0]

    def answer(self, command: str, arguments: Mapping[str, object]) -> Answer:
        """Do what the page asks for.

        Raises
        ------
        BadInput
            If there is no such command, or an argument does not fit.
        """
        if command not in COMMANDS:
            raise BadInput(f"no command '{command}'{nearest(command, COMMANDS)}")
        act = COMMANDS[command]
        expected = dict([*inspect.signature(act).parameters.items()][1:])
        for name in arguments:
            if name not in expected:
                raise BadInput(f"{command}: unknown argument {shown(name)}{nearest(name, expected)}")
        for name, parameter in expected.items():
            if parameter.default is parameter.empty and name not in arguments:
                raise BadInput(f"{command}: '{name}' is missing")
        self._begun = time.perf_counter()
        return act(self, **arguments)

    def has_time(self) -> bool:
        """Whether the command may go on before it answers."""
        return time.perf_counter() - self._begun < SLICE

    def view(self, stopped: str = "") -> Answer:
        """What is on the screen, after a command that may have changed it; why it stopped."""
        return self.screen.view(self.lines, self.stops, stopped)
