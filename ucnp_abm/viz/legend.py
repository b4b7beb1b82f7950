"""Looks of mechanisms in a figure, the legend that names them, and how an interval of theirs is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ucnp_abm.viz import style
from ucnp_abm.viz.labels import inches, lines, wrapped

_HANDLE = 0.62
"""What line, marker and gaps of an entry of the legend take / inch."""
_LETTERS = 45


def looks(labels: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour, line and marker of each label, no two alike."""
    found: dict[str, dict[str, Any]] = {}
    for label in dict.fromkeys(labels):
        found[label] = style.mechanism_style(label, tuple(found.values()))
    return found


def height(labels: Iterable[str]) -> float:
    """What the legend of these labels takes / inch."""
    texts = [wrapped(label, _LETTERS) for label in labels]
    return 0.15 * -(-len(texts) // _columns(texts)) * max(map(lines, texts), default=1)


def draw(figure: Figure, looks: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the legend above all axes of a figure whose layout is constrained."""
    texts = {label: wrapped(label, _LETTERS) for label in looks}
    handles = [Line2D([], [], label=texts[label], **look) for label, look in looks.items()]
    columns = _columns(list(texts.values()))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, handlelength=3.5)


def interval(axes: Any, row: float, ends: Iterable[float], look: Mapping[str, Any]) -> None:
    """One row of paired differences: a bar from low to high, the mechanism's marker at the mean.

    Parameters
    ----------
    axes : matplotlib axes
    row : float
        Where on the y axis.
    ends : (3,) float
        Mean, low and high; without an interval these two are not a number.
    look : mapping
    """
    mean, low, high = ends
    if np.isfinite(low) and np.isfinite(high):
        axes.plot([low, high], [row, row], color=look["color"], lw=1.6, solid_capstyle="butt")
    axes.plot([mean], [row], ls="", marker=look["marker"], ms=4.5, color=look["color"])


def _columns(texts: list[str]) -> int:
    """How many fit; each is as wide as its longest entry, and filled from above to below."""
    widths = [_HANDLE + inches(text) for text in texts]
    for columns in range(len(texts), 1, -1):
        parts = np.array_split(widths, columns)
        if sum(max(part) for part in parts) < style.FULL_WIDTH - 0.1:
            return columns
    return 1
