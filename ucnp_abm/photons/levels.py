"""Levels of an ion, lumps joined, and the transfers between two ions: what a rate set is made of.

Levels that exchange population at once are *lumps*: their members share it by Boltzmann factors at 300 K. What leaves
the lump does so with the members' rates times their shares; what enters any member enters the lump.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.photons.ratefile import Level, RateFile

LUMP_TEMPERATURE = 300.0
"""Temperature / K at which the members of a lump share their population. Assumption."""
CM6 = 1e48
"""Å⁶ in a cm⁶."""
_BOLTZMANN_CM = 0.695034800
"""Boltzmann constant / (1/cm)/K (CODATA 2018)."""


@dataclass(frozen=True)
class Emission:
    """A radiative transition.

    Attributes
    ----------
    ion : str
    upper, lower : str
        Levels, members of lumps by their own names.
    level : int
        Number of the level (or lump) that emits.
    wavelength_nm : float
        From the energies of the two levels.
    rate : float
        Photons per second and ion in the level / 1/s.
    """

    ion: str
    upper: str
    lower: str
    level: int
    wavelength_nm: float
    rate: float


@dataclass(frozen=True, eq=False)
class Ion:
    """The levels of one ion, lumps joined, the ground state first.

    Attributes
    ----------
    symbol : str
    levels : tuple of str
    decay : (L, L) float64
        Rates / 1/s from level (row) to level (column) of the ion alone, radiative and not.
    emissions : tuple of Emission
    """

    symbol: str
    levels: tuple[str, ...]
    decay: NDArray[np.float64]
    emissions: tuple[Emission, ...]

    def number(self, level: str) -> int:
        """Number of a level.

        Raises
        ------
        BadInput
            If there is none of this name.
        """
        if level not in self.levels:
            raise BadInput(f"{self.symbol}: no level '{level}'{nearest(level, self.levels)}")
        return self.levels.index(level)

    @property
    def radiative(self) -> NDArray[np.float64]:
        """(L,) photons per second and ion in each level / 1/s."""
        found = np.zeros(len(self.levels))
        for emission in self.emissions:
            found[emission.level] += emission.rate
        return found


@dataclass(frozen=True)
class Transfer:
    """One way for two ions to trade energy: donor goes down, acceptor up, at the rate C / r⁶.

    Attributes
    ----------
    donor, acceptor : str
        Symbols.
    down, up : (int, int)
        Levels of donor and acceptor before and after.
    constant : float
        C / Å⁶/s.
    """

    donor: str
    down: tuple[int, int]
    acceptor: str
    up: tuple[int, int]
    constant: float


def joined(symbol: str, levels: Mapping[str, Level], lumps: Mapping[str, list[str]]) -> tuple[Ion, dict[str, Any]]:
    """An ion with its lumps joined, and for each level of the file (number of its lump, its share)."""
    home = {member: name for name, members in lumps.items() for member in members}
    energies: dict[str, float] = {}
    for label, level in levels.items():
        name = home.get(label, label)
        energies[name] = min(level.energy, energies.get(name, math.inf))
    names = sorted(energies, key=lambda name: energies[name])
    weight = {label: _weight(label, level.energy - energies[home.get(label, label)]) for label, level in levels.items()}
    total = {name: sum(w for label, w in weight.items() if home.get(label, label) == name) for name in names}
    share = {label: weight[label] / total[home.get(label, label)] for label in levels}
    place = {label: names.index(home.get(label, label)) for label in levels}
    decay, emissions = np.zeros((len(names), len(names))), []
    for label, level in levels.items():
        for radiative, ends in ((True, level.radiative), (False, level.nonradiative)):
            for end, rate in ends.items():
                if place[end] != place[label]:
                    decay[place[label], place[end]] += share[label] * rate
                    if radiative and rate > 0:
                        length = 1e7 / (level.energy - levels[end].energy)
                        emissions.append(Emission(symbol, label, end, place[label], length, share[label] * rate))
    emissions.sort(key=lambda emission: emission.wavelength_nm)
    return Ion(symbol, tuple(names), decay, tuple(emissions)), {label: (place[label], share[label]) for label in levels}


def _weight(label: str, above: float) -> float:
    """(2J + 1) times the Boltzmann factor of an energy / 1/cm; J is what ends a term symbol, as in 2H(2)11/2."""
    found = re.search(r"[A-Z](?:\(\d\))?(\d+)(/2)?$", label)
    j = (float(found[1]) / (2 if found[2] else 1)) if found else 0.0
    return (2 * j + 1) * math.exp(-above / (_BOLTZMANN_CM * LUMP_TEMPERATURE))


def transfers(file: RateFile, levels: Mapping[str, Mapping[str, tuple[int, float]]]) -> tuple[Transfer, ...]:
    """All transfers of a file between levels with their lumps joined; `levels` as from `joined`, by symbol."""
    found: dict[tuple[str, tuple[int, int], str, tuple[int, int]], float] = {}
    for (donor, down, acceptor, up), constant in file.pairs().items():
        (d0, share), (d1, _) = levels[donor][down[0]], levels[donor][down[1]]
        (a0, other), (a1, _) = levels[acceptor][up[0]], levels[acceptor][up[1]]
        if d0 != d1 or a0 != a1:
            key = (donor, (d0, d1), acceptor, (a0, a1))
            found[key] = found.get(key, 0.0) + constant * share * other * CM6
    return tuple(Transfer(*key, constant) for key, constant in found.items())
