"""Cells in local processes: the same results for any number of them, in the order of the cells."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import replace

from tqdm import tqdm

from ucnp_abm import units
from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.particle import Box, CoreShell
from ucnp_abm.errors import BadInput, UcnpError
from ucnp_abm.study.replicas import Cell, CellResult, run_cell

_START = "fork" if sys.platform == "linux" else "spawn"
"""A forked worker holds the laws of a notebook or script already; a spawned one must be able to import them."""


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers_for(jobs: int | None, cells: int) -> int:
    """How many processes run so many cells.

    Raises
    ------
    BadInput
        If `jobs` is no whole number above zero.
    """
    if jobs is None:
        return max(1, min(available_cores(), cells))
    if units.count(jobs, "jobs") == 0:
        raise BadInput("jobs: expected a whole number of at least 1, got 0")
    return max(1, min(int(jobs), cells))


def run_cells(cells: Sequence[Cell], jobs: int | None = None, progress: bool = True) -> list[CellResult]:
    """Run cells, one process for each job; one job runs in this process.

    Parameters
    ----------
    cells : sequence of Cell
    jobs : int or None
        None: all cores that this process may use.
    progress : bool
        Show a bar on stderr, if that is a terminal.

    Returns
    -------
    list of CellResult
        In the order of the cells.

    Raises
    ------
    UcnpError
        What the first failing cell says; all other cells are given up.
    """
    workers = workers_for(jobs, len(cells))
    with tqdm(total=len(cells), unit="run", disable=None if progress else True, leave=False, file=sys.stderr) as bar:
        if workers == 1:
            done = []
            for cell in cells:
                done.append(run_cell(cell))
                bar.update()
            return done
        bar.set_description("compiling the event loop, once")
        run_cell(_warming(cells[0]))
        bar.set_description()
        with _executor(cells, workers) as executor:
            futures = _submitted(executor, len(cells))
            try:
                for future in as_completed(futures):
                    future.result()
                    bar.update()
            except BrokenProcessPool as error:
                raise UcnpError(
                    f"a worker process ended before its run did ({error}); is the memory enough for --jobs {workers}?"
                ) from error
            return [future.result() for future in futures]


def geometries(cells: Sequence[Cell]) -> list[Crystal]:
    """The crystals of recipes of fixed size, each once.

    As long as they are held, recipes find them instead of growing their own (`ucnp_abm.crystal.shared`), here and in
    workers that are forked here. These share the memory too: no run writes into a crystal.
    """
    held: dict[int, Crystal] = {}
    for cell in cells:
        if isinstance(cell.recipe, (Box, CoreShell)):
            with suppress(UcnpError):  # what is wrong with a recipe is said by its run, with mechanism and seed
                crystal = cell.recipe.geometry()
                held[id(crystal)] = crystal
    return list(held.values())


def _warming(cell: Cell) -> Cell:
    """The beginning of a cell: it compiles the loop, or reads it from its cache, once and not in every worker."""
    return replace(cell, marks=(1e-6 * cell.marks[-1],), snapshots=(), directory=None)


@contextmanager
def _executor(cells: Sequence[Cell], workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool that holds the cells; it ends at once, workers included, when something is raised."""
    if _START != "fork":
        try:
            pickle.dumps(list(cells))
        except Exception as error:
            raise BadInput(
                f"jobs: these mechanisms cannot be sent to another process ({error}); use jobs=1, or define their "
                "laws at the top of an importable module"
            ) from error
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context(_START),
        initializer=_begin_worker,
        initargs=(tuple(cells), geometries(cells) if _START == "fork" else []),
    )
    try:
        yield executor
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _submitted(executor: ProcessPoolExecutor, n: int) -> list[Future[CellResult]]:
    with warnings.catch_warnings():
        # Python 3.12+ warns of every fork beside threads. Ours takes no lock that such a thread could hold: a worker
        # computes with arrays, and never prints, imports by name or asks the parent for anything but cell numbers.
        warnings.filterwarnings("ignore", message=".*multi-threaded.*fork", category=DeprecationWarning)
        return [executor.submit(_run_number, number) for number in range(n)]


# --- in a worker ---

_cells: tuple[Cell, ...] = ()
_crystals: list[Crystal] = []


def _begin_worker(cells: tuple[Cell, ...], crystals: list[Crystal]) -> None:
    global _cells, _crystals
    _cells, _crystals = cells, crystals
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent alone answers it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_number(number: int) -> CellResult:
    return run_cell(_cells[number])
