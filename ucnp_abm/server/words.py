"""What the page sends, checked at the border, and bytes as it is sent them."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput, shown

Answer = dict[str, Any]
"""What the page is told: plain data."""


def whole(value: object, what: str, most: int | None = None) -> int:
    """A whole number of at least 0.

    Raises
    ------
    BadInput
        If it is none, or above `most`.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0 or (most is not None and value > most):
        allowed = "a whole number of at least 0" + (f" and at most {most:,}" if most is not None else "")
        raise BadInput(f"{what}: expected {allowed}, got {shown(value)}")
    return value


def number(value: object, what: str) -> float:
    """A finite number of at least 0.

    Raises
    ------
    BadInput
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= sys.float_info.max:
        raise BadInput(f"{what}: expected a number of at least 0, got {shown(value)}")
    return float(value)


class _Numbered(Protocol):
    @property
    def number(self) -> int: ...


Numbered = TypeVar("Numbered", bound=_Numbered)


def numbered(those: Iterable[Numbered], wanted: object, what: str) -> Numbered:
    """The one with this number.

    Raises
    ------
    BadInput
        If there is none.
    """
    number = whole(wanted, what)
    found = next((each for each in those if each.number == number), None)
    if found is None:
        raise BadInput(f"{what}: there is no number {number}")
    return found


def site_in(simulation: Simulation, value: object) -> int:
    """The number of a site of the crystal.

    Raises
    ------
    BadInput
        If there is none.
    """
    return whole(value, "site", most=simulation.crystal.n_sites - 1)


def base64_of(array: NDArray[Any]) -> str:
    """The little-endian bytes of an array, as text."""
    return base64.b64encode(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()).decode()
