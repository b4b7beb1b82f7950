"""Numbers with units: text such as '6.7 nm' or '300 °C' becomes a float in Å, eV, K, s, 1/s, W/cm² or cm⁶/s.

Multiplying by a unit name works in Python: ``1.65 * eV``, ``1 * hour``.
"""

from __future__ import annotations

import math
import numbers
import re
from decimal import Decimal

from ucnp_abm.errors import BadInput, nearest, shown

BOLTZMANN = 8.617333262e-5
"""Boltzmann constant, eV/K (CODATA 2018, exact to the digits given)."""

eV = 1.0
meV = 1e-3
angstrom = 1.0
nm = 10.0
second = 1.0
minute = 60.0
hour = 3600.0

_CELSIUS = "°C"
_UNITS: dict[str, dict[str, float]] = {
    "length": {"Å": 1.0, "A": 1.0, "angstrom": 1.0, "nm": 10.0, "pm": 0.01},
    "energy": {"eV": 1.0, "meV": 1e-3, "kJ/mol": 0.010364269656262175},
    "time": {"s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0, "d": 86400.0},
    "temperature": {"K": 1.0, _CELSIUS: 1.0, "degC": 1.0, "C": 1.0},
    "temperature difference": {"K": 1.0},
    "rate": {"1/s": 1.0, "/s": 1.0, "Hz": 1.0, "THz": 1e12},
    "intensity": {
        **{"W/cm²": 1.0, "mW/cm²": 1e-3, "kW/cm²": 1e3, "MW/cm²": 1e6},
        **{"W/cm2": 1.0, "mW/cm2": 1e-3, "kW/cm2": 1e3, "MW/cm2": 1e6},
    },
    "transfer constant": {"cm^6/s": 1.0, "cm⁶/s": 1.0, "cm6/s": 1.0},
    "surface density": {"1/nm^2": 1.0, "1/nm²": 1.0, "/nm²": 1.0},
    "fraction": {"": 1.0, "%": 0.01},
    "number": {"": 1.0},
    "count": {"": 1.0},
}
_EXPECTED = {
    "length": "a length such as '6.7 nm'",
    "energy": "an energy such as '1.65 eV'",
    "time": "a time such as '1 h'",
    "temperature": "a temperature such as '300 °C'",
    "temperature difference": "a temperature difference such as '50 K'",
    "rate": "a rate such as '1e13 1/s'",
    "intensity": "an intensity such as '1 kW/cm²'",
    "transfer constant": "a transfer constant such as '1e-40 cm^6/s'",
    "surface density": "a surface density such as '1 1/nm²'",
    "fraction": "a share such as '15 %' or 0.15",
    "number": "a plain number",
    "count": "a whole number",
}
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*$")


def base_unit(kind: str) -> str:
    """The unit of bare numbers of a kind: 'Å', 'eV', 'K', 's', '1/s', 'W/cm²', or ''."""
    return next(name for name, factor in _UNITS[kind].items() if factor == 1.0)


def parse(value: str | float, kind: str, what: str = "value") -> float:
    """The value in base units (Å, eV, K, s, 1/s, W/cm², or a plain number).

    Parameters
    ----------
    value : str or float
        Text with a unit, or a bare number already in the base unit.
    kind : str
        'length', 'energy', 'time', 'temperature', 'temperature difference', 'rate', 'intensity', 'transfer constant',
        'surface density' (per nm²), 'fraction', 'number' or 'count'.
    what : str
        How errors name the value.

    Raises
    ------
    BadInput
        If the text is no quantity of this kind, or the number is not finite.

    Examples
    --------
    >>> parse("6.7 nm", "length"), parse("300 °C", "temperature")
    (67.0, 573.15)
    """
    if kind not in _UNITS:
        raise BadInput(f"{what}: unknown kind of quantity '{kind}'{nearest(str(kind), _UNITS)}")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise BadInput(f"{what}: expected {_EXPECTED[kind]}, got {shown(value)}")
    if not isinstance(value, str):
        given, unit = (float(value) if abs(value) < 1e308 else math.inf), base_unit(kind)
    else:
        match = _NUMBER.match(value)
        if not match:
            raise BadInput(f"{what}: expected {_EXPECTED[kind]}, got {shown(value)}")
        given, unit = float(match[1]), match[2] or base_unit(kind)
    if unit not in _UNITS[kind]:
        known = ", ".join(name for name in _UNITS[kind] if name)
        allowed = f"; units: {known}" if known else ""
        raise BadInput(f"{what}: expected {_EXPECTED[kind]}, got {shown(value)}{allowed}")
    number = float(Decimal(repr(given)) * Decimal(repr(_UNITS[kind][unit])))  # as decimals, so that '70 %' is 0.7
    if kind == "temperature" and unit in (_CELSIUS, "degC", "C"):
        number += 273.15
    if not math.isfinite(number):
        raise BadInput(f"{what}: expected a finite number, got {shown(value)}")
    if kind == "count" and number != math.floor(number):
        raise BadInput(f"{what}: expected a whole number, got {shown(value)}")
    return number


def positive(value: str | float, kind: str, what: str) -> float:
    """As `parse`, and greater than zero.

    Raises
    ------
    BadInput
        Also if the quantity is zero or negative.
    """
    number = parse(value, kind, what)
    if number <= 0:
        raise BadInput(f"{what}: expected {_EXPECTED[kind]}, above zero, got {shown(value)}")
    return number


def fraction(value: str | float, what: str) -> float:
    """A share between 0 and 1, given as a number or in per cent.

    Raises
    ------
    BadInput
        If it is not a number from 0 to 1.
    """
    number = parse(value, "fraction", what)
    if not 0.0 <= number <= 1.0:
        raise BadInput(f"{what}: expected a share from 0 to 1 (or '15 %'), got {shown(value)}")
    return number


def amount(value: float, what: str) -> float:
    """A plain number of at least 0; infinity is allowed.

    Raises
    ------
    BadInput
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not value >= 0:
        raise BadInput(f"{what}: expected a number of at least 0, got {shown(value)}")
    return float(value) if value < 1e308 else math.inf  # an int may be too large for a float


def count(value: int, what: str) -> int:
    """A whole number of at least 0.

    Raises
    ------
    BadInput
        If it is none, or beyond 2^62.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not 0 <= value < 2**62:
        raise BadInput(f"{what}: expected a whole number of at least 0, got {shown(value)}")
    return int(value)
