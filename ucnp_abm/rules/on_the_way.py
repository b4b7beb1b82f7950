"""Rows that are worked out on the way: for laws that read more than a table can hold.

Every species is then told apart, so each neighbourhood has a number of its own, and its row is worked out when a run
first needs it. Rejection needs a bound before it has seen all rows, so the author declares the lowest barrier.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ucnp_abm.errors import BadRate
from ucnp_abm.rules.env import Counts
from ucnp_abm.rules.law import call_law, label

MAX_NUMBERS = 1 << 43
"""Neighbourhoods that can be told apart: with a row before them they fit into 63 bits."""
_SAMPLES = 8


@dataclass(frozen=True)
class Ways:
    """The neighbourhoods of one block.

    Attributes
    ----------
    species : tuple of str
        All that can be neighbours; a neighbour of species k adds radix**k to the number of a neighbourhood.
    radix : int
    sample : str
        SHA-256 of the barriers of some neighbourhoods.
    """

    species: tuple[str, ...]
    radix: int
    sample: str

    def counts(self, number: int) -> Counts:
        """The neighbours that a number stands for."""
        found = {}
        for symbol in self.species:
            number, found[symbol] = divmod(number, self.radix)
        return Counts(whole=found)


def ways(rule: Any, species: tuple[str, ...], limit: int, radix: int, env: Callable[[Counts], Any], owner: str) -> Ways:
    """The ways of a block, its law asked about a sample of them, so that a bad law fails before the run.

    Parameters
    ----------
    rule : HopRule or SiteRule
    species : tuple of str
    limit : int
        Neighbours that there are at most.
    radix : int
    env : callable
        The environment of given counts.
    owner : str
        Name of the mechanism.

    Raises
    ------
    BadRate
        As for every call of a law, or if a barrier lies below the lowest one declared.
    """
    words = np.random.Philox(key=limit).random_raw((_SAMPLES, limit)).tolist()
    mixed = [Counter(species[word % len(species)] for word in row) for row in words]
    sha = hashlib.sha256()
    for numbers in [*({symbol: limit} for symbol in species), *mixed]:
        counts = Counts(whole={symbol: numbers.get(symbol, 0) for symbol in species})
        sha.update(repr(barrier_of(rule, env(counts), owner)).encode())
    return Ways(species, radix, sha.hexdigest())


def barrier_of(rule: Any, env: Any, owner: str) -> float:
    """The barrier / eV that a rule's law gives, which must not lie below the lowest one that its author declared.

    Raises
    ------
    BadRate
        If it does.
    """
    value = call_law(rule.law, env, owner)
    if rule.lowest is not None and value < rule.lowest:
        raise BadRate(
            f"{label(rule.law, owner)} returned {value:g} eV for a {env!r}, below the lowest barrier that is declared, "
            f"{rule.lowest:g} eV; declare a lower one"
        )
    return value
