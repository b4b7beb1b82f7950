"""Texts that fit where they stand: wrapped, measured, and set at the levels of an axis."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from ucnp_abm.viz import style

LINE = 0.125
"""Height of a line of text of 7 pt / inch."""
_DEEPEST = 4
"""Lines to which the name of a level is wrapped before it is turned."""
_HINTED = 1.03
"""Letters set on whole pixels may be this much wider than their outlines."""
_AIR = 0.07
"""Between neighbouring names of levels / inch."""


def wrapped(label: str, width: int) -> str:
    r"""A label in lines of at most so many letters, broken at spaces and before a plus; a dollar is a dollar.

    A unit stays with its number or its slash, and a value with its name, where a line holds both.

    Examples
    --------
    >>> wrapped("y-complex+laser-thermal", 15)
    'y-complex\n+laser-thermal'
    >>> wrapped("shell = 0.5 nm, Yb = 19 %", 16)
    'shell = 0.5 nm,\nYb = 19 %'
    """
    if len(label) > width:
        tied = _tied(label)
        if max(map(len, tied.split(" "))) > width:
            tied = label.replace("+", " +")
        label = textwrap.fill(tied, width, break_on_hyphens=False).replace(" +", "+").replace("\xa0", " ")
    return label.replace("$", r"\$")


def fitted(label: str, width: float) -> str:
    """A label in lines of at most a width / inch, as few as possible and about equally long."""
    letters = len(label)
    while letters > 1 and inches(shown := wrapped(label, letters)) > width:
        longest = max(len(line) for line in shown.splitlines())
        letters = min(letters - 1, max(1, int(1.1 * longest * width / inches(shown))))
    least = max(map(len, _tied(label).split(" ")))
    while letters > least and lines(wrapped(label, letters - 1)) == lines(wrapped(label, letters)) > 1:
        letters -= 1
    return wrapped(label, letters)


def _tied(label: str) -> str:
    """With spaces that do not break where a line should not."""
    tied = label.replace("+", " +").replace(" / ", " /\xa0").replace(" = ", "\xa0=\xa0")
    return re.sub(r"(?<=\d) (?=[^\s\d]{1,6}(?:[,;]|\s|$))", "\xa0", tied)


@lru_cache(4096)
def inches(text: str, weight: str = "normal") -> float:
    """Width of the longest line of a text of 7 pt / inch, in the font of the figures."""
    font = FontProperties(family=style.RC["font.family"], size=style.RC["font.size"], weight=weight)
    widths = [text_to_path.get_text_width_height_descent(line, font, False)[0] for line in text.splitlines()]
    return _HINTED * float(max(widths, default=0.0)) / 72


def lines(text: str) -> int:
    """How many lines a text has."""
    return 1 + text.count("\n")


def common_unit(levels: Sequence[str]) -> tuple[list[str], str]:
    """Levels without the unit that they share, and that unit; as they are, and '', where they share none.

    Examples
    --------
    >>> common_unit(["0.5 nm", "1 nm"])
    (['0.5', '1'], 'nm')
    >>> common_unit(["5 Å", "1 nm"])
    (['5 Å', '1 nm'], '')
    """
    parts = [re.fullmatch(r"([-+−]?[0-9][0-9.,]*(?:e[-+]?[0-9]+)?)\s*(\D\S*)", level.strip()) for level in levels]
    found = [(part[1], part[2]) for part in parts if part]
    units = {unit for _, unit in found}
    if len(found) < len(levels) or len(units) != 1:
        return list(levels), ""
    return [number for number, _ in found], units.pop()


def named(axis: str, levels: Sequence[str]) -> tuple[str, list[str]]:
    """The label of an axis with the unit of its levels, and the levels without it.

    Examples
    --------
    >>> named("shell", ["0.5 nm", "1 nm"])
    ('shell / nm', ['0.5', '1'])
    >>> named("shell / Å", ["0.5 nm", "1 nm"])
    ('shell / Å', ['0.5 nm', '1 nm'])
    """
    numbers, unit = common_unit(levels)
    if not unit or (" / " in axis and not axis.endswith(f" / {unit}")):
        return axis, list(levels)
    return axis if " / " in axis else f"{axis} / {unit}", numbers


@dataclass(frozen=True)
class Names:
    """Names of levels at even distances, as they fit below an axis.

    Attributes
    ----------
    texts : tuple of str
        Empty where there is no room for a name.
    rotation : int
        0 or 90 degrees.
    depth : float
        Inches below the axis.
    """

    texts: tuple[str, ...]
    rotation: int
    depth: float

    def set(self, axes: Any, positions: Sequence[float]) -> None:
        """Put them at positions of the x axis."""
        axes.set_xticks(positions, self.texts, rotation=self.rotation)


def below(levels: Sequence[str], slot: float) -> Names:
    """Names in lines, turned where lines do not suffice, every second or third where not even those fit.

    Parameters
    ----------
    levels : sequence of str
    slot : float
        Distance of neighbours / inch.
    """
    room = slot - _AIR
    texts = [fitted(level, room) for level in levels]
    words = [word for level in levels for word in level.replace("+", " +").split()]
    if max(map(inches, words), default=0.0) <= room and max(map(lines, texts)) <= _DEEPEST:
        return Names(tuple(texts), 0, LINE * max(map(lines, texts)))
    for letters in (26, 34, 45, 60):
        texts = [wrapped(level, letters) for level in levels]
        if LINE * max(map(lines, texts)) <= slot:
            return Names(tuple(texts), 90, max(map(inches, texts)))
    every = -(-LINE * max(map(lines, texts)) // slot)
    texts = [text if n % every == 0 else "" for n, text in enumerate(texts)]
    return Names(tuple(texts), 90, max(map(inches, texts)))


def uncrowded(positions: Sequence[float], texts: Sequence[str]) -> list[str]:
    """Names at positions / inch that ascend; those are empty that would touch another. First and last stay.

    Examples
    --------
    >>> uncrowded([0.0, 0.01, 1.0], ["1", "1.1", "2"])
    ['1', '', '2']
    """
    half = [inches(text) / 2 + _AIR / 2 for text in texts]
    kept: list[int] = []
    for n in range(len(texts)):
        if not kept or positions[n] - half[n] >= positions[kept[-1]] + half[kept[-1]]:
            kept.append(n)
        elif n == len(texts) - 1:
            while len(kept) > 1 and positions[n] - half[n] < positions[kept[-1]] + half[kept[-1]]:
                kept.pop()
            if positions[n] - half[n] >= positions[kept[-1]] + half[kept[-1]]:
                kept.append(n)
    return [text if n in kept else "" for n, text in enumerate(texts)]
