"""The lines of a session: those that are kept, and the one or two that are shown."""

from __future__ import annotations

from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.server.line import Line
from ucnp_abm.server.parting import Parted
from ucnp_abm.server.words import numbered

MOST_LINES = 12
"""When there are more, the oldest that is not shown goes; the first one stays."""


class Lines:
    """All lines on one crystal.

    Parameters
    ----------
    simulation : Simulation
        Of the first line.

    Attributes
    ----------
    all : list of Line
    shown : list of Line
        One or two of them, the active one first.
    parted : Parted or None
        Where the two that are shown part.
    """

    def __init__(self, simulation: Simulation) -> None:
        self.all = [Line(simulation, 0, simulation.mechanism.name, f"seed {simulation.seed}")]
        self.shown = self.all[:]
        self.parted: Parted | None = None

    @property
    def next_number(self) -> int:
        """The number that no line has had."""
        return 1 + max(line.number for line in self.all)

    def add(self, simulation: Simulation, name: str, note: str) -> Line:
        """A new line; it is not shown yet."""
        line = Line(simulation, self.next_number, name, note)
        if len(self.all) >= MOST_LINES:
            self.all.remove(next(each for each in self.all[1:] if each not in self.shown))
        self.all.append(line)
        return line

    def known(self, wanted: object) -> Line:
        """The line of a number.

        Raises
        ------
        BadInput
            If there is none.
        """
        return numbered(self.all, wanted, "line")

    def show(self, line: Line, beside: Line | None = None) -> None:
        """Show one line alone, or two.

        Raises
        ------
        BadInput
            If they are the same.
        """
        if beside is line:
            raise BadInput("beside: a line cannot stand beside itself")
        self.shown = [line] if beside is None else [line, beside]
        self.compare()

    def compare(self) -> None:
        """Look for the place where the two that are shown part, from the beginning."""
        self.parted = Parted(self.shown[0], self.shown[1]) if len(self.shown) == 2 else None
