"""Cation exchange: the bath's yttrium replaces exposed lanthanide ions without any vacancy.

One of the explanations that fit the experiment as well as docking does: it covers the particle with yttrium, but it
leaves the vacancies inside. Reversible: the way back follows from the difference of the chemical potentials.

Source: Assumption. Cation exchange of lanthanides at nanocrystal surfaces is known (Dong and van Veggel, ACS Nano
2009, 3, 123, doi:10.1021/nn8004747); barrier and potential are round numbers.
"""

from __future__ import annotations

from ucnp_abm import IONS, RE, Env, Mechanism, hookimpl

cation_exchange = Mechanism(
    "cation-exchange",
    summary="Yttrium from the bath replaces exposed lanthanides; vacancies stay.",
    source="doi:10.1021/nn8004747 (that it happens); numbers: Assumption",
)
cation_exchange.parameter(
    "barrier", "1.65 eV", by_lattice={"alpha": "1.40 eV"}, doc="Kinetic barrier of every cation's hop into a vacancy."
)
cation_exchange.parameter("swap_barrier", "1.70 eV", doc="Barrier of an exchange at an exposed site.")
potential = cation_exchange.parameter(
    "chemical_potential", "0.10 eV", low=-10.0, doc="That of yttrium minus that of the lanthanide, in the bath."
)
activity = cation_exchange.parameter(
    "activity", 1.0, kind="number", doc="Activity of yttrium in the bath, at the start."
)
lanthanides = cation_exchange.parameter(
    "lanthanide_activity", 0.01, kind="number", doc="Activity of each lanthanide in the bath."
)
size = cation_exchange.parameter(
    "reservoir", None, kind="count", low=1, doc="Yttrium ions for each particle. Unset: infinitely many."
)
cation_exchange.reservoir("Y", activity=activity, size=size)
for symbol in RE:
    if symbol != "Y":
        cation_exchange.reservoir(symbol, activity=lanthanides)


@cation_exchange.hop(mover=IONS)
def hop_barrier(env: Env) -> float:
    """One barrier for all cations, as without a complex."""
    barrier: float = env.p.barrier
    return barrier


def swap_barrier(env: Env) -> float:
    """The same barrier for every lanthanide at every exposed site."""
    barrier: float = env.p.swap_barrier
    return barrier


for symbol in RE:
    if symbol != "Y":
        cation_exchange.swap(symbol, "Y", chemical_potential=potential)(swap_barrier)


@hookimpl
def ucnp_mechanisms() -> list[Mechanism]:
    return [cation_exchange]
