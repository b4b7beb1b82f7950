"""A run directory: run.json, observables.csv, snapshots.npz, final.npz, log.json and, last, done.json.

It is written beside its place and moved there when it is complete, so that nothing half-written is ever found.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.engine import checkpoint
from ucnp_abm.engine.provenance import provenance
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput


@dataclass
class Trajectory:
    """Observables at each mark and occupants at some of them.

    Attributes
    ----------
    rows : list of dict
        One for each mark, by column name.
    snapshots : dict
        Occupant codes, shape (N,), by step.
    """

    simulation: Simulation
    rows: list[dict[str, float]] = field(default_factory=list)
    snapshots: dict[float, NDArray[np.uint8]] = field(default_factory=dict)

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
    keep, marks = sorted({float(s) for s in snapshots}), list(marks)
    apart = 1e-9 * max([*keep, *marks], default=0.0)
    others = {float(m) for m in marks if all(abs(m - k) > apart for k in keep)}
    trajectory = Trajectory(simulation)
    for mark in sorted({*others, *keep}):
        if in_time and mark > simulation.time:
            simulation.run_to(time=mark)
        elif not in_time and mark > simulation.steps:
            simulation.run_to(steps=mark)
        trajectory.rows.append(read(simulation))
        if mark in keep:
            trajectory.snapshots[simulation.steps if in_time else mark] = simulation.state.species[
                simulation.crystal.sites
            ].copy()
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
        probe = parent / _partial(path).name
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        raise BadInput(f"output: cannot write '{path}' ({error.strerror})") from error
    return path


def write(
    trajectory: Trajectory,
    path: Path,
    config: dict[str, Any] | None = None,
    resolved: dict[str, Any] | None = None,
    log: dict[str, Any] | None = None,
) -> Path:
    """Write a run directory.

    Parameters
    ----------
    trajectory : Trajectory
    path : Path
    config, resolved : dict or None
        The configuration as given, and with all defaults.
    log : dict or None
        What may differ from run to run, such as the time it took; it goes to log.json.

    Raises
    ------
    BadInput
        If the directory exists.
    """
    free_directory(path)
    partial = _partial(path)
    partial.mkdir(parents=True)
    try:
        simulation = trajectory.simulation
        _json(partial / "run.json", provenance(simulation, config, resolved))
        _json(partial / "log.json", {"finished": datetime.now(UTC).isoformat(timespec="seconds"), **(log or {})})
        checkpoint.save(simulation, partial / "final.npz")
        with (partial / "observables.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, fieldnames=list(trajectory.rows[0]))
            table.writeheader()
            table.writerows(trajectory.rows)
        if trajectory.snapshots:
            steps = sorted(trajectory.snapshots)
            np.savez_compressed(
                partial / "snapshots.npz",
                steps=np.array(steps),
                species=np.stack([trajectory.snapshots[s] for s in steps]),
                layer=simulation.crystal.layer,
                r_A=simulation.crystal.points,
            )
        _json(partial / "done.json", {"digest": simulation.digest(), "events": simulation.state.events})
        partial.rename(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return path


def _partial(path: Path) -> Path:
    """Where an output grows until it is complete."""
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def _json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
