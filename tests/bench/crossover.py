"""Rejection against the sum tree for laws of growing contrast: at which acceptance the tree becomes the faster one.

python tests/bench/crossover.py

*Movers*: 2 % fast ions among slow ones, the law reads only the mover. *Neighbours*: the barrier grows with each Gd next
to either end, so that the law reads the neighbours of both. Boxes with 1 % vacancies.
"""

import argparse
import itertools
import math

from ucnp_abm import Mechanism, Simulation
from ucnp_abm.crystal.particle import Box
from ucnp_abm.engine.simulation import CROSSOVER
from ucnp_abm.study.throughput import TEMPERATURE, pace
from ucnp_abm.units import BOLTZMANN

SECONDS, TURNS = 0.1, 4
CELLS = {"fcc": {"7k": 12, "64k": 25}, "beta": {"7k": 15, "64k": 32}}
SLOW = (0.3, 0.1, 0.05, 0.02, 0.005, 0.0005)
SLOPES = {"fcc": (0.005, 0.01, 0.02, 0.03, 0.04), "beta": (0.01, 0.02, 0.03, 0.045, 0.06)}


def movers(ratio):
    """Tm hops at the rate of 1.65 eV, Y `ratio` times as fast."""
    rules = Mechanism("contrast", summary="A workload.", source="Assumption: round numbers")
    rules.hop(mover="Tm")(lambda env: 1.65)
    rules.hop(mover="Y")(lambda env: 1.65 - BOLTZMANN * TEMPERATURE * math.log(ratio))
    return "Y: 2% Tm", rules


def neighbours(slope):
    """The barrier grows by `slope` / eV with each Gd next to either end."""
    rules = Mechanism("contrast", summary="A workload.", source="Assumption: round numbers")
    rules.hop(mover=("Y", "Gd"))(lambda env: 1.65 + slope * env.n["Gd"])
    return "Y: 50% Gd", rules


def compared(lattice, size, ions, rules):
    """Acceptance, and events / s⁻¹ by rejection and by the tree."""
    particle = Box(lattice, (CELLS[lattice][size],) * 3, ions, vacancies=0.01).build(1)
    both = [Simulation(particle, rules, TEMPERATURE, seed=1, scheduler=s) for s in ("rejection", "sum-tree")]
    best = [(0.0, 0.0), (0.0, 0.0)]
    for simulation in both:
        simulation.run(events=1000)
    for _ in range(TURNS):  # in turns: the machine's pace varies
        for n, simulation in enumerate(both):
            best[n] = max(best[n], pace(simulation, repeats=3, seconds=SECONDS)[:2])
    (events, candidates), (by_tree, _) = best
    return events / candidates, events, by_tree


def equal(rows):
    """The acceptance at which both are equally fast, between the two rows around it on logarithmic scales; or None."""
    for (a, r, t), (b, s, u) in itertools.pairwise(rows):
        before, after = math.log(r / t), math.log(s / u)
        if before >= 0 > after:
            return math.exp(math.log(a) + (math.log(b) - math.log(a)) * before / (before - after))
    return None


def measure(tell=print):
    """Lines of a Markdown table, and the crossovers found, by law, lattice and size."""
    tell(
        "| law reads | lattice | sites | acceptance | rejection, M events/s | sum tree, M events/s | rejection / tree |"
    )
    tell("|---|---|---|---|---|---|---|")
    crossings = {}
    for law, make, contrasts in (("mover", movers, dict.fromkeys(CELLS, SLOW)), ("neighbours", neighbours, SLOPES)):
        for lattice, sizes in CELLS.items():
            for size in sizes:
                rows = []
                for contrast in contrasts[lattice]:
                    rows.append(compared(lattice, size, *make(contrast)))
                    a, r, t = rows[-1]
                    numbers = f"{100 * a:.2g} % | {r / 1e6:.2f} | {t / 1e6:.2f} | {r / t:.2f}"
                    tell(f"| {law} | {lattice} | {size} | {numbers} |")
                crossings[law, lattice, size] = equal(rows)
    return crossings


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    crossings = measure(lambda line: print(line, flush=True))
    print(f"\nequally fast at this acceptance ('auto' takes the tree below {CROSSOVER}):")
    for (law, lattice, size), acceptance in crossings.items():
        print(f"  {law}, {lattice}, {size}: {'none of these' if acceptance is None else f'{acceptance:.3f}'}")


if __name__ == "__main__":
    main()
