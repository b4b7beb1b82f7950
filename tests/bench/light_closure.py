"""Rate equations against the full Monte Carlo, with and without correlated neighbours: deviation / % by level.

    python tests/bench/light_closure.py [events, 3e7 by default]

± is the standard error of Monte Carlo; levels that it samples to worse than 30 % are left out.
"""

from __future__ import annotations

import sys

from ucnp_abm import Particle
from ucnp_abm.photons.montecarlo import monte_carlo
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.steady import steady
from ucnp_abm.photons.system import system

PARTICLES = {
    "paper": ("NaGdF4: 49% Yb, 1% Tm", "6.7 nm", "1.65 nm"),
    "small": ("NaGdF4: 49% Yb, 4% Tm", "3 nm", "1 nm"),
}
LEVELS = ("3F4", "3H4", "1G4", "1D2")


def main() -> None:
    """Print a table."""
    events = int(float(sys.argv[1])) if len(sys.argv) > 1 else 30_000_000
    print(f"| particle | set | W/cm² | Yb | {' | '.join(LEVELS)} |")
    print(f"|---|---|---|---|{'---|' * len(LEVELS)}")
    for name, (core, diameter, thickness) in PARTICLES.items():
        particle = Particle.core_shell(core=core, diameter=diameter, shell="NaYF4", thickness=thickness, seed=1)
        for rates in ("npt", "simetuc"):
            for pump in (4.0, 1e2, 1e3, 1e4):
                optics = [Optics(rates=rates, pump=pump, correlated=each) for each in (True, False)]
                seen = [system(particle.crystal, particle.occupants, each) for each in optics]
                sampled = monte_carlo(seen[0], events=events, seed=1)
                with_, without = (steady(each) for each in seen)
                yb = 100 * (with_.yb.mean() / sampled.mean["Yb"][1] - 1)
                row = [name, rates, f"{pump:g}", f"{yb:+.0f}"]
                for level in LEVELS:
                    n = optics[0].set.ion("Tm").number(level)
                    mean, error = sampled.mean["Tm"][n], sampled.mean_error["Tm"][n]
                    if mean > 0 and error < 0.3 * mean:
                        off = [100 * (each.activators["Tm"][:, n].mean() / mean - 1) for each in (with_, without)]
                        row.append(f"{off[0]:+.0f} ({off[1]:+.0f}) ± {100 * error / mean:.0f}")
                    else:
                        row.append("-")
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
