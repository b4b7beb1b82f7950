"""What a law sees. A hop law sees both ends of the bond together, so an asymmetric barrier cannot be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.errors import BadMechanism, nearest


class Unwatched(BaseException):
    """A law read a neighbour count that is not enumerated yet; no law can catch this by accident."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol


class Counts:
    """Neighbour counts by species: ``env.n["Y"]``.

    For a hop: the number of bonds from either end to an X, the other end left out (a common neighbour has two such
    bonds). For one site: the number of neighbours X.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = dict(counts)
        self._unseen: set[str] = set()

    def unseen(self) -> str | None:
        """A species that was asked for and is not counted, even if the law swallowed the signal."""
        return min(self._unseen, default=None)

    def __getitem__(self, symbol: str) -> int:
        if symbol not in SPECIES:
            raise BadMechanism(f"env.n: unknown species '{symbol}'{nearest(str(symbol), SPECIES)}")
        if symbol not in self._counts:
            self._unseen.add(symbol)
            raise Unwatched(symbol)
        return self._counts[symbol]

    def __iter__(self) -> Iterator[str]:
        raise BadMechanism("env.n: name the species, as in env.n['Y']; reading all counts would need a huge table")

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{s}: {n}" for s, n in self._counts.items() if n) + "}"


class Parameters(SimpleNamespace):
    """Values of the mechanism's parameters, in eV, K, s, 1/s."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise BadMechanism(f"env.p.{name}: a law reads parameters and never sets them")

    def __getattr__(self, name: str) -> Any:
        raise BadMechanism(f"env.p: this mechanism has no parameter '{name}'{nearest(name, vars(self))}")


class HopEnv:
    """The surroundings of a hop.

    Attributes
    ----------
    mover : str
        The ion that hops into the vacancy.
    bond : str
        Class of the bond, as the lattice names it.
    zones : tuple of two str
        Zones of both ends, unordered (sorted).
    n : Counts
    p : Parameters
    start, end : str
        Zones of the ion's site before and after; only where the rule is declared ``irreversible=True``.
    """

    def __init__(
        self, mover: str, bond: str, zones: tuple[str, str], n: Counts, p: Parameters, directed: bool = False
    ) -> None:
        self.mover = mover
        self.bond = bond
        self.zones = tuple(sorted(zones))
        self.n = n
        self.p = p
        if directed:
            self.start, self.end = zones

    def __getattr__(self, name: str) -> Any:
        if name in ("start", "end"):
            raise BadMechanism(
                f"env.{name} is only for rules declared irreversible=True; "
                "a barrier is the same both ways (use env.zones)"
            )
        raise BadMechanism(f"a hop has no 'env.{name}'{nearest(name, ['mover', 'bond', 'zones', 'n', 'p'])}")

    def __repr__(self) -> str:
        n = f", n={self.n}" if self.n._counts else ""
        return f"hop of {self.mover} over bond '{self.bond}', zones {self.zones[0]}|{self.zones[1]}{n}"


class Site:
    """One exposed site: zone, coordination (neighbours that are in the crystal), n (Counts)."""

    def __init__(self, zone: str, coordination: int, n: Counts) -> None:
        self.zone = zone
        self.coordination = coordination
        self.n = n

    def __getattr__(self, name: str) -> Any:
        raise BadMechanism(f"a site has no 'env.site.{name}'{nearest(name, ['zone', 'coordination', 'n'])}")


class SiteEnv:
    """The surroundings of a one-site verb such as docking: ``env.site`` and ``env.p``."""

    def __init__(self, site: Site, p: Parameters) -> None:
        self.site = site
        self.p = p

    def __getattr__(self, name: str) -> Any:
        raise BadMechanism(f"a one-site law has no 'env.{name}'{nearest(name, ['site', 'p'])}")

    def __repr__(self) -> str:
        n = f", n={self.site.n}" if self.site.n._counts else ""
        return f"{self.site.zone} site, coordination {self.site.coordination}{n}"
