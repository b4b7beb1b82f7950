"""Bulk decays of each rate set against those measured on beta-NaYF4: 25 % Yb, 0.3 % Tm; nothing is tuned.

    python docs/figures/bulk_decays.py

A periodic box without vacancies; each set with its own migration. Measured: 1/e after the peak of the decays that
simetuc ships (Villanueva-Delgado et al., J. Phys. Chem. C 2015, 119, 23648, doi:10.1021/acs.jpcc.5b06770), background
removed.
"""

from __future__ import annotations

from ucnp_abm import Particle, light
from ucnp_abm.photons.decays import lifetimes

MEASURED = {"Yb": 1.75, "3H4": 2.495, "1G4": 1.575, "1D2": 1.367}
"""ms."""


def main() -> None:
    """Print a table / ms."""
    box = Particle.box(lattice="beta", cells=(18, 18, 18), composition="NaYF4: 25% Yb, 0.3% Tm", vacancies=0, seed=1)
    print(f"| 1/e after the peak / ms | {' | '.join(MEASURED)} |")
    print(f"|---|{'---|' * len(MEASURED)}")
    print(f"| measured | {' | '.join(f'{value:.2f}' for value in MEASURED.values())} |")
    for rates in ("simetuc", "npt", "simetuc+npt-migration"):
        course = light(box, rates=rates).glows[0].course("pulse")
        ion = light(box, rates=rates).optics.set.ion("Tm")
        curves = {"Yb": course.yb} | {level: course.levels["Tm"][:, ion.number(level)] for level in list(MEASURED)[1:]}
        found = [1e3 * lifetimes(course.times_s, curve).to_1_e_s for curve in curves.values()]
        told = [f"{f:.2f} ({100 * (f / m - 1):+.0f} %)" for f, m in zip(found, MEASURED.values(), strict=True)]
        print(f"| {rates} | {' | '.join(told)} |", flush=True)


if __name__ == "__main__":
    main()
