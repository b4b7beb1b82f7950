"""What a large core-shell particle costs: bytes for each site by array, resident memory, peaks, and times (Linux).

python tests/bench/memory.py                   4 million sites on beta and on fcc, each in a fresh process
python tests/bench/memory.py beta 1e6          another lattice or size
python tests/bench/memory.py replicas beta 1e6 two forked workers on one crystal: their proportional set sizes
"""

import ctypes
import gc
import math
import multiprocessing
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from ucnp_abm import Simulation, mechanism, observables
from ucnp_abm.crystal.lattice import named
from ucnp_abm.crystal.particle import CoreShell
from ucnp_abm.study.throughput import arrays

SMALL, EVENTS = 2e3, 200_000


def recipe(name, sites):
    """The paper's proportions (core two thirds of the diameter) and default vacancies, for so many sites."""
    kind = named(name)
    volume = abs(np.linalg.det(np.array(kind.cell))) / len(kind.basis)
    diameter = (6 * sites * volume / math.pi) ** (1 / 3)
    core, shell = ("NaGdF4: 49% Yb, 1% Tm", "NaYF4") if kind.sodium else ("Gd: 49% Yb, 1% Tm", "Y")
    return CoreShell(core, 0.67 * diameter, shell, 0.165 * diameter, lattice=name)


def anneal(particle, events=EVENTS):
    simulation = Simulation(particle, mechanism("no-complex"), "300 °C", seed=2)
    simulation.run(events=events)
    return simulation


def status(what):
    """VmRSS (resident now) or VmHWM (peak since `forget_peak`) / bytes."""
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(what)).split()[1])


def give_back():
    """Let the C library return the memory that was freed to the system; what is resident then is in use."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def one(name, sites):
    """One particle in this process, which has compiled the loop with a small one before."""
    observables.read(anneal(recipe(name, SMALL).build(1)), observables.DEFAULT)
    spent, peak, resident = {}, {}, {}

    def timed(what, call):
        forget_peak()
        begin = time.perf_counter()
        result = call()
        spent[what] = time.perf_counter() - begin
        peak[what] = status("VmHWM") - before
        resident[what] = status("VmRSS") - before
        return result

    give_back()
    before = status("VmRSS")
    particle = timed("build the particle", lambda: recipe(name, sites).build(1))
    simulation = timed("build the simulation", lambda: Simulation(particle, mechanism("no-complex"), seed=2))
    timed(f"run {EVENTS} events", lambda: simulation.run(events=EVENTS))
    row = timed("read the default observables", lambda: observables.read(simulation, observables.DEFAULT))
    timed("read the r.m.s. displacement", lambda: observables.read(simulation, ["rms_displacement_nm"]))
    timed("read the Warren-Cowley parameters", lambda: observables.read(simulation, ["warren_cowley"]))
    timed("grow another seed's particle", lambda: recipe(name, sites).build(2) and None)
    timed("return freed memory", give_back)
    n = particle.crystal.n_sites
    grid, vacant = particle.crystal.place.size / n, row["vacancies"]
    print(f"\n{name}: {n} sites, {grid:.2f} grid points for each, {vacant} vacancies", flush=True)
    found = sorted(arrays(simulation), key=lambda pair: -pair[1].nbytes)
    for path, array in found:
        if array.nbytes / n >= 0.005:
            print(f"  {path:42}{array.dtype!s:9}{array.size:10}{array.nbytes / n:9.2f} B/site")
    total = sum(array.nbytes for _, array in found)
    print(f"  {'all ' + str(len(found)) + ' arrays':42}{'':19}{total / n:9.2f} B/site")
    for what in spent:
        print(
            f"  {what:36}{spent[what]:7.2f} s; resident after it {resident[what] / n:6.2f} B/site "
            f"({resident[what] / 1e6:.0f} MB), at its peak {peak[what] / 1e6:.0f} MB"
        )


def worker(grown, seed, ready, done):
    simulation = anneal(grown.build(seed))
    ready.put(seed)
    done.wait()
    del simulation


def replicas(name, sites):
    """Two forked workers, on a crystal that the parent holds, and on their own."""
    anneal(recipe(name, SMALL).build(1))
    context = multiprocessing.get_context("fork")
    grown, held = recipe(name, sites), None
    for share in (False, True):
        if share:
            held = grown.geometry()
        ready, done = context.Queue(), context.Event()
        workers = [context.Process(target=worker, args=(grown, seed, ready, done)) for seed in (1, 2)]
        for each in workers:
            each.start()
        for _ in workers:
            ready.get()
        sizes = []
        for each in workers:
            lines = Path(f"/proc/{each.pid}/smaps_rollup").read_text().splitlines()
            sizes.append(1024 * int(next(line for line in lines if line.startswith("Pss:")).split()[1]))
        done.set()
        for each in workers:
            each.join()
        print(f"{name}, crystal {'of the parent' if share else 'of its own'}: Pss {[round(s / 1e6) for s in sizes]} MB")
    print(f"{held.n_sites} sites; the crystal has {held.nbytes / 1e6:.1f} MB")


def main(words):
    if words[:1] == ["--one"]:
        one(words[1], float(words[2]))
    elif words[:1] == ["replicas"]:
        replicas(words[1], float(words[2]))
    else:
        print(f"{platform.platform()}, Python {platform.python_version()}, numpy {np.__version__}", flush=True)
        for name, sites in [(words[0], words[1])] if words else [("beta", "4e6"), ("fcc", "4e6")]:
            subprocess.run([sys.executable, __file__, "--one", name, sites], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
