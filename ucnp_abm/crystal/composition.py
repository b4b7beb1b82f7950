"""Composition text: 'NaGdF4: 49% Yb, 1% Tm' means Gd with 49 % Yb and 1 % Tm on the rare-earth sites."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ucnp_abm.crystal import species
from ucnp_abm.errors import BadInput, shown

_HOST = re.compile(r"^(Na)?([A-Z][a-z]?)(F4)?$")
_DOPANT = re.compile(r"^([-+\d.eE]+)\s*%\s*([A-Za-z]+)$")


@dataclass(frozen=True)
class Composition:
    """What the ion sites of a layer hold.

    Attributes
    ----------
    text : str
        As given.
    shares : tuple of (str, float)
        Species and its share of the rare-earth sites, the host first; they add up to 1.
    sodium : bool
        Whether the lattice's sodium belongs to it (NaREF4), or every site holds one of `shares`.
    """

    text: str
    shares: tuple[tuple[str, float], ...]
    sodium: bool


def parse(text: str, what: str = "composition") -> Composition:
    """Read a composition.

    Parameters
    ----------
    text : str
        ``'NaYF4'``, ``'NaGdF4: 49% Yb, 1% Tm'``, or for a lattice without sodium ``'Y: 25% Gd'``.
        The host takes what the dopants leave.

    Raises
    ------
    BadInput
        If it cannot be read, names an unknown species, or its shares exceed 100 %.

    Examples
    --------
    >>> parse("NaGdF4: 49% Yb, 1% Tm").shares
    (('Gd', 0.5), ('Yb', 0.49), ('Tm', 0.01))
    """
    if not isinstance(text, str):
        raise BadInput(f"{what}: expected text such as 'NaGdF4: 49% Yb, 1% Tm', got {shown(text)}")
    head, _, tail = text.partition(":")
    host = _HOST.match(head.strip())
    if not host or bool(host[1]) != bool(host[3]):
        raise BadInput(f"{what}: expected a host such as 'NaYF4' before the colon, got {shown(head.strip())}")
    species.code(host[2], what, species.RE if host[1] else species.IONS)
    percent: dict[str, float] = {}
    for part in [p.strip() for p in tail.split(",")] if tail.strip() else []:
        dopant = _DOPANT.match(part)
        try:
            share = float(dopant[1]) if dopant else -1.0
        except ValueError:
            dopant = None
        if not dopant:
            raise BadInput(f"{what}: expected a dopant such as '49% Yb', got {shown(part)}")
        symbol = dopant[2]
        species.code(symbol, what, species.RE if host[1] else species.IONS)
        if symbol in percent or symbol == host[2]:
            raise BadInput(f"{what}: {symbol} is given twice in {shown(text)}")
        if not 0.0 <= share <= 100.0:
            raise BadInput(f"{what}: {symbol} has {dopant[1]} %, expected 0 to 100 %")
        percent[symbol] = share
    total = sum(percent.values())
    if total > 100.0 + 1e-9:
        raise BadInput(f"{what}: the dopants of {shown(text)} add up to {total:g} %, more than 100 %")
    shares = ((host[2], max(0.0, (100.0 - total) / 100.0)), *((s, p / 100.0) for s, p in percent.items()))
    return Composition(text, shares, bool(host[1]))
