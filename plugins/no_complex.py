"""Annealing without a complex: vacancies wander and shuffle core into shell.

What a bare surface does with a vacancy is the model's main assumption, so it is a choice: it reflects vacancies (they
are conserved; the paper's contrast needs this), absorbs them (a sink purifies just as docking does), or loses ions.

Source: the picture is that of Chen et al., Nano Lett. 2023, 23, 7221 (doi:10.1021/acs.nanolett.3c01621). All barriers
are assumptions.
"""

from __future__ import annotations

from ucnp_abm import IONS, Env, Mechanism, hookimpl
from ucnp_abm_mechanisms.common import vacancies_wander

no_complex = Mechanism(
    "no-complex",
    summary="Vacancies wander and shuffle core into shell; nothing fills them.",
    source="doi:10.1021/acs.nanolett.3c01621 (picture); barriers and surface: Assumption",
)
vacancies_wander(no_complex)
no_complex.choice(
    "surface", "reflecting", ("reflecting", "sink", "etch"), doc="What a bare surface does with vacancies and ions."
)
no_complex.parameter("etch_barrier", "1.95 eV", doc="Barrier at which an exposed ion leaves, if the surface etches.")


@no_complex.sink(irreversible=True, when={"surface": "sink"})
def sink_barrier(env: Env) -> float:
    """Absorbed at the rate of one hop. Assumption."""
    barrier: float = env.p.barrier
    return barrier


@no_complex.etch(IONS, irreversible=True, when={"surface": "etch"})
def etch_barrier(env: Env) -> float:
    """0.26 an hour for each exposed ion at 300 °C. Assumption."""
    barrier: float = env.p.etch_barrier
    return barrier


@hookimpl
def ucnp_mechanisms() -> list[Mechanism]:
    return [no_complex]
