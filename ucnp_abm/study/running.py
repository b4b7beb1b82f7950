"""A study is run: what is missing goes to a crew, comes back as bytes, and is kept; rounds until it is precise."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ucnp_abm.errors import BadInput, Stopped, UcnpError
from ucnp_abm.runs import stopping, trajectory
from ucnp_abm.study import crew as crews
from ucnp_abm.study.cells import Cell, CellResult, run_cell, warm_up
from ucnp_abm.study.cluster import LOCAL, dask
from ucnp_abm.study.conduct import carry_out
from ucnp_abm.study.crew import Crew, Done
from ucnp_abm.study.grid import Study, Task, distinct
from ucnp_abm.study.live import Watch, watching
from ucnp_abm.study.outcome import Account, Failed, StudyResult
from ucnp_abm.study.record import pack, unpack
from ucnp_abm.study.store import StudyDirectory, reason

_LOG_EVERY = 200
"""Lines of the log that are written together."""
_LOG_SECONDS = 10.0
"""Wall time / s after which fewer are written."""


class Packed(NamedTuple):
    """A cell and the name of its result; called as the cell is."""

    identity: str
    cell: Cell

    def __str__(self) -> str:
        return str(self.cell)


def packed(task: Packed) -> bytes:
    """Run a cell; its result as bytes, which are the same wherever it ran."""
    return pack(task.identity, run_cell(task.cell))


def run_study(
    study: Study,
    directory: str | Path | None = None,
    *,
    jobs: int | None = None,
    executor: Executor | None = None,
    scheduler: str | None = None,
    progress: bool = True,
    shard: tuple[int, int] | None = None,
    resume: str = "",
    begun: Callable[[], object] = lambda: None,
) -> StudyResult:
    """Run what is missing of a study; see `Study.run`.

    Parameters
    ----------
    study, directory, jobs, executor, scheduler, progress
        As for `Study.run`.
    shard : (int, int) or None
        Which part of how many, from 1: only these cells run.
    resume : str
        The command that goes on, for those who stop it.
    begun : callable
        Called when all is checked and the directory is ours.
    """
    if executor is not None and scheduler is not None:
        raise BadInput("run: give either an executor or a scheduler, not both")
    if shard is not None and study.precision:
        raise BadInput("shard: the parts of an array job do not know each other's results; leave out the precision")
    if shard is not None and directory is None:
        raise BadInput("shard: the results of a part are kept in a directory; give one")
    crews.workers_for(jobs, 1)  # refused before a directory is made
    name = f"{shard[0]}of{shard[1]}" if shard else ""
    with ExitStack() as stack:
        store, stop = None, (lambda: "")
        if directory is not None:
            store = StudyDirectory.begin(Path(directory), study, name)
            stack.enter_context(store.held())
            stop = stack.enter_context(stopping.heeded())
        run = _Run(study, store, stop, resume)
        begun()
        watch = stack.enter_context(watching(study, progress))
        replicates: Sequence[int] = [study.replicates] * len(study.points)
        while True:
            tasks = study.tasks(replicates)
            mine = part_of(tasks, shard)
            run.complete(mine, watch, lambda items: _crew(items, jobs, executor, scheduler, directory is not None))
            result = run.result(tasks, mine)
            more = result.more_replicates() if study.precision else None
            if more is None:
                return result
            replicates = more


class _Run:
    """One call of `run_study`: what is known so far."""

    def __init__(self, study: Study, store: StudyDirectory | None, stop: Callable[[], str], resume: str) -> None:
        self.study, self.store, self.stop, self.resume = study, store, stop, resume
        self.cells: dict[str, CellResult] = {}
        self.failed: dict[str, Failed] = {}
        self.lines: list[dict[str, Any]] = []
        self.workers: set[str] = set()
        self.most_workers = 0
        self.ran, self.here, self.compute = 0, 0, 0.0
        self.begin = self.logged = time.perf_counter()

    def complete(
        self,
        tasks: Sequence[Task],
        watch: Watch,
        crew_for: Callable[[Sequence[Packed]], AbstractContextManager[Crew]],
    ) -> None:
        """Run what is neither in memory nor on disk."""
        known = set(self.cells)
        if self.store is not None:
            self.cells |= read_all(self.store, [t.identity for t in tasks if t.identity not in self.cells])
        self.here += len(self.cells.keys() - known)
        settled = self.cells.keys() | self.failed.keys()
        missing = distinct(task for task in tasks if task.identity not in settled)
        watch.begin(tasks, self.cells)
        if not missing:
            return
        items = [Packed(task.identity, task.cell) for task in missing]
        try:
            with crew_for(items) as crew:
                carry_out(crew, items, lambda done: self._take(missing[done.number], done, watch), self._look)
        except crews.NobodyLeft as error:
            if self.store is None:
                raise
            raise self._stopped(str(error)) from error
        finally:
            self.most_workers = max(self.most_workers, len(self.workers))  # a round for more precision has its own
            self.workers.clear()
            self._write_log()

    def result(self, tasks: Sequence[Task], mine: Sequence[Task]) -> StudyResult:
        """What is known now of all runs, and how ours came about."""
        runs = Counter(task.identity for task in mine)
        account = Account(
            wanted=len(runs),
            ran=self.ran,
            found=self.here,
            shared=len(mine) - len(runs),
            compute_s=self.compute,
            wall_s=time.perf_counter() - self.begin,
            workers=self.most_workers,
        )
        return StudyResult.from_cells(
            self.study,
            tasks,
            self.cells,
            failures=tuple(replace(failed, runs=runs[sha]) for sha, failed in self.failed.items() if sha in runs),
            notes=tuple(self.store.notes) if self.store else (),
            account=account,
            directory=self.store.path if self.store else None,
        )

    def _take(self, task: Task, done: Done, watch: Watch) -> None:
        if done.failure is not None:
            self._fail(task, done)
        else:
            result = unpack(done.result, task.identity)
            if self.store is not None:
                with self._writing(self.store):
                    self.store.put(task.identity, done.result)
            self.cells[task.identity] = result
            self.ran += 1
            self.compute += done.seconds
            self.workers.add(done.worker)
            where = {"worker": done.worker, "at": trajectory.now()}
            self.lines.append({"cell": task.identity, "seconds": round(done.seconds, 4), **where})
        watch.done(task, self.cells.get(task.identity), done.worker)
        if len(self.lines) >= _LOG_EVERY or time.perf_counter() - self.logged > _LOG_SECONDS:
            self._write_log()

    def _fail(self, task: Task, done: Done) -> None:
        assert done.failure is not None
        error = done.failure.error
        if self.store is None or not isinstance(error, UcnpError):
            raise error
        with self._writing(self.store):
            file = self.store.fail(task.identity, f"{task.cell}\n\n{done.failure.traceback}")
        self.failed[task.identity] = Failed(str(task.cell), str(error), file)

    def _look(self) -> None:
        if came := self.stop():
            raise self._stopped(came)

    @contextmanager
    def _writing(self, store: StudyDirectory) -> Iterator[None]:
        """Stop where nothing can be written, such as on a full disk."""
        try:
            yield
        except OSError as error:
            raise self._stopped(f"cannot write '{store.path}' ({error.strerror or error})") from error

    def _stopped(self, why: str) -> Stopped:
        again = self.resume or self.study.command
        return Stopped(f"{why}: {len(self.cells)} runs are finished and kept; go on with\n  {again}")

    def _write_log(self) -> None:
        if self.store is not None and self.lines:
            try:
                self.store.log(self.lines)
            except OSError:
                return  # a full disk: the log holds nothing that is needed
            self.lines, self.logged = [], time.perf_counter()


def read_all(store: StudyDirectory, identities: Sequence[str]) -> dict[str, CellResult]:
    """Results of the cells that have a whole file, by identity; damaged ones are noted in the store."""
    there = store.found()
    read = {identity: store.read(identity) for identity in dict.fromkeys(identities) if identity in there}
    return {identity: result for identity, result in read.items() if result is not None}


def existing(study: Study, directory: Path) -> StudyResult:
    """What a study directory holds of a study; nothing runs and nothing is written."""
    store = StudyDirectory(directory)
    tasks = study.tasks()
    cells = read_all(store, [task.identity for task in tasks])
    if study.precision:  # as many replicates as there are
        cells, tasks = _replicates_there(study, store, tasks, cells)
    names, runs = {task.identity: task.cell for task in tasks}, Counter(task.identity for task in tasks)
    failed = [
        Failed(str(names[identity]), reason(file), file, runs[identity])
        for identity, file in store.failures().items()
        if identity in names and identity not in cells
    ]
    return StudyResult.from_cells(
        study,
        tasks,
        cells,
        failures=tuple(failed),
        notes=tuple(store.notes),
        account=Account(len(runs), found=len(cells), shared=len(tasks) - len(runs)),
        directory=directory,
    )


def _replicates_there(
    study: Study, store: StudyDirectory, tasks: list[Task], cells: dict[str, CellResult]
) -> tuple[dict[str, CellResult], list[Task]]:
    """The rounds of a study that stops by precision again, as far as their cells are there."""
    while True:
        result = StudyResult.from_cells(study, tasks, cells)
        more = result.more_replicates()
        if more is None:
            return cells, tasks
        wanted = study.tasks(more)
        found = cells | read_all(store, [t.identity for t in wanted if t.identity not in cells])
        if len(found) == len(cells):
            return cells, tasks
        cells, tasks = found, wanted


def part_of(tasks: list[Task], shard: tuple[int, int] | None) -> list[Task]:
    """The cells of a part of an array job; all, if there are no parts.

    Raises
    ------
    BadInput
        If there is no such part.
    """
    if shard is None:
        return tasks
    number, of = shard
    if not 1 <= number <= of:
        raise BadInput(f"shard: expected a part from 1 to {of}, as in '1/{of}', got '{number}/{of}'")
    return [task for task in tasks if int(task.identity[:12], 16) % of == number - 1]


@contextmanager
def _crew(
    items: Sequence[Packed], jobs: int | None, executor: Executor | None, scheduler: str | None, apart: bool
) -> Iterator[Crew]:
    if executor is not None:
        with crews.closing(crews.Borrowed(packed, items, executor, jobs)) as crew:
            yield crew
        return
    if scheduler in (None, LOCAL) and crews.workers_for(jobs, len(items)) > 1:
        with suppress(UcnpError):  # it is told by its own run
            warm_up(items[0].cell)
    if scheduler is not None:
        at_work = dask(packed, items, scheduler, jobs)
    else:
        at_work = crews.local(packed, items, jobs, apart=apart)
    with at_work as crew:
        yield crew
