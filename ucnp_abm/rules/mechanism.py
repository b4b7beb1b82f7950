"""A mechanism: laws for the verbs, declared energies, reservoirs, parameters. All that a plugin author writes.

Verbs are closed, rates are open: a law returns a barrier in eV, or None where the event is forbidden.

It is one room, though a large one, so that a plugin author finds every declaration in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ucnp_abm import units
from ucnp_abm.crystal.levels import Division
from ucnp_abm.crystal.species import IONS
from ucnp_abm.errors import BadInput, BadMechanism, nearest
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.energies import numbers, read_pair_energies, read_site_energies
from ucnp_abm.rules.parameter import Parameter, Value
from ucnp_abm.rules.parametrised import Amount
from ucnp_abm.rules.ruleset import ATTEMPT, HopRule, L, Ruleset, SiteRule

__all__ = ["ATTEMPT", "HopRule", "Mechanism", "Parameter", "Reservoir", "SiteRule"]


@dataclass(frozen=True)
class Reservoir:
    """The complexes of one species in the bath.

    Attributes
    ----------
    species : str
    activity : float
        a0, at the start: a = a0 N_left / N_0 for a finite reservoir, a0 for an infinite one.
    size : int or None
        N_0; None: infinite.
    """

    species: str
    activity: float = 1.0
    size: int | None = None


class Mechanism(Ruleset):
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
        self.baths: dict[str, tuple[Amount, Amount]] = {}
        self.site_energies: dict[tuple[str, str | int], Amount] = {}
        self.pair_energies: dict[tuple[str, str], Amount] = {}
        self.division: Division | None = None
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
        self._own(lowest, "lowest", "energy")
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

    def reservoir(self, species: str, *, activity: Amount = 1.0, size: Amount = None) -> None:
        """Declare the bath's complexes of a species: activity a0, and how many there are (None: infinitely many).

        Undeclared reservoirs are infinite and have activity 1.
        """
        self._known(species, IONS, "reservoir")
        self._own(activity, f"reservoir of {species}: activity", "number")
        self._own(size, f"reservoir of {species}: size", "count")
        self.baths[species] = (activity, size)
        if not isinstance(activity, Parameter) and not isinstance(size, Parameter):
            self._reservoir(species)

    def divide(self, along: str, levels: int, *, width: str | float | None = None) -> None:
        """Cut the crystal into 2 to 16 levels, which laws read as ``env.site.level`` and ``env.levels``.

        Parameters
        ----------
        along : {'depth', 'radius', 'x', 'y', 'z'}
            Depth below the outer surface, distance from the centre, or a coordinate; level 0 has the smallest.
        levels : int
        width : str or float or None
            Å of each level, the last one holding the rest; None: equal widths over the whole crystal.

        Raises
        ------
        BadMechanism
            If the crystal is cut twice.
        BadInput
            If one of them is not allowed.
        """
        if self.division is not None:
            raise BadMechanism(f"{self.name}: divide: the crystal is cut along {self.division.along} already")
        wide = None if width is None else units.parse(width, "length", f"{self.name}: divide: width")
        self.division = Division(along, levels, wide)

    def site_energy(self, energies: Mapping[tuple[str, str | int], Amount]) -> None:
        """Declare eps[species, zone] or eps[species, level] / eV; both add up, and what is not declared is 0.

        An energy is a number, text with a unit, a parameter of this mechanism, or a function of its parameters.
        """
        found = read_site_energies(self.name, energies, self.division)
        self._own_all(found, "site_energy")
        self.site_energies |= found

    def pair_energy(self, energies: Mapping[tuple[str, str], Amount]) -> None:
        """Declare J[species, species] / eV for neighbours, each pair counted once; order does not matter.

        Raises
        ------
        BadMechanism
            If both orders are given and differ.
        """
        found = read_pair_energies(self.name, energies, self.pair_energies)
        self._own_all(found, "pair_energy")
        self.pair_energies = found

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
                lowest=self.amount(rule.lowest, "energy", "lowest barrier"),
                p=self.env_parameters(),
            )
            for rule in self.hops
            if self._holds(rule.when)
        ]

    def reservoirs(self) -> tuple[Reservoir, ...]:
        """The bath: every declared reservoir, and one for each species that can be docked or swapped."""
        placed = [rule.after for rule in self.active_site_rules() if rule.verb in ("dock", "swap")]
        swapped = [rule.before for rule in self.active_site_rules() if rule.verb == "swap"]
        return tuple(self._reservoir(symbol) for symbol in dict.fromkeys([*self.baths, *placed, *swapped]))

    def energies(self) -> tuple[dict[tuple[str, str | int], float], dict[tuple[str, str], float]]:
        """Site and pair energies / eV for the present parameter values."""
        return numbers(self, self.site_energies, "site_energy"), numbers(self, self.pair_energies, "pair_energy")

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

    def _reservoir(self, species: str) -> Reservoir:
        activity, size = self.baths.get(species, (1.0, None))
        a0 = self.amount(activity, "number", f"activity of {species}")
        n0 = self.amount(size, "count", f"size of the reservoir of {species}")
        if a0 is None or a0 < 0:
            raise BadInput(f"{self.name}: activity of {species}: expected a number of at least 0, got {a0}")
        if n0 is not None and not 1 <= n0 < 2**53:
            raise BadInput(
                f"{self.name}: reservoir of {species}: expected at least one complex, got {n0:g}; "
                "leave the size out for an infinite one"
            )
        return Reservoir(species, a0, None if n0 is None else int(n0))

    def _own_all(self, energies: Mapping[Any, Amount], what: str) -> None:
        for (one, other), energy in energies.items():
            self._own(energy, f"{what} of {one}, {other}", "energy")

    def _potential(self, what: str, irreversible: bool, potential: Amount) -> Amount:
        self._own(potential, "chemical_potential", "energy")
        if irreversible == (potential is not None):
            raise BadMechanism(
                f"{self.name}: {what} needs either irreversible=True or a chemical_potential, not both or none"
            )
        if isinstance(potential, (str, int, float)):
            return units.parse(potential, "energy", f"{self.name}: chemical_potential")
        return potential
