"""ucnp_abm: exact atoms-on-a-lattice simulation of core-shell upconversion nanocrystals while they are annealed.

Names are loaded when they are first used, so ``import ucnp_abm`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Box": "crystal.particle",
    "CoreShell": "crystal.particle",
    "Drive": "rules.drive",
    "Env": "rules",
    "HopEnv": "rules.env",
    "IONS": "crystal.species",
    "Lattice": "crystal.lattice",
    "Mechanism": "rules.mechanism",
    "Light": "photons.light",
    "Model": "agents.model",
    "Observable": "observables",
    "Optics": "photons.optics",
    "Particle": "crystal.particle",
    "Population": "crystal.population",
    "Protocol": "engine.protocol",
    "RE": "crystal.species",
    "Simulation": "engine.simulation",
    "SiteEnv": "rules.env",
    "UcnpError": "errors",
    "compare": "study.compare",
    "load_study": "config.studies",
    "debug": "server.debug",
    "hookimpl": "hookspecs",
    "light": "photons.light",
    "mechanism": "registry",
    "observable": "observables",
    "show": "replay.show",
}
__all__ = sorted([*_HOME, "__version__"])

if TYPE_CHECKING:
    from ucnp_abm.agents.model import Model
    from ucnp_abm.config.studies import load_study
    from ucnp_abm.crystal.lattice import Lattice
    from ucnp_abm.crystal.particle import Box, CoreShell, Particle
    from ucnp_abm.crystal.population import Population
    from ucnp_abm.crystal.species import IONS, RE
    from ucnp_abm.engine.protocol import Protocol
    from ucnp_abm.engine.simulation import Simulation
    from ucnp_abm.errors import UcnpError
    from ucnp_abm.hookspecs import hookimpl
    from ucnp_abm.observables import Observable, observable
    from ucnp_abm.photons.light import Light, light
    from ucnp_abm.photons.optics import Optics
    from ucnp_abm.registry import mechanism
    from ucnp_abm.replay.show import show
    from ucnp_abm.rules import Env
    from ucnp_abm.rules.drive import Drive
    from ucnp_abm.rules.env import HopEnv, SiteEnv
    from ucnp_abm.rules.mechanism import Mechanism
    from ucnp_abm.server.debug import debug
    from ucnp_abm.study.compare import compare


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'ucnp_abm' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"ucnp_abm.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
