"""A run directory while it grows: appended rows and events, snapshots, checkpoints, and done.json last."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput, DamagedData
from ucnp_abm.runs import checkpoint, disk, eventlog, rundir
from ucnp_abm.runs.ledger import Ledger, Read, Sums
from ucnp_abm.runs.plan import Plan, follow
from ucnp_abm.runs.rundir import RunDirectory

CHECKPOINT_EVERY = 60.0
"""s of wall time."""


class Journal(Ledger):
    """A ledger that writes. Data are flushed to the disk before the checkpoint that counts them.

    Parameters
    ----------
    path : Path
        An existing directory, locked by the caller.
    plan : Plan
    written : mapping
        How much of each file to keep. Nothing else in the directory is looked at.
    n_rows : int
        Rows to keep.
    """

    def __init__(self, path: Path, plan: Plan, written: Sums, n_rows: int = 0) -> None:
        whole = {name: sums for name, sums in written.items() if name not in (rundir.ROWS, eventlog.NAME)}
        super().__init__(plan, whole, columns=_header(path / rundir.ROWS) if n_rows else (), n_rows=n_rows)
        self.path = path
        self._files = {}
        for name in self._growing:
            length, _ = written.get(name, (0, ""))
            sha = disk.sha256(path / name, length) if length else hashlib.sha256()
            if sha is None:
                raise DamagedData(f"run directory: '{path / name}' is shorter than {length} bytes")
            self._growing[name] = (length, sha)
            self._files[name] = disk.growing(path / name, length)

    @classmethod
    def begin(cls, path: Path, plan: Plan, crystal: Crystal) -> Journal:
        """The journal of a run from its beginning, in a directory with a run.json."""
        content = (path / rundir.RUN).read_bytes()
        journal = cls(path, plan, {rundir.RUN: (len(content), hashlib.sha256(content).hexdigest())})
        journal.sites(crystal)
        return journal

    def put(self, name: str, content: bytes) -> None:
        """Write a whole file."""
        target = self.path / name
        target.parent.mkdir(exist_ok=True)
        disk.put(target, content)
        super().put(name, content)

    def append(self, name: str, content: bytes) -> None:
        """Write at the end of a file."""
        disk.append(self._files[name], content)
        super().append(name, content)

    def checkpoint(self, simulation: Simulation) -> None:
        """Write checkpoint.npz, from which the run goes on if it is killed; the one before is kept."""
        self._sync()
        about = {"rows": self.n_rows, "snapshots": self.n_snapshots, "files": self.sums()}
        content = checkpoint.content(simulation, about, compressed=False)
        disk.put(self.path / rundir.CHECKPOINT, content, keep=self.path / rundir.PREVIOUS)

    def finish(self, simulation: Simulation, log: Mapping[str, Any]) -> None:
        """Write the final state, what may differ from run to run, and done.json last; checkpoints go."""
        self._sync()
        self.final(simulation)
        disk.put(self.path / rundir.LOG, json_bytes(log))
        sums = {name: sha for name, (_, sha) in sorted(self.sums().items())}
        done = {"digest": simulation.digest(), "events": simulation.state.events, "sha256": sums}
        disk.put(self.path / rundir.DONE, json_bytes(done))
        tidy(self.path)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            with suppress(OSError):
                file.close()

    def _sync(self) -> None:
        for file in self._files.values():
            disk.sync(file)


def grow(
    journal: Journal,
    simulation: Simulation,
    read: Read,
    *,
    every: float = CHECKPOINT_EVERY,
    stop: Callable[[Simulation], object] = lambda simulation: None,
    log: Callable[[], Mapping[str, Any]] = dict,
) -> bool:
    """Run to the end of the plan into the run directory; False if told to stop before it, with a checkpoint.

    Parameters
    ----------
    journal : Journal
    simulation : Simulation
        As the last checkpoint left it.
    read : callable
        Gives the observables by column name.
    every : float
        Wall time / s between checkpoints; the first is written at the first mark.
    stop : callable
        Asked after each piece of the run, which is a good moment to show progress; something true ends it.
    log : callable
        What log.json holds, asked at the end.
    """
    saved = -math.inf
    with _writing(journal.path):
        for number in follow(simulation, journal.plan, journal.n_rows):
            journal.note(simulation, number, read)
            stopped = stop(simulation)
            if stopped or time.monotonic() - saved >= every:
                journal.checkpoint(simulation)
                saved = time.monotonic()
            if stopped:
                return False
        journal.finish(simulation, log())
    return True


def resumed(run: RunDirectory, resolve: rundir.Resolve, say: Callable[[str], object]) -> tuple[Journal, Simulation]:
    """The journal and the simulation of a run directory, as its last checkpoint left them.

    Every file is checked first, then cut to its length in the checkpoint; what is newer is removed. Without a
    checkpoint the run begins anew.

    Parameters
    ----------
    run : RunDirectory
        Locked by the caller.
    resolve : callable
        Finds an installed mechanism by name (`ucnp_abm.mechanism`).
    say : callable
        Told in one sentence if a checkpoint is damaged and the one before it is used.

    Raises
    ------
    BadInput
        If another version or other rates were used, or nothing can be written; the files are untouched.
    DamagedData
        If a file is damaged; the files are untouched.
    """
    path, plan = run.path, run.plan
    if run.done is not None:  # since the caller looked, and before it had the lock
        raise BadInput(f"run: '{path}' has just been finished by another process")
    saved, warning = run.checkpoint()
    simulation = run.simulation(resolve)
    if saved is None:
        with _writing(path):
            _keep_only(path, {})
            return Journal.begin(path, plan, simulation.crystal), simulation
    try:
        written = {str(name): (int(length), str(sha)) for name, (length, sha) in saved.journal["files"].items()}
        n_rows = int(saved.journal["rows"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedData(f"run directory: '{saved.path}' does not say what was written") from error
    run.trust(written.__contains__)
    saved.onto(simulation)
    with _writing(path):
        if warning:
            say(warning)
            (path / rundir.CHECKPOINT).unlink(missing_ok=True)
        _keep_only(path, written)
        return Journal(path, plan, written, n_rows), simulation


@contextmanager
def begun(path: Path, about: Mapping[str, Any]) -> Iterator[None]:
    """Make the directory of a new run, with run.json in it, and hold its lock.

    Raises
    ------
    BadInput
        If it exists, or nothing can be written.
    """
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise BadInput(f"output: cannot make '{path}' ({error.strerror}); give another --out") from error
    with disk.locked(path / rundir.LOCK):
        try:
            disk.put(path / rundir.RUN, json_bytes(about))
            disk.sync_directory(path.absolute().parent)
        except OSError as error:
            raise BadInput(f"output: cannot write '{path}' ({error.strerror})") from error
        yield


def finished(run: RunDirectory) -> bool:
    """Whether a run has reached its end; what a killed writer left beside done.json is removed."""
    if run.done is None:
        return False
    spare = _spare(run.path)
    run.trust(lambda name: bool(spare))  # nothing that may still be needed is removed
    if spare or (run.path / rundir.LOCK).exists():
        with disk.locked(run.path / rundir.LOCK), _writing(run.path):
            tidy(run.path)
    return True


def tidy(path: Path) -> None:
    """Remove what a finished run needs no more."""
    for file in _spare(path):
        file.unlink(missing_ok=True)


def _spare(path: Path) -> list[Path]:
    known = [*path.rglob(f".*{disk.PARTIAL}"), path / rundir.CHECKPOINT, path / rundir.PREVIOUS]
    return [file for file in known if file.exists()]


def _keep_only(path: Path, written: Mapping[str, Any]) -> None:
    """Remove what a killed writer left behind its last checkpoint."""
    newer = [*path.rglob(f".*{disk.PARTIAL}"), path / rundir.FINAL, path / rundir.LOG]
    newer += [
        file for file in (path / rundir.SNAPSHOTS).glob("*.npz") if f"{rundir.SNAPSHOTS}/{file.name}" not in written
    ]
    for file in newer:
        file.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Trouble with the disk, as one sentence that says how to go on.

    Raises
    ------
    BadInput
    """
    try:
        yield
    except OSError as error:
        raise BadInput(
            f"run: cannot write '{path}' ({error.strerror}); what the last checkpoint counts is kept: mend this, then "
            f"go on with\n  {resume_line(path)}"
        ) from error


def resume_line(path: Path, options: Sequence[str] = ()) -> str:
    """The command that goes on with a run directory, with the options that say where its mechanism comes from."""
    return shlex.join(["ucnp-abm", "run", "--resume", str(path), *options])


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Plain data as the bytes of a JSON file."""
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))
