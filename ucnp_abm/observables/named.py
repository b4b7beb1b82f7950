"""What an observable is: a name, a unit, a sentence, and how it is read."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput

Reading = float | Mapping[str, float]


@dataclass(frozen=True)
class Observable:
    """A number, or a family of numbers by column, that can be read at any moment.

    Attributes
    ----------
    name : str
        Column name, or name of the family; ends with its unit.
    unit, doc : str
        The unit is empty for counts and plain numbers; the description is one line.
    read : callable
        Gives a number (nan where it is not defined) or a dict from column name to number.
    costly : bool
        Whether reading it takes much longer than the events in between; it is one number then, no family. Studies read
        it at their marks only.
    """

    name: str
    unit: str
    doc: str
    read: Callable[[Simulation], Reading]
    costly: bool = False

    def columns(self, simulation: Simulation) -> dict[str, float]:
        """Numbers by column name; one column of this name unless it is a family.

        Raises
        ------
        BadInput
            If reading fails or gives no numbers; the message names observable and time.
        """
        where = f"observable '{self.name}' at {simulation.time:.6g} s"
        try:
            seen = self.read(simulation)
        except Exception as error:
            raise BadInput(f"{where} failed with {type(error).__name__}: {error}") from error
        found = dict(seen) if isinstance(seen, Mapping) else {self.name: seen}
        for column, value in found.items():
            fits = isinstance(column, str) and column.isidentifier()
            if not fits or isinstance(value, bool) or not isinstance(value, numbers.Real) or math.isinf(value):
                raise BadInput(f"{where}: expected a column and a finite number or nan, got {column!r}: {value!r}")
        return {c: int(value) if isinstance(value, numbers.Integral) else float(value) for c, value in found.items()}

    def __call__(self, simulation: Simulation) -> Any:
        return self.read(simulation)


def observable(
    name: str, *, unit: str, costly: bool = False
) -> Callable[[Callable[[Simulation], Reading]], Observable]:
    """Make a function of a simulation an `Observable`; the first line of its docstring says what it is.

    Examples
    --------
    >>> @observable("exposed_vacancies", unit="")
    ... def exposed_vacancies(simulation):
    ...     \"\"\"Vacancies on sites where a neighbour is missing.\"\"\"
    ...     return simulation.state.n_exposed_vacancies
    """

    def declare(read: Callable[[Simulation], Reading]) -> Observable:
        doc = (getattr(read, "__doc__", None) or "").strip().partition("\n")[0]
        return Observable(name, unit, doc, read, costly)

    return declare
