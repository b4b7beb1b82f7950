"""Rate sets: the levels of each ion, how they decay, and the constants of energy transfer between two ions.

A set is a TOML file. Three ship: `npt` (computed), `simetuc` (fitted to bulk crystals) and `simetuc+npt-migration`, a
splice that says so in its name; a path ending in .toml takes a file of your own. A set was made as a whole: mixing two
is a new set with a name of its own, made with ``base = "…"``.

Levels that exchange population at once are *lumps*: their members share it by Boltzmann factors at 300 K. What leaves
the lump does so with the members' rates times their shares; what enters any member enters the lump.
"""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.photons.ratefile import Level, RateFile, read_file

SHIPPED = ("npt", "simetuc", "simetuc+npt-migration")
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


@dataclass(frozen=True, eq=False)
class RateSet:
    """All rates of one source.

    Attributes
    ----------
    name, source : str
    notes : tuple of str
        What the source assumes, and what was left out.
    ions : mapping
        `Ion` by symbol.
    transfers : tuple of Transfer
    cross_section_cm2 : float
        Absorption of Yb at 980 nm / cm².
    fingerprint : str
        SHA-256 of the file's text (and of its base's): equal fingerprints, equal rates.
    """

    name: str
    source: str
    notes: tuple[str, ...]
    ions: Mapping[str, Ion]
    transfers: tuple[Transfer, ...]
    cross_section_cm2: float
    fingerprint: str = field(default="")

    def ion(self, symbol: str) -> Ion:
        """The levels of an ion.

        Raises
        ------
        BadInput
            If this set has none.
        """
        if symbol not in self.ions:
            raise BadInput(f"rate set '{self.name}' has no levels of {symbol}; it has those of {', '.join(self.ions)}")
        return self.ions[symbol]

    def between(self, donor: str, acceptor: str) -> list[Transfer]:
        """The transfers from one kind of ion to another."""
        return [each for each in self.transfers if (each.donor, each.acceptor) == (donor, acceptor)]

    @property
    def migration(self) -> float:
        """C / Å⁶/s of the migration of one excitation from Yb to Yb; 0 if the set has none."""
        return sum(t.constant for t in self.between("Yb", "Yb") if (t.down, t.up) == ((1, 0), (0, 1)))

    def pump(self, intensity: float) -> float:
        """Excitations per second of one Yb in its ground state / 1/s at an intensity / W/cm² at 980 nm."""
        return self.cross_section_cm2 * intensity / PHOTON_980


PHOTON_980 = 6.62607015e-34 * 2.99792458e8 / 980e-9
"""Energy / J of a photon of 980 nm (CODATA 2018, exact)."""


def rate_set(which: str | RateSet) -> RateSet:
    """A rate set by name or file.

    Parameters
    ----------
    which : str or RateSet
        `npt`, `simetuc`, `simetuc+npt-migration`, or the path of a TOML file.

    Raises
    ------
    BadInput
        If it is unknown or its file is wrong, with every problem.

    Examples
    --------
    >>> rate_set("npt").ion("Tm").levels
    ('3H6', '3F4', '3H5', '3H4', '3F2,3', '1G4', '1D2', '1I6')
    """
    if isinstance(which, RateSet):
        return which
    if not isinstance(which, str):
        raise BadInput(f"rates: expected the name of a rate set or a .toml file, got {which!r}")
    if which in SHIPPED:
        return _shipped(which)
    if not which.endswith(".toml"):
        raise BadInput(f"unknown rate set '{which}'{nearest(which, SHIPPED)}, or a file that ends in .toml")
    try:
        text = Path(which).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"rate set '{which}': cannot be read ({error})") from error
    return _made(text, which)


@cache
def _shipped(name: str) -> RateSet:
    return _made(_text(name), name)


def _text(name: str) -> str:
    return resources.files("ucnp_abm.photons").joinpath("sets", f"{name}.toml").read_text(encoding="utf-8")


def _made(text: str, where: str) -> RateSet:
    data, texts = _with_base(_parsed(text, where), text, where)
    file = read_file(data, where)
    if file.name in SHIPPED and where != file.name:
        raise BadInput(
            f"rate set '{where}': '{file.name}' ships; what is changed is another set: give it a name of its own"
        )
    symbols = {symbol: _ion(symbol, levels, file.lumps.get(symbol, {})) for symbol, levels in file.levels.items()}
    return RateSet(
        name=file.name,
        source=file.source,
        notes=tuple(file.notes),
        ions={symbol: ion for symbol, (ion, _) in symbols.items()},
        transfers=_transfers(file, {symbol: shares for symbol, (_, shares) in symbols.items()}),
        cross_section_cm2=file.absorption_980nm["Yb"],
        fingerprint=hashlib.sha256(texts.encode()).hexdigest(),
    )


def _with_base(data: dict[str, Any], text: str, where: str) -> tuple[dict[str, Any], str]:
    """The data laid over those of its base, which may have one too, and the text of all."""
    base = data.get("base")
    if not isinstance(base, str):
        return data, text
    if base not in SHIPPED:
        raise BadInput(f"rate set '{where}': unknown base '{base}'{nearest(base, SHIPPED)}")
    below, texts = _with_base(_parsed(_text(base), base), _text(base), base)
    return _over(below, data), texts + text


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"rate set '{where}': is not TOML ({error})") from error


def _over(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The base's tables with the entries of another in their places."""
    joined = dict(base)
    for key, value in change.items():
        joined[key] = _over(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
    joined.pop("base", None)
    return joined


def _ion(symbol: str, levels: Mapping[str, Level], lumps: Mapping[str, list[str]]) -> tuple[Ion, dict[str, Any]]:
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


def _transfers(file: RateFile, levels: Mapping[str, Mapping[str, tuple[int, float]]]) -> tuple[Transfer, ...]:
    joined: dict[tuple[str, tuple[int, int], str, tuple[int, int]], float] = {}
    for (donor, down, acceptor, up), constant in file.pairs().items():
        (d0, share), (d1, _) = levels[donor][down[0]], levels[donor][down[1]]
        (a0, other), (a1, _) = levels[acceptor][up[0]], levels[acceptor][up[1]]
        if d0 != d1 or a0 != a1:
            key = (donor, (d0, d1), acceptor, (a0, a1))
            joined[key] = joined.get(key, 0.0) + constant * share * other * CM6
    return tuple(Transfer(*key, constant) for key, constant in joined.items())
