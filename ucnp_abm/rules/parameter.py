"""Parameters of mechanisms and drives: a unit, a default and bounds, or a choice among words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ucnp_abm import units
from ucnp_abm.errors import BadInput, nearest

Value = float | str | None
"""What a parameter may hold: a number in the base unit, a chosen word, or nothing."""


@dataclass(frozen=True)
class Parameter:
    """Something that users may set.

    Attributes
    ----------
    name, doc : str
    default : float, str or None
        A number in the base unit, or the word of a choice; None where the parameter is optional.
    kind : str
        'choice', or a kind of quantity of `ucnp_abm.units` ('energy', 'rate', 'count', …).
    low, high : float
        Allowed range, in the base unit.
    choices : tuple of str
        Allowed words of a choice.
    by_lattice : mapping of str to value
        Other defaults on other lattices, by the lattice's name.
    """

    name: str
    default: Value
    kind: str
    low: float
    high: float
    doc: str
    choices: tuple[str, ...] = ()
    by_lattice: Mapping[str, Value] = field(default_factory=dict)

    def read(self, value: str | float | None, owner: str) -> Value:
        """The value, checked, as a number in the base unit or as one of the words.

        Raises
        ------
        BadInput
            If it has the wrong unit, lies out of bounds, or is no allowed word.
        """
        what = f"{owner}.{self.name}"
        if self.choices:
            if not isinstance(value, str) or value not in self.choices:
                raise BadInput(f"{what}: unknown choice {value!r}{nearest(str(value), self.choices)}")
            return value
        if value is None or value == "unset":
            if self.default is None:
                return None
            raise BadInput(f"{what}: a value is needed")
        number = units.parse(value, self.kind, what)
        if not self.low <= number <= self.high:
            raise BadInput(f"{what}: expected {self.range}, got {self.show(value)}")
        return number

    @property
    def unit(self) -> str:
        """The base unit, '' where there is none."""
        return "" if self.choices else units.base_unit(self.kind)

    @property
    def range(self) -> str:
        """What is allowed, as text."""
        if self.choices:
            return " | ".join(self.choices)
        unit = f" {self.unit}" if self.unit else ""
        if math.isinf(self.high):
            return f"at least {self.low:g}{unit}"
        return f"{self.low:g} to {self.high:g}{unit}"

    def show(self, value: Value) -> str:
        """A value with its unit, as text."""
        if value is None:
            return "unset"
        return value if isinstance(value, str) else f"{value:g} {self.unit}".rstrip()
