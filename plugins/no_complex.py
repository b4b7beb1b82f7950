"""Annealing without a complex: vacancies wander and shuffle core into shell.

What a bare surface does with a vacancy is the model's main assumption, so it is a choice: it reflects vacancies (they
are conserved; the paper's contrast needs this), absorbs them (a sink purifies just as docking does), or loses ions.

Source: the picture is that of Chen et al., Nano Lett. 2023, 23, 7221 (doi:10.1021/acs.nanolett.3c01621). The barriers
are assumptions: 1.65 eV with an attempt frequency of 1e13 /s gives about 1 nm of mixing in 1 h at 300 °C; 1.40 eV in
the cubic phase, because it mixes at 200 °C where the hexagonal one does not (Chem. Synth. 2023, 3, 29).
"""

from __future__ import annotations

from ucnp_abm import IONS, Env, Mechanism, hookimpl

no_complex = Mechanism(
    "no-complex",
    summary="Vacancies wander and shuffle core into shell; nothing fills them.",
    source="doi:10.1021/acs.nanolett.3c01621 (picture); barriers and surface: Assumption",
)
no_complex.parameter(
    "barrier", "1.65 eV", by_lattice={"alpha": "1.40 eV"}, doc="Kinetic barrier of every cation's hop into a vacancy."
)
no_complex.choice(
    "surface", "reflecting", ("reflecting", "sink", "etch"), doc="What a bare surface does with vacancies and ions."
)
no_complex.parameter("etch_barrier", "1.95 eV", doc="Barrier at which an exposed ion leaves, if the surface etches.")


@no_complex.hop(mover=IONS)
def hop_barrier(env: Env) -> float:
    """One barrier for all cations: an ideal solution (size misfit is 8-15 meV against kT = 49 meV)."""
    barrier: float = env.p.barrier
    return barrier


@no_complex.sink(irreversible=True, when={"surface": "sink"})
def sink_barrier(env: Env) -> float:
    """Absorbed at the rate of one hop. Assumption."""
    barrier: float = env.p.barrier
    return barrier


@no_complex.etch(IONS, irreversible=True, when={"surface": "etch"})
def etch_barrier(env: Env) -> float:
    """About 26 % of the exposed ions an hour at 300 °C. Assumption."""
    barrier: float = env.p.etch_barrier
    return barrier


@hookimpl
def ucnp_mechanisms() -> list[Mechanism]:
    return [no_complex]
