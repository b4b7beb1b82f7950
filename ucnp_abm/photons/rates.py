"""Rate sets: the levels of each ion, how they decay, and the constants of energy transfer between two ions.

A set is a TOML file. Three ship: `npt` (computed), `simetuc` (fitted to bulk crystals) and `simetuc+npt-migration`, a
splice that says so in its name; a path ending in .toml takes a file of your own. A set was made as a whole: mixing two
is a new set with a name of its own, made with ``base = "…"``.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.photons.levels import Ion, Transfer, joined, transfers
from ucnp_abm.photons.ratefile import read_file

SHIPPED = ("npt", "simetuc", "simetuc+npt-migration")


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
        raise BadInput(f"unknown rate set '{which}', and no file that ends in .toml{nearest(which, SHIPPED)}")
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
    symbols = {symbol: joined(symbol, levels, file.lumps.get(symbol, {})) for symbol, levels in file.levels.items()}
    return RateSet(
        name=file.name,
        source=file.source,
        notes=tuple(file.notes),
        ions={symbol: ion for symbol, (ion, _) in symbols.items()},
        transfers=transfers(file, {symbol: shares for symbol, (_, shares) in symbols.items()}),
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
