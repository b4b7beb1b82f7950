"""Speed of light: networks, fates, decays and upconversion by size, the graph and the walk, one core.

python tests/bench/light.py [--large]
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import time

from ucnp_abm import Particle
from ucnp_abm.photons.decays import course
from ucnp_abm.photons.graph import EnergyGraph
from ucnp_abm.photons.network import network
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.solve import decay, fate
from ucnp_abm.photons.steady import steady
from ucnp_abm.photons.system import system
from ucnp_abm.photons.walker import walk

PARTICLES = {
    "paper": ("NaGdF4: 49% Yb, 1% Tm", "6.7 nm", "1.65 nm"),
    "10k donors": ("NaGdF4: 49% Yb, 1% Tm", "14.2 nm", "2 nm"),
    "100k donors": ("NaGdF4: 49% Yb, 0.1% Tm", "30.8 nm", "2 nm"),
}


def timed(function, *arguments):
    begin = time.perf_counter()
    found = function(*arguments)
    return time.perf_counter() - begin, found


def main() -> None:
    """Print a table: seconds of each part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="100 000 donors as well")
    chosen = list(PARTICLES)[: 3 if parser.parse_args().large else 2]
    print("| particle | Yb | set | network / s | fate / s | decay / s | stationary / s | after a pulse / s |")
    print("|---|---|---|---|---|---|---|---|")
    for name in chosen:
        core, diameter, thickness = PARTICLES[name]
        particle = Particle.core_shell(core=core, diameter=diameter, shell="NaYF4", thickness=thickness, seed=1)
        for rates in ("npt", "simetuc"):
            optics = Optics(rates=rates)
            network(particle.crystal, particle.occupants, optics)  # compiles, once
            first, built = timed(network, particle.crystal, particle.occupants, optics)
            parts = [first, timed(fate, built)[0], timed(decay, built)[0]]
            if name != "100k donors":
                seen = system(particle.crystal, particle.occupants, optics)
                spent, stationary = timed(steady, seen)
                parts += [spent, timed(course, seen, stationary)[0]]
            told = " | ".join(f"{part:.2f}" for part in parts)
            print(
                f"| {name} | {built.n_carriers} | {rates} | {told}{' | - | -' if len(parts) == 3 else ''} |", flush=True
            )

    core, diameter, thickness = PARTICLES["paper"]
    particle = Particle.core_shell(core=core, diameter=diameter, shell="NaYF4", thickness=thickness, seed=1)
    near = network(particle.crystal, particle.occupants, Optics(cutoff="20 Å"))
    spent, graph = timed(EnergyGraph.of, near)
    edges = graph.number_of_edges()
    print(f"\ngraph of the paper's particle, 20 Å: {edges} edges, {1e6 * spent / edges:.1f} µs each")
    walk(near, walks=10)  # compiles, once
    spent, walked = timed(walk, near, 20_000)
    print(f"walk: {walked.hops.sum() / spent / 1e6:.1f} M hops/s")


if __name__ == "__main__":
    main()
