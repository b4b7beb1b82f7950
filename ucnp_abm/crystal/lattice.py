"""The lattices that ship, by name, and lattices from plain data. The loop knows none of them by name."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from ucnp_abm.crystal.cell import Lattice, Vector
from ucnp_abm.errors import BadInput, nearest

__all__ = ["LATTICES", "Lattice", "custom", "named"]

DEAD = 100.0
"""Å; the period of an axis without bonds, so long that a particle of less than 20 nm is one plane or one chain."""
_FCC: tuple[Vector, ...] = ((0.0, 0.0, 0.0), (0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0))
_HCP: tuple[Vector, ...] = ((0.0, 0.0, 0.0), (2 / 3, 1 / 3, 1 / 2))


def _cubic(name: str, a: float, basis: tuple[Vector, ...], bond: float) -> Lattice:
    return Lattice(name, ((a, 0.0, 0.0), (0.0, a, 0.0), (0.0, 0.0, a)), basis, (("nn", bond * a),))


def _hexagonal(a: float, c: float) -> tuple[Vector, Vector, Vector]:
    return (a, 0.0, 0.0), (-a / 2, a * math.sqrt(3) / 2, 0.0), (0.0, 0.0, c)


def beta(a: float = 5.960, c: float = 3.530) -> Lattice:
    """β-NaREF4 (P-6): its 1a and 1f sites; topologically hcp, z = 8 (2 bonds 'c', 6 bonds 'ab').

    The defaults are those of NaYF4 / Å. Assumption: one rigid lattice for core and shell (their misfit is 0.25 %).
    In the ordered crystal 1a holds RE only and 1f half RE, half Na.
    """
    between = math.sqrt(a * a / 3 + c * c / 4)
    return Lattice("beta", _hexagonal(a, c), _HCP, (("c", c), ("ab", between)), (0.0, 0.5))


def alpha(a: float = 5.47) -> Lattice:
    """α-NaREF4 (Fm-3m): its cations, sodium and RE 1:1 on fcc, z = 12; the default a / Å is that of NaYF4.

    It has no ordered form: with ``order='ordered'`` half of each of the four positions is sodium too, but immobile.
    """
    return Lattice("alpha", fcc(a).cell, _FCC, (("nn", a * math.sqrt(0.5)),), (0.5,) * 4)


def sc(a: float = 3.87) -> Lattice:
    """Simple cubic, z = 6; the default a / Å gives the bond length of the cubic phase."""
    return _cubic("sc", a, ((0.0, 0.0, 0.0),), 1.0)


def bcc(a: float = 4.47) -> Lattice:
    """Body-centred cubic, z = 8."""
    return _cubic("bcc", a, ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5)), math.sqrt(3) / 2)


def fcc(a: float = 5.47) -> Lattice:
    """Face-centred cubic, z = 12, without sodium (`alpha` has it)."""
    return _cubic("fcc", a, _FCC, math.sqrt(0.5))


def diamond(a: float = 8.94) -> Lattice:
    """Diamond, z = 4; a / Å is the side of the cubic cell of eight sites."""
    basis = _FCC + tuple((x + 0.25, y + 0.25, z + 0.25) for x, y, z in _FCC)
    return _cubic("diamond", a, basis, math.sqrt(3) / 4)


def hcp(a: float = 3.87) -> Lattice:
    """Hexagonal close packing with the ideal c / a = sqrt(8/3), z = 12 bonds of length a / Å."""
    return Lattice("hcp", _hexagonal(a, a * math.sqrt(8 / 3)), _HCP, (("nn", a),))


def honeycomb(bond: float = 3.87) -> Lattice:
    """A plane of hexagons, z = 3, with bonds of the length given / Å."""
    basis = ((0.0, 0.0, 0.0), (2 / 3, 1 / 3, 0.0))
    return Lattice("honeycomb", _hexagonal(bond * math.sqrt(3), DEAD), basis, (("nn", bond),))


def square(a: float = 3.87) -> Lattice:
    """A plane of squares of side a / Å, z = 4."""
    return Lattice("square", ((a, 0.0, 0.0), (0.0, a, 0.0), (0.0, 0.0, DEAD)), ((0.0, 0.0, 0.0),), (("nn", a),))


def chain(a: float = 3.87) -> Lattice:
    """A chain along x with bonds of length a / Å, z = 2."""
    return Lattice("chain", ((a, 0.0, 0.0), (0.0, DEAD, 0.0), (0.0, 0.0, DEAD)), ((0.0, 0.0, 0.0),), (("nn", a),))


LATTICES: dict[str, Callable[[], Lattice]] = {
    "beta": beta,
    "alpha": alpha,
    "sc": sc,
    "bcc": bcc,
    "fcc": fcc,
    "hcp": hcp,
    "diamond": diamond,
    "honeycomb": honeycomb,
    "square": square,
    "chain": chain,
}


@functools.cache
def _shipped(name: str) -> Lattice:
    return LATTICES[name]()


def custom(data: Mapping[str, Any]) -> Lattice:
    """A lattice from plain data, such as a table of a configuration file.

    Parameters
    ----------
    data : mapping
        The attributes of `Lattice` with lists for tuples: ``name``, ``cell`` (Å), ``basis`` (fractions), ``bonds``
        (names and lengths / Å), and ``sodium`` (shares) if it can hold NaREF4.

    Raises
    ------
    BadInput
        If a key is missing or unknown, or the data make no lattice.

    Examples
    --------
    >>> cell = [[3.5, 0, 0], [0, 3.5, 0], [0, 0, 7.0]]
    >>> custom({"name": "slab", "cell": cell, "basis": [[0, 0, 0]], "bonds": [["nn", 3.5]]}).coordination
    4
    """
    known = [f.name for f in fields(Lattice) if f.init]
    for key in data:
        if key not in known:
            raise BadInput(f"lattice: unknown key '{key}'{nearest(str(key), known)}")
    for key in known:
        if key not in data and key != "sodium":
            raise BadInput(f"lattice: the key '{key}' is missing; a lattice has {', '.join(known[:-1])} and sodium")
    return Lattice(**data)


def named(name: str | Lattice | Mapping[str, Any]) -> Lattice:
    """A lattice by name ('beta', 'alpha', 'sc', …), from plain data (see `custom`), or the one that was given.

    Raises
    ------
    BadInput
        If there is no such lattice.
    """
    if isinstance(name, Lattice):
        return name
    if isinstance(name, Mapping):
        return custom(name)
    if not isinstance(name, str) or name not in LATTICES:
        raise BadInput(f"lattice: unknown lattice '{name}'{nearest(str(name), LATTICES)}")
    return _shipped(name)
