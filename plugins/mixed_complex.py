"""Annealing with two complexes at once: yttrium and gadolinium oleate compete for every exposed vacancy.

Which one docks is a multinomial draw in the rates, so at equal barriers the activities set the odds. Reservoirs may be
finite, and then the odds follow what is left.

Source: Assumption (the two mechanisms side by side, without interaction between the complexes).
"""

from __future__ import annotations

from ucnp_abm import IONS, Env, Mechanism, hookimpl

mixed_complex = Mechanism(
    "mixed-complex",
    summary="Y-oleate and Gd-oleate compete for the vacancies that reach the surface.",
    source="Assumption: both as alone, no interaction",
)
mixed_complex.parameter(
    "barrier", "1.65 eV", by_lattice={"alpha": "1.40 eV"}, doc="Kinetic barrier of every cation's hop into a vacancy."
)
for symbol, name in (("Y", "yttrium"), ("Gd", "gadolinium")):
    key = symbol.lower()
    mixed_complex.parameter(f"{key}_dock_barrier", "1.20 eV", doc=f"Barrier of docking of {name}.")
    activity = mixed_complex.parameter(
        f"{key}_activity", 0.5, kind="number", doc=f"Activity of the {name} complex in the bath, at the start."
    )
    size = mixed_complex.parameter(
        f"{key}_reservoir", None, kind="count", low=1, doc=f"Complexes of {name} for each particle. Unset: infinite."
    )
    mixed_complex.reservoir(symbol, activity=activity, size=size)


@mixed_complex.hop(mover=IONS)
def hop_barrier(env: Env) -> float:
    """One barrier for all cations, as without a complex."""
    barrier: float = env.p.barrier
    return barrier


@mixed_complex.dock("Y", irreversible=True)
def yttrium_barrier(env: Env) -> float:
    """The same barrier at every exposed site."""
    barrier: float = env.p.y_dock_barrier
    return barrier


@mixed_complex.dock("Gd", irreversible=True)
def gadolinium_barrier(env: Env) -> float:
    """The same barrier at every exposed site."""
    barrier: float = env.p.gd_dock_barrier
    return barrier


@hookimpl
def ucnp_mechanisms() -> list[Mechanism]:
    return [mixed_complex]
