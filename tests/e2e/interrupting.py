"""Studies that are killed, stopped or have no room, in processes forked from one that has everything loaded.

`python interrupting.py MODE DIRECTORY …` runs study.toml there into whole/, undisturbed, then does what one of the
functions below says, and prints what became of it as JSON. Reports are written without figures.
"""

import errno
import json
import os
import random
import shlex
import signal
import sys
import time
from functools import partial
from pathlib import Path

from killing import command, die_at, finished, forked

from ucnp_abm.study.report import writing as report

COMPARE = ["compare", "study.toml", "--jobs", "2", "--out"]


def n_cells(directory):
    try:
        return sum(name.endswith(".npz") and name[0] != "." for name in os.listdir(f"{directory}/cells"))
    except FileNotFoundError:
        return 0


def kill_at_random(n):
    """Kill a study n times, each time when it has come a little further, then let it finish."""
    rng, kills, there = random.Random(int(n)), 0, []
    for share in sorted(rng.uniform(0.0, 0.9) for _ in range(int(n))):
        pid = forked([*COMPARE, "killed"])
        while n_cells("killed") < share * n_cells("whole") and os.waitpid(pid, os.WNOHANG) == (0, 0):
            time.sleep(0.0005)
        time.sleep(rng.uniform(0.0, 0.01))
        os.kill(pid, signal.SIGKILL)
        kills += finished(pid) == -signal.SIGKILL
        there.append(n_cells("killed"))
    return {"kills": kills, "there": there, "end": command(*COMPARE, "killed")}


def signal_once(*names):
    """Send a signal to a study when some of its cells are there, then do what it says; once for each signal."""
    return [_signalled(name) for name in names]


def _signalled(name):
    directory = f"stopped-{name}"
    pid = forked([*COMPARE, directory])
    while n_cells(directory) < 5:
        time.sleep(0.001)
    os.kill(pid, getattr(signal, name))
    code = finished(pid)
    said = Path("stderr.txt").read_text()
    there = n_cells(directory)
    words = shlex.split(said.splitlines()[-1])
    return {"code": code, "said": said, "there": there, "words": words, "end": command(*words[1:])}


def full_at(n):
    """From its n-th change on, the disk has no room."""
    calls = 0

    def full(original):
        def call(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls >= n and not (original is write and arguments[0] <= 2):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return original(*arguments, **options)

        return call

    write = os.write
    for name in ("write", "replace", "mkdir"):
        setattr(os, name, full(getattr(os, name)))


def fill_at_writes(stride):
    """For every `stride`-th n: a study whose disk is full from its n-th change on, then goes on when there is room."""
    found, n, code = [], 1, None
    while code != 0:
        directory = f"full-{n}"
        code = command("compare", "study.toml", "--jobs", "1", "--out", directory, before=partial(full_at, n))
        said, there = Path("stderr.txt").read_text(), n_cells(directory)
        end = command("compare", "study.toml", "--jobs", "1", "--out", directory)
        found.append({"n": n, "code": code, "said": said, "there": there, "end": end, "directory": directory})
        n += int(stride)
    return found


def kill_at_writes(stride):
    """For every `stride`-th n: a study that dies at its n-th change of the disk, then goes on."""
    found, n, code = [], 1, 137
    while code == 137:
        directory = f"dead-{n}"
        code = command("compare", "study.toml", "--jobs", "1", "--out", directory, before=partial(die_at, n))
        there = n_cells(directory)
        end = command("compare", "study.toml", "--jobs", "1", "--out", directory)
        found.append({"n": n, "code": code, "there": there, "end": end, "directory": directory})
        n += int(stride)
    return found


if __name__ == "__main__":
    mode, where, *rest = sys.argv[1:]
    os.chdir(where)
    report._sections = lambda *_: []
    from ucnp_abm.config.studies import load_study
    from ucnp_abm.study.cells import warm_up

    warm_up(load_study("study.toml").tasks()[-1].cell)  # before the first fork
    assert command(*COMPARE, "whole") == 0, Path("stderr.txt").read_text()
    print(json.dumps(globals()[mode](*rest)))
