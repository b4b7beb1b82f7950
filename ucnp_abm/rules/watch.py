"""What a law counts among neighbours, and how the numbers of neighbours become rows of a table.

A *watch* is one count that a law reads: of one species, of several together, or cut at some number. Species that no
watch tells apart form a class. The loop adds up the weights of the neighbours, which gives one *number* for each
combination of class counts, and looks the row of that number up in a map. The map leaves out what cannot be
together, joins the species of a group and cuts at a saturation, so that rows are only as many as answers differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.errors import BadMechanism, nearest, shown

MAX_NUMBERS = 1 << 20
"""Combinations of class counts that a map can hold."""


@dataclass(frozen=True)
class Watch:
    """A count that a law reads: neighbours of these species together, cut at `most` (None: not cut)."""

    species: tuple[str, ...]
    most: int | None = None

    @classmethod
    def of(cls, species: Iterable[str], most: int | None = None) -> Watch:
        """A watch of these species, in whatever order they are named.

        Raises
        ------
        BadMechanism
            If one is unknown, or none is named.

        Examples
        --------
        >>> str(Watch.of(("Y", "Gd"))), str(Watch.of(["Yb"], 3))
        ('Gd+Y', 'Yb (up to 3)')
        """
        given = list(species)
        for symbol in given:
            if not isinstance(symbol, str):
                raise BadMechanism(
                    f"env.n: expected species such as env.n['Y'] or env.n['Gd', 'Y'], got {shown(symbol)}"
                )
            if symbol not in SPECIES:
                raise BadMechanism(f"env.n: unknown species '{symbol}'{nearest(symbol, SPECIES)}")
        names = tuple(sorted(set(given)))
        if not names:
            raise BadMechanism("env.n: name the species, as in env.n['Y'] or env.n['Gd', 'Y']")
        return cls(names, most)

    def count(self, numbers: Mapping[str, int]) -> int:
        """What it counts among neighbours, given the number of each species."""
        total = sum(numbers.get(symbol, 0) for symbol in self.species)
        return total if self.most is None else min(total, self.most)

    def __str__(self) -> str:
        return "+".join(self.species) + (f" (up to {self.most})" if self.most is not None else "")


@lru_cache(maxsize=1024)
def watch_of(species: tuple[str, ...], most: int | None) -> Watch:
    """As `Watch.of`, for laws that ask the same thing again and again."""
    return Watch.of(species, most)


@dataclass(frozen=True, eq=False)
class Counting:
    """Which row of a block the neighbours stand for.

    Attributes
    ----------
    watched : tuple of Watch
    classes : tuple of tuple of str
        Species that are told apart; those in no class are not counted.
    radix : int
        One more than the largest number of neighbours: a neighbour of class k adds radix**k to the number.
    values : (W, rows) int64
        What each watch counts in each row.
    least : (rows,) int64
        The fewest neighbours that make up a row.
    row : (M,) uint32
        Row of each number; 0 where it stands for too many neighbours.
    """

    watched: tuple[Watch, ...]
    classes: tuple[tuple[str, ...], ...]
    radix: int
    values: NDArray[np.int64]
    least: NDArray[np.int64]
    row: NDArray[np.uint32]

    @property
    def n_rows(self) -> int:
        return int(self.least.size)

    @property
    def weight(self) -> dict[str, int]:
        """What a neighbour of each counted species adds to the number."""
        return weights(self.classes, self.radix)

    def counts(self, row: int) -> dict[Watch, int]:
        """What is counted in a row of the block."""
        return dict(zip(self.watched, self._by_row[row], strict=True))

    @cached_property
    def _by_row(self) -> list[list[int]]:
        found: list[list[int]] = self.values.T.tolist()
        return found


def counting(watched: Sequence[Watch], present: Iterable[str], most: int) -> Counting | None:
    """How the counts that a law reads become rows; None if they are too many for a map.

    Parameters
    ----------
    watched : sequence of Watch
    present : iterable of str
        Species that can be neighbours, vacancies among them.
    most : int
        The largest number of neighbours.

    Examples
    --------
    >>> two = counting([Watch.of(["Gd", "Y"]), Watch.of(["Yb"], 2)], ["Gd", "Y", "Yb", "Na"], most=3)
    >>> two.classes, two.n_rows, two.counts(5)
    ((('Gd', 'Y'), ('Yb',)), 9, {Watch(species=('Gd', 'Y'), most=None): 1, Watch(species=('Yb',), most=2): 2})
    """
    classes = told_apart(watched, present)
    radix = most + 1
    if radix ** len(classes) > MAX_NUMBERS:
        return None
    number = np.arange(radix ** len(classes))
    each = number // radix ** np.arange(len(classes))[:, None] % radix
    total = each.sum(axis=0)
    can_be = total <= most
    values, key = np.zeros((len(watched), number.size), dtype=np.int64), np.zeros(int(can_be.sum()), dtype=np.int64)
    for value, watch in zip(values, watched, strict=True):
        inside = np.array([set(one) <= set(watch.species) for one in classes], dtype=bool)
        np.minimum(each[inside].sum(axis=0), most if watch.most is None else watch.most, out=value)
        key = np.unique(key * radix + value[can_be], return_inverse=True)[1]  # small numbers again, in the same order
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    least = np.full(first.size, most)
    np.minimum.at(least, inverse, total[can_be])
    row = np.zeros(number.size, dtype=np.uint32)
    row[can_be] = inverse
    return Counting(tuple(watched), classes, radix, values[:, can_be][:, first], least, row)


def told_apart(watched: Sequence[Watch], present: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Classes of the species that are here and counted: those of a class are in the same watches."""
    classes: dict[tuple[bool, ...], list[str]] = {}
    for symbol in present:
        signature = tuple(symbol in watch.species for watch in watched)
        if any(signature):
            classes.setdefault(signature, []).append(symbol)
    return tuple(tuple(members) for members in classes.values())


def weights(classes: Sequence[Sequence[str]], radix: int) -> dict[str, int]:
    """What a neighbour of each species adds to the number."""
    return {symbol: radix**k for k, members in enumerate(classes) for symbol in members}
