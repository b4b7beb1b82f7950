"""What a law sees. A hop law sees both ends of the bond together, so an asymmetric barrier cannot be written."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from ucnp_abm.errors import BadMechanism, nearest, shown
from ucnp_abm.rules.watch import Watch, watch_of

UNDIVIDED = "this mechanism has no levels; declare them, as in divide('depth', 8)"


class Unwatched(BaseException):
    """A law read a neighbour count that is not enumerated yet; no law can catch this by accident."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch


class Counts:
    """Neighbour counts: ``env.n["Y"]``, ``env.n["Gd", "Y"]`` of both together, ``env.n.up_to(3, "Yb")`` cut at 3.

    For a hop: the number of bonds from either end to an X, the other end left out (a common neighbour has two such
    bonds). For one site: the number of neighbours X.

    Parameters
    ----------
    watched : mapping of Watch to int, or None
        What is counted, for a law that is tabulated; reading anything else is noted.
    whole : mapping of str to int, or None
        The number of every species, for a law that is called live.
    absent : sequence of Watch
        Counts of species that can never be there.

    Attributes
    ----------
    asked : set of Watch
        What was read so far.
    """

    def __init__(
        self,
        watched: Mapping[Watch, int] | None = None,
        whole: Mapping[str, int] | None = None,
        absent: Sequence[Watch] = (),
    ) -> None:
        self.watched = dict(watched or {})
        self.asked: set[Watch] = set()
        self._absent = absent
        self._whole = whole

    def unseen(self) -> Watch | None:
        """A count that was asked for and is not enumerated, even if the law swallowed the signal."""
        return next((watch for watch in self.asked if watch not in self.watched and watch not in self._absent), None)

    def __getitem__(self, species: str | tuple[str, ...]) -> int:
        return self._read(species if isinstance(species, tuple) else (species,), None)

    def up_to(self, most: int, *species: str) -> int:
        """The number of neighbours of these species together, but at most `most`: a law that asks so needs few rows.

        Raises
        ------
        BadMechanism
            If `most` is no whole number of at least 1, or a species is unknown.
        """
        whole = hasattr(type(most), "__index__") and not isinstance(most, bool)
        if not whole or most < 1:
            raise BadMechanism(f"env.n.up_to: expected a whole number of at least 1, got {shown(most)}")
        return self._read(species, operator.index(most))

    def _read(self, species: tuple[str, ...], most: int | None) -> int:
        try:
            watch = watch_of(species, most)
        except TypeError:  # a list, which cannot be looked up; it is refused with a sentence
            watch = Watch.of(species, most)
        self.asked.add(watch)
        if self._whole is not None:
            return watch.count(self._whole)
        if watch in self._absent:
            return 0
        if watch not in self.watched:
            raise Unwatched(watch)
        return self.watched[watch]

    def __iter__(self) -> Iterator[str]:
        raise BadMechanism("env.n: name the species, as in env.n['Y']; reading all counts would need a huge table")

    def __repr__(self) -> str:
        """What is counted; of a law that is called live, whatever is there."""
        there = {symbol: n for symbol, n in (self._whole or {}).items() if n}
        numbers: Mapping[Any, int] = self.watched or there
        return "{" + ", ".join(f"{name}: {n}" for name, n in numbers.items()) + "}"

    def __bool__(self) -> bool:
        raise BadMechanism("env.n: name the species, as in env.n['Y'] > 0")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise BadMechanism(f"env.n has no '{name}'; write env.n['Y'], env.n['Gd', 'Y'] or env.n.up_to(3, 'Yb')")

    def said(self) -> str:
        """', n={…}' for those who read of an environment; empty if nothing is counted."""
        return f", n={self!r}" if self.watched or any((self._whole or {}).values()) else ""


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
    levels : tuple of two int
        Levels of both ends, unordered (sorted); only where the mechanism divides the crystal.
    n : Counts
    p : Parameters
    start, end : str
        Zones of the ion's site before and after; only where the rule is declared ``irreversible=True``.
    start_level, end_level : int
        Likewise, its levels.
    """

    def __init__(
        self,
        mover: str,
        bond: str,
        zones: tuple[str, str],
        n: Counts,
        p: Parameters,
        *,
        levels: tuple[int, int] | None = None,
        directed: bool = False,
    ) -> None:
        self.mover = mover
        self.bond = bond
        self.zones = tuple(sorted(zones))
        self.n = n
        self.p = p
        if levels is not None:
            self.levels = tuple(sorted(levels))
        if directed:
            self.start, self.end = zones
            if levels is not None:
                self.start_level, self.end_level = levels

    def __getattr__(self, name: str) -> Any:
        if name in ("start", "end", "start_level", "end_level") and "start" not in vars(self):
            raise BadMechanism(
                f"env.{name} is only for rules declared irreversible=True; a barrier is the same both ways "
                f"(use env.{'levels' if name.endswith('level') else 'zones'})"
            )
        if name in ("levels", "start_level", "end_level"):
            raise BadMechanism(f"env.{name}: {UNDIVIDED}")
        raise BadMechanism(f"a hop has no 'env.{name}'{nearest(name, ['mover', 'bond', 'zones', 'levels', 'n', 'p'])}")

    def __repr__(self) -> str:
        levels = f", levels {self.levels[0]}|{self.levels[1]}" if "levels" in vars(self) else ""
        where = f"zones {self.zones[0]}|{self.zones[1]}{levels}"
        return f"hop of {self.mover} over bond '{self.bond}', {where}{self.n.said()}"


class Site:
    """One exposed site: zone, coordination (neighbours that are in the crystal), level, n (Counts)."""

    def __init__(self, zone: str, coordination: int, n: Counts, *, level: int | None = None) -> None:
        self.zone = zone
        self.coordination = coordination
        self.n = n
        if level is not None:
            self.level = level

    def __getattr__(self, name: str) -> Any:
        if name == "level":
            raise BadMechanism(f"env.site.level: {UNDIVIDED}")
        raise BadMechanism(f"a site has no 'env.site.{name}'{nearest(name, ['zone', 'coordination', 'level', 'n'])}")


class SiteEnv:
    """The surroundings of a one-site verb such as docking: ``env.site`` and ``env.p``."""

    def __init__(self, site: Site, p: Parameters) -> None:
        self.site = site
        self.p = p

    def __getattr__(self, name: str) -> Any:
        raise BadMechanism(f"a one-site law has no 'env.{name}'{nearest(name, ['site', 'p'])}")

    def __repr__(self) -> str:
        level = f", level {self.site.level}" if "level" in vars(self.site) else ""
        return f"{self.site.zone} site, coordination {self.site.coordination}{level}{self.site.n.said()}"
