"""Who works, and what becomes of what they were given when they vanish or are told to stop."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ucnp_abm.errors import UcnpError
from ucnp_abm.runs import disk
from ucnp_abm.study import crew as crews
from ucnp_abm.study.conduct import carry_out


def double(item):
    return 2 * item


def endless(item):
    Path(item).touch()
    time.sleep(60)


def gone(pid):
    """Whether a process has ended, though nobody may have asked for its end yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_workers_that_vanish_while_nobody_looks_cost_nothing():
    """They are killed while an answer is being kept: the next batch finds nobody to take it."""
    found, killed = {}, []

    def take(done):
        assert done.failure is None
        found[done.number] = done.result
        if not killed:
            workers = [int(pid) for pid in crew._pool._processes]
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
            end = time.monotonic() + 10
            while not crew._pool._broken and time.monotonic() < end:
                time.sleep(0.001)
            killed.extend(workers)

    items = list(range(300))
    with crews.local(double, items, 2) as crew:
        carry_out(crew, items, take)
    assert found == {n: 2 * n for n in items}
    assert len(killed) == 2


def test_what_comes_while_one_item_takes_long_is_answered_at_once(tmp_path):
    class Came(Exception):
        pass

    def look():
        if (tmp_path / "begun").exists():
            raise Came

    begin = time.monotonic()
    with pytest.raises(Came), crews.local(endless, [tmp_path / "begun"], 1, apart=True) as crew:
        carry_out(crew, [tmp_path / "begun"], lambda done: None, look)
    assert time.monotonic() - begin < 10


def test_what_comes_while_a_doubtful_item_is_tried_alone_is_answered_at_once(tmp_path):
    class Came(Exception):
        pass

    def look():
        if (tmp_path / "again").exists():
            raise Came

    begin = time.monotonic()
    with pytest.raises(Came), crews.local(doubtful, [tmp_path], 1, apart=True) as crew:
        carry_out(crew, [tmp_path], lambda done: None, look)
    assert time.monotonic() - begin < 10


def doubtful(where):
    """Vanishes the first time, and takes long the second."""
    if (where / "first").exists():
        endless(where / "again")
    (where / "first").touch()
    os.kill(os.getpid(), signal.SIGKILL)


def test_an_executor_that_takes_nothing_is_told():
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(UcnpError, match="executor: it failed with RuntimeError"):
        carry_out(crews.Borrowed(double, [1, 2], executor), [1, 2], lambda done: None)


def test_no_worker_is_left_after_the_end():
    workers = set()
    with crews.local(double, list(range(50)), 2) as crew:
        carry_out(crew, list(range(50)), lambda done: workers.add(int(done.worker.rpartition(":")[2])))
    assert os.getpid() not in workers
    assert all(gone(pid) for pid in workers)


def holds(path):
    """Whether this process has a file open."""
    return any(os.path.realpath(f"/proc/self/fd/{number}") == str(path) for number in os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads open files from /proc")
def test_no_worker_holds_the_lock_of_its_parent(tmp_path):
    """Else a study whose process was killed would stay locked for as long as its workers take to see that."""
    path, found = (tmp_path / "lock").resolve(), []
    with disk.locked(path):
        assert holds(path)
        with crews.local(holds, [path] * 4, 2) as crew:
            carry_out(crew, [path] * 4, lambda done: found.append(done.result))
        assert path.exists()
    assert found == [False] * 4
