"""Cation exchange: the bath's yttrium replaces exposed lanthanide ions without any vacancy.

One of the explanations that fit the experiment as well as docking does: it covers the particle with yttrium, but it
leaves the vacancies inside. Reversible: the way back follows from the difference of the chemical potentials.

Source: Assumption. Cation exchange of lanthanides at nanocrystal surfaces is known (Dong and van Veggel, ACS Nano
2009, 3, 123, doi:10.1021/nn8004747); barrier and potential are round numbers.
"""

from __future__ import annotations

from ucnp_abm import RE, Env, Mechanism, hookimpl
from ucnp_abm_mechanisms.common import bath_of, vacancies_wander

cation_exchange = Mechanism(
    "cation-exchange",
    summary="Yttrium from the bath replaces exposed lanthanides; vacancies stay.",
    source="doi:10.1021/nn8004747 (that it happens); numbers: Assumption",
)
vacancies_wander(cation_exchange)
cation_exchange.parameter("swap_barrier", "1.70 eV", doc="Barrier of an exchange at an exposed site.")
potential = cation_exchange.parameter(
    "chemical_potential", "0.10 eV", low=-10.0, doc="That of yttrium minus that of the lanthanide, in the bath."
)
bath_of(cation_exchange, "Y")
lanthanides = cation_exchange.parameter(
    "lanthanide_activity", 0.01, kind="number", doc="Activity of each lanthanide in the bath."
)
for symbol in RE:
    if symbol != "Y":
        cation_exchange.reservoir(symbol, activity=lanthanides)


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
