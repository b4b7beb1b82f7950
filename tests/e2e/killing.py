"""Runs that are killed: the commands in processes of their own, forked from one that has everything loaded.

`python killing.py MODE DIRECTORY …` runs config.toml there into whole/, which is never killed, then does what one of
the functions below says, and prints what became of it as JSON.
"""

import json
import os
import random
import signal
import sys
import time
import traceback
from contextlib import redirect_stdout, suppress
from functools import partial
from pathlib import Path

from ucnp_abm.cli.main import main


def forked(arguments, before=lambda: None):
    """A child that runs a command, with its output in stdout.txt and stderr.txt; `before` runs in the child first."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 99
    try:
        for number, name in ((1, "stdout.txt"), (2, "stderr.txt")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        before()
        main(list(map(str, arguments)))
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def finished(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def command(*arguments, before=lambda: None):
    return finished(forked(arguments, before))


def kill_at_random(n, every):
    """Kill the run `killed` n times, each time when it has come a little further, then let it finish."""
    rng, kills = random.Random(int(n)), 0
    length = Path("whole/observables.csv").stat().st_size
    arguments = ["run", "config.toml", "--out", "killed", "--checkpoint-every", every]
    for share in sorted(rng.uniform(0.0, 0.9) for _ in range(int(n))):
        pid, rows = forked(arguments), Path("killed/observables.csv")
        while not rows.exists() or rows.stat().st_size < share * length:
            time.sleep(0.001)
        time.sleep(rng.uniform(0.0, 0.02))
        os.kill(pid, signal.SIGKILL)
        kills += finished(pid) == -signal.SIGKILL
        arguments = ["run", "--resume", "killed", "--checkpoint-every", every]
    return {"kills": kills, "end": command(*arguments)}


def signal_once(*names):
    """Send a signal to a run as soon as it has a checkpoint, then let it go on; once for each signal."""
    return [_signalled(name) for name in names]


def _signalled(name):
    directory = f"stopped-{name}"
    pid = forked(["run", "config.toml", "--out", directory])
    while not (Path(directory) / "checkpoint.npz").exists():
        time.sleep(0.002)
    os.kill(pid, getattr(signal, name))
    code = finished(pid)
    said = Path("stderr.txt").read_text()
    here = sorted(file.name for file in Path(directory).iterdir())
    return {"code": code, "said": said, "files": here, "end": command("run", "--resume", directory)}


def die_at(n):
    """Let the process die at its n-th change of the disk: half of the bytes of a write are written."""
    calls = 0

    def dying(name, original):
        def call(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls == n:
                if name == "write":
                    original(arguments[0], arguments[1][: len(arguments[1]) // 2])
                os._exit(137)
            return original(*arguments, **options)

        return call

    for name in ("write", "fsync", "replace", "unlink", "mkdir"):
        setattr(os, name, dying(name, getattr(os, name)))


def kill_at_writes(every, stride):
    """For every `stride`-th n: a run that dies at its n-th change of the disk, again while it is resumed, then goes on.

    The exit code of the last by n, until a run comes to its end before it dies.
    """
    run, ends, n = ["run", "config.toml", "--checkpoint-every", every, "--out"], {}, 1
    while command(*run, f"dead-{n}", before=partial(die_at, n)) == 137:
        resume = ["run", "--resume", f"dead-{n}", "--checkpoint-every", every]
        if (Path(f"dead-{n}") / "run.json").exists():
            command(*resume, before=partial(die_at, 1 + 7 * n % 11))
        ends[n] = command(*resume)
        n += int(stride)
    return ends


if __name__ == "__main__":
    mode, where, *rest = sys.argv[1:]
    os.chdir(where)
    with redirect_stdout(sys.stderr), suppress(SystemExit):
        main(["run", "config.toml", "--out", "whole"])
    print(json.dumps(globals()[mode](*rest)))
