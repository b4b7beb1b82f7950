"""Paired differences with their intervals, one row for each mechanism at each point of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from ucnp_abm.viz import labels, legend, style

MOST_ROWS = 60
"""On one page."""
_TALLEST = 9.4
"""Rows of one page / inch, so that it fits on A4."""
_ROW, _GAP, _EDGE = 0.15, 0.08, 0.08
_POINT, _NAME = 2.2, 1.7
"""Widest text of a point and name of a mechanism / inch."""
_BAND = "#F1F3F6"


@dataclass(frozen=True)
class ForestRow:
    """The difference of one mechanism from the reference at one point.

    Attributes
    ----------
    point, mechanism : str
        What they are called.
    mean, low, high : float
        Paired difference and its 95 % interval; not a number where there is none.
    """

    point: str
    mechanism: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class _Group:
    """Rows of one point on one page, as they are written."""

    point: str
    names: tuple[str, ...]
    rows: tuple[ForestRow, ...]

    @property
    def heights(self) -> list[float]:
        """Of the rows / inch; together they hold the text of the point."""
        heights = [_deep(name) for name in self.names]
        missing = labels.LINE * labels.lines(self.point) - sum(heights)
        return [height + max(0.0, missing / len(heights)) for height in heights]

    @property
    def height(self) -> float:
        return sum(self.heights) + _GAP


def forest(rows: Sequence[ForestRow], xlabel: str) -> list[Figure]:
    """One figure, or one for each page of at most 60 rows; none without rows. All have the same x axis.

    Parameters
    ----------
    rows : sequence of ForestRow
        Points and mechanisms appear in the order given.
    xlabel : str
        What differs from what, and the unit.
    """
    looks = legend.looks(row.mechanism for row in rows)
    with mpl.rc_context(style.RC):
        pages = _pages(_groups(rows))
        shown = [group for page in pages for group in page]
        point = max((labels.inches(group.point) for group in shown), default=0.0)
        name = max((labels.inches(name) for group in shown for name in group.names), default=0.0)
        return [_page(page, looks, limits(rows), xlabel, (point, name)) for page in pages]


def limits(rows: Sequence[Any], *more: float) -> tuple[float, float]:
    """Of an x axis that shows zero, every mean, low and high of the rows, and what else is given."""
    drawn = np.array([0.0, *more, *(value for row in rows for value in (row.mean, row.low, row.high))])
    drawn = drawn[np.isfinite(drawn)]
    room = 0.05 * np.ptp(drawn) or 1.0
    return float(drawn.min() - room), float(drawn.max() + room)


def _groups(rows: Sequence[ForestRow]) -> list[_Group]:
    by_point: dict[str, list[ForestRow]] = {}
    for row in rows:
        by_point.setdefault(row.point, []).append(row)
    found = []
    for point, members in by_point.items():
        parts: list[list[tuple[str, ForestRow]]] = [[]]
        for row in members:
            name = labels.fitted(row.mechanism, _NAME)
            deep = sum(_deep(n) for n, _ in parts[-1]) + _deep(name)
            if parts[-1] and (len(parts[-1]) == MOST_ROWS or deep > _TALLEST - _GAP):
                parts.append([])
            parts[-1].append((name, row))
        for number, part in enumerate(parts):
            text = labels.fitted(point + " (continued)" * (number > 0), _POINT)
            found.append(_Group(text, tuple(name for name, _ in part), tuple(row for _, row in part)))
    return found


def _deep(name: str) -> float:
    return max(_ROW, labels.LINE * labels.lines(name) + 0.03)


def _pages(groups: Sequence[_Group]) -> list[list[_Group]]:
    """Groups stay whole; pages are about equally long."""
    total = max(sum(group.height for group in groups) / _TALLEST, sum(len(g.rows) for g in groups) / MOST_ROWS)
    wanted = len(groups) / max(1, int(np.ceil(total - 1e-9)))
    pages: list[list[_Group]] = []
    for group in groups:
        last = pages[-1] if pages else []
        full = sum(g.height for g in last) + group.height > _TALLEST
        full |= sum(len(g.rows) for g in last) + len(group.rows) > MOST_ROWS
        if not last or full or len(last) >= wanted:
            pages.append([])
        pages[-1].append(group)
    return pages


def _page(
    groups: Sequence[_Group],
    looks: Mapping[str, Mapping[str, Any]],
    span: tuple[float, float],
    xlabel: str,
    texts: tuple[float, float],
) -> Figure:
    width, (point, name) = style.FULL_WIDTH, texts
    left = _EDGE + point + 0.2 + name + 0.12
    title = labels.fitted(xlabel, width - left - 2 * _EDGE)
    body, bottom = sum(group.height for group in groups), 0.27 + labels.LINE * labels.lines(title)
    height = 0.06 + body + bottom
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((left / width, bottom / height, (width - left - 1.5 * _EDGE) / width, body / height))
    axes.set(xlim=span, ylim=(body, 0.0), xlabel=title, yticks=[])
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.spines["left"].set_visible(False)
    axes.patch.set_visible(False)
    axes.grid(axis="x", color="#DDE1E7", lw=0.5)
    axes.set_axisbelow(True)
    axes.axvline(0.0, color="black", lw=0.6, zorder=1)
    place = blended_transform_factory(figure.dpi_scale_trans, axes.transData)
    top = 0.0
    for number, group in enumerate(groups):
        if number % 2 == 0:
            corner = _EDGE / 2 / width, (bottom + body - top - group.height) / height
            band = Rectangle(corner, 1 - _EDGE / width, group.height / height, color=_BAND, lw=0, zorder=-1)
            figure.add_artist(band)
        axes.text(_EDGE, top + group.height / 2, group.point, va="center", transform=place)
        at = top + _GAP / 2
        for text, row, deep in zip(group.names, group.rows, group.heights, strict=True):
            axes.text(_EDGE + point + 0.2, at + deep / 2, text, va="center", transform=place)
            legend.interval(axes, at + deep / 2, (row.mean, row.low, row.high), looks[row.mechanism])
            if not np.isfinite(row.mean):
                no_data(axes, at + deep / 2)
            at += deep
        top += group.height
    return figure


def no_data(axes: Any, at: float) -> None:
    """Say so in a row without a mean, inside the axes."""
    axes.text(0.99, at, "no data", va="center", ha="right", style="italic", transform=axes.get_yaxis_transform())
