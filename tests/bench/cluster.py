"""What it costs to let others work: processes, threads and a Dask cluster of this machine, on a study of 384 cells.

python tests/bench/cluster.py [--replicates 8] [--workers 2] [--steps 1000]

4 mechanisms x 12 particles x 8 crystals with cores of 6.7 nm, atoms only. For each way to work: wall time, time in
cells, overhead = (workers x wall - time in cells) / time in cells, and how much quicker it is than one process.
"""

import argparse
import platform
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

from ucnp_abm.config.studies import load_study
from ucnp_abm.study.cells import warm_up
from ucnp_abm.study.crew import available_cores

STUDY = {
    "study": {"mechanisms": ["no-complex", "y-complex", "gd-complex", "y-complex+laser-thermal"]},
    "particle": {"core": "NaGdF4: 49% Yb, 1% Tm", "diameter": "6.7 nm", "shell": "NaYF4", "thickness": "1.65 nm"},
    "vary": {
        "particle.thickness": ["0.5 nm", "1 nm", "1.65 nm", "2 nm"],
        "particle.core": [f"NaGdF4: {percent}% Yb, 1% Tm" for percent in (19, 49, 99)],
    },
}


def asked():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--steps", type=float, default=1000)
    return parser.parse_args()


def main():
    given = asked()
    settings = [f"study.replicates={given.replicates}", f"anneal.steps={given.steps}"]
    study = load_study(STUDY, settings)
    warm_up(study.tasks()[0].cell)
    print(f"{study.n_cells} cells, Python {platform.python_version()}, {available_cores()} cores")
    print(f"{'':24} {'workers':>7} {'wall / s':>9} {'cells / s':>9} {'overhead':>9} {'speed-up':>9}")
    n, one, bytes_of_one = given.workers, None, None
    ways = {
        "here": (1, nullcontext({"jobs": 1})),
        "local processes": (n, nullcontext({"jobs": n})),
        "threads": (n, ThreadPoolExecutor(n)),
        "Dask, local": (n, nullcontext({"scheduler": "local", "jobs": n})),
    }
    for name, (workers, way) in ways.items():
        with tempfile.TemporaryDirectory() as place, way as how:
            options = how if isinstance(how, dict) else {"executor": how}
            account = study.run(Path(place) / "study", progress=False, **options).account
            found = {file.name: file.read_bytes() for file in (Path(place) / "study" / "cells").iterdir()}
        one, bytes_of_one = one or account.wall_s, bytes_of_one or found
        overhead = (workers * account.wall_s - account.compute_s) / account.compute_s
        numbers = f"{account.wall_s:9.2f} {account.compute_s:9.2f} {overhead:9.1%} {one / account.wall_s:9.2f}"
        print(f"{name:24} {workers:7} {numbers}", flush=True)
        assert found == bytes_of_one, name


if __name__ == "__main__":
    main()
