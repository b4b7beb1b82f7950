"""Lines and bands: which transitions make which colour, and how many photons leave in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.photons.levels import Emission
from ucnp_abm.photons.rates import RateSet

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """An emission line under 980 nm excitation.

    Attributes
    ----------
    name : str
        Nominal wavelength / nm.
    ion : str
    uppers, lower : tuple of str, str
        Levels of the ion alone (members of lumps by their own names).
    photons : int
        Pump photons that it takes, at least: its slope at weak pump.
    """

    name: str
    ion: str
    uppers: tuple[str, ...]
    lower: str
    photons: int

    @property
    def transition(self) -> str:
        """As it is written: '1D2 -> 3F4'."""
        return f"{self.uppers[0]} -> {self.lower}"


_TOP = ("1I6", "3P0", "3P1", "3P2")
LINES = {
    line.name: line
    for line in (
        Line("290", "Tm", _TOP, "3H6", 5),
        Line("345", "Tm", _TOP, "3F4", 5),
        Line("362", "Tm", ("1D2",), "3H6", 4),
        Line("450", "Tm", ("1D2",), "3F4", 4),
        Line("475", "Tm", ("1G4",), "3H6", 3),
        Line("645", "Tm", ("1G4",), "3F4", 3),
        Line("800", "Tm", ("3H4",), "3H6", 2),
        Line("525", "Er", ("2H(2)11/2",), "4I15/2", 2),
        Line("545", "Er", ("4S3/2",), "4I15/2", 2),
        Line("655", "Er", ("4F9/2",), "4I15/2", 2),
    )
}
"""The lines that results name; every other transition is in the spectrum all the same."""
BANDS = {
    "all": (280.0, 850.0),
    "without-800": (280.0, 740.0),
    "visible": (430.0, 670.0),
    "blue": (430.0, 490.0),
    "green": (510.0, 570.0),
    "red": (630.0, 680.0),
}
"""Bands / nm over which quantum yields are taken; 'all' is every upconverted photon up to 850 nm."""
WIDTH_NM = 6.0
"""Standard deviation / nm with which lines are drawn. For the eye only."""


def line(name: str | float) -> Line:
    """A line by its nominal wavelength.

    Raises
    ------
    BadInput
        If there is none.

    Examples
    --------
    >>> line(450).transition
    '1D2 -> 3F4'
    """
    wanted = f"{name:g}" if isinstance(name, (int, float)) else str(name)
    if wanted not in LINES:
        raise BadInput(f"light: no line of {wanted} nm{nearest(wanted, LINES)}")
    return LINES[wanted]


def band(name: str | tuple[float, float]) -> tuple[float, float]:
    """Ends / nm of a band, by name or given as they are.

    Raises
    ------
    BadInput
        If there is none.
    """
    if isinstance(name, str):
        if name not in BANDS:
            raise BadInput(f"light: no band '{name}'{nearest(name, BANDS)}")
        return BANDS[name]
    try:
        low, high = (float(end) for end in name)
    except (TypeError, ValueError):
        low = high = 0.0
    if not 0 < low < high:
        raise BadInput(f"light: expected a band such as (430, 490) / nm, got {name!r}")
    return low, high


def emissions_of(rates: RateSet, which: Line) -> list[Emission]:
    """The transitions that make a line.

    Raises
    ------
    BadInput
        If the rate set has none of them.
    """
    found = [e for e in rates.ion(which.ion).emissions if e.upper in which.uppers and e.lower == which.lower]
    if not found:
        raise BadInput(f"rate set '{rates.name}' has no transition {which.transition} of {which.ion}")
    return found


def profile(lines: list[tuple[float, float]], wavelengths: Floats) -> Floats:
    """Photons per second and nm at wavelengths / nm, shape (w,), of lines (wavelength / nm, photons per second)."""
    found = np.zeros(wavelengths.size)
    for centre, photons in lines:
        found += photons * np.exp(-0.5 * ((wavelengths - centre) / WIDTH_NM) ** 2) / (WIDTH_NM * np.sqrt(2 * np.pi))
    return found
