"""Shared fixtures: small crystals on which every truth can be checked quickly."""

import pytest

from ucnp_abm import Particle, mechanism


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run the long exact tests")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--slow"):
        skip = pytest.mark.skip(reason="long; run with --slow")
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def paper_particle():
    return Particle.core_shell(
        core="NaGdF4: 49% Yb, 1% Tm", diameter="6.7 nm", shell="NaYF4", thickness="1.65 nm", seed=1
    )


@pytest.fixture(scope="session")
def small_particle():
    return Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", seed=1)


@pytest.fixture(params=["no-complex", "y-complex"])
def shipped(request):
    return mechanism(request.param)
