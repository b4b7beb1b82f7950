"""Calibrating and predicting on several crystals and with several rate sets, in processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ucnp_abm.photons.rates import rate_set
from ucnp_abm.reproduce.calibrate import Calibration, Measure, calibrate
from ucnp_abm.reproduce.predict import Predicted
from ucnp_abm.study.conduct import in_processes

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
    for name in rates:
        rate_set(name)  # a wrong one is refused before anything is fitted
    tasks = [Task(name, seed, measure) for seed in seeds for name in rates]
    done = in_processes(outcome, tasks, jobs, progress, "fit")
    found: dict[str, list[Outcome]] = {name: [] for name in rates}
    for task, each in zip(tasks, done, strict=True):
        found[task.rates].append(each)
    return found
