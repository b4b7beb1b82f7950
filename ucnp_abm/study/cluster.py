"""A crew on a Dask cluster: the one place that knows Dask, which is installed by `pip install 'ucnp-abm[cluster]'`.

Batches travel as bytes with the laws of plugin files and notebooks in them, and results come back as bytes: workers
need no file of ours but the installed package, in the same version.
"""

from __future__ import annotations

import importlib
import pickle
import platform
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import Any

from ucnp_abm.engine.simulation import ENGINE_VERSION
from ucnp_abm.errors import BadInput, UcnpError
from ucnp_abm.observables import READINGS_VERSION
from ucnp_abm.registry.files import imported
from ucnp_abm.runs.provenance import versions
from ucnp_abm.study.crew import Crew, Done, Function, closing, work, workers_for

LOCAL = "local"
"""A cluster on this machine, which ends with the study."""
PATIENCE_S = 30
"""So long a study waits for a scheduler, and for a first worker."""
_SAME = ("python", "ucnp-abm", "numpy", "numba")


def here() -> dict[str, str]:
    """What must be the same on a worker for the same bytes."""
    found = {name: version for name, version in versions().items() if name in _SAME}
    return {**found, "engine": str(ENGINE_VERSION), "observables": str(READINGS_VERSION)}


def sent(payload: bytes, expected: dict[str, str]) -> list[Done]:
    """Do a batch on a worker.

    Raises
    ------
    UcnpError
        If the worker has other versions.
    """
    found = here()
    if wrong := {name: found.get(name) for name, version in expected.items() if found.get(name) != version}:
        raise UcnpError(f"scheduler: the worker on {platform.node()} has {wrong}, expected {expected}")
    function, numbered = pickle.loads(payload)
    return work(function, numbered)


class Cluster:
    """The workers that a Dask client sees, however many there are at the moment."""

    def __init__(self, function: Function, items: Sequence[Any], client: Any) -> None:
        self._function, self._items, self._client = function, items, client
        self._executor = client.get_executor(pure=False)
        self._expected = here()

    @property
    def size(self) -> int:
        """Threads of all workers; at least one, since more may come."""
        return max(1, sum(int(n) for n in self._client.nthreads().values()))

    def submit(self, numbers: Sequence[int]) -> Future[list[Done]]:
        import cloudpickle

        payload = cloudpickle.dumps((self._function, [(number, self._items[number]) for number in numbers]))
        future: Future[list[Done]] = self._executor.submit(sent, payload, self._expected)
        return future

    def renew(self, error: BaseException) -> bool:
        """One batch is lost when Dask gives it up; all are, when the scheduler is gone."""
        if self._client.status != "running":
            raise UcnpError(
                f"scheduler: the connection to it was lost ({type(error).__name__}); what was finished is kept"
            ) from error
        _wait_for_a_worker(self._client)
        return False

    def close(self, *, now: bool) -> None:
        self._executor.shutdown(wait=not now, cancel_futures=now)


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
        If Dask is not installed, nobody answers, no worker comes, or a worker has other versions.
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
        if address == LOCAL:
            n_workers = workers_for(jobs, len(items))
            address = stack.enter_context(
                distributed.LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None)
            ).scheduler_address
        try:
            client = stack.enter_context(distributed.Client(address, timeout=PATIENCE_S, set_as_default=False))
        except (OSError, ValueError, TypeError) as error:  # a TimeoutError is an OSError
            raise BadInput(
                f"scheduler: nobody answers at '{address}' ({error}); expected an address such as tcp://host:8786"
            ) from error
        _wait_for_a_worker(client)
        _compare_versions(client)
        for module in imported():  # plugin files are on no worker's path: their laws travel with the batches
            cloudpickle.register_pickle_by_value(module)
            stack.callback(cloudpickle.unregister_pickle_by_value, module)
        yield stack.enter_context(closing(Cluster(function, items, client)))


def _wait_for_a_worker(client: Any) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE_S)
    except (TimeoutError, OSError) as error:
        raise BadInput(f"scheduler: it has no worker, and none came within {PATIENCE_S} s") from error


def _compare_versions(client: Any) -> None:
    expected = here()
    try:
        found = client.run(here)
    except Exception as error:
        raise BadInput(f"scheduler: a worker cannot import ucnp_abm ({type(error).__name__}: {error})") from error
    for worker, versions_there in found.items():
        wrong = [
            f"{n} {versions_there.get(n)} instead of {v}" for n, v in expected.items() if versions_there.get(n) != v
        ]
        if wrong:
            raise BadInput(f"scheduler: the worker {worker} has {', '.join(wrong)}; install the same everywhere")
