"""Studies on executors of others, and parts of an array job: always the same bytes."""

import multiprocessing
import shutil
import subprocess
import sys
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from crews import PLAIN, cells, logged, toml

from ucnp_abm.config.studies import load_study
from ucnp_abm.errors import BadInput, Stopped
from ucnp_abm.study.crew import NobodyLeft
from ucnp_abm.study.running import run_study


def same(directory, other):
    assert cells(directory) == cells(other)
    assert set(logged(directory).values()) == {1}


def test_threads(plain, plain_cells, tmp_path):
    with ThreadPoolExecutor(2) as executor:
        plain.run(tmp_path / "study", executor=executor)
        assert executor.submit(int, "1").result() == 1  # its owner ends it
    same(tmp_path / "study", plain_cells)


def test_spawned_processes(plain, plain_cells, tmp_path):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        result = plain.run(tmp_path / "study", executor=executor)
    same(tmp_path / "study", plain_cells)
    assert result.account.ran == 24


def test_light_is_read_in_threads_as_by_one(tmp_path):
    """Each thread has its own optics and its own last light."""
    source = {**PLAIN, "study": {**PLAIN["study"], "replicates": 1, "observables": ["k_eff"]}}
    source["vary"] = {"optics.pump": ["1 W/cm²", "8 W/cm²"]}
    study = load_study({**source, "particle": {**PLAIN["particle"], "core": "NaGdF4: 49% Yb, 5% Tm"}})
    with ThreadPoolExecutor(4) as executor:
        study.run(tmp_path / "threads", executor=executor)
    study.run(tmp_path / "one", jobs=1)
    same(tmp_path / "threads", tmp_path / "one")


def test_an_executor_that_is_shut_down_is_told(plain, tmp_path):
    executor = ThreadPoolExecutor(2)
    executor.shutdown()
    said = r"^executor: it failed with RuntimeError: cannot schedule new futures after shutdown"
    with pytest.raises(Stopped, match=said + r": 0 runs are finished and kept; go on with\n"):
        plain.run(tmp_path / "study", executor=executor)
    with pytest.raises(NobodyLeft, match=said + "$"):
        plain.run(executor=executor)


def test_an_executor_that_is_shut_down_meanwhile_keeps_what_is_finished(plain, plain_cells, after, tmp_path):
    executor = ThreadPoolExecutor(1)
    after(3, lambda done: executor.shutdown(wait=False, cancel_futures=True))
    with pytest.raises(Stopped, match=r"^executor: it failed with .*: \d+ runs are finished and kept"):
        plain.run(tmp_path / "study", executor=executor)
    assert 3 <= len(cells(tmp_path / "study")) < 24
    plain.run(tmp_path / "study", jobs=1)
    same(tmp_path / "study", plain_cells)


class Cancelling(Executor):
    """Cancels whatever it is given, as one does whose queue was cleared; nobody is told of it."""

    def submit(self, function, *arguments):
        future = Future()
        future.cancel()
        return future


def test_batches_that_others_cancel_do_not_hang(plain, tmp_path):
    ended = []

    def run():
        with pytest.raises(Stopped, match="executor: it failed with CancelledError"):
            plain.run(tmp_path / "study", executor=Cancelling())
        ended.append(True)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(20)
    assert ended


def test_what_is_no_executor_is_refused(plain):
    with pytest.raises(BadInput, match=r"expected a concurrent\.futures\.Executor, got 2"):
        plain.run(executor=2)
    with ThreadPoolExecutor(1) as executor, pytest.raises(BadInput, match="either an executor or a scheduler"):
        plain.run(executor=executor, scheduler="local")


# --- job arrays ---


def test_parts_that_run_at_once_share_a_directory(plain_cells, tmp_path):
    (tmp_path / "study.toml").write_text(toml(PLAIN))
    command = [sys.executable, "-m", "ucnp_abm.cli.main", "compare", "study.toml", "--jobs", "1", "--shard"]
    parts = [subprocess.Popen([*command, f"{n}/2"], cwd=tmp_path, stderr=subprocess.PIPE, text=True) for n in (1, 2)]
    said = [part.communicate(timeout=60)[1] for part in parts]
    assert [part.returncode for part in parts] == [0, 0], said
    assert all("when all parts have ended: ucnp-abm report study" in each for each in said)
    same(tmp_path / "study", plain_cells)
    assert {log.name for log in (tmp_path / "study").glob("log*")} == {"log-1of2.jsonl", "log-2of2.jsonl"}


def test_parts_of_machines_without_a_shared_directory_are_copied_together(plain, plain_cells, tmp_path):
    for n in (1, 2, 3):
        run_study(plain, tmp_path / f"machine-{n}", jobs=1, shard=(n, 3))
    for n in (2, 3):
        shutil.copytree(tmp_path / f"machine-{n}" / "cells", tmp_path / "machine-1" / "cells", dirs_exist_ok=True)
    assert cells(tmp_path / "machine-1") == cells(plain_cells)
    result = plain.run(tmp_path / "machine-1", jobs=1)
    assert (result.account.found, result.account.ran) == (24, 0)
    assert result.rows == plain.run(plain_cells, jobs=1).rows
