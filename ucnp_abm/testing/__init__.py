"""Tests that every mechanism passes, for the plugins of others as for ours, and fixtures for tests of their own.

Nothing of it is loaded unless a test asks for it: ``from ucnp_abm.testing import MechanismContract``, and for the
fixtures ``pytest_plugins = ["ucnp_abm.testing"]``. (PYTEST_DONT_REWRITE: each assertion says in words what is wrong.)
"""

from __future__ import annotations

from collections.abc import Callable

try:
    import pytest
except ImportError as error:
    raise ImportError(
        "ucnp_abm.testing needs pytest, which is not installed: python -m pip install 'ucnp-abm[test]'"
    ) from error

from ucnp_abm import registry
from ucnp_abm.crystal.particle import Particle
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.testing.contract import MechanismContract
from ucnp_abm.testing.drives import DriveContract
from ucnp_abm.testing.facts import tiny

__all__ = ["DriveContract", "MechanismContract", "simulate", "tiny_particle"]


@pytest.fixture(scope="session")
def tiny_particle() -> Particle:
    """217 sites of β-NaREF4 in all four zones, 32 of them vacant; a run takes milliseconds."""
    return tiny()


@pytest.fixture(scope="session")
def simulate(tiny_particle: Particle) -> Callable[..., Simulation]:
    """`simulate(mechanism, protocol="300 °C", seed=4, **parameters)`: a simulation of the tiny particle."""

    def make(
        mechanism: str | Mechanism, /, protocol: str = "300 °C", seed: int = 4, **parameters: str | float | None
    ) -> Simulation:
        return Simulation(tiny_particle, registry.mechanism(mechanism, **parameters), protocol, seed=seed)

    return make
