"""Observables of light, at the default `Optics` (4 W/cm² at 980 nm, rate set npt, cyclohexane) or at those in `under`.

The photons are imported when the first of these is read: a run without light does not pay for them. All four of one
moment come from one solution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.observables.named import Observable, observable
from ucnp_abm.rules.mechanism import Mechanism

if TYPE_CHECKING:
    from ucnp_abm.photons.light import Light
    from ucnp_abm.photons.optics import Optics

SHIPPED: list[Observable] = []
"""In the order in which they are told."""
_LAST: WeakKeyDictionary[Simulation, tuple[bytes, Mechanism, Light]] = WeakKeyDictionary()
"""The light of the state that was read last, with its species and its mechanism, which may say what it means for light;
one entry, which goes with its simulation."""
_OPTICS: ContextVar[Optics | None] = ContextVar("optics", default=None)


@contextmanager
def under(optics: Optics | None) -> Iterator[None]:
    """Read the light at these optics until the block ends; None: at the default."""
    token = _OPTICS.set(optics)
    _LAST.clear()
    try:
        yield
    finally:
        _OPTICS.reset(token)
        _LAST.clear()


def _ships(name: str, unit: str, *needed: str) -> Callable[[Callable[[Light], float]], Observable]:
    """An observable that is nan unless the crystal holds Yb and one of the ions that it needs, if any."""

    def declare(function: Callable[[Light], float]) -> Observable:
        def read(simulation: Simulation) -> float:
            here = simulation.state.species[simulation.crystal.sites]
            there = [symbol for symbol in ("Yb", *needed) if (here == SPECIES[symbol].code).any()]
            if "Yb" not in there or (needed and len(there) == 1):
                return math.nan
            return function(_seen(simulation, here.tobytes()))

        read.__doc__ = function.__doc__
        SHIPPED.append(observable(name, unit=unit, costly=True)(read))
        return SHIPPED[-1]

    return declare


def _seen(simulation: Simulation, species: bytes) -> Light:
    """The light of the present state, solved once."""
    from ucnp_abm.photons.light import light

    last = _LAST.get(simulation)
    if last is None or last[0] != species or last[1] is not simulation.mechanism:
        _LAST.clear()
        _LAST[simulation] = last = (species, simulation.mechanism, light(simulation, _OPTICS.get()))
    return last[2]


@_ships("qy", "", "Tm", "Er")
def quantum_yield(seen: Light) -> float:
    """Upconverted photons up to 850 nm per photon absorbed, under the pump; nan without Yb, or without Tm and Er."""
    return seen.quantum_yield("all")


@_ships("tau_450_ms", "ms", "Tm")
def tau_450(seen: Light) -> float:
    """Time / ms from the peak to 1/e at 450 nm after a weak pulse; nan without Yb or Tm."""
    return 1e3 * seen.lifetimes("450", "pulse").to_1_e_s


@_ships("i_450", "photons/s", "Tm")
def intensity_450(seen: Light) -> float:
    """Photons per second and crystal at 450 nm, under the pump; nan without Yb or Tm."""
    return seen.intensity("450")


@_ships("k_eff", "quenchings/s")
def k_eff(seen: Light) -> float:
    """Quench events per Yb excitation and second, at vacancies and surface; nan without Yb."""
    return seen.k_eff
