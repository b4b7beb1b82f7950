"""How long an author waits: for a table, from an edited plugin file to its first event, and for `--help`.

python tests/bench/first_event.py
"""

import importlib.util
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ucnp_abm import Simulation
from ucnp_abm.rules.tabulate import tabulate
from ucnp_abm.study.cells import PAPER_PARTICLE

TEXT = """
from ucnp_abm import IONS, Mechanism
trial = Mechanism("trial", summary="An edited plugin.", source="Assumption: a benchmark")
@trial.hop(mover=IONS, lowest=1.6)
def barrier(env):
    return {barrier} {watched}
@trial.dock("Lu", irreversible=True)
def attach(env):
    return 1.2
"""
WATCHED = {
    "no watched species": "",
    "one": "+ 0.01 * env.n['Yb']",
    "two": "+ 0.01 * (env.n['Yb'] + env.n['Gd'])",
    "three": "+ 0.01 * (env.n['Yb'] + env.n['Gd'] + env.n['Y'])",
    "three, two of them grouped": "+ 0.01 * (env.n['Yb'] + env.n['Gd', 'Y'])",
    "two, cut at 3": "+ 0.01 * (env.n.up_to(3, 'Yb') + env.n.up_to(3, 'Gd'))",
}
ALL = "+ 0.001 * sum(env.n[s] for s in ('Na', 'Y', 'Gd', 'Tm', 'Yb', 'vacancy'))"


def load(path):
    spec = importlib.util.spec_from_file_location("trial_plugin", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.trial


def first_event(path, particle, text):
    path.write_text(text)
    begin = time.perf_counter()
    simulation = Simulation(particle, load(path), "300 °C", seed=1)
    simulation.run(events=1)
    return time.perf_counter() - begin


def tabulating(made, particle):
    begin = time.perf_counter()
    tabulate(made, particle.crystal, particle.counts, particle.immobile)
    return time.perf_counter() - begin


def on_the_way(made, particle, events=20_000):
    simulation = Simulation(particle, made, "300 °C", seed=1)
    simulation.run(events=1)
    known, begin = len(simulation.memo), time.perf_counter()
    simulation.run(events=events)
    spent, new = time.perf_counter() - begin, len(simulation.memo) - known
    return (
        f"a law that reads all six species: {1e6 * spent / new:.0f} µs for each of {new:,} rows worked out on the way"
    )


def main():
    particle = PAPER_PARTICLE.build(1)
    print(f"{platform.platform()}, Python {platform.python_version()}, {particle.crystal.n_sites} sites")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.py"
        first_event(path, particle, TEXT.format(barrier=1.7, watched=""))
        for said, watched in WATCHED.items():
            spent = min(first_event(path, particle, TEXT.format(barrier=1.6, watched=watched)) for _ in range(3))
            made = load(path)
            table = min(tabulating(made, particle) for _ in range(3))
            rows = Simulation(particle, made).table.n_rows
            waited = f"{rows:,} rows tabulated in {1e3 * table:.0f} ms, first event after {spent:.3f} s"
            print(f"edited plugin, {said}: {waited}")
        path.write_text(TEXT.format(barrier=1.6, watched=ALL))
        print(on_the_way(load(path), particle))
    for command in (["-c", "import ucnp_abm"], ["-m", "ucnp_abm.cli.main", "--help"]):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"python {' '.join(command)}: {cpu:.3f} s CPU")


if __name__ == "__main__":
    main()
