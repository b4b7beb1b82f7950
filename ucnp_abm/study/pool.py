"""Work in local processes: the same results for any number of them, in the order of the items; and cells of a study."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

from tqdm import tqdm

from ucnp_abm import units
from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.particle import Box, CoreShell
from ucnp_abm.errors import BadInput, UcnpError
from ucnp_abm.study.replicas import Cell, CellResult, run_cell

Item = TypeVar("Item")
Result = TypeVar("Result")

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
    return in_processes(
        run_cell, cells, jobs, progress, "run", held=geometries, first=lambda: run_cell(_warming(cells[0]))
    )


def in_processes(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int | None,
    progress: bool,
    unit: str,
    held: Callable[[Sequence[Item]], Sequence[object]] | None = None,
    first: Callable[[], object] | None = None,
) -> list[Result]:
    """What a function gives of each item, in the order of the items, by one process for each job.

    Parameters
    ----------
    function : callable
        At the top of a module.
    items : sequence
    jobs : int or None
    progress : bool
    unit : str
        What the bar counts.
    held : callable or None
        What forked workers are to hold as long as they live, of the items.
    first : callable or None
        Done once before workers begin.

    Raises
    ------
    UcnpError
        What the first failing item says; all others are given up.
    """
    workers = workers_for(jobs, len(items))
    with tqdm(total=len(items), unit=unit, disable=None if progress else True, leave=False, file=sys.stderr) as bar:
        if workers == 1:
            done = []
            for item in items:
                done.append(function(item))
                bar.update()
            return done
        if first is not None:
            bar.set_description("compiling the event loop, once")
            first()
            bar.set_description()
        kept = list(held(items)) if held is not None and _START == "fork" else []
        with _executor(function, items, kept, workers) as executor:
            futures: list[Future[Result]] = _submitted(executor, len(items))
            try:
                for future in as_completed(futures):
                    future.result()
                    bar.update()
            except BrokenProcessPool as error:
                raise UcnpError(
                    f"a worker process ended before its {unit} did ({error}); "
                    f"is the memory enough for --jobs {workers}?"
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
def _executor(
    function: Callable[..., object], items: Sequence[object], kept: list[object], workers: int
) -> Iterator[ProcessPoolExecutor]:
    """A pool that holds the items; it ends at once, workers included, when something is raised."""
    if _START != "fork":
        try:
            pickle.dumps(list(items))
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
        initargs=(function, tuple(items), kept),
    )
    try:
        yield executor
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _submitted(executor: ProcessPoolExecutor, n: int) -> list[Future[Any]]:
    with warnings.catch_warnings():
        # Python 3.12+ warns of every fork beside threads. Ours takes no lock that such a thread could hold: a worker
        # computes with arrays, and never prints, imports by name or asks the parent for anything but numbers of items.
        warnings.filterwarnings("ignore", message=".*multi-threaded.*fork", category=DeprecationWarning)
        return [executor.submit(_run_number, number) for number in range(n)]


# --- in a worker ---

_function: Callable[[Any], Any]
_items: tuple[Any, ...] = ()
_kept: list[object] = []


def _begin_worker(function: Callable[[Any], Any], items: tuple[Any, ...], kept: list[object]) -> None:
    global _function, _items, _kept
    _function, _items, _kept = function, items, kept
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent alone answers it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_number(number: int) -> Any:
    return _function(_items[number])
