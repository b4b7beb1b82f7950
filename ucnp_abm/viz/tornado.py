"""Which assumption carries a verdict: the contrast when one assumption at a time is another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from ucnp_abm.viz import labels, style
from ucnp_abm.viz.forest import limits, no_data

TURNS = "carries the verdict"
_BAR, _WARM, _BASE = "#8FA9C4", "#C2410C", "#33475B"
_ROW, _EDGE, _TEXT = 0.17, 0.08, 2.7
_ABOVE = 0.36
"""What the names of the two vertical lines take / inch."""


@dataclass(frozen=True)
class TornadoRow:
    """The contrast when one assumption is at another level.

    Attributes
    ----------
    assumption, level : str
    mean, low, high : float
        Contrast and its 95 % interval; not a number where there is none.
    turns : bool
        Whether the verdict is another than with the base.
    """

    assumption: str
    level: str
    mean: float
    low: float
    high: float
    turns: bool


def tornado(rows: Sequence[TornadoRow], base: tuple[float, float, float], xlabel: str) -> Figure:
    """A bar from the base to each contrast, the largest change on top; whiskers are 95 % intervals.

    Parameters
    ----------
    rows : sequence of TornadoRow
    base : (mean, low, high)
        The contrast with all assumptions as they were.
    xlabel : str
        What differs from what, and the unit.
    """
    changes = [abs(row.mean - base[0]) for row in rows]
    order = sorted(range(len(rows)), key=lambda n: -changes[n] if np.isfinite(changes[n]) else np.inf)
    ordered = [rows[n] for n in order]
    with mpl.rc_context(style.RC):
        texts = [labels.fitted(f"{row.assumption} = {row.level}", _TEXT) for row in ordered]
        deep = [max(_ROW, labels.LINE * labels.lines(text) + 0.04) for text in texts]
        left = 2 * _EDGE + max(map(labels.inches, texts), default=0.0)
        right = _EDGE + (labels.inches(TURNS, "bold") + 0.1) * any(row.turns for row in rows)
        width, body = style.FULL_WIDTH, max(_ROW, sum(deep))
        title = labels.fitted(xlabel, width - left - right)
        bottom = 0.27 + labels.LINE * labels.lines(title)
        height = _ABOVE + body + bottom
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((left / width, bottom / height, (width - left - right) / width, body / height))
        axes.set(xlim=limits(ordered, *base), ylim=(body, 0.0), xlabel=title, yticks=[])
        axes.xaxis.set_major_locator(MaxNLocator(7))
        axes.spines["left"].set_visible(False)
        _lines(axes, base, width - left - right)
        place = blended_transform_factory(figure.dpi_scale_trans, axes.transData)
        for row, text, high, at in zip(ordered, texts, deep, np.cumsum(deep) - np.array(deep) / 2, strict=True):
            axes.text(left - _EDGE, at, text, ha="right", va="center", transform=place)
            _row(axes, row, base[0], at, min(high, _ROW) * 0.66)
            if row.turns:
                axes.text(width - right + 0.1, at, TURNS, color=_WARM, weight="bold", va="center", transform=place)
    return figure


def _row(axes: Any, row: TornadoRow, base: float, at: float, thick: float) -> None:
    if not np.isfinite(row.mean):
        no_data(axes, at)
        return
    colour = _WARM if row.turns else _BAR
    axes.barh(at, row.mean - base, thick, base, color=colour, alpha=0.75, lw=0, zorder=2)
    axes.plot([row.mean], [at], ls="", marker="|", ms=6, mew=1.2, color="black", zorder=4)
    if np.isfinite(row.low) and np.isfinite(row.high):
        axes.plot([row.low, row.high], [at, at], color="black", lw=0.8, zorder=3, solid_capstyle="butt")


def _lines(axes: Any, base: tuple[float, float, float], width: float) -> None:
    """Zero and the base, each named above the axes, in lines of their own."""
    mean, low, high = base
    axes.axvline(0.0, color="black", lw=0.6, zorder=1)
    crossed = _above(axes, 0.0, "no difference", 0.03, width, "black")
    if not np.isfinite(mean):
        return
    if np.isfinite(low) and np.isfinite(high):
        axes.axvspan(low, high, color="#DDE3EA", lw=0, zorder=0)
    axes.axvline(mean, color=_BASE, lw=1.0, ls=(0, (4, 2)), zorder=1)
    if not crossed[0] < mean < crossed[1]:
        axes.plot([mean, mean], [0, -0.15], color=_BASE, lw=0.6, clip_on=False)
    _above(axes, mean, f"base: {mean:.3g}".replace("-", "−"), 0.03 + labels.LINE + 0.03, width, _BASE)


def _above(axes: Any, at: float, text: str, up: float, width: float, colour: str) -> tuple[float, float]:
    """A text above the axes, in the middle over a value where it does not leave the axes there; returns its ends."""
    low, high = axes.get_xlim()
    place, half = (at - low) / (high - low) * width, labels.inches(text) / 2
    middle = min(max(place, half), max(half, width - half))
    first, last = ((middle + side * half) / width * (high - low) + low for side in (-1.05, 1.05))
    axes.text((first + last) / 2, -up, text, ha="center", va="bottom", color=colour)
    return first, last
