"""Every shipped mechanism and drive keeps the contract that plugins of others keep, and this file asks nothing else."""

import pytest
from contract.shipped import DRIVES, variants

from ucnp_abm import mechanism
from ucnp_abm.testing import DriveContract, MechanismContract

VARIANTS = [pytest.param(v, id=", ".join([v[0], *(f"{k}={w}" for k, w in v[1].items())])) for v in variants()]


class TestShippedMechanisms(MechanismContract):
    @pytest.fixture(params=VARIANTS)
    def mechanism(self, request):
        name, values = request.param
        return mechanism(name, **values)


class TestShippedDrives(DriveContract):
    mechanism = "y-complex"

    @pytest.fixture(params=DRIVES)
    def drive(self, request):
        return request.param
