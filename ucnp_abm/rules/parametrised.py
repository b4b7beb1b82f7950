"""What has parameters: mechanisms and drives."""

from __future__ import annotations

import copy
import keyword
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from ucnp_abm import units
from ucnp_abm.errors import BadInput, BadMechanism, nearest, shown
from ucnp_abm.rules.env import Parameters
from ucnp_abm.rules.parameter import Parameter, Value

P = TypeVar("P", bound="Parametrised")
Amount = str | float | Parameter | Callable[[Parameters], float] | None
"""A number, text with a unit, a parameter, or a function of the parameters."""


class Parametrised:
    """A name, a source, and parameters with their values: what mechanisms and drives are."""

    def __init__(self, name: str, *, summary: str, source: str) -> None:
        self.name = name
        self.summary = summary
        self.source = source
        self.parameters: dict[str, Parameter] = {}
        self.values: dict[str, Value] = {}
        self._set: set[str] = set()

    def parameter(
        self,
        name: str,
        default: str | float | None,
        *,
        kind: str = "energy",
        low: str | float = 0.0,
        high: str | float | None = None,
        by_lattice: Mapping[str, str | float] | None = None,
        doc: str,
    ) -> Parameter:
        """Declare a quantity that users may set; laws read it as ``env.p.name``.

        Parameters
        ----------
        name : str
        default : str or float or None
            None where it is optional.
        kind : str
            A kind of quantity of `ucnp_abm.units`.
        low, high : str or float
            Bounds; `high` defaults to 10 eV for energies and to infinity otherwise.
        by_lattice : mapping or None
            Other defaults, by the name of the lattice.
        doc : str
            One sentence.

        Raises
        ------
        BadMechanism
            If the name is taken or no Python name.
        """
        what = self._new_name(name)
        top = high if high is not None else 10.0 if kind == "energy" else None
        bounds = units.parse(low, kind, what), math.inf if top is None else units.parse(top, kind, what)
        if bounds[0] > bounds[1]:
            raise BadMechanism(f"{what}: the lower bound {bounds[0]:g} lies above the upper bound {bounds[1]:g}")
        value = None if default is None else units.parse(default, kind, what)
        made = Parameter(name, value, kind, *bounds, doc)
        others = {lattice: made.read(number, self.name) for lattice, number in (by_lattice or {}).items()}
        return self._declare(replace(made, by_lattice=others))

    def choice(self, name: str, default: str, choices: Iterable[str], *, doc: str) -> Parameter:
        """Declare a word that users may choose; rules may depend on it by ``when={name: word}``.

        Raises
        ------
        BadMechanism
            If the name is taken or no Python name.
        """
        words = (choices,) if isinstance(choices, str) else tuple(choices)
        if isinstance(choices, str) or not words or not all(isinstance(word, str) for word in words):
            raise BadMechanism(f"{self.name}.{name}: expected words to choose from, got {words!r}")
        self._new_name(name)
        return self._declare(Parameter(name, default, "choice", 0.0, 0.0, doc, words))

    def with_parameters(self: P, /, **values: str | float | None) -> P:
        """A copy with other parameter values.

        Raises
        ------
        BadInput
            If a parameter is unknown, has the wrong unit or lies out of its bounds.
        """
        changed = self._copy()
        for name, value in values.items():
            if name not in self.parameters:
                raise BadInput(f"{self.name}: unknown parameter '{name}'{nearest(name, self.parameters)}")
            changed.values[name] = self.parameters[name].read(value, self.name)
            changed._set.add(name)
        return changed

    def on(self: P, lattice: str) -> P:
        """A copy with the defaults of a lattice, where no value was set."""
        changed = self._copy()
        for name, parameter in self.parameters.items():
            if name not in self._set and lattice in parameter.by_lattice:
                changed.values[name] = parameter.by_lattice[lattice]
        return changed

    @property
    def set_by_hand(self) -> dict[str, Value]:
        """The values that somebody set, whatever the defaults are."""
        return {name: value for name, value in self.values.items() if name in self._set}

    def env_parameters(self) -> Parameters:
        """What laws see as ``env.p``."""
        return Parameters(**self.values)

    def amount(self, value: Amount, kind: str, what: str) -> float | None:
        """An amount as a number, for the present parameter values.

        Raises
        ------
        BadMechanism
            If a function gives no number.
        """
        if isinstance(value, Parameter):
            held = self.values[value.name]
            return None if held is None else float(held)
        if callable(value):
            try:
                value = float(value(self.env_parameters()))
            except (Exception, SystemExit) as error:
                raise BadMechanism(f"{self.name}: {what} raised {type(error).__name__}: {error}") from error
        return None if value is None else units.parse(value, kind, f"{self.name}: {what}")

    # --- helpers ---

    def _copy(self: P) -> P:
        changed = copy.copy(self)
        for name, held in vars(self).items():
            if isinstance(held, (dict, list, set)):
                setattr(changed, name, held.copy())
        return changed

    def _new_name(self, name: str) -> str:
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name in self.parameters:
            raise BadMechanism(f"{self.name}: parameter {shown(name)} is declared twice or is no Python name")
        return f"{self.name}.{name}"

    def _declare(self, made: Parameter) -> Parameter:
        if made.default is not None:
            made.read(made.default, self.name)
        self.parameters[made.name] = made
        self.values[made.name] = made.default
        return made

    def _own(self, value: Amount, what: str, kind: str) -> None:
        if not isinstance(value, Parameter):
            return
        if self.parameters.get(value.name) is not value:
            raise BadMechanism(f"{self.name}: {what}: expected a parameter of this mechanism, got '{value.name}'")
        if value.kind != kind:
            raise BadMechanism(
                f"{self.name}: {what}: expected a {kind}, and the parameter '{value.name}' is a {value.kind}"
            )
