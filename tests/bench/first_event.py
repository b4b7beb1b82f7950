"""How long an author waits: from an edited plugin file to its first event, and for `--help`.

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
from ucnp_abm.study.replicas import PAPER_PARTICLE

TEXT = """
from ucnp_abm import IONS, Mechanism
trial = Mechanism("trial", summary="An edited plugin.", source="Assumption: a benchmark")
@trial.hop(mover=IONS)
def barrier(env):
    return {barrier} {watched}
@trial.dock("Lu", irreversible=True)
def attach(env):
    return 1.2
"""


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


def main():
    particle = PAPER_PARTICLE.build(1)
    print(f"{platform.platform()}, Python {platform.python_version()}, {particle.crystal.n_sites} sites")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.py"
        first_event(path, particle, TEXT.format(barrier=1.5, watched=""))
        for n, watched in enumerate(("", "+ 0.01 * env.n['Yb']", "+ 0.01 * (env.n['Yb'] + env.n['Gd'])")):
            spent = first_event(path, particle, TEXT.format(barrier=1.6, watched=watched))
            print(f"edited plugin, {n} watched species: first event after {spent:.3f} s")
    for command in (["-c", "import ucnp_abm"], ["-m", "ucnp_abm.cli.main", "--help"]):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"python {' '.join(command)}: {cpu:.3f} s CPU")


if __name__ == "__main__":
    main()
