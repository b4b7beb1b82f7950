"""A real Dask cluster on 127.0.0.1: a scheduler and workers, each a process of its own.

Skipped without Dask (pip install -e '.[cluster]'), unless UCNP_ABM_CLUSTER=required.
"""

import json
import os
import subprocess
import sys
import time

import pytest
from crews import PLAIN, PLUGIN, SLOW

from ucnp_abm import registry
from ucnp_abm.config.studies import load_study
from ucnp_abm.study.running import _Run

PAUSE = "0.04"  # s that reading the plugin's observable takes on a worker


class Cluster:
    """A scheduler and its workers, in empty directories of their own."""

    def __init__(self, place):
        self.place, self.workers, self._logs = place, [], []
        file = place / "scheduler.json"
        self.scheduler = self._begin(["-m", "distributed.cli.dask_scheduler", "--scheduler-file", str(file)])
        self.address = None
        while self.address is None:
            assert self.scheduler.poll() is None, self.said()
            try:
                self.address = json.loads(file.read_text())["address"]
            except (OSError, ValueError):
                time.sleep(0.02)

    def work(self, n=1, code="from distributed.cli.dask_worker import main; main()"):
        """Start workers; they may come a little later."""
        options = ["--no-nanny", "--nthreads", "1", "--death-timeout", "30", "--local-directory", "."]
        for _ in range(n):
            self.workers.append(self._begin(["-c", code, self.address, *options]))
        return self

    def kill(self, *workers):
        for worker in workers or self.workers:
            worker.kill()
            worker.wait()

    def close(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
        for log in self._logs:
            log.close()

    def said(self):
        return "".join(file.read_text() for file in sorted(self.place.glob("*.log")))

    def _begin(self, arguments):
        here = self.place / f"process-{len(self._logs)}"
        here.mkdir()
        log = here.with_suffix(".log").open("w")
        self._logs.append(log)
        options = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0"]
        options += ["--port", "0"] if "--scheduler-file" in arguments else []
        environment = {**os.environ, "PAUSE": PAUSE, "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "false"}
        command = [sys.executable, *arguments, *options]
        return subprocess.Popen(command, cwd=here, stdout=log, stderr=log, env=environment, start_new_session=True)


@pytest.fixture(scope="session")
def needs_dask():
    if os.environ.get("UCNP_ABM_CLUSTER") != "required":
        pytest.importorskip("distributed", reason="needs Dask (pip install -e '.[cluster]')")


@pytest.fixture(scope="session")
def cluster(needs_dask, tmp_path_factory):
    """Two workers that the tests of a session share."""
    found = Cluster(tmp_path_factory.mktemp("cluster")).work(2)
    yield found
    found.close()


@pytest.fixture
def begin(needs_dask, tmp_path):
    """Starts clusters that may be broken."""
    begun = []

    def begins(n_workers, **options):
        place = tmp_path / f"cluster-{len(begun)}"
        place.mkdir()
        begun.append(Cluster(place).work(n_workers, **options))
        while begun[-1].said().count("Registered to:") < n_workers:
            time.sleep(0.02)
        return begun[-1]

    yield begins
    for each in begun:
        each.close()


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    """A file with a mechanism and an observable."""
    file = tmp_path_factory.mktemp("plugin") / "trial.py"
    file.write_text(PLUGIN)
    return file


@pytest.fixture
def slow(plugin):
    """A study of 30 cells with what the file offers."""
    with registry.beside([plugin]):
        yield load_study(SLOW)


@pytest.fixture(scope="session")
def slow_cells(plugin, tmp_path_factory):
    """The directory of the same, run in one process."""
    place = tmp_path_factory.mktemp("whole") / "slow"
    with registry.beside([plugin]):
        load_study(SLOW).run(place, jobs=1)
    return place


@pytest.fixture
def plain():
    """A study of 24 cells with mechanisms that ship."""
    return load_study(PLAIN)


@pytest.fixture(scope="session")
def plain_cells(tmp_path_factory):
    """The directory of the same, run in one process."""
    place = tmp_path_factory.mktemp("whole") / "plain"
    load_study(PLAIN).run(place, jobs=1)
    return place


@pytest.fixture
def after(monkeypatch):
    """Does something when so many cells have come back; gives the list of what came."""

    def plan(n, do):
        came, take = [], _Run._take

        def counted(self, task, done, watch):
            take(self, task, done, watch)
            came.append(done)
            if len(came) == n:
                do(done)

        monkeypatch.setattr(_Run, "_take", counted)
        return came

    return plan
