"""What ions move in: declared energies, levels of the crystal, and the bath."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ucnp_abm import units
from ucnp_abm.crystal.levels import Division
from ucnp_abm.crystal.species import IONS
from ucnp_abm.errors import BadInput, BadMechanism
from ucnp_abm.rules.energies import numbers, read_pair_energies, read_site_energies
from ucnp_abm.rules.parameter import Parameter
from ucnp_abm.rules.parametrised import Amount
from ucnp_abm.rules.ruleset import Ruleset


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


class Landscape(Ruleset):
    """Declarations that hold for all rules of a mechanism."""

    def __init__(self, name: str, *, summary: str, source: str) -> None:
        super().__init__(name, summary=summary, source=source)
        self.baths: dict[str, tuple[Amount, Amount]] = {}
        self.site_energies: dict[tuple[str, str | int], Amount] = {}
        self.pair_energies: dict[tuple[str, str], Amount] = {}
        self.division: Division | None = None

    # --- what an author declares ---

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
        found = read_site_energies(self.name, energies, self.site_energies, self.division)
        self._own_all(found, "site_energy")
        self.site_energies = found

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

    # --- what the engine asks ---

    def reservoirs(self) -> tuple[Reservoir, ...]:
        """The bath: every declared reservoir, and one for each species that can be docked or swapped."""
        placed = [rule.after for rule in self.active_site_rules() if rule.verb in ("dock", "swap")]
        swapped = [rule.before for rule in self.active_site_rules() if rule.verb == "swap"]
        return tuple(self._reservoir(symbol) for symbol in dict.fromkeys([*self.baths, *placed, *swapped]))

    def energies(self) -> tuple[dict[tuple[str, str | int], float], dict[tuple[str, str], float]]:
        """Site and pair energies / eV for the present parameter values."""
        return numbers(self, self.site_energies, "site_energy"), numbers(self, self.pair_energies, "pair_energy")

    # --- helpers ---

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
