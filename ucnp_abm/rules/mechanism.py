"""A mechanism: laws for the verbs, on a landscape of energies, levels and a bath. All that a plugin author writes.

Verbs are closed, rates are open: a law returns a barrier in eV, or None where the event is forbidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ucnp_abm import units
from ucnp_abm.crystal.species import IONS
from ucnp_abm.errors import BadInput, BadMechanism, nearest
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.landscape import Landscape, Reservoir
from ucnp_abm.rules.parameter import Parameter, Value
from ucnp_abm.rules.parametrised import Amount
from ucnp_abm.rules.ruleset import ATTEMPT, HopRule, L, SiteRule

__all__ = ["ATTEMPT", "HopRule", "Mechanism", "Parameter", "Reservoir", "SiteRule"]


class Mechanism(Landscape):
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
        super().__init__(name, summary=summary, source=source)
        self.hops: list[HopRule] = []
        self.drives: tuple[Drive, ...] = ()

    # --- what an author declares ---

    def hop(
        self,
        mover: str | Iterable[str],
        *,
        irreversible: bool = False,
        attempt: Amount = ATTEMPT,
        when: Mapping[str, Any] | None = None,
        lowest: Amount = None,
    ) -> Callable[[L], L]:
        """Rule: an ion `mover` and a neighbouring vacancy trade places.

        The law returns the kinetic barrier E_KRA / eV; the engine adds the difference dE of the declared energies:
        E_a = max(E_KRA + dE/2, dE, 0). With ``irreversible=True`` the law's number is E_a itself.
        """
        movers, condition = self._movers(mover, "hop"), self._condition(when)
        self._own(attempt, "attempt", "rate")
        lowest = self._lowest(lowest)
        if not isinstance(attempt, Parameter) and not callable(attempt):
            attempt = units.positive(attempt, "rate", f"{self.name}: attempt")  # type: ignore[arg-type]

        def declare(law: L) -> L:
            for symbol in movers:
                if any(symbol in rule.movers and not (rule.when and condition) for rule in self.hops):
                    raise BadMechanism(f"{self.name}: two hop rules for {symbol}")
            self.hops.append(HopRule(law, movers, irreversible, attempt, condition, lowest))
            return law

        return declare

    def dock(
        self,
        species: str,
        *,
        irreversible: bool = False,
        chemical_potential: Amount = None,
        attempt: Amount = ATTEMPT,
        when: Mapping[str, Any] | None = None,
        lowest: Amount = None,
    ) -> Callable[[L], L]:
        """Rule: a complex fills an exposed vacancy with an ion of `species`; the law returns E_dock / eV.

        With a chemical potential mu0 undocking follows: E = max(E_dock, g - mu0, 0), k_dock = a k0 exp(-E/kT) and
        k_undock = k0 exp(-(E - g + mu0)/kT), g being the energy of the ion there minus that of the vacancy, and a the
        activity of its `reservoir`. A parameter that may be None makes docking reversible when it is set.

        Raises
        ------
        BadMechanism
            Unless exactly one of `irreversible` and `chemical_potential` is given.
        """
        self._known(species, IONS, "dock")
        potential = self._potential(f"dock('{species}')", irreversible, chemical_potential)
        return self._site_rule("dock", "vacancy", species, irreversible, potential, attempt, when, lowest)

    def swap(
        self,
        species: str,
        into: str,
        *,
        irreversible: bool = False,
        chemical_potential: Amount = None,
        attempt: Amount = ATTEMPT,
        when: Mapping[str, Any] | None = None,
        lowest: Amount = None,
    ) -> Callable[[L], L]:
        """Rule: cation exchange; an exposed ion of `species` becomes an ion `into`. The law returns E_swap / eV.

        `chemical_potential` is that of `into` minus that of `species` in the bath; the way back follows as for `dock`,
        with the activity of the reservoir of `species`.

        Raises
        ------
        BadMechanism
            Unless exactly one of `irreversible` and `chemical_potential` is given.
        """
        self._known(species, IONS, "swap")
        self._known(into, IONS, "swap")
        potential = self._potential(f"swap('{species}', '{into}')", irreversible, chemical_potential)
        return self._site_rule("swap", species, into, irreversible, potential, attempt, when, lowest)

    def sink(
        self,
        *,
        irreversible: bool = False,
        attempt: Amount = ATTEMPT,
        when: Mapping[str, Any] | None = None,
        lowest: Amount = None,
    ) -> Callable[[L], L]:
        """Rule: the surface absorbs an exposed vacancy; its site becomes a void for good. The law returns E_a / eV.

        Raises
        ------
        BadMechanism
            Unless declared irreversible: a void never comes back.
        """
        if not irreversible:
            raise BadMechanism(f"{self.name}: sink has no way back; declare irreversible=True")
        return self._site_rule("sink", "vacancy", "void", True, None, attempt, when, lowest)

    # --- combinations ---

    def driven_by(self, *drives: Drive) -> Mechanism:
        """A copy under drives; its name becomes 'mechanism+drive'.

        Raises
        ------
        BadInput
            If a drive is given twice or has nothing to act on here.
        """
        driven = self._copy()
        for drive in drives:
            if not isinstance(drive, Drive):
                raise BadInput(f"{self.name}: expected a Drive, got {drive!r}")
            driven.name += f"+{drive.name}"
            if drive.name in [d.name for d in driven.drives]:
                raise BadInput(f"{driven.name}: the drive '{drive.name}' is given twice")
            driven.drives += (drive,)
            if drive.assistance and sum(d.assistance is not None for d in driven.drives) > 1:
                raise BadInput(f"{driven.name}: two drives that assist hops do not combine")
            if drive.assistance and not self.hops:
                raise BadInput(f"{driven.name}: '{drive.name}' assists hops, and '{self.name}' has none")
            verbs = {rule.verb for rule in self.active_site_rules()}
            for verb in drive.factors:
                if verb not in verbs:
                    raise BadInput(
                        f"{driven.name}: '{drive.name}' acts on '{verb}', and '{self.name}' has no such rule"
                    )
        return driven

    def with_parameters(self, /, **values: str | float | None) -> Mechanism:
        """A copy with other parameter values; those of a drive as ``{"laser-thermal.rise": …}``, or by bare name.

        Raises
        ------
        BadInput
            If a parameter is unknown or ambiguous, has the wrong unit or lies out of its bounds.
        """
        drives = {drive.name: drive for drive in self.drives}
        own: dict[str, Any] = {}
        for key, value in values.items():
            where, _, name = key.rpartition(".")
            if where and where not in (*drives, self._plain_name):
                raise BadInput(f"{self.name}: unknown part '{where}'{nearest(where, [*drives, self._plain_name])}")
            owners = [d for d in drives if name in drives[d].parameters and where in ("", d)]
            if where == self._plain_name or (not where and (name in self.parameters or not owners)):
                if name not in self.parameters:
                    raise BadInput(f"{self.name}: unknown parameter '{name}'{nearest(name, self.all_values())}")
                own[name] = value
            elif len(owners) > 1:
                raise BadInput(f"{self.name}: '{name}' is ambiguous; say '{owners[0]}.{name}'")
            else:
                drives[where or owners[0]] = drives[where or owners[0]].with_parameters(**{name: value})
        changed = super().with_parameters(**own)
        changed.drives = tuple(drives.values())
        return changed

    def on(self, lattice: str) -> Mechanism:
        """A copy with the defaults of a lattice, where no value was set; its drives too."""
        changed = super().on(lattice)
        changed.drives = tuple(drive.on(lattice) for drive in self.drives)
        return changed

    @property
    def set_by_hand(self) -> dict[str, Value]:
        """The values that somebody set, those of drives as 'drive.name'."""
        driven = {f"{d.name}.{name}": value for d in self.drives for name, value in d.set_by_hand.items()}
        return {**super().set_by_hand, **driven}

    def all_values(self) -> dict[str, Value]:
        """Parameter values, those of drives as 'drive.name'."""
        driven = {f"{d.name}.{name}": value for d in self.drives for name, value in d.values.items()}
        return {**self.values, **driven}

    # --- what the engine asks ---

    def active_hops(self) -> list[HopRule]:
        """The hop rules that hold for the present parameter values, with numbers for amounts."""
        return [
            replace(
                rule,
                attempt=self._attempt(rule),
                lowest=self._barrier(rule.lowest),
                p=self.env_parameters(),
            )
            for rule in self.hops
            if self._holds(rule.when)
        ]

    @property
    def irreversible_verbs(self) -> list[str]:
        """Rules that break detailed balance by declaration."""
        by_law: dict[tuple[str, int], list[str]] = {}
        for rule in self.active_hops():
            if rule.irreversible:
                by_law["hop of", id(rule.law)] = list(rule.movers)
        for site_rule in self.active_site_rules():
            if site_rule.irreversible:
                by_law.setdefault((site_rule.verb, id(site_rule.law)), []).append(site_rule.moved)
        found = [f"{verb} {'any ion' if len(s) == len(IONS) else ', '.join(s)}" for (verb, _), s in by_law.items()]
        return found + [f"{drive.name}: {why}" for drive in self.drives for why in drive.irreversible]

    def __repr__(self) -> str:
        return f"<Mechanism '{self.name}': {self.summary}>"

    @property
    def _plain_name(self) -> str:
        return self.name.partition("+")[0]

    def _potential(self, what: str, irreversible: bool, potential: Amount) -> Amount:
        self._own(potential, "chemical_potential", "energy")
        if irreversible == (potential is not None):
            raise BadMechanism(
                f"{self.name}: {what} needs either irreversible=True or a chemical_potential, not both or none"
            )
        if isinstance(potential, (str, int, float)):
            return units.parse(potential, "energy", f"{self.name}: chemical_potential")
        return potential
