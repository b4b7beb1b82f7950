"""The contrast under two other assumptions: docking at one bulk hop rate, and ordered, immobile sodium.

python tests/bench/variants.py
"""

import math
from dataclasses import replace

from ucnp_abm import Protocol, mechanism
from ucnp_abm.study.replicas import PAPER_PARTICLE, PAPER_STEPS, anneal
from ucnp_abm.study.statistics import mean
from ucnp_abm.units import BOLTZMANN

SEEDS = range(20)


def show(title, mechanisms, recipe, protocol):
    for name, runs in anneal(mechanisms, recipe, protocol, SEEDS, PAPER_STEPS).items():
        for step in PAPER_STEPS[1:]:
            outside, left = (mean([t.at(step, c) for t in runs]) for c in ("outside_core_pct", "vacancies"))
            print(f"{title}, {name}, {step:4d} steps: {outside} % outside the core, {left} vacancies")


def main():
    protocol = Protocol.parse("300 °C")
    bulk = 1.65 - BOLTZMANN * protocol.temperature(0) * math.log(8)  # z = 8 hops of 1.65 eV together
    show("docking at one bulk hop rate", [mechanism("y-complex", dock_barrier=bulk)], PAPER_PARTICLE, protocol)
    ordered = replace(PAPER_PARTICLE, order="ordered")
    show("ordered sodium", [mechanism("no-complex"), mechanism("y-complex")], ordered, protocol)


if __name__ == "__main__":
    main()
