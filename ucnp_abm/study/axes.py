"""Axes of a study: how their levels make settings, what settings are called, and levels as numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from ucnp_abm import units
from ucnp_abm.errors import BadInput

FACTORIAL, ONE_AT_A_TIME = "factorial", "one-at-a-time"
BASE = "base"
"""What the first setting is called where one axis at a time is changed."""
_KINDS = ("length", "time", "temperature", "energy", "temperature difference", "intensity", "fraction")

Levels = Mapping[str, str]
"""Level by axis, as texts."""


def arranged(axes: Mapping[str, Sequence[str]], arrangement: str) -> list[Levels]:
    """Levels of each setting: all combinations, or the first level of each axis and every other one by itself.

    Examples
    --------
    >>> arranged({"a": ["1", "2"], "b": ["x", "y"]}, "one-at-a-time")
    [{'a': '1', 'b': 'x'}, {'a': '2', 'b': 'x'}, {'a': '1', 'b': 'y'}]
    """
    if arrangement == FACTORIAL:
        return [dict(zip(axes, chosen, strict=True)) for chosen in product(*axes.values())]
    base = {axis: levels[0] for axis, levels in axes.items()}
    return [base, *({**base, axis: level} for axis, levels in axes.items() for level in levels[1:])]


def n_settings(axes: Mapping[str, Sequence[str]], arrangement: str) -> int:
    """How many settings `arranged` gives, without making them.

    Examples
    --------
    >>> n_settings({"a": ["1", "2", "3"], "b": ["x", "y"]}, "factorial")
    6
    """
    sizes = [len(levels) for levels in axes.values()]
    return math.prod(sizes) if arrangement == FACTORIAL else 1 + sum(size - 1 for size in sizes)


def named(levels: Levels, axes: Iterable[str], base: Levels | None = None) -> str:
    """A setting in words: 'thickness = 1 nm, Yb = 19 %'.

    Parameters
    ----------
    levels : mapping
    axes : iterable of str
        All axes, so that short names are unique.
    base : mapping or None
        Where one axis at a time is changed: the base, from which only what differs is told.
    """
    short = short_names(axes)
    told = {axis: level for axis, level in levels.items() if base is None or level != base[axis]}
    return ", ".join(f"{short[axis]} = {level}" for axis, level in told.items()) or BASE * bool(levels)


def short_names(axes: Iterable[str]) -> dict[str, str]:
    """Names of axes for readers: without the section, where no other axis ends alike.

    Examples
    --------
    >>> short_names(["particle.thickness", "mechanism.barrier"])
    {'particle.thickness': 'thickness', 'mechanism.barrier': 'barrier'}
    """
    listed = list(axes)
    last = [axis.rpartition(".")[2] for axis in listed]
    return {axis: name if last.count(name) == 1 else axis for axis, name in zip(listed, last, strict=True)}


def typical(axes: Mapping[str, tuple[str, ...]]) -> Levels:
    """The middle of every axis of numbers, and the first level of every other one.

    Examples
    --------
    >>> typical({"barrier": ("1.5 eV", "1.6 eV", "1.7 eV"), "surface": ("reflecting", "sink")})
    {'barrier': '1.6 eV', 'surface': 'reflecting'}
    """
    return {axis: levels[0 if None in numbers(levels) else len(levels) // 2] for axis, levels in axes.items()}


def numbers(levels: tuple[str, ...]) -> list[float | None]:
    """Levels as numbers, in the unit in which they are written, if all have one; else None for each.

    Examples
    --------
    >>> numbers(("0.5 nm", "10 Å")), numbers(("reflecting", "sink"))
    ([5.0, 10.0], [None, None])
    >>> numbers(("250 °C", "300 °C"))
    [250.0, 300.0]
    """
    found: list[float | None] = []
    written = {level.partition(" ")[2] for level in levels}
    for level in levels:
        number = _number(level.partition(" ")[0]) if len(written) == 1 else _quantity(level)
        found.append(number)
    return found if all(number is not None for number in found) else [None] * len(levels)


def _quantity(level: str) -> float | None:
    for kind in _KINDS:
        try:
            return units.parse(level, kind)
        except BadInput:
            continue
    return None


def _number(text: str) -> float | None:
    try:
        return float(text.rstrip("%"))
    except ValueError:
        return None
