"""Geometries in use: particles that differ only in how they are filled share one crystal.

A crystal is found again as long as anything holds it; the latest few are held here too, so that the next replicate
need not grow its crystal again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVarTuple, Unpack
from weakref import WeakValueDictionary

from ucnp_abm.crystal.crystal import Crystal

KEPT_BYTES = 256 * 2**20
"""Bytes of the crystals that are held when nobody else holds them: about 30 million sites."""
KEPT_CRYSTALS = 8
"""How many of them at most."""

Options = TypeVarTuple("Options")
_Key = tuple[Callable[..., Crystal], tuple[Hashable, ...]]
_in_use: WeakValueDictionary[_Key, Crystal] = WeakValueDictionary()
_latest: dict[_Key, Crystal] = {}


def shared(grow: Callable[[Unpack[Options]], Crystal], *options: *Options) -> Crystal:
    """The crystal that `grow` makes of these options: the one that is in use already, or a new one.

    Parameters
    ----------
    grow : callable
        `growth.layered` or `growth.box`: a function whose crystal follows from its options alone.
    options
        Hashable values; equal options have one crystal.
    """
    key: _Key = (grow, options)
    found = _in_use.get(key)
    if found is None:
        found = _in_use[key] = grow(*options)
    _latest.pop(key, None)
    _latest[key] = found
    for oldest in tuple(_latest):  # copies and single steps, so that threads need no lock that a fork could inherit
        if len(_latest) <= KEPT_CRYSTALS and sum(kept.nbytes for kept in tuple(_latest.values())) <= KEPT_BYTES:
            break
        _latest.pop(oldest, None)
    return found


def forget() -> None:
    """Hold no crystal any longer; those that something else holds stay shared."""
    _latest.clear()
