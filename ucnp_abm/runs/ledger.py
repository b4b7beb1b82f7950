"""What a run leaves behind, as bytes by file name: counted and summed, whether or not it is written."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.runs import checkpoint, disk, eventlog, rundir
from ucnp_abm.runs.plan import Plan

Read = Callable[[Simulation], dict[str, float]]
Sums = Mapping[str, tuple[int, str]]
"""Bytes and SHA-256 by file name."""


class Ledger:
    """The sums of a run's files. Running a finished run again into a ledger must give the sums of its files.

    Parameters
    ----------
    plan : Plan
    whole : mapping
        Sums of the files that were written at once.
    growing : mapping
        Bytes, and SHA-256 so far, of those that are appended to.
    columns : list of str
        Those of observables.csv; empty before its first row.
    n_rows : int
        Rows so far.
    """

    def __init__(
        self,
        plan: Plan,
        whole: Sums | None = None,
        growing: Mapping[str, tuple[int, hashlib._Hash]] | None = None,
        columns: Iterable[str] = (),
        n_rows: int = 0,
    ) -> None:
        self.plan, self.n_rows = plan, n_rows
        self._columns = list(columns)
        self._whole = dict(whole or {})
        self._kept = frozenset(plan.snapshots)
        self.n_snapshots = sum(rundir.is_snapshot(name) for name in self._whole)
        names = [rundir.ROWS, *([eventlog.NAME] if plan.events else [])]
        self._growing = {name: (0, hashlib.sha256()) for name in names} | dict(growing or {})

    # --- what is kept ---

    def put(self, name: str, content: bytes) -> None:
        """A file as a whole."""
        self._whole[name] = (len(content), hashlib.sha256(content).hexdigest())

    def append(self, name: str, content: bytes) -> None:
        """More of a file that grows."""
        length, sha = self._growing[name]
        sha.update(content)
        self._growing[name] = (length + len(content), sha)

    def sums(self) -> dict[str, tuple[int, str]]:
        """Bytes and SHA-256 of every file so far."""
        return {**self._whole, **{name: (length, sha.hexdigest()) for name, (length, sha) in self._growing.items()}}

    # --- what a run gives ---

    def sites(self, crystal: Crystal) -> None:
        """Where the sites are, once for all snapshots: position / Å, shape (N, 3), and layer."""
        if self.plan.snapshots:
            self.put(rundir.SITES, disk.npz(layer=crystal.layer, r_A=crystal.points))

    def note(self, simulation: Simulation, number: int | None, read: Read) -> None:
        """The events since the last call, and at a mark with this number its row and snapshot."""
        if self.plan.events:
            length, _ = self._growing[eventlog.NAME]
            self.append(eventlog.NAME, simulation.remembered(length // eventlog.RECORD.itemsize).tobytes())
        if number is None:
            return
        self.row(read(simulation))
        mark = self.plan.marks[number]
        if mark in self._kept:
            step = simulation.steps if self.plan.in_time else mark
            self.snapshot(step, simulation.time, simulation.state.species[simulation.crystal.sites])

    def row(self, values: Mapping[str, float]) -> None:
        """One row of observables; the first one decides the columns."""
        head = b""
        if not self.n_rows:
            self._columns = list(values)
            head = _line(self._columns)
        if list(values) != self._columns:
            raise BadInput(f"observables: the columns changed from {self._columns} to {list(values)}")
        self.append(rundir.ROWS, head + _line(values.values()))
        self.n_rows += 1

    def snapshot(self, step: float, seconds: float, occupants: NDArray[np.uint8]) -> None:
        """The next snapshot: steps and s passed, and (N,) species codes."""
        name = rundir.snapshot_name(self.n_snapshots)
        held = disk.npz(compressed=False, step=np.array(step), t_s=np.array(seconds), species=occupants)
        self.put(name, held)
        self.n_snapshots += 1

    def final(self, simulation: Simulation) -> None:
        """The state at the end."""
        self.put(rundir.FINAL, checkpoint.content(simulation))


def _line(values: Iterable[object]) -> bytes:
    """One line of a CSV file."""
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue().encode()
