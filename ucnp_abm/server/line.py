"""A line: one trajectory on show, with its past as columns and the files in which its laws stand."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.species import SPECIES, SYMBOLS
from ucnp_abm.crystal.state import COUNTERS
from ucnp_abm.engine import timeline
from ucnp_abm.engine.chronicle import Chronicle
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.observables import outside_core
from ucnp_abm.replay.crystal import own_ions
from ucnp_abm.rules.table import RateTable

Ints = NDArray[np.int64]
PIECE = 20_000
"""Events between two looks at the clock on the wall."""


class Line:
    """One trajectory: a simulation, its chronicle, and what it is called.

    Parameters
    ----------
    simulation : Simulation
    number : int
        By which the page knows it.
    name, note : str
        What it is, and where it comes from.
    """

    def __init__(self, simulation: Simulation, number: int, name: str, note: str) -> None:
        self.simulation = simulation
        self.number, self.name, self.note = number, name, note
        simulation.remember(timeline.WINDOW)
        self.chronicle = Chronicle(simulation)
        self.chronicle.follow()
        self.begin_anew()

    def begin_anew(self) -> None:
        """Take note of the crystal and of the files as they are now: the laws are others."""
        self._base = self._counts(), self._tallies()
        self._core = own_ions(self.simulation)
        self._files = {path: _stamp(path) for path in self.files}

    @property
    def first(self) -> int:
        """Number of the event before which nothing can be gone back to."""
        return self.simulation.timeline.first_event

    @property
    def first_time(self) -> float:
        """Time / s before which nothing can be gone back to."""
        begin = self.simulation.timeline.begin
        return 0.0 if begin is None else begin.time

    @property
    def files(self) -> list[str]:
        """Paths of the files in which the laws stand."""
        mechanism = self.simulation.mechanism
        paths = {rule.where.path for rule in mechanism.hops}
        paths |= {rule.where.path for part in (mechanism, *mechanism.drives) for rule in part.site_rules}
        return sorted(paths - {""})

    @property
    def edited(self) -> bool:
        """Whether one of these files is another one since the laws were loaded."""
        return any(_stamp(path) != stamp for path, stamp in self._files.items())

    @property
    def core(self) -> int | None:
        """The core's ions when the line began; None in a box, which has no core."""
        crystal = self.simulation.crystal
        return None if crystal.periodic else self._core

    @property
    def outside(self) -> float | None:
        """Share / % of the core's ions that lie outside the core; None in a box, and if there are none."""
        share = outside_core.columns(self.simulation)["outside_core_pct"]
        return share if math.isfinite(share) else None

    # --- in time ---

    def forward(self, event: int | None, time: float | None, goes_on: Callable[[], bool]) -> bool:
        """Run up to an event or a time / s, whichever comes first; tells whether it arrived before it had to pause."""
        simulation, arrived = self.simulation, False
        while not arrived and (event is None or simulation.state.events < event):
            if time is not None and simulation.time >= time:
                break
            goal = simulation.state.events + PIECE
            goal = goal if event is None else min(goal, event)
            simulation.run_to(events=goal, time=time)
            arrived = simulation.state.events < goal  # the time has come, or nothing more can happen
            if not arrived and not goes_on():
                self.chronicle.follow()
                return simulation.state.events == event
        self.chronicle.follow()
        return True

    def chronicle_after(self, event: int) -> Chronicle:
        """A chronicle of what comes after an event: another one if that is so long ago that it is not kept in full."""
        if event >= self.chronicle.kept_after:
            return self.chronicle
        twin = self.simulation.branch()
        twin.goto(event=event)
        twin.begin_here()
        return Chronicle(twin)

    def told(self, after: int, upto: int) -> NDArray[np.void]:
        """Events that were told, however long ago."""
        chronicle = self.chronicle_after(after)
        if chronicle is not self.chronicle:
            chronicle.tell(event=upto)
        return chronicle.told(after, upto)

    def channel_words(self, table: RateTable) -> tuple[list[str], list[str]]:
        """Verb, and species where it is the same for all its events, of each channel; hops come first."""
        return ["hop", *(c.verb for c in table.channels)], ["", *(c.species for c in table.channels)]

    def names(self, after: int, upto: int) -> NDArray[np.str_]:
        """(upto - after,) verb and species of told events, as their channels were called when they happened."""
        found = [np.empty(0, dtype=np.str_)]
        for low, high, table in self.chronicle.stretches(after, upto):
            words = np.array([f"{verb} {species}" for verb, species in zip(*self.channel_words(table), strict=True)])
            found.append(words[self.chronicle.told(low, high)["channel"]])
        return np.concatenate(found)

    def text_of(self, number: int) -> str:
        """An event of the past in words: 'hop Yb, site 812 → 811'."""
        (event,) = self.chronicle.told(number - 1, number)
        verb = self.channel_words(self.chronicle.table_of(number))[0][int(event["channel"])]
        where = f"site {event['site']}" if event["site"] == event["to"] else f"site {event['to']} → {event['site']}"
        return f"{verb} {SYMBOLS[int(event['species'])]}, {where}"

    # --- conservation ---

    def _counts(self) -> Ints:
        crystal = self.simulation.crystal
        return np.bincount(self.simulation.state.species[crystal.sites], minlength=32).astype(np.int64)

    def _tallies(self) -> Ints:
        return self.simulation.state.tally[COUNTERS + 1 :].copy()

    def unconserved(self) -> str:
        """One sentence if the crystal holds other numbers of ions than the events account for; else empty."""
        counts, tallies = self._base
        expected = counts.copy()
        for n, channel in zip((self._tallies() - tallies).tolist(), self.simulation.table.channels, strict=True):
            expected[SPECIES[channel.before].code] -= n
            expected[SPECIES[channel.after].code] += n
        now = self._counts()
        wrong = np.flatnonzero(now != expected).tolist()
        words = [f"{now[code]} {SYMBOLS.get(code, code)} instead of {expected[code]}" for code in wrong]
        return f"Ions are not conserved: the crystal holds {', '.join(words)}." if words else ""

    def state_of(self) -> dict[str, Any]:
        """Where the line is, in numbers."""
        simulation, state = self.simulation, self.simulation.state
        return {
            "line": self.number,
            "name": self.name,
            "first": self.first,
            "event": state.events,
            "known": max(self.chronicle.last, state.events),
            "time": simulation.time,
            "steps": simulation.steps,
            "temperature": simulation.temperature,
            "vacancies": state.n_vacancies,
            "digest": simulation.digest(),
            "counts": [[code, n] for code, n in enumerate(self._counts().tolist()) if n or code == 0],
            "plugin": {"files": [Path(path).name for path in self.files], "changed": self.edited},
        }


def _stamp(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
