"""Who works: this process, local processes, or any `concurrent.futures.Executor`; each does the same to the same items.

A crew takes batches of item numbers and gives futures of what became of them. What an item raises is part of the
answer, so a future fails only when a worker or the way to it does.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from ucnp_abm import units
from ucnp_abm.errors import BadInput, UcnpError
from ucnp_abm.runs import disk

_START = "fork" if sys.platform == "linux" else "spawn"
"""A forked worker holds the laws of a notebook or script already; a spawned one must be able to import them."""

Function = Callable[[Any], Any]


class NobodyLeft(UcnpError, RuntimeError):
    """The workers are gone, or the way to them; what they sent before is whole."""


@dataclass(frozen=True)
class Failure:
    """What an item raised, and where."""

    error: Exception
    traceback: str


@dataclass(frozen=True)
class Done:
    """What became of one item.

    Attributes
    ----------
    number : int
    result : object
        What the function gave; None if it failed.
    failure : Failure or None
    seconds : float
        Wall time.
    worker : str
        Host and process.
    """

    number: int
    result: Any
    failure: Failure | None
    seconds: float
    worker: str


class Crew(Protocol):
    """Workers for a list of items.

    Attributes
    ----------
    size : int
        How many work at once; it may change.
    """

    @property
    def size(self) -> int: ...

    def submit(self, numbers: Sequence[int]) -> Future[list[Done]]:
        """Have a batch of items done."""

    def attend(self) -> None:
        """Called several times a second while answers are awaited; raises if none can come any more."""

    def renew(self, error: BaseException) -> bool:
        """After a failed future: whether all others in the air are lost too; the crew works again, or raises."""

    def close(self, *, now: bool) -> None:
        """Let the workers go; now: in the middle of their work."""


def work(function: Function, numbered: Sequence[tuple[int, Any]]) -> list[Done]:
    """Do items one after the other, here."""
    done = []
    for number, item in numbered:
        begin, result, failure = time.perf_counter(), None, None
        try:
            result = function(item)
        except Exception as error:  # it is told and raised where the result was to be
            failure = Failure(error, traceback.format_exc())
        done.append(Done(number, result, failure, time.perf_counter() - begin, f"{socket.gethostname()}:{os.getpid()}"))
    return done


class Here:
    """Nobody but us: a batch is done when it is submitted."""

    size = 1

    def __init__(self, function: Function, items: Sequence[Any]) -> None:
        self._function, self._items = function, items

    def submit(self, numbers: Sequence[int]) -> Future[list[Done]]:
        future: Future[list[Done]] = Future()
        future.set_result(work(self._function, [(n, self._items[n]) for n in numbers]))
        return future

    def attend(self) -> None:
        pass

    def renew(self, error: BaseException) -> bool:
        raise error

    def close(self, *, now: bool) -> None:
        pass


class Processes:
    """Local processes. They leave Ctrl-C to their parent, and end when it does, however it ends."""

    def __init__(self, function: Function, items: Sequence[Any], size: int) -> None:
        self.size = size
        if _START != "fork":
            try:
                pickle.dumps(list(items))
            except Exception as error:
                raise BadInput(
                    f"jobs: these mechanisms cannot be sent to another process ({error}); use jobs=1, or define their "
                    "laws at the top of an importable module"
                ) from error
        self._given = (function, tuple(items))
        self._others = set(multiprocessing.active_children())
        self._pool = self._begin()

    def _begin(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context(_START)
        return ProcessPoolExecutor(self.size, mp_context=context, initializer=_begin_worker, initargs=self._given)

    def submit(self, numbers: Sequence[int]) -> Future[list[Done]]:
        with warnings.catch_warnings():
            # Python 3.12+ warns of every fork beside threads. Ours takes no lock that such a thread could hold: a
            # worker computes with arrays, and never prints, imports by name or asks the parent for anything but
            # numbers of items.
            warnings.filterwarnings("ignore", message=".*multi-threaded.*fork", category=DeprecationWarning)
            try:
                return self._pool.submit(_work_numbers, tuple(numbers))
            except BrokenExecutor as error:  # a worker vanished since the last look
                return _lost(error)

    def attend(self) -> None:
        pass

    def renew(self, error: BaseException) -> bool:
        self.close(now=True)
        self._pool = self._begin()
        return True

    def close(self, *, now: bool) -> None:
        if now:
            for process in set(multiprocessing.active_children()) - self._others:
                process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)


class Borrowed:
    """Any executor; its owner ends it. Items and function travel with every batch."""

    def __init__(self, function: Function, items: Sequence[Any], executor: Executor, size: int | None = None) -> None:
        if not isinstance(executor, Executor):
            raise BadInput(f"executor: expected a concurrent.futures.Executor, got {executor!r}")
        self._function, self._items, self._executor = function, items, executor
        self.size = size or int(getattr(executor, "_max_workers", 0)) or available_cores()

    def submit(self, numbers: Sequence[int]) -> Future[list[Done]]:
        try:
            return self._executor.submit(work, self._function, [(n, self._items[n]) for n in numbers])
        except Exception as error:  # such as one that was shut down
            return _lost(error)

    def attend(self) -> None:
        pass

    def renew(self, error: BaseException) -> bool:
        raise NobodyLeft(f"executor: it failed with {type(error).__name__}: {error}") from error

    def close(self, *, now: bool) -> None:
        pass


def _lost(error: Exception) -> Future[list[Done]]:
    """What becomes of a batch that nobody took."""
    future: Future[list[Done]] = Future()
    future.set_exception(error)
    return future


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers_for(jobs: int | None, items: int) -> int:
    """How many processes do so many items.

    Raises
    ------
    BadInput
        If `jobs` is no whole number above zero.
    """
    if jobs is None:
        return max(1, min(available_cores(), items))
    if units.count(jobs, "jobs") == 0:
        raise BadInput("jobs: expected a whole number of at least 1, got 0")
    return max(1, min(int(jobs), items))


@contextmanager
def local(function: Function, items: Sequence[Any], jobs: int | None, *, apart: bool = False) -> Iterator[Crew]:
    """One job is done here, more by local processes; they end with the block, at once if something is raised.

    Apart: a process even for one job, where it can be forked, so that a signal is answered in the middle of an item.
    """
    size = workers_for(jobs, len(items))
    here = size == 1 and not (apart and _START == "fork")
    with closing(Here(function, items) if here else Processes(function, items, size)) as crew:
        yield crew


@contextmanager
def closing(crew: Crew) -> Iterator[Crew]:
    """Let a crew go at the end of the block, at once if something is raised."""
    try:
        yield crew
    except BaseException:
        crew.close(now=True)
        raise
    crew.close(now=False)


# --- in a process of `Processes` ---

_function: Function
_items: tuple[Any, ...] = ()


def _begin_worker(function: Function, items: tuple[Any, ...]) -> None:
    global _function, _items
    _function, _items = function, items
    disk.leave_locks()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent alone answers it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "SIGUSR1"):
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work_numbers(numbers: Sequence[int]) -> list[Done]:
    return work(_function, [(number, _items[number]) for number in numbers])
