"""A trajectory in memory: observables at each mark and occupants at some, and how it becomes a run directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.runs import disk, rundir
from ucnp_abm.runs.journal import Journal, json_bytes
from ucnp_abm.runs.plan import Plan, follow
from ucnp_abm.runs.provenance import provenance


@dataclass
class Trajectory:
    """Observables at each mark and occupants at some of them.

    Attributes
    ----------
    plan : Plan
    rows : list of dict
        One for each mark, by column name.
    snapshots : dict
        Occupant codes, shape (N,), by step.
    times : dict
        Time / s of each snapshot, by step.
    """

    simulation: Simulation
    plan: Plan
    rows: list[dict[str, float]] = field(default_factory=list)
    snapshots: dict[float, NDArray[np.uint8]] = field(default_factory=dict)
    times: dict[float, float] = field(default_factory=dict)

    def column(self, name: str) -> NDArray[np.float64]:
        """One observable at all marks."""
        return np.array([row[name] for row in self.rows])

    def at(self, step: float, name: str) -> float:
        """One observable at the mark of a snapshot."""
        return min(self.rows, key=lambda row: abs(row["steps"] - step))[name]


def record(
    simulation: Simulation,
    read: Callable[[Simulation], dict[str, float]],
    marks: Iterable[float],
    snapshots: Iterable[float] = (),
    progress: Callable[[float], object] | None = None,
    *,
    in_time: bool = False,
) -> Trajectory:
    """Run to each mark and read the observables there.

    Parameters
    ----------
    simulation : Simulation
    read : callable
        Gives the observables by column name (`ucnp_abm.observables.read`).
    marks : iterable of float
        Steps at which to read, growing.
    snapshots : iterable of float
        Steps at which to keep all occupants as well.
    progress : callable or None
        Told the mark reached.
    in_time : bool
        Marks and snapshots are in s instead.
    """
    plan = Plan.of(marks, snapshots, in_time=in_time)
    trajectory = Trajectory(simulation, plan)
    for number in follow(simulation, plan):
        if number is None:
            continue
        mark = plan.marks[number]
        trajectory.rows.append(read(simulation))
        if mark in plan.snapshots:
            step = simulation.steps if in_time else mark
            trajectory.snapshots[step] = simulation.state.species[simulation.crystal.sites].copy()
            trajectory.times[step] = simulation.time
        if progress:
            progress(mark)
    return trajectory


def free_directory(path: Path) -> Path:
    """The path, if nothing is there yet.

    Raises
    ------
    BadInput
        If it exists, or cannot be made.
    """
    try:
        if path.exists():
            raise BadInput(f"output: '{path}' exists already; give another --out or remove it")
        parent = path.absolute().parent
        while not parent.exists():
            parent = parent.parent
        probe = parent / disk.beside(path).name
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        raise BadInput(f"output: cannot write '{path}' ({error.strerror})") from error
    return path


@contextmanager
def whole_directory(path: Path) -> Iterator[Path]:
    """A directory to write into, which takes its place at the end, complete, or vanishes if something is raised.

    Raises
    ------
    BadInput
        If its place is taken, or it cannot be made.
    """
    free_directory(path)
    partial = disk.beside(path)
    partial.mkdir(parents=True)
    try:
        yield partial
        partial.rename(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def write(
    trajectory: Trajectory,
    path: Path,
    config: dict[str, Any] | None = None,
    resolved: dict[str, Any] | None = None,
    log: dict[str, Any] | None = None,
    observables: Iterable[str] = (),
) -> Path:
    """Write a finished run directory, beside its place, and move it there when it is complete.

    Parameters
    ----------
    trajectory : Trajectory
    path : Path
    config, resolved : dict or None
        The configuration as given, and with all defaults.
    log : dict or None
        What may differ from run to run, such as the time it took; it goes to log.json.
    observables : iterable of str
        Names of what was read, so that it can be read again when the run is checked.

    Raises
    ------
    BadInput
        If the directory exists.
    """
    free_directory(path)
    partial = disk.beside(path)
    partial.mkdir(parents=True)
    try:
        simulation, plan = trajectory.simulation, replace(trajectory.plan, observables=tuple(observables))
        disk.put(partial / rundir.RUN, json_bytes(provenance(simulation, config, resolved, plan)))
        journal = Journal.begin(partial, plan, simulation.crystal)
        with closing(journal):
            for row in trajectory.rows:
                journal.row(row)
            for step, occupants in sorted(trajectory.snapshots.items()):
                journal.snapshot(step, trajectory.times[step], occupants)
            journal.finish(simulation, {"finished": now(), **(log or {})})
        partial.rename(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return path


def now() -> str:
    """Date and time, for log.json."""
    return datetime.now(UTC).isoformat(timespec="seconds")
