"""An observable against an axis of a study: one line with intervals for each mechanism."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from ucnp_abm.viz import labels, legend, style

COLUMNS = 3
_INNER = 1.75
"""Height of the axes / inch."""
_BESIDE = 0.5
"""What ticks and label of the y axis take / inch; the label has one line."""
_DECADES = 1.5
"""From this span of the levels on, a numeric axis is logarithmic."""
_SHIFT, _SPREAD = 0.035, 0.16
"""Between the markers of two mechanisms at one level, and between the first and the last, at most / inch."""


@dataclass(frozen=True)
class SeriesPanel:
    """One observable against one axis.

    Attributes
    ----------
    title : str
        Of the y axis: the observable with its unit.
    axis : str
        Of the x axis; the unit that all levels share is added.
    levels : sequence of str
        As the user wrote them.
    numbers : sequence of float or None
        Value of each level; with one None among them levels stand at equal distances.
    values : mapping
        Mean, low and high at each level by mechanism, shape (3, n); NaN where there is none.
    log : bool
        Whether the y axis is logarithmic; it is not where nothing is positive.
    """

    title: str
    axis: str
    levels: Sequence[str]
    numbers: Sequence[float | None]
    values: Mapping[str, NDArray[np.float64]]
    log: bool = False


def by_axis(panels: Sequence[SeriesPanel]) -> Figure:
    """Up to three panels in a row; bars are 95 % intervals.

    Mechanisms stand a hair beside each other, so that equal values are seen; the numbers drawn are those given.
    A numeric axis over more than one and a half decades is logarithmic. Lines between levels that are not numbers are
    pale: they lead the eye and say nothing.

    Parameters
    ----------
    panels : sequence of SeriesPanel
        At least one.
    """
    looks = legend.looks(label for panel in panels for label in panel.values)
    with mpl.rc_context(style.RC):
        columns = _columns(panels)
        rows = -(-len(panels) // columns)
        width = _width(panels, columns)
        names = [_names(panel, width) for panel in panels]
        deepest = [max(name.depth for name in names[n * columns : (n + 1) * columns]) for n in range(rows)]
        height = rows * (_INNER + 0.45) + sum(deepest) + legend.height(looks)
        figure = Figure(figsize=(style.FULL_WIDTH, height), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in grid[len(panels) :]:
            axes.remove()
        for axes, panel, name in zip(grid, panels, names, strict=False):
            _draw(axes, panel, name, looks, width)
        legend.draw(figure, looks)
    return figure


def _columns(panels: Sequence[SeriesPanel]) -> int:
    """How many fit beside each other: rows are even, and the names of levels have room."""
    rows = -(-len(panels) // COLUMNS)
    columns = -(-len(panels) // rows)
    longest = max(len(panel.levels) for panel in panels if not _is_numeric(panel)) if _has_names(panels) else 0
    while columns > 1 and longest * (labels.LINE + 0.01) > _width(panels, columns):
        columns -= 1
    return columns


def _width(panels: Sequence[SeriesPanel], columns: int) -> float:
    """Of the axes of a panel / inch."""
    deepest = max(labels.lines(labels.fitted(panel.title, _INNER)) for panel in panels)
    return style.FULL_WIDTH / columns - _BESIDE - labels.LINE * (deepest - 1)


def _has_names(panels: Sequence[SeriesPanel]) -> bool:
    return any(not _is_numeric(panel) for panel in panels)


def _is_numeric(panel: SeriesPanel) -> bool:
    numbers = [number for number in panel.numbers if number is not None and np.isfinite(number)]
    return len(set(numbers)) == len(panel.levels) > 1


def _is_log(positions: NDArray[np.float64]) -> bool:
    return bool(positions.min() > 0 and np.log10(positions.max() / positions.min()) > _DECADES)


def _positions(panel: SeriesPanel) -> NDArray[np.float64]:
    return np.array(panel.numbers if _is_numeric(panel) else range(len(panel.levels)), dtype=np.float64)


def _names(panel: SeriesPanel, width: float) -> labels.Names:
    """What stands at the levels of a panel whose axes have a width / inch."""
    texts = labels.named(panel.axis, panel.levels)[1]
    if not _is_numeric(panel):
        return labels.below(texts, width / len(texts))
    at = _positions(panel)
    scaled = np.log10(at) if _is_log(at) else at
    places = (scaled - scaled.min()) / np.ptp(scaled) * width * 0.9
    order = np.argsort(places)
    shown = labels.uncrowded(list(places[order]), [texts[n] for n in order])
    back = dict(zip(order.tolist(), shown, strict=True))
    return labels.Names(tuple(back[n].replace("$", r"\$") for n in range(len(texts))), 0, labels.LINE)


def _draw(
    axes: Any, panel: SeriesPanel, names: labels.Names, looks: Mapping[str, Mapping[str, Any]], width: float
) -> None:
    at, numeric = _positions(panel), _is_numeric(panel)
    order = np.argsort(at)
    if numeric and _is_log(at):
        axes.set_xscale("log")
        axes.minorticks_off()
    _limits(axes, panel, at, 0.13 / width if numeric else 0.0)
    shift = min(_SHIFT, (_SPREAD if numeric else 0.7 * width / len(at)) / len(looks))
    for number, (label, look) in enumerate(looks.items()):
        if label not in panel.values:
            continue
        mean, low, high = panel.values[label][:, order]
        offset = ScaledTranslation(shift * (number - (len(looks) - 1) / 2), 0, axes.figure.dpi_scale_trans)
        place = axes.transData + offset
        bars = axes.vlines(at[order], low, high, color=look["color"], lw=1.0, transform=place)
        bars.set_label(label)
        pale = 1.0 if numeric else 0.45
        line = {key: value for key, value in look.items() if key != "marker"}
        axes.plot(at[order], mean, transform=place, alpha=pale, lw=1.0, **line)
        axes.plot(at[order], mean, transform=place, ls="", marker=look["marker"], color=look["color"], label=label)
    names.set(axes, list(at))
    axes.set_xlabel(labels.fitted(labels.named(panel.axis, panel.levels)[0], width))
    axes.set_ylabel(labels.fitted(panel.title, _INNER))


def _limits(axes: Any, panel: SeriesPanel, at: NDArray[np.float64], share: float) -> None:
    """Limits that hold all that is drawn; from zero, unless that would flatten the differences.

    At both ends of a numeric axis a share of its span is free.
    """
    if not share:
        axes.set_xlim(at.min() - 0.5, at.max() + 0.5)
    elif _is_log(at):
        axes.set_xlim(at.min() * (at.max() / at.min()) ** -share, at.max() * (at.max() / at.min()) ** share)
    else:
        axes.set_xlim(at.min() - share * np.ptp(at), at.max() + share * np.ptp(at))
    drawn = np.concatenate([np.zeros(0), *(ends.ravel() for ends in panel.values.values())])
    drawn = drawn[np.isfinite(drawn)]
    if not drawn.size:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", va="center")
        axes.set_yticks([])
        return
    bottom, top = drawn.min(), drawn.max()
    if panel.log and top > 0:
        bottom = drawn[drawn > 0].min()
        room = max((top / bottom) ** 0.06, 1.2)
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(bottom / room, top * room)
        return
    if bottom > 0 and bottom < 0.5 * top:
        bottom = 0.0
    elif top < 0 and top > 0.5 * bottom:
        top = 0.0
    room = 0.07 * (top - bottom) or 0.1 * abs(top) or 1.0
    below = 0.0 if -0.05 * top < bottom <= 0 else room  # an interval that leaves zero a little makes no room below it
    axes.set_ylim(bottom - below, top + room * (top != 0 or bottom == 0))
