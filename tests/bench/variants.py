"""The contrast under two other assumptions: docking at one bulk hop rate, and ordered, immobile sodium.

python tests/bench/variants.py
"""

import math
from dataclasses import replace

from ucnp_abm import Protocol, mechanism
from ucnp_abm.study.cells import PAPER_PARTICLE, PAPER_STEPS
from ucnp_abm.study.compare import run_design
from ucnp_abm.study.design import design
from ucnp_abm.study.report import tables
from ucnp_abm.units import BOLTZMANN

SEEDS = range(20)


def show(title, mechanisms, recipe, protocol):
    result = run_design(design(mechanisms, recipe, protocol, SEEDS, marks=PAPER_STEPS), title)
    print(f"{title}\n\n{tables.aligned(tables.means(result, str))}\n")


def main():
    protocol = Protocol.parse("300 °C")
    bulk = 1.65 - BOLTZMANN * protocol.temperature(0) * math.log(8)  # z = 8 hops of 1.65 eV together
    show("docking at one bulk hop rate", [mechanism("y-complex", dock_barrier=bulk)], PAPER_PARTICLE, protocol)
    show("ordered sodium", ["no-complex", "y-complex"], replace(PAPER_PARTICLE, order="ordered"), protocol)


if __name__ == "__main__":
    main()
