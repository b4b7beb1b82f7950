"""A quantity on two axes of a study, every cell with its number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from ucnp_abm.viz import labels, style

COLUMNS = 3
_CELL, _HIGHEST, _LEAST = 0.26, 0.45, 0.9
"""Height of a cell, at least and at most, and of all cells of a map / inch."""
_BAR = 0.5
"""Colour bar with its numbers / inch."""
_WIDEST_NAME = 1.1
_SIZES = (7.0, 6.5, 6.0, 5.5, 5.0, 4.5, 4.0, 3.5, 3.0)
"""Of the numbers / pt, the largest that fits."""
_MISSING = {"facecolor": "white", "edgecolor": "#8A8A8A", "hatch": "//////", "lw": 0}


@dataclass(frozen=True)
class HeatMap:
    """One quantity at all pairs of levels of two axes.

    Attributes
    ----------
    title : str
        The quantity with its unit.
    x_axis, y_axis : str
    x_levels, y_levels : sequence of str
        As the user wrote them; from left to right and from below to above.
    values : (n_y, n_x) float64
        NaN where there is none.
    diverging : bool
        Whether the values are differences: white is zero.
    """

    title: str
    x_axis: str
    y_axis: str
    x_levels: Sequence[str]
    y_levels: Sequence[str]
    values: NDArray[np.float64]
    diverging: bool = False


def heat_map(maps: Sequence[HeatMap]) -> Figure:
    """Up to three maps in a row, fewer where the numbers would not fit.

    Parameters
    ----------
    maps : sequence of HeatMap
        At least one.
    """
    with mpl.rc_context(style.RC):
        rows = -(-len(maps) // COLUMNS)
        columns = -(-len(maps) // rows)
        while columns > 1 and any(_size(each, _width(maps, columns)) < 6 for each in maps):
            columns -= 1
        rows, width = -(-len(maps) // columns), _width(maps, columns)
        names = [labels.below(labels.named(each.x_axis, each.x_levels)[1], width / len(each.x_levels)) for each in maps]
        titles = [labels.fitted(each.title, width) for each in maps]
        inner, around = [], 0.0
        for n in range(rows):
            row = slice(n * columns, (n + 1) * columns)
            inner.append(max(_LEAST, *(_height(each, width) for each in maps[row])))
            around += 0.5 + max(name.depth for name in names[row])
            around += labels.LINE * max(map(labels.lines, titles[row]))
        missing = any(not np.isfinite(each.values).all() for each in maps)
        height = sum(inner) + around + 0.2 * missing
        figure = Figure(figsize=(style.FULL_WIDTH, height), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, height_ratios=inner).ravel()
        for axes in grid[len(maps) :]:
            axes.remove()
        for axes, each, name, title in zip(grid, maps, names, titles, strict=False):
            _draw(axes, each, width)
            name.set(axes, range(len(each.x_levels)))
            axes.set_title(title, loc="left")
        if missing:
            figure.legend(handles=[Patch(label="no data", **_MISSING)], loc="outside lower right")
    return figure


def numbers(values: NDArray[np.float64]) -> NDArray[np.object_]:
    """Values as texts with equally many decimals, three digits for the largest; '' where there is none.

    Examples
    --------
    >>> numbers(np.array([54.91, -0.04, np.nan])).tolist()
    ['54.9', '0.0', '']
    """
    finite = values[np.isfinite(values)]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    if largest == 0 or (1e-3 <= largest < 1e5 and not _span(finite)):
        decimals = min(4, max(0, 2 - int(np.floor(np.log10(largest))))) if largest else 0
        shown = [f"{value + 0.0:.{decimals}f}" for value in values.ravel()]
        shown = [text.lstrip("-") if not text.strip("-0.") else text for text in shown]
    else:
        shown = [re.sub(r"e([-+])0*", r"e\1", f"{value:.2g}").replace("e+", "e") for value in values.ravel()]
    texts = [
        text.replace("-", "−") if known else "" for text, known in zip(shown, np.isfinite(values.ravel()), strict=True)
    ]
    return np.array(texts, dtype=object).reshape(values.shape)


def _width(maps: Sequence[HeatMap], columns: int) -> float:
    """Of the axes of each map / inch."""
    names = [name for each in maps for name in _y_names(each)]
    return style.FULL_WIDTH / columns - _BAR - 0.4 - max(map(labels.inches, names))


def _height(each: HeatMap, width: float) -> float:
    """Of all cells / inch."""
    cell = 0.4 * width / len(each.x_levels)
    return min(max(cell, _CELL), _HIGHEST) * len(each.y_levels)


def _y_names(each: HeatMap) -> list[str]:
    return [labels.fitted(name, _WIDEST_NAME) for name in labels.named(each.y_axis, each.y_levels)[1]]


def _span(finite: NDArray[np.float64]) -> bool:
    """Whether values are light intensities and the like: positive, over more than three decades."""
    return bool(finite.size and finite.min() > 0 and finite.max() / finite.min() > 1000)


def _size(each: HeatMap, width: float) -> float:
    """Of the numbers / pt."""
    widest = max(labels.inches(text) for text in numbers(each.values).ravel()) + 0.02
    room = width / len(each.x_levels) - 0.03
    return next((size for size in _SIZES if widest * size / 7 <= room), _SIZES[-1])


def _draw(axes: Any, each: HeatMap, width: float) -> None:
    values = np.ma.masked_invalid(each.values)
    low, high = (float(values.min()), float(values.max())) if values.count() else (0.0, 1.0)
    if each.diverging:
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    elif low == high:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    colours = mpl.colormaps["RdBu_r" if each.diverging else "viridis"]
    scale = LogNorm(low, high) if _span(values.compressed()) and not each.diverging else Normalize(low, high)
    edges = [np.arange(n + 1) - 0.5 for n in reversed(values.shape)]
    mesh = axes.pcolormesh(*edges, values, cmap=colours, norm=scale, edgecolors="white", linewidth=0.6)
    size = _size(each, width)
    for (y, x), text in np.ndenumerate(numbers(each.values)):
        if not text:
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, **_MISSING))
            continue
        ink = _ink(colours(scale(each.values[y, x])))
        axes.text(x, y, text, ha="center", va="center", fontsize=size, color=ink)
    x_label, y_label = (labels.named(*of)[0] for of in ((each.x_axis, each.x_levels), (each.y_axis, each.y_levels)))
    axes.set_xlabel(labels.fitted(x_label, width))
    axes.set_ylabel(labels.fitted(y_label, max(_LEAST, _height(each, width))))
    axes.set_yticks(range(len(each.y_levels)), _y_names(each))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = axes.figure.colorbar(mesh, ax=axes, aspect=14, pad=0.03)
    bar.outline.set_visible(False)


def _ink(colour: tuple[float, float, float, float]) -> str:
    """Black or white, whichever has the greater contrast (WCAG 2) on a colour."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]]
    luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return "black" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "white"
