"""Speed of the Monte Carlo of many excitations on one core: the paper's particle, each rate set, weak and strong pumps.

python tests/bench/light_kmc.py              about five million events each
python tests/bench/light_kmc.py 50000000

Times are those of the events alone, burn-in and blocks included, building the lists of partners not.
"""

from __future__ import annotations

import sys
import time

from ucnp_abm import Particle
from ucnp_abm.photons.events import Run
from ucnp_abm.photons.excitons import told
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.system import system

PUMPS = (4.0, 100.0, 1e3, 1e4, 1e5)


def main() -> None:
    """Print a line for each set and pump."""
    events = int(float(sys.argv[1])) if len(sys.argv) > 1 else 5_000_000
    particle = Particle.core_shell(
        core="NaGdF4: 49% Yb, 1% Tm", diameter="6.7 nm", shell="NaYF4", thickness="1.65 nm", seed=1
    )
    print(
        f"{'set':<24}{'W/cm²':>8}{'excited':>9}{'events/s':>11}{'candidates/s':>14}{'acceptance':>12}{'s of light':>12}"
    )
    for rates in ("npt", "simetuc", "simetuc+npt-migration"):
        for pump in PUMPS:
            optics = Optics(rates=rates, pump=pump)
            run = Run(told(system(particle.crystal, particle.occupants, optics)), optics.set.pump(optics.intensity), 1)
            step = 0.01 * run.these.longest
            run.go(step)
            while run.state.tally[1] < events / 10:  # until the levels are filled, and as a measure of the rest
                run.go(step)
                step *= 1.5
            before, light, began = run.state.tally.copy(), 0.0, time.perf_counter()
            while run.state.tally[1] - before[1] < events:
                run.go(step)
                light += step
            spent = time.perf_counter() - began
            candidates, done = (int(n) for n in (run.state.tally - before)[:2])
            print(
                f"{rates:<24}{pump:>8g}{int(run.state.tally[2]):>9}{done / spent:>11.2e}{candidates / spent:>14.2e}"
                f"{done / candidates:>12.3f}{light:>12.3g}"
            )


if __name__ == "__main__":
    main()
