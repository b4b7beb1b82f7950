"""Declared energies: of a species on the sites of a zone, and of two neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ucnp_abm import units
from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.errors import BadMechanism, nearest

Energies = dict[tuple[str, str], float]


def read_site_energies(owner: str, energies: Any) -> Energies:
    """eps[species, zone] / eV, checked; whether a zone exists is known only when a crystal is there."""
    found = {}
    for (symbol, zone), value in _items(owner, energies, "site_energy", "(species, zone)"):
        _known(owner, symbol, "site_energy")
        found[symbol, zone] = _energy(owner, value, f"site_energy of {symbol}")
    return found


def read_pair_energies(owner: str, energies: Any, declared: Energies) -> Energies:
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
        number = _energy(owner, value, f"pair_energy of {a}, {b}")
        key = (a, b) if a <= b else (b, a)
        if found.get(key, number) != number:
            raise BadMechanism(f"{owner}: pair_energy of {a} and {b} is given twice with different values")
        found[key] = number
    return found


def _items(owner: str, energies: Any, where: str, key: str) -> Iterable[tuple[tuple[str, str], Any]]:
    if not isinstance(energies, Mapping) or not all(isinstance(k, tuple) and len(k) == 2 for k in energies):
        raise BadMechanism(f"{owner}: {where}: expected {{{key}: energy}}, got {energies!r}")
    return energies.items()


def _energy(owner: str, value: str | float, what: str) -> float:
    energy = units.parse(value, "energy", f"{owner}: {what}")
    if abs(energy) > 100:
        raise BadMechanism(f"{owner}: {what}: {energy:g} eV lies outside -100 to 100 eV")
    return energy


def _known(owner: str, symbol: str, where: str) -> None:
    if symbol not in SPECIES:
        raise BadMechanism(f"{owner}: {where}: unknown species '{symbol}'{nearest(str(symbol), SPECIES)}")
