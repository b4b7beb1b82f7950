"""What a run records and when, and the driver that takes a simulation there in short pieces."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ucnp_abm.engine.simulation import Simulation

PIECE_SECONDS = 0.25
"""Wall time of a piece: so soon are signals heard."""
EVENTS_A_PIECE = 2**16
"""At most so many events happen between two looks at the event log."""
_FIRST_PIECE, _LONGEST_PIECE = 100, 10**12  # candidates; a linear scan may need a second for a hundred


@dataclass(frozen=True)
class Plan:
    """The moments of a run and what is kept there.

    Attributes
    ----------
    marks : tuple of float
        Steps at which observables are read, growing; those of the snapshots are among them.
    snapshots : tuple of float
        The marks at which all occupants are kept as well.
    in_time : bool
        Marks are in s instead.
    observables : tuple of str
        Names of what is read; empty if it is not known by name.
    events : bool
        Whether every event is logged.
    """

    marks: tuple[float, ...]
    snapshots: tuple[float, ...] = ()
    in_time: bool = False
    observables: tuple[str, ...] = ()
    events: bool = False

    @classmethod
    def of(
        cls,
        marks: Iterable[float],
        snapshots: Iterable[float] = (),
        *,
        in_time: bool = False,
        observables: Iterable[str] = (),
        events: bool = False,
    ) -> Plan:
        """A plan from marks in any order; a mark that a snapshot repeats but for rounding is left out."""
        keep, given = sorted({float(s) for s in snapshots}), [float(m) for m in marks]
        apart = 1e-9 * max([*keep, *given], default=0.0)
        others = {m for m in given if all(abs(m - k) > apart for k in keep)}
        return cls(tuple(sorted({*others, *keep})), tuple(keep), in_time, tuple(observables), events)

    @classmethod
    def read(cls, about: Mapping[str, Any]) -> Plan:
        """The plan that `about` describes."""
        plan = cls.of(
            about["marks"],
            about["snapshots"],
            in_time={"steps": False, "s": True}[about["unit"]],
            observables=about["observables"],
            events=about["events"] is True,
        )
        if not plan.marks or not all(0 <= mark < math.inf for mark in plan.marks):
            raise ValueError(f"expected marks of at least 0, got {plan.marks}")
        return plan

    def about(self) -> dict[str, Any]:
        """The plan as plain data, for run.json."""
        return {
            "unit": "s" if self.in_time else "steps",
            "marks": self.marks,
            "snapshots": self.snapshots,
            "observables": self.observables,
            "events": self.events,
        }

    @property
    def end(self) -> float:
        """The last mark."""
        return self.marks[-1]

    def reached(self, simulation: Simulation) -> float:
        """Steps or s passed, as the marks are counted."""
        return simulation.time if self.in_time else simulation.steps


def follow(simulation: Simulation, plan: Plan, first: int = 0) -> Iterator[int | None]:
    """Run from mark to mark: the number of each mark that is reached, and None wherever a piece ends before it.

    A run in pieces is bit for bit the run in one, so their lengths, which follow the clock on the wall, change nothing.

    Parameters
    ----------
    simulation : Simulation
    plan : Plan
    first : int
        Number of the first mark that has not been passed yet.
    """
    if plan.events:
        simulation.remember(EVENTS_A_PIECE)
    piece = _FIRST_PIECE
    for number in range(first, len(plan.marks)):
        mark = plan.marks[number]
        if mark > plan.reached(simulation):
            begin = time.perf_counter()
            while advance(simulation, plan, mark, piece):
                now = time.perf_counter()
                piece = _next_piece(piece, now - begin)
                yield None
                begin = time.perf_counter()
        yield number


def advance(simulation: Simulation, plan: Plan, mark: float, piece: int) -> bool:
    """Run towards a mark for at most so many candidates; whether it lies still ahead."""
    state = simulation.state
    status = simulation.run_to(
        time=mark if plan.in_time else None,
        steps=None if plan.in_time else mark,
        candidates=state.candidates + piece,
        events=state.events + EVENTS_A_PIECE if plan.events else None,
    )
    return status == "count reached"


def _next_piece(piece: int, seconds: float) -> int:
    """A length that should take `PIECE_SECONDS`, changed by at most a factor of four."""
    wanted = piece * PIECE_SECONDS / max(seconds, 1e-9)
    return int(min(max(wanted, piece / 4, 1), 4 * piece, _LONGEST_PIECE))
