"""Rules, and what mechanisms and drives share of them: those for exposed sites."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ucnp_abm import units
from ucnp_abm.crystal.species import IONS, SPECIES
from ucnp_abm.errors import BadMechanism, nearest
from ucnp_abm.rules.law import Law, Where, where_of
from ucnp_abm.rules.parameter import Parameter
from ucnp_abm.rules.parametrised import Amount, Parametrised

L = TypeVar("L", bound=Law)
When = tuple[tuple[str, tuple[str, ...]], ...]

ATTEMPT = 1e13
"""Attempt frequency / s⁻¹ of hops and dockings. Assumption."""


@dataclass(frozen=True)
class HopRule:
    """How fast some species of ions hop into a vacancy.

    `attempt` and `lowest` are declared as `Amount`s; active rules have numbers there, and `p`, their parameters.
    """

    law: Law
    movers: tuple[str, ...]
    irreversible: bool
    attempt: Any
    when: When = ()
    lowest: Any = None
    p: Any = None

    @property
    def where(self) -> Where:
        """Where its law stands."""
        return where_of(self.law)


@dataclass(frozen=True)
class SiteRule:
    """How fast the occupant of an exposed site changes from `before` to `after`.

    `potential` is the chemical potential / eV that the bath offers for the change (None: irreversible).
    `attempt`, `potential` and `lowest` are declared as `Amount`s; active rules have numbers there, and `p`, their
    parameters.
    """

    verb: str
    law: Law
    before: str
    after: str
    irreversible: bool
    potential: Any
    attempt: Any
    when: When = ()
    lowest: Any = None
    p: Any = None

    @property
    def where(self) -> Where:
        """Where its law stands."""
        return where_of(self.law)

    @property
    def moved(self) -> str:
        """The species that a reader expects in its name: what is placed, or what is taken away."""
        return self.after if self.verb in ("dock", "swap") else self.before


class Ruleset(Parametrised):
    """Parameters, and rules for exposed sites."""

    def __init__(self, name: str, *, summary: str, source: str) -> None:
        super().__init__(name, summary=summary, source=source)
        self.site_rules: list[SiteRule] = []

    def etch(
        self,
        species: str | Iterable[str],
        *,
        irreversible: bool = False,
        attempt: Amount = ATTEMPT,
        when: Mapping[str, Any] | None = None,
        lowest: Amount = None,
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
        declare = [self._site_rule("etch", s, "vacancy", True, None, attempt, when, lowest) for s in symbols]

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
                lowest=self._barrier(rule.lowest),
                p=self.env_parameters(),
            )
            for rule in self.site_rules
            if self._holds(rule.when)
        ]

    # --- helpers ---

    def _attempt(self, rule: HopRule | SiteRule) -> float:
        frequency = self.amount(rule.attempt, "rate", "attempt")
        if frequency is None or not 0 <= frequency < math.inf:
            raise BadMechanism(f"{self.name}: attempt: expected a rate of at least 0 /s, got {frequency}")
        return frequency

    def _lowest(self, declared: Amount) -> Amount:
        """A declared lowest barrier, a number checked now."""
        self._own(declared, "lowest", "energy")
        return declared if isinstance(declared, Parameter) or callable(declared) else self._barrier(declared)

    def _barrier(self, declared: Amount) -> float | None:
        """A lowest barrier / eV, for the present parameter values."""
        lowest = self.amount(declared, "energy", "lowest barrier")
        if lowest is not None and not 0 <= lowest < 1e6:
            raise BadMechanism(f"{self.name}: lowest: expected a barrier of at least 0 eV, got {lowest:g} eV")
        return lowest

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
        lowest: Amount,
    ) -> Callable[[L], L]:
        self._own(attempt, "attempt", "rate")
        lowest = self._lowest(lowest)
        if not isinstance(attempt, Parameter) and not callable(attempt):
            attempt = units.positive(attempt, "rate", f"{self.name}: attempt")  # type: ignore[arg-type]
        condition = self._condition(when)
        if before not in SPECIES or after not in SPECIES or before == after:
            raise BadMechanism(f"{self.name}: {verb}: '{before}' cannot become '{after}'")

        def declare(law: L) -> L:
            rule = SiteRule(verb, law, before, after, irreversible, potential, attempt, condition, lowest)
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
