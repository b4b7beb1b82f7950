"""Annealing without a complex: vacancies wander and are conserved; the surface reflects them.

Source: the picture is that of Chen et al., Nano Lett. 2023, 23, 7221 (doi:10.1021/acs.nanolett.3c01621). The barrier is
an assumption: 1.65 eV with an attempt frequency of 1e13 /s gives about 1 nm of mixing in 1 h at 300 °C.
"""

from __future__ import annotations

from ucnp_abm import IONS, Env, Mechanism, hookimpl

no_complex = Mechanism(
    "no-complex",
    summary="Vacancies wander and shuffle core into shell; nothing fills them.",
    source="doi:10.1021/acs.nanolett.3c01621 (picture); barrier: Assumption",
)
no_complex.parameter("barrier", "1.65 eV", doc="Kinetic barrier of every cation's hop into a vacancy.")


@no_complex.hop(mover=IONS)
def hop_barrier(env: Env) -> float:
    """One barrier for all cations: an ideal solution (size misfit is 8-15 meV against kT = 49 meV)."""
    barrier: float = env.p.barrier
    return barrier


@hookimpl
def ucnp_mechanisms() -> list[Mechanism]:
    return [no_complex]
