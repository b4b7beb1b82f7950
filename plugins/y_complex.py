"""Annealing with yttrium oleate: a vacancy that reaches the surface is filled by the complex's yttrium.

Source: the picture is that of Chen et al., Nano Lett. 2023, 23, 7221 (doi:10.1021/acs.nanolett.3c01621). Both
barriers are assumptions; docking is fast against hopping, because the supply of complexes is (about 1e6 /s a site at
0.05 M).
"""

from __future__ import annotations

from ucnp_abm import IONS, Env, Mechanism, hookimpl

y_complex = Mechanism(
    "y-complex",
    summary="Y-oleate docks: vacancies that reach the surface are filled with yttrium.",
    source="doi:10.1021/acs.nanolett.3c01621 (picture); barriers: Assumption",
)
y_complex.parameter(
    "barrier", "1.65 eV", by_lattice={"alpha": "1.40 eV"}, doc="Kinetic barrier of every cation's hop into a vacancy."
)
y_complex.parameter("dock_barrier", "1.20 eV", doc="Barrier of docking at an exposed vacancy.")
potential = y_complex.parameter(
    "chemical_potential",
    None,
    low=-10.0,
    doc="Chemical potential of the complex. Unset: docking is irreversible. Set: undocking follows from it.",
)
activity = y_complex.parameter("activity", 1.0, kind="number", doc="Activity of the complex in the bath, at the start.")
size = y_complex.parameter(
    "reservoir", None, kind="count", low=1, doc="Complexes for each particle. Unset: infinitely many."
)
y_complex.reservoir("Y", activity=activity, size=size)


@y_complex.hop(mover=IONS)
def hop_barrier(env: Env) -> float:
    """One barrier for all cations, as without a complex."""
    barrier: float = env.p.barrier
    return barrier


@y_complex.dock("Y", chemical_potential=potential)
def dock_barrier(env: Env) -> float:
    """The same barrier at every exposed site."""
    barrier: float = env.p.dock_barrier
    return barrier


@hookimpl
def ucnp_mechanisms() -> list[Mechanism]:
    return [y_complex]
