"""Annealing with gadolinium oleate: as with yttrium oleate, and one named reason why it may help less.

The paper finds Gd slightly below Y. Nothing in this model makes it so: docked ions sit outside the core, most of them
on the outermost sites. So the reason is a choice, each with a fingerprint of its own, and every result names it:

- `none`: gadolinium docks exactly as yttrium does.
- `weaker-binding`: docking is reversible with a finite chemical potential; vacancies are left, all lines are weaker.
- `slower`: docking meets a higher barrier; more mixing before the crystal is clean.
- `gd-path`: atoms as for `none`; energy migrates over gadolinium to surface traps, so only the ultraviolet suffers
  (a matter of the light, not of the atoms).
- `empirical`: atoms as for `none`; the paper's factor is imposed on the light, and said to be.

Source: the picture is that of Chen et al., Nano Lett. 2023, 23, 7221 (doi:10.1021/acs.nanolett.3c01621). All numbers
are assumptions.
"""

from __future__ import annotations

from ucnp_abm import Env, Mechanism, hookimpl
from ucnp_abm_mechanisms.common import bath_of, vacancies_wander

gd_complex = Mechanism(
    "gd-complex",
    summary="Gd-oleate docks: vacancies that reach the surface are filled with gadolinium.",
    source="doi:10.1021/acs.nanolett.3c01621 (picture); barriers and reason: Assumption",
)
vacancies_wander(gd_complex)
gd_complex.parameter("dock_barrier", "1.20 eV", doc="Barrier of docking at an exposed vacancy.")
gd_complex.choice(
    "why",
    "none",
    ("none", "weaker-binding", "slower", "gd-path", "empirical"),
    doc="Why gadolinium may help less than yttrium.",
)
potential = gd_complex.parameter(
    "chemical_potential", "0.25 eV", low=-10.0, doc="Chemical potential of the complex, if it binds weaker."
)
gd_complex.parameter("slower_by", "0.50 eV", doc="What is added to the barrier of docking, if it is slower.")
bath_of(gd_complex, "Gd")


@gd_complex.dock("Gd", irreversible=True, when={"why": ["none", "gd-path", "empirical"]})
@gd_complex.dock("Gd", chemical_potential=potential, when={"why": "weaker-binding"})
def dock_barrier(env: Env) -> float:
    """The same barrier at every exposed site."""
    barrier: float = env.p.dock_barrier
    return barrier


@gd_complex.dock("Gd", irreversible=True, when={"why": "slower"})
def slow_dock_barrier(env: Env) -> float:
    """The barrier of docking, raised."""
    barrier: float = env.p.dock_barrier + env.p.slower_by
    return barrier


@hookimpl
def ucnp_mechanisms() -> list[Mechanism]:
    return [gd_complex]
