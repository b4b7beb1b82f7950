"""Whether a run directory is as it was written, and whether running it again gives the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import DamagedData, UcnpError
from ucnp_abm.runs import disk, eventlog, rundir, saved
from ucnp_abm.runs.ledger import Ledger, Read
from ucnp_abm.runs.plan import advance, follow
from ucnp_abm.runs.rundir import Resolve, RunDirectory

_PIECE = 1_000_000  # candidates


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, and in one sentence what was seen."""

    good: bool
    text: str


@dataclass(frozen=True)
class Reached:
    """How far a run directory has come, and what its files should be.

    Attributes
    ----------
    state : str
        File of the final state, or of the last checkpoint; empty before the first one.
    digest : str
        SHA-256 of that state.
    candidates : int
        Candidates until then; 0 for a finished run, whose last mark ends it.
    events, rows : int
        Events, and rows of observables.csv, until then.
    files : mapping
        Bytes (None: all) and SHA-256 by name.
    """

    state: str
    digest: str
    candidates: int
    events: int
    rows: int
    files: Mapping[str, tuple[int | None, str]]


def verify(
    run: RunDirectory,
    resolve: Resolve,
    read: Read,
    *,
    replay: bool = True,
    show: Callable[[Simulation], object] = lambda simulation: None,
) -> Iterator[Finding]:
    """Look at all that a run directory promises: checksums, counts, the state, and a run from the beginning.

    Parameters
    ----------
    run : RunDirectory
        Finished, or not: then up to its last checkpoint.
    resolve : callable
        Finds an installed mechanism by name (`ucnp_abm.mechanism`).
    read : callable
        Gives the observables of the plan by column name.
    replay : bool
        Also run it again from run.json.
    show : callable
        Told the simulation after each piece.

    Raises
    ------
    BadInput
        If another version or another mechanism ran it: then it cannot be run again.
    """
    try:
        reached, note = _reached(run)
    except DamagedData as error:
        yield Finding(False, str(error))
        return
    if note:
        yield Finding(False, note)
    wrong = list(_files(run.path, reached.files))
    yield from wrong
    if reached.files[rundir.RUN][1] != run.sha256:  # then nothing says what was run
        return
    if not wrong:
        yield Finding(True, f"{len(reached.files)} files: as written")
    if not reached.state:
        yield Finding(True, "no checkpoint yet: nothing to run again")
        return
    yield from _counts(run, reached)
    yield _state(run, reached)
    if replay:
        yield from _replayed(run, reached, run.simulation(resolve), read, show)


def _reached(run: RunDirectory) -> tuple[Reached, str]:
    """How far it has come, and a sentence if a checkpoint is damaged."""
    done = run.done
    if done is not None:
        files = {rundir.RUN: (None, ""), **run.counted()}
        rows = len(run.plan.marks)
        return Reached(rundir.FINAL, done["digest"], 0, done["events"], rows, files), ""
    last, note = run.checkpoint()
    if last is None:
        return Reached("", "", 0, 0, 0, {rundir.RUN: (None, run.sha256)}), ""
    journal, name = last.journal, Path(last.path).name
    files = run.counted()
    return Reached(name, last.about["digest"], last.candidates, last.events, journal["rows"], files), note


def _files(path: Path, files: Mapping[str, tuple[int | None, str]]) -> Iterator[Finding]:
    for name, (length, expected) in files.items():
        found = disk.sha256(path / name, length)
        if not (path / name).is_file():
            yield Finding(False, f"{name}: is missing")
        elif found is None or found.hexdigest() != expected:
            yield Finding(False, f"{name}: is not as it was written")


def _counts(run: RunDirectory, reached: Reached) -> Iterator[Finding]:
    """Rows and events: as many as there should be; an unfinished run may have written more."""
    expected = {rundir.ROWS: (reached.rows, "rows")}
    if run.plan.events:
        expected[eventlog.NAME] = (reached.events, "events")
    for name, (number, what) in expected.items():
        if not (run.path / name).is_file():
            continue
        if name == rundir.ROWS:
            with (run.path / name).open("rb") as file:
                there = sum(1 for _ in file) - 1
        else:
            there = (run.path / name).stat().st_size // eventlog.RECORD.itemsize
        good = there == number if run.done else there >= number
        yield Finding(good, f"{name}: {there} {what}, " + ("as counted" if good else f"expected {number}"))


def _state(run: RunDirectory, reached: Reached) -> Finding:
    try:
        state = saved.read(run.path / reached.state)
        state.check_digest()
    except UcnpError as error:
        return Finding(False, str(error))
    same = state.about["digest"] == reached.digest and state.events == reached.events
    return Finding(same, f"{reached.state}: " + ("the state that was counted" if same else "is of another run"))


def _replayed(
    run: RunDirectory, reached: Reached, simulation: Simulation, read: Read, show: Callable[[Simulation], object]
) -> Iterator[Finding]:
    """Run it again as far as it has come, and compare the state and the sums of what this gives."""
    plan, again = run.plan, Ledger(run.plan)
    for number in follow(simulation, replace(plan, marks=plan.marks[: reached.rows])):
        again.note(simulation, number, read)
        show(simulation)
    ahead = reached.rows < len(plan.marks)
    while ahead and (left := reached.candidates - simulation.state.candidates) > 0:
        ahead = advance(simulation, plan, plan.marks[reached.rows], min(left, _PIECE))
        again.note(simulation, None, read)
        show(simulation)
    wrong = [] if simulation.digest() == reached.digest else ["another state"]
    sums = {name: sha for name, (_, sha) in again.sums().items()}
    if not plan.observables:  # what was read is not known by name
        del sums[rundir.ROWS]
    wrong += [f"another {name}" for name, sha in sums.items() if reached.files.get(name, (0, ""))[1] != sha]
    far = f"run again from {rundir.RUN}: {simulation.state.events} events, {simulation.steps:.6g} steps"
    yield Finding(not wrong, f"{far}: " + (", ".join(wrong) or "the same state and files"))
