"""Parameters of a mechanism: numbers with a unit, a default and bounds."""

from __future__ import annotations

from dataclasses import dataclass

from ucnp_abm import units
from ucnp_abm.errors import BadInput


@dataclass(frozen=True)
class Parameter:
    """A number that users may set.

    Attributes
    ----------
    name, doc : str
    default : float or None
        In the base unit; None where the parameter is optional.
    kind : str
        'energy', 'rate', 'time', 'temperature', 'length' or 'fraction'.
    low, high : float
        Allowed range, in the base unit.
    """

    name: str
    default: float | None
    kind: str
    low: float
    high: float
    doc: str

    def read(self, value: str | float | None, owner: str) -> float | None:
        """The value in the base unit, checked."""
        if value is None and self.default is None:
            return None
        if value is None:
            raise BadInput(f"{owner}.{self.name}: a value is needed")
        number = units.parse(value, self.kind, f"{owner}.{self.name}")
        if not self.low <= number <= self.high:
            raise BadInput(f"{owner}.{self.name}: {value} lies outside {self.low:g} to {self.high:g}")
        return number
