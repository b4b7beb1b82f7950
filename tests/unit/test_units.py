import math

import pytest

from ucnp_abm import units
from ucnp_abm.errors import BadInput


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("6.7 nm", "length", 67.0),
        ("6.7nm", "length", 67.0),
        (3.5, "length", 3.5),
        ("300 °C", "temperature", 573.15),
        ("573.15 K", "temperature", 573.15),
        ("1 h", "time", 3600.0),
        ("1650 meV", "energy", 1.65),
        ("15 %", "fraction", 0.15),
        (0.15, "fraction", 0.15),
    ],
)
def test_text_with_a_unit_becomes_the_base_unit(text, kind, value):
    assert math.isclose(units.parse(text, kind), value, rel_tol=1e-12)


@pytest.mark.parametrize("bad", ["1 hour", "h", "", "1e400 s", True, None, "1 2 h", [1]])
def test_bad_quantity_is_refused(bad):
    with pytest.raises(BadInput):
        units.parse(bad, "time")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    with pytest.raises(BadInput, match="finite"):
        units.parse(bad, "energy")


def test_zero_kelvin_is_refused():
    with pytest.raises(BadInput, match="above zero"):
        units.positive("0 K", "temperature", "temperature")
    with pytest.raises(BadInput, match="above zero"):
        units.positive("-273.15 °C", "temperature", "temperature")
