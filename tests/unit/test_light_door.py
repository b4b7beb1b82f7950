"""The door to light refuses in words what it cannot use, and stands crystals in which ions are far apart."""

import numpy as np
import pytest

from ucnp_abm import Particle, light
from ucnp_abm.errors import BadInput

GROWN = Particle.core_shell(core="NaGdF4: 40% Yb, 5% Tm", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", seed=1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"solvent": ["water"]}, "unknown solvent"),
        ({"optics": 3}, "expected Optics"),
        ({"method": ["hybrid"]}, "unknown method"),
        ({"pump": None}, "expected an intensity"),
    ],
)
def test_what_is_no_option_is_refused_in_words(options, said):
    with pytest.raises(BadInput, match=said):
        light(GROWN, **options)


@pytest.mark.parametrize("band", [(1,), 3, (490, 430), ("a", "b"), (0, 100), "blu"])
def test_what_is_no_band_is_refused_in_words(band):
    with pytest.raises(BadInput, match="band"):
        light(GROWN).quantum_yield(band)


def test_activators_that_no_yb_reaches_are_dark_and_harm_nobody():
    found = light(GROWN, cutoff="5 Å")
    assert (found.glows[0].system.activators["Tm"].sums == 0).any()
    assert np.isfinite(found.intensity(450))
    assert found.intensity(800) > 0
