"""A mechanism: laws for the verbs, declared energies, parameters. All that a plugin author writes.

Verbs are closed, rates are open: a law returns a barrier in eV, or None where the event is forbidden.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ucnp_abm import units
from ucnp_abm.crystal.species import IONS, SPECIES
from ucnp_abm.errors import BadInput, BadMechanism, nearest
from ucnp_abm.rules.env import Parameters
from ucnp_abm.rules.law import Law
from ucnp_abm.rules.parameter import Parameter

L = TypeVar("L", bound=Law)

ATTEMPT = 1e13
"""Attempt frequency / s⁻¹ of hops and dockings. Assumption."""


@dataclass(frozen=True)
class HopRule:
    """How fast one species of ion hops into a vacancy."""

    law: Law
    movers: tuple[str, ...]
    irreversible: bool
    attempt: float


@dataclass(frozen=True)
class SiteRule:
    """How fast the occupant of an exposed site changes from `before` to `after`.

    `potential` is the chemical potential / eV of the complex (a number, a parameter, or None: irreversible).
    """

    verb: str
    law: Law
    before: str
    after: str
    irreversible: bool
    potential: float | Parameter | None
    attempt: float
    activity: float


class Mechanism:
    """A named set of rules.

    Parameters
    ----------
    name : str
        What users type.
    summary : str
        One sentence.
    source : str
        Where its numbers come from (a DOI), or 'Assumption: …'.

    Examples
    --------
    >>> lu = Mechanism("lu-complex", summary="Lu-oleate fills surface vacancies.", source="Assumption: an example")
    >>> @lu.hop(mover="Lu")
    ... def barrier(env):
    ...     return 1.65
    >>> @lu.dock("Lu", irreversible=True)
    ... def attach(env):
    ...     return 1.20
    """

    def __init__(self, name: str, *, summary: str, source: str) -> None:
        self.name = name
        self.summary = summary
        self.source = source
        self.hops: list[HopRule] = []
        self.site_rules: list[SiteRule] = []
        self.parameters: dict[str, Parameter] = {}
        self.values: dict[str, float | None] = {}
        self.site_energies: dict[tuple[str, str], float] = {}
        self.pair_energies: dict[tuple[str, str], float] = {}

    def parameter(
        self,
        name: str,
        default: str | float | None,
        *,
        kind: str = "energy",
        low: str | float = 0.0,
        high: str | float = 10.0,
        doc: str,
    ) -> Parameter:
        """Declare a number that users may set; laws read it as ``env.p.name``.

        Raises
        ------
        BadMechanism
            If the name is taken or no Python name.
        """
        if name in self.parameters or not name.isidentifier():
            raise BadMechanism(f"{self.name}: parameter '{name}' is declared twice or is no Python name")
        what = f"{self.name}.{name}"
        value = None if default is None else units.parse(default, kind, what)
        made = Parameter(name, value, kind, units.parse(low, kind, what), units.parse(high, kind, what), doc)
        self.parameters[name] = made
        self.values[name] = made.read(default, self.name)
        return made

    def hop(
        self, mover: str | Iterable[str], *, irreversible: bool = False, attempt: str | float = ATTEMPT
    ) -> Callable[[L], L]:
        """Rule: an ion `mover` and a neighbouring vacancy trade places.

        The law returns the kinetic barrier E_KRA / eV; the engine adds the difference dE of the declared energies:
        E_a = max(E_KRA + dE/2, dE, 0). With ``irreversible=True`` the law's number is E_a itself.
        """
        if callable(mover) or mover is None:
            raise BadMechanism(
                f"{self.name}: hop: name the ions that move, as in @….hop(mover='Yb') or hop(mover=IONS)"
            )
        movers = (mover,) if isinstance(mover, str) else tuple(mover)
        if not movers or len(set(movers)) < len(movers):
            raise BadMechanism(f"{self.name}: hop: expected different ions, got {list(movers)}")
        for symbol in movers:
            self._known(symbol, IONS, "hop")
        frequency = units.positive(attempt, "rate", f"{self.name}: attempt")

        def declare(law: L) -> L:
            for symbol in movers:
                if any(symbol in rule.movers for rule in self.hops):
                    raise BadMechanism(f"{self.name}: two hop rules for {symbol}")
            self.hops.append(HopRule(law, movers, irreversible, frequency))
            return law

        return declare

    def dock(
        self,
        species: str,
        *,
        irreversible: bool = False,
        chemical_potential: str | float | Parameter | None = None,
        attempt: str | float = ATTEMPT,
        activity: float = 1.0,
    ) -> Callable[[L], L]:
        """Rule: a complex fills an exposed vacancy with an ion of `species`; the law returns E_dock / eV.

        With a chemical potential mu0 undocking follows: E = max(E_dock, g - mu0, 0), k_dock = a k0 exp(-E/kT) and
        k_undock = k0 exp(-(E - g + mu0)/kT), g being the energy of the ion there minus that of the vacancy.
        A parameter that may be None makes docking reversible when it is set.

        Raises
        ------
        BadMechanism
            Unless exactly one of `irreversible` and `chemical_potential` is given.
        """
        self._known(species, IONS, "dock")
        potential = chemical_potential
        if isinstance(potential, Parameter):
            if self.parameters.get(potential.name) is not potential or potential.kind != "energy":
                raise BadMechanism(f"{self.name}: chemical_potential: expected an energy parameter of this mechanism")
        elif potential is not None:
            potential = units.parse(potential, "energy", f"{self.name}: chemical_potential")
        if irreversible == (potential is not None):
            raise BadMechanism(
                f"{self.name}: dock('{species}') needs either irreversible=True or a chemical_potential, "
                "not both or none"
            )
        return self._site_rule("dock", "vacancy", species, irreversible, potential, attempt, activity)

    def undock(self, species: str, *, irreversible: bool = False, attempt: str | float = ATTEMPT) -> Callable[[L], L]:
        """Rule: an exposed ion of `species` leaves; the law returns E_a / eV. For the reverse of docking see `dock`.

        Raises
        ------
        BadMechanism
            Unless declared irreversible: on its own it has no way back.
        """
        self._known(species, IONS, "undock")
        if not irreversible:
            raise BadMechanism(
                f"{self.name}: undock('{species}') has no way back; declare irreversible=True, "
                "or give dock() a chemical_potential"
            )
        return self._site_rule("undock", species, "vacancy", True, None, attempt, 1.0)

    def site_energy(self, energies: Mapping[tuple[str, str], str | float]) -> None:
        """Declare eps[species, zone] / eV; what is not declared is 0."""
        for (symbol, zone), value in self._by_pair(energies, "site_energy", "(species, zone)"):
            self._known(symbol, SPECIES, "site_energy")
            self.site_energies[symbol, zone] = self._energy(value, f"site_energy of {symbol}")

    def pair_energy(self, energies: Mapping[tuple[str, str], str | float]) -> None:
        """Declare J[species, species] / eV for neighbours, each pair counted once; order does not matter.

        Raises
        ------
        BadMechanism
            If both orders are given and differ.
        """
        for (a, b), value in self._by_pair(energies, "pair_energy", "(species, species)"):
            self._known(a, SPECIES, "pair_energy")
            self._known(b, SPECIES, "pair_energy")
            number = self._energy(value, f"pair_energy of {a}, {b}")
            key = (a, b) if a <= b else (b, a)
            if self.pair_energies.get(key, number) != number:
                raise BadMechanism(f"{self.name}: pair_energy of {a} and {b} is given twice with different values")
            self.pair_energies[key] = number

    # --- what the engine asks ---

    def with_parameters(self, **values: str | float | None) -> Mechanism:
        """A copy with other parameter values.

        Raises
        ------
        BadInput
            If a parameter is unknown, has the wrong unit or lies out of its bounds.
        """
        changed = copy.copy(self)
        for name, held in vars(self).items():
            if isinstance(held, (dict, list)):
                setattr(changed, name, held.copy())
        for name, value in values.items():
            if name not in self.parameters:
                raise BadInput(f"{self.name}: unknown parameter '{name}'{nearest(name, self.parameters)}")
            changed.values[name] = self.parameters[name].read(value, self.name)
        return changed

    def env_parameters(self) -> Parameters:
        """What laws see as ``env.p``."""
        return Parameters(**self.values)

    def resolved_site_rules(self) -> list[SiteRule]:
        """Site rules with chemical potentials as numbers; a dock whose potential is unset is irreversible."""
        resolved = []
        for rule in self.site_rules:
            potential = rule.potential
            if isinstance(potential, Parameter):
                potential = self.values[potential.name]
            resolved.append(replace(rule, potential=potential, irreversible=rule.irreversible or potential is None))
        return resolved

    @property
    def irreversible_verbs(self) -> list[str]:
        """Rules that break detailed balance by declaration."""
        hops = [f"hop of {', '.join(rule.movers)}" for rule in self.hops if rule.irreversible]
        sites = [
            f"{rule.verb} {rule.after if rule.verb == 'dock' else rule.before}"
            for rule in self.resolved_site_rules()
            if rule.irreversible
        ]
        return hops + sites

    def __repr__(self) -> str:
        return f"<Mechanism '{self.name}': {self.summary}>"

    def _by_pair(self, energies: Any, where: str, key: str) -> Iterable[tuple[tuple[str, str], Any]]:
        if not isinstance(energies, Mapping) or not all(isinstance(k, tuple) and len(k) == 2 for k in energies):
            raise BadMechanism(f"{self.name}: {where}: expected {{{key}: energy}}, got {energies!r}")
        return energies.items()

    def _energy(self, value: str | float, what: str) -> float:
        energy = units.parse(value, "energy", f"{self.name}: {what}")
        if abs(energy) > 100:
            raise BadMechanism(f"{self.name}: {what}: {energy:g} eV lies outside -100 to 100 eV")
        return energy

    def _known(self, symbol: str, allowed: Iterable[str], where: str) -> None:
        if symbol not in allowed:
            raise BadMechanism(f"{self.name}: {where}: unknown species '{symbol}'{nearest(str(symbol), allowed)}")

    def _site_rule(
        self,
        verb: str,
        before: str,
        after: str,
        irreversible: bool,
        potential: float | Parameter | None,
        attempt: str | float,
        activity: float,
    ) -> Callable[[L], L]:
        frequency = units.positive(attempt, "rate", f"{self.name}: attempt")
        factor = units.parse(activity, "fraction", f"{self.name}: activity")
        if factor < 0:
            raise BadMechanism(f"{self.name}: activity: expected a number of at least 0, got {activity!r}")

        def declare(law: L) -> L:
            if any((r.before, r.after) == (before, after) for r in self.site_rules):
                raise BadMechanism(f"{self.name}: two {verb} rules for {after if verb == 'dock' else before}")
            rule = SiteRule(verb, law, before, after, irreversible, potential, frequency, factor)
            self.site_rules.append(rule)
            return law

        return declare
