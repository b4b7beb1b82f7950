"""Annealing with two complexes at once: yttrium and gadolinium oleate compete for every exposed vacancy.

Which one docks is a multinomial draw in the rates, so at equal barriers the activities set the odds. Reservoirs may be
finite, and then the odds follow what is left.

Source: Assumption (the two mechanisms side by side, without interaction between the complexes).
"""

from __future__ import annotations

from ucnp_abm import Env, Mechanism, hookimpl
from ucnp_abm_mechanisms.common import bath_of, vacancies_wander

mixed_complex = Mechanism(
    "mixed-complex",
    summary="Y-oleate and Gd-oleate compete for the vacancies that reach the surface.",
    source="Assumption: both as alone, no interaction",
)
vacancies_wander(mixed_complex)
for symbol in ("Y", "Gd"):
    mixed_complex.parameter(f"{symbol.lower()}_dock_barrier", "1.20 eV", doc=f"Barrier of docking of {symbol}.")
    bath_of(mixed_complex, symbol, activity=0.5, prefix=f"{symbol.lower()}_")


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
