"""Calibrating and predicting on several crystals and with several rate sets, in processes."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tqdm import tqdm

from ucnp_abm.reproduce.calibrate import Calibration, Measure, calibrate
from ucnp_abm.reproduce.predict import Predicted
from ucnp_abm.study.pool import workers_for

RATES = ("npt", "simetuc")


@dataclass(frozen=True)
class Outcome:
    """One crystal with one rate set: what was calibrated, and what follows."""

    calibration: Calibration
    numbers: dict[str, float]


@dataclass(frozen=True)
class Task:
    """What a process is asked to do."""

    rates: str
    seed: int
    measure: Measure


def outcome(task: Task) -> Outcome:
    """Calibrate on one crystal, and predict all samples grown from the same seed."""
    found = calibrate(task.rates, task.seed, task.measure)
    return Outcome(found, Predicted(found, task.measure).numbers())


def outcomes(
    rates: Sequence[str], seeds: Sequence[int], measure: Measure, jobs: int | None = None, progress: bool = True
) -> dict[str, list[Outcome]]:
    """All outcomes by rate set, in the order of the seeds; the same for any number of processes."""
    tasks = [Task(name, seed, measure) for seed in seeds for name in rates]
    workers = workers_for(jobs, len(tasks))
    hidden = None if progress else True
    with tqdm(total=len(tasks), unit="fit", disable=hidden, leave=False, file=sys.stderr) as bar:
        if workers == 1:
            done = []
            for task in tasks:
                done.append(outcome(task))
                bar.update()
        else:
            context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
            with ProcessPoolExecutor(workers, mp_context=context) as pool:
                futures = [pool.submit(outcome, task) for task in tasks]
                for future in futures:
                    future.add_done_callback(lambda _: bar.update())
                done = [future.result() for future in futures]
    found: dict[str, list[Outcome]] = {name: [] for name in rates}
    for task, each in zip(tasks, done, strict=True):
        found[task.rates].append(each)
    return found
