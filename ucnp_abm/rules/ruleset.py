"""What mechanisms and drives share: a name, a source, parameters, and rules for exposed sites."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ucnp_abm import units
from ucnp_abm.crystal.species import IONS, SPECIES
from ucnp_abm.errors import BadInput, BadMechanism, nearest
from ucnp_abm.rules.env import Parameters
from ucnp_abm.rules.law import Law
from ucnp_abm.rules.parameter import Parameter, Value

L = TypeVar("L", bound=Law)
R = TypeVar("R", bound="Ruleset")
When = tuple[tuple[str, tuple[str, ...]], ...]
Amount = str | float | Parameter | Callable[[Parameters], float] | None
"""A number, text with a unit, a parameter, or a function of the parameters."""

ATTEMPT = 1e13
"""Attempt frequency / s⁻¹ of hops and dockings. Assumption."""


@dataclass(frozen=True)
class HopRule:
    """How fast some species of ions hop into a vacancy."""

    law: Law
    movers: tuple[str, ...]
    irreversible: bool
    attempt: Any
    when: When = ()
    p: Any = None


@dataclass(frozen=True)
class SiteRule:
    """How fast the occupant of an exposed site changes from `before` to `after`.

    `potential` is the chemical potential / eV that the bath offers for the change (None: irreversible).
    `attempt` and `potential` are declared as `Amount`s; active rules have numbers there, and `p`, their parameters.
    """

    verb: str
    law: Law
    before: str
    after: str
    irreversible: bool
    potential: Any
    attempt: Any
    when: When = ()
    p: Any = None

    @property
    def moved(self) -> str:
        """The species that a reader expects in its name: what is placed, or what is taken away."""
        return self.after if self.verb in ("dock", "swap") else self.before


class Ruleset:
    """Parameters with their values, and rules for exposed sites."""

    def __init__(self, name: str, *, summary: str, source: str) -> None:
        self.name = name
        self.summary = summary
        self.source = source
        self.site_rules: list[SiteRule] = []
        self.parameters: dict[str, Parameter] = {}
        self.values: dict[str, Value] = {}
        self._set: set[str] = set()

    # --- parameters ---

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
        self._new_name(name)
        return self._declare(Parameter(name, default, "choice", 0.0, 0.0, doc, tuple(choices)))

    def with_parameters(self: R, **values: str | float | None) -> R:
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

    def on(self: R, lattice: str) -> R:
        """A copy with the defaults of a lattice, where no value was set."""
        changed = self._copy()
        for name, parameter in self.parameters.items():
            if name not in self._set and lattice in parameter.by_lattice:
                changed.values[name] = parameter.by_lattice[lattice]
        return changed

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

    # --- rules for exposed sites ---

    def etch(
        self,
        species: str | Iterable[str],
        *,
        irreversible: bool = False,
        attempt: Amount = ATTEMPT,
        when: Mapping[str, Any] | None = None,
    ) -> Callable[[L], L]:
        """Rule: an exposed ion of `species` leaves the crystal; the law returns E_a / eV. For undocking see `dock`.

        Raises
        ------
        BadMechanism
            Unless declared irreversible: on its own it has no way back.
        """
        symbols = self._movers(species, "etch")
        if not irreversible:
            raise BadMechanism(
                f"{self.name}: etch has no way back; declare irreversible=True, or give dock() a chemical_potential"
            )
        declare = [self._site_rule("etch", s, "vacancy", True, None, attempt, when) for s in symbols]

        def all_of_them(law: L) -> L:
            for one in declare:
                law = one(law)
            return law

        return all_of_them

    def active_site_rules(self) -> list[SiteRule]:
        """The rules that hold for the present parameter values, with all amounts as numbers."""
        return [
            replace(
                rule,
                potential=(potential := self.amount(rule.potential, "energy", "chemical potential")),
                irreversible=potential is None,
                attempt=self._attempt(rule),
                p=self.env_parameters(),
            )
            for rule in self.site_rules
            if self._holds(rule.when)
        ]

    # --- helpers ---

    def _copy(self: R) -> R:
        changed = copy.copy(self)
        for name, held in vars(self).items():
            if isinstance(held, (dict, list, set)):
                setattr(changed, name, held.copy())
        return changed

    def _new_name(self, name: str) -> str:
        if name in self.parameters or not name.isidentifier():
            raise BadMechanism(f"{self.name}: parameter '{name}' is declared twice or is no Python name")
        return f"{self.name}.{name}"

    def _declare(self, made: Parameter) -> Parameter:
        if made.default is not None:
            made.read(made.default, self.name)
        self.parameters[made.name] = made
        self.values[made.name] = made.default
        return made

    def _attempt(self, rule: HopRule | SiteRule) -> float:
        frequency = self.amount(rule.attempt, "rate", "attempt")
        if frequency is None or not 0 <= frequency < math.inf:
            raise BadMechanism(f"{self.name}: attempt: expected a rate of at least 0 /s, got {frequency}")
        return frequency

    def _holds(self, when: When) -> bool:
        return all(self.values[name] in words for name, words in when)

    def _condition(self, when: Mapping[str, Any] | None) -> When:
        found = []
        for name, words in (when or {}).items():
            chosen = (words,) if isinstance(words, str) else tuple(words)
            if name not in self.parameters or not self.parameters[name].choices:
                choices = [n for n, p in self.parameters.items() if p.choices]
                raise BadMechanism(f"{self.name}: when: '{name}' is no declared choice{nearest(name, choices)}")
            for word in chosen:
                self.parameters[name].read(word, self.name)
            found.append((name, chosen))
        return tuple(found)

    def _movers(self, species: str | Iterable[str], verb: str) -> tuple[str, ...]:
        if callable(species) or species is None:
            raise BadMechanism(f"{self.name}: {verb}: name the ions, as in @….{verb}('Yb') or {verb}(IONS)")
        symbols = (species,) if isinstance(species, str) else tuple(species)
        if not symbols or len(set(symbols)) < len(symbols):
            raise BadMechanism(f"{self.name}: {verb}: expected different ions, got {list(symbols)}")
        for symbol in symbols:
            self._known(symbol, IONS, verb)
        return symbols

    def _own(self, value: Amount, what: str) -> None:
        if isinstance(value, Parameter) and self.parameters.get(value.name) is not value:
            raise BadMechanism(f"{self.name}: {what}: expected a parameter of this mechanism, got '{value.name}'")

    def _known(self, symbol: str, allowed: Iterable[str], where: str) -> None:
        if symbol not in allowed:
            raise BadMechanism(f"{self.name}: {where}: unknown species '{symbol}'{nearest(str(symbol), allowed)}")

    def _site_rule(
        self,
        verb: str,
        before: str,
        after: str,
        irreversible: bool,
        potential: Amount,
        attempt: Amount,
        when: Mapping[str, Any] | None,
    ) -> Callable[[L], L]:
        self._own(attempt, "attempt")
        if not isinstance(attempt, Parameter) and not callable(attempt):
            attempt = units.positive(attempt, "rate", f"{self.name}: attempt")  # type: ignore[arg-type]
        condition = self._condition(when)
        if before not in SPECIES or after not in SPECIES or before == after:
            raise BadMechanism(f"{self.name}: {verb}: '{before}' cannot become '{after}'")

        def declare(law: L) -> L:
            rule = SiteRule(verb, law, before, after, irreversible, potential, attempt, condition)
            for other in self.site_rules:
                same = (other.before, other.after) == (before, after)
                back = other.verb == verb == "swap" and (other.after, other.before) == (before, after)
                if (same or back) and _overlap(other.when, condition):
                    raise BadMechanism(f"{self.name}: two {verb} rules for {rule.moved}")
            self.site_rules.append(rule)
            return law

        return declare


def _overlap(a: When, b: When) -> bool:
    """Whether two conditions can hold at once."""
    words = dict(b)
    return all(name not in words or set(chosen) & set(words[name]) for name, chosen in a)
