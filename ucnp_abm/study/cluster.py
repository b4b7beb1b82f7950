"""A crew on a Dask cluster: the one place that knows Dask, which is installed by `pip install 'ucnp-abm[cluster]'`.

Batches travel as bytes with the laws of plugin files and notebooks in them, and results come back as bytes: workers
need no file of ours but the installed package, in the same version.
"""

from __future__ import annotations

import importlib
import logging
import pickle
import platform
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from typing import Any

from ucnp_abm.engine.simulation import ENGINE_VERSION
from ucnp_abm.errors import BadInput, UcnpError
from ucnp_abm.observables import READINGS_VERSION
from ucnp_abm.registry.files import imported
from ucnp_abm.runs.provenance import versions
from ucnp_abm.study.crew import Crew, Done, Function, NobodyLeft, closing, work, workers_for

LOCAL = "local"
"""A cluster on this machine, which ends with the study."""
PATIENCE_S = 30
"""So long a study waits for a scheduler, for a first worker, and for another one when all are gone."""
_SAME = ("python", "ucnp-abm", "numpy", "numba")
_DOOR = "__import__('ucnp_abm.study.cluster', fromlist=['sent']).sent(payload, expected)"
"""What a worker is asked for: as text, since one that cannot read a function, as it lacks the package, dies of it."""
_HOME = "127.0.0.1"
_COUNT_EVERY = 0.5  # s between two counts of the workers
_VANISHED = ("KilledWorker", "NoValidWorkerError")
"""What Dask says when it gives a batch up."""


def here() -> dict[str, str]:
    """What must be the same on a worker for the same bytes."""
    found = {name: version for name, version in versions().items() if name in _SAME}
    return {**found, "engine": str(ENGINE_VERSION), "observables": str(READINGS_VERSION)}


def sent(payload: bytes, expected: dict[str, str]) -> list[Done]:
    """Do a batch on a worker.

    Raises
    ------
    BadInput
        If the worker has other versions, or lacks a module of the mechanisms.
    """
    found = here()
    wrong = [f"{n} {found.get(n)} instead of {version}" for n, version in expected.items() if found.get(n) != version]
    if wrong:
        raise BadInput(f"scheduler: a worker on {platform.node()} has {', '.join(wrong)}; install the same everywhere")
    try:
        function, numbered = pickle.loads(payload)
    except Exception as error:
        raise BadInput(
            f"scheduler: a worker on {platform.node()} cannot read these mechanisms ({type(error).__name__}: {error}); "
            "install their module there, or give it as a plugin file"
        ) from error
    return work(function, numbered)


class Cluster:
    """The workers that a Dask client sees, however many there are at the moment."""

    def __init__(self, function: Function, items: Sequence[Any], client: Any) -> None:
        self._function, self._items, self._client = function, items, client
        self._expected = here()
        self._threads, self._counted = 0, -_COUNT_EVERY
        self._deserted = time.monotonic()

    @property
    def size(self) -> int:
        """Threads of all workers; at least one, since more may come."""
        self._count()
        return max(1, self._threads)

    def submit(self, numbers: Sequence[int]) -> Future[list[Done]]:
        import cloudpickle

        try:
            payload = cloudpickle.dumps((self._function, [(number, self._items[number]) for number in numbers]))
        except Exception as error:
            raise BadInput(f"scheduler: these mechanisms cannot be sent to a worker ({error})") from error
        answer: Future[list[Done]] = Future()
        try:
            asked = self._client.submit(eval, _DOOR, {"payload": payload, "expected": self._expected}, pure=False)
        except Exception as error:
            raise _lost(error) from error
        self._client.loop.add_callback(self._pass_on, asked, answer)
        return answer

    async def _pass_on(self, asked: Any, answer: Future[list[Done]]) -> None:
        """Answer in any case; Dask's own executor never does if the way breaks while a result is fetched."""
        try:
            (done,) = await self._client.gather([asked], asynchronous=True)
        except Exception as error:  # it is answered by `renew`
            answer.set_exception(error)
        except BaseException as error:  # asyncio's own cancellation is no Exception, so nobody would answer it
            answer.set_exception(CancelledError(str(error)))
        else:
            answer.set_result(done)

    def attend(self) -> None:
        """Dask keeps batches for workers to come; it is asked whether any is there."""
        self._count()
        if self._threads:
            self._deserted = time.monotonic()
        elif time.monotonic() - self._deserted > PATIENCE_S:
            raise NobodyLeft(f"scheduler: it has no worker, and none came within {PATIENCE_S:g} s")

    def renew(self, error: BaseException) -> bool:
        """One batch is lost when Dask gives it up; all are, when the scheduler is gone."""
        if isinstance(error, UcnpError):
            raise error
        self._connected(error)
        if isinstance(error, (CancelledError, OSError)) or type(error).__name__ in _VANISHED:
            return False
        raise BadInput(
            f"scheduler: a worker failed with {type(error).__name__}: {error}; install the same ucnp_abm everywhere"
        ) from error

    def close(self, *, now: bool) -> None:
        """The client is closed after it, and with it goes all that it asked for."""

    def _count(self) -> None:
        if time.monotonic() - self._counted < _COUNT_EVERY:
            return
        self._connected()
        try:
            self._threads = sum(self._client.nthreads(callback_timeout=PATIENCE_S).values())
        except Exception as error:
            raise _lost(error) from error
        self._counted = time.monotonic()

    def _connected(self, error: BaseException | None = None) -> None:
        if self._client.status != "running":
            raise _lost(error) from error


def _lost(error: BaseException | None) -> NobodyLeft:
    why = f" ({type(error).__name__})" if error else ""
    return NobodyLeft(f"scheduler: the connection to it was lost{why}")


@contextmanager
def dask(function: Function, items: Sequence[Any], address: str, jobs: int | None) -> Iterator[Crew]:
    """The workers of a Dask cluster for these items.

    Parameters
    ----------
    function : callable
    items : sequence
    address : str
        Of the scheduler, such as 'tcp://host:8786'; or 'local': a cluster of `jobs` processes on this machine.
    jobs : int or None

    Raises
    ------
    BadInput
        If Dask is not installed, or nobody answers.
    """
    try:
        distributed = importlib.import_module("distributed")
        cloudpickle = importlib.import_module("cloudpickle")
    except ImportError as error:
        raise BadInput(
            f"scheduler: a Dask cluster needs a package that is not installed ({error.name}): "
            "pip install 'ucnp-abm[cluster]'"
        ) from error
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        if address == LOCAL:
            address = stack.enter_context(_on_this_machine(distributed, workers_for(jobs, len(items))))
        try:
            client = stack.enter_context(distributed.Client(address, timeout=PATIENCE_S, set_as_default=False))
        except (OSError, ValueError, TypeError) as error:  # a TimeoutError is an OSError
            raise BadInput(
                f"scheduler: nobody answers at '{address}' ({error}); expected an address such as tcp://host:8786"
            ) from error
        for module in imported():  # plugin files are on no worker's path: their laws travel with the batches
            cloudpickle.register_pickle_by_value(module)
            stack.callback(cloudpickle.unregister_pickle_by_value, module)
        yield stack.enter_context(closing(Cluster(function, items, client)))


@contextmanager
def _on_this_machine(distributed: Any, n_workers: int) -> Iterator[str]:
    """Worker processes of our own, and the address of their scheduler; signals are answered by this process alone."""
    with ExitStack() as stack:
        with _deaf():
            try:
                cluster = distributed.LocalCluster(
                    n_workers=n_workers,
                    threads_per_worker=1,
                    host=_HOME,
                    dashboard_address=f"{_HOME}:0",
                    silence_logs=logging.CRITICAL,
                )
            except RuntimeError as error:
                raise BadInput(
                    f"scheduler: no workers could be started on this machine ({error}); a script starts them under "
                    "if __name__ == '__main__':"
                ) from error
            stack.enter_context(cluster)
        yield cluster.scheduler_address


@contextmanager
def _deaf() -> Iterator[None]:
    """Threads and processes that begin in this block, and theirs, get neither Ctrl-C nor SIGUSR1."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # begun later, it would undo this
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGUSR1})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask logs what we say in a sentence: every worker and scheduler that it lost, with tracebacks."""
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
