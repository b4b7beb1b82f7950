"""What a study costs beside its runs: memory of the parent process, times to build, run, resume and report (Linux).

python tests/bench/study.py             10 000 cells of a tiny crystal, then 384 cells, each in a fresh process
python tests/bench/study.py 2500        another number of replicates of 4 mechanisms
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ucnp_abm.config.studies import load_study

JOBS = 2
TINY = {"core": "NaGdF4: 49% Yb", "diameter": "2.4 nm", "shell": "NaYF4", "thickness": "0.8 nm"}
FOUR = ["no-complex", "y-complex", "gd-complex", "mixed-complex"]
SERIES = {
    "particle.thickness": ["0.8 nm", "1 nm", "1.2 nm", "1.4 nm"],
    "particle.core": ["NaGdF4: 19% Yb", "NaGdF4: 49% Yb", "NaGdF4: 79% Yb"],
}


def tables(replicates, vary):
    return {
        "study": {"mechanisms": FOUR, "replicates": replicates},
        "particle": TINY,
        "anneal": {"steps": 10},
        "vary": vary,
    }


def peak():
    """Peak resident memory of this process / bytes; workers are not in it."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def timed(what, call):
    begin = time.perf_counter()
    found = call()
    print(f"  {what:32s} {time.perf_counter() - begin:7.2f} s, peak so far {peak() / 1e6:6.0f} MB", flush=True)
    return found


def measure(replicates, vary):
    """One study: built, run, resumed with everything there, and reported."""
    print(f"{len(FOUR)} mechanisms, {replicates} crystals, axes {[len(levels) for levels in vary.values()]}")
    with tempfile.TemporaryDirectory() as where:
        directory = Path(where) / "study"
        study = timed("build", lambda: load_study(tables(replicates, vary)))
        timed("names of all cells", study.tasks)
        print(f"  {study.n_cells} cells")
        found = timed("run", lambda: study.run(directory, jobs=JOBS, progress=False))
        account = found.account
        print(f"  {account.compute_s / JOBS:.2f} s of these by {account.workers} workers, {account.ran} cells")
        found = timed("run again", lambda: study.run(directory, jobs=JOBS, progress=False))
        assert (found.account.ran, found.account.found) == (0, study.n_cells)
        for file in list((directory / "cells").iterdir())[::100]:
            file.unlink()
        timed("resume, one in a hundred missing", lambda: study.run(directory, jobs=JOBS, progress=False))
        timed("table", found.table)
        timed("report", lambda: found.report(Path(where) / "report"))
        size = sum(file.stat().st_size for file in (directory / "cells").iterdir())
        print(f"  {size / study.n_cells / 1e3:.1f} kB on disk for each cell")
    print(f"  peak of the parent {peak() / 1e6:.0f} MB")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        for arguments in (["2500"], ["8", "series"]):
            subprocess.run([sys.executable, __file__, *arguments], check=True)
    else:
        measure(int(sys.argv[1]), SERIES if "series" in sys.argv else {})
