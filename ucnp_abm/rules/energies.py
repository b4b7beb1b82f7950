"""Declared energies: of a species on the sites of a zone or a level, and of two neighbours."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from ucnp_abm import units
from ucnp_abm.crystal.levels import Division
from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.errors import BadMechanism, nearest, shown
from ucnp_abm.rules.parameter import Parameter
from ucnp_abm.rules.parametrised import Amount, Parametrised

Key = TypeVar("Key", bound=tuple[str, Any])
MOST = 100.0
"""eV; what is larger is meant in other units."""


def read_site_energies(
    owner: str, energies: Any, declared: Mapping[tuple[str, str | int], Amount], division: Division | None
) -> dict[tuple[str, str | int], Amount]:
    """eps[species, zone or level] / eV, checked and added to what is declared already.

    Whether a zone exists is known only when a crystal is there.

    Raises
    ------
    BadMechanism
        If a key is none, or an energy is given twice with different values.
    """
    found = dict(declared)
    for (symbol, given), value in _items(owner, energies, "site_energy", "(species, zone)"):
        _known(owner, symbol, "site_energy")
        where = _zone_or_level(owner, symbol, given)
        if isinstance(where, int):
            if division is None:
                raise BadMechanism(f"{owner}: site_energy of {symbol}: level {where}: first cut the crystal: divide(…)")
            if not 0 <= where < division.levels:
                raise BadMechanism(
                    f"{owner}: site_energy of {symbol}: expected a level from 0 to {division.levels - 1}, got {where}"
                )
        amount = _amount(owner, value, f"site_energy of {symbol}")
        if found.get((symbol, where), amount) != amount:
            raise BadMechanism(f"{owner}: site_energy of {symbol}, {where} is given twice with different values")
        found[symbol, where] = amount
    return found


def read_pair_energies(owner: str, energies: Any, declared: Mapping[tuple[str, str], Amount]) -> dict[Any, Amount]:
    """J[species, species] / eV with both species in order, checked and added to what is declared already.

    Raises
    ------
    BadMechanism
        If a pair is given twice with different values.
    """
    found = dict(declared)
    for (a, b), value in _items(owner, energies, "pair_energy", "(species, species)"):
        _known(owner, a, "pair_energy")
        _known(owner, b, "pair_energy")
        amount = _amount(owner, value, f"pair_energy of {a}, {b}")
        key = (a, b) if a <= b else (b, a)
        if found.get(key, amount) != amount:
            raise BadMechanism(f"{owner}: pair_energy of {a} and {b} is given twice with different values")
        found[key] = amount
    return found


def numbers(owner: Parametrised, energies: Mapping[Key, Amount], what: str) -> dict[Key, float]:
    """Declared energies / eV as numbers, for the present parameter values.

    Raises
    ------
    BadMechanism
        If one is no number that could be meant.
    """
    found = {}
    for (one, other), value in energies.items():
        said = f"{what} of {one}, {other}"
        number = owner.amount(value, "energy", said)
        if number is None:
            raise BadMechanism(f"{owner.name}: {said}: the parameter is unset; give it a value")
        found[one, other] = _plausible(owner.name, number, said)
    return found  # type: ignore[return-value]


def _items(owner: str, energies: Any, where: str, key: str) -> Iterable[tuple[tuple[str, Any], Any]]:
    if not isinstance(energies, Mapping) or not all(isinstance(k, tuple) and len(k) == 2 for k in energies):
        raise BadMechanism(f"{owner}: {where}: expected {{{key}: energy}}, got {energies!r}")
    return energies.items()


def _zone_or_level(owner: str, symbol: str, where: Any) -> str | int:
    if isinstance(where, str):
        return where
    try:
        if isinstance(where, (bool, np.bool_)):
            raise TypeError
        return operator.index(where)
    except TypeError:
        raise BadMechanism(
            f"{owner}: site_energy of {symbol}: expected the name of a zone or the number of a level, "
            f"got {shown(where)}"
        ) from None


def _amount(owner: str, value: Any, what: str) -> Amount:
    if isinstance(value, Parameter) or callable(value):
        return value  # type: ignore[no-any-return]
    return _plausible(owner, units.parse(value, "energy", f"{owner}: {what}"), what)


def _plausible(owner: str, energy: float, what: str) -> float:
    if not abs(energy) <= MOST:
        raise BadMechanism(f"{owner}: {what}: {energy:g} eV lies outside -{MOST:g} to {MOST:g} eV")
    return energy


def _known(owner: str, symbol: str, where: str) -> None:
    if symbol not in SPECIES:
        raise BadMechanism(f"{owner}: {where}: unknown species '{symbol}'{nearest(str(symbol), SPECIES)}")
