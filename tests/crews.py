"""A small study for tests of clusters and executors, and how its cells are looked at."""

import collections
import json

PARTICLE = {"core": "NaGdF4: 49% Yb", "diameter": "2.0 nm", "shell": "NaYF4", "thickness": "0.6 nm"}
PLAIN = {
    "study": {"mechanisms": ["no-complex", "y-complex"], "replicates": 6},
    "particle": PARTICLE,
    "anneal": {"steps": 20},
    "vary": {"particle.thickness": ["0.6 nm", "0.8 nm"]},
}
SLOW = {
    **PLAIN,
    "study": {
        "mechanisms": ["no-complex", "trial", "y-complex"],
        "replicates": 5,
        "observables": ["outside_core_pct", "waited"],
        "marks": [20],
    },
}
PLUGIN = '''
import os
import time

from ucnp_abm import IONS, Mechanism, hookimpl, observable

SHIFT = 0.01
trial = Mechanism("trial", summary="A trial.", source="Assumption: a test")


def shifted(barrier):
    return barrier + SHIFT


@trial.hop(mover=IONS)
def hop(env):
    return shifted(1.6)


@trial.dock("Y", irreversible=True)
def attach(env):
    return 1.2


@observable("waited", unit="", costly=True)
def waited(simulation):
    """Vacancies, told slowly where PAUSE is set."""
    time.sleep(float(os.environ.get("PAUSE", "0")))
    return float((simulation.state.species[simulation.crystal.sites] == 0).sum())


@hookimpl
def ucnp_mechanisms():
    return [trial]


@hookimpl
def ucnp_observables():
    return [waited]
'''
"""A mechanism and an observable that no worker can import; the observable gives time to interrupt a study."""


def toml(study):
    """A study as the text of its file."""
    lines = []
    for section, table in study.items():
        lines.append(f"[{section}]")
        lines += [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def cells(directory):
    """Bytes of the cells by name of their file."""
    return {file.name: file.read_bytes() for file in (directory / "cells").iterdir()}


def logged(directory):
    """How often the logs tell of each cell."""
    lines = [line for log in directory.glob("log*.jsonl") for line in log.read_text().splitlines()]
    return collections.Counter(json.loads(line)["cell"] for line in lines)
