"""Annealing with yttrium oleate: a vacancy that reaches the surface is filled by the complex's yttrium.

Source: the picture is that of Chen et al., Nano Lett. 2023, 23, 7221 (doi:10.1021/acs.nanolett.3c01621). Both
barriers are assumptions; docking is fast against hopping, because the supply of complexes is (about 1e6 /s a site at
0.05 M).
"""

from __future__ import annotations

from ucnp_abm import Env, Mechanism, hookimpl
from ucnp_abm_mechanisms.common import bath_of, vacancies_wander

y_complex = Mechanism(
    "y-complex",
    summary="Y-oleate docks: vacancies that reach the surface are filled with yttrium.",
    source="doi:10.1021/acs.nanolett.3c01621 (picture); barriers: Assumption",
)
vacancies_wander(y_complex)
y_complex.parameter("dock_barrier", "1.20 eV", doc="Barrier of docking at an exposed vacancy.")
potential = y_complex.parameter(
    "chemical_potential",
    None,
    low=-10.0,
    doc="Chemical potential of the complex. Unset: docking is irreversible. Set: undocking follows from it.",
)
bath_of(y_complex, "Y")


@y_complex.dock("Y", chemical_potential=potential)
def dock_barrier(env: Env) -> float:
    """The same barrier at every exposed site."""
    barrier: float = env.p.dock_barrier
    return barrier


@hookimpl
def ucnp_mechanisms() -> list[Mechanism]:
    return [y_complex]
