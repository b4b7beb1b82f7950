"""The figures of a comparison: slabs through the particle over time, time courses, paired differences."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.species import N_CODES, SPECIES, SYMBOLS, VACANCY
from ucnp_abm.viz import legend, style
from ucnp_abm.viz.labels import lines, wrapped

SLAB_NM = 1.0


@dataclass(frozen=True)
class Slab:
    """One panel: a crystal at one moment.

    Attributes
    ----------
    title, caption : str
    occupants : (N,) uint8
        Species code on each site.
    """

    title: str
    caption: str
    occupants: NDArray[np.uint8]


_TALLEST = 9.4
"""Panels of all rows / inch, so that they fit on A4."""


def slab_panels(crystal: Crystal, rows: Mapping[str, Sequence[Slab]]) -> Figure:
    """One row for each mechanism, one panel for each moment: a 1-nm slab through the centre, c axis upright.

    Parameters
    ----------
    crystal : Crystal
    rows : mapping
        Panels by row title, equally many in each row.
    """
    radius = crystal.boundaries[-1].extent / 10
    columns = len(next(iter(rows.values())))
    with mpl.rc_context(style.RC):
        width = style.FULL_WIDTH
        side = min((width - 0.32) / columns, max(1.0, (_TALLEST - 0.48) / len(rows) - 0.36))
        left = 0.32 + (width - 0.32 - columns * side) / 2
        height = 0.26 + len(rows) * (side + 0.36) + 0.22
        figure = Figure(figsize=(width, height))
        for row, (title, slabs) in enumerate(rows.items()):
            for column, slab in enumerate(slabs):
                top = height - 0.26 - row * (side + 0.36)
                axes = figure.add_axes(
                    ((left + column * side) / width, (top - side) / height, side / width, side / height)
                )
                _slab(axes, crystal, slab, radius)
                if row == 0:
                    axes.set_title(slab.title, pad=4, fontsize=8)
                if column == 0:
                    shown = wrapped(title, 28)
                    axes.text(
                        -0.06, 0.5, shown, transform=axes.transAxes, rotation=90, va="center", ha="right", fontsize=8
                    )
                    axes.plot(
                        [-radius, -radius + 2], [-radius * 1.02] * 2, color="black", lw=1.5, solid_capstyle="butt"
                    )
                    axes.text(-radius + 1, -radius * 1.0, "2 nm", ha="center", va="bottom", fontsize=6)
        _legend(figure, [slab.occupants for slabs in rows.values() for slab in slabs])
    return figure


def _slab(axes: Any, crystal: Crystal, slab: Slab, radius: float) -> None:
    points, order = crystal.points / 10, in_slab(crystal)
    species, colours = slab.occupants, colours_by_code()
    axes.set(xlim=(-radius * 1.06, radius * 1.06), ylim=(-radius * 1.06, radius * 1.06), aspect="equal")
    axes.axis("off")
    ions = order[species[order] != VACANCY]
    vacant = order[species[order] == VACANCY]
    discs(axes, points[ions][:, [0, 2]], 0.345, list(colours[species[ions]]), "white", 0.55)
    discs(axes, points[vacant][:, [0, 2]], 0.30, "white", "black", 0.9)
    inner_boundaries(axes, crystal)
    axes.text(0.5, 0.0, slab.caption, transform=axes.transAxes, ha="center", va="top", linespacing=1.25)


def colours_by_code() -> NDArray[np.object_]:
    """Colour of an ion by species code."""
    colours = np.full(N_CODES, style.OTHER_SPECIES, dtype=object)
    for symbol, colour in style.SPECIES_COLOURS.items():
        colours[SPECIES[symbol].code] = colour
    return colours


def in_slab(crystal: Crystal) -> NDArray[np.int64]:
    """Sites of a 1-nm slab through the centre that are seen along b, from the back to the front."""
    points = (crystal.points - middle(crystal)) / 10
    inside = np.abs(points[:, 1]) <= SLAB_NM / 2
    order = np.flatnonzero(inside)[np.argsort(-points[inside, 1], kind="stable")]
    _, front = np.unique(points[order][:, [0, 2]].round(3), axis=0, return_index=True)
    seen: NDArray[np.int64] = order[np.sort(front)][::-1]
    return seen


def middle(crystal: Crystal) -> NDArray[np.float64]:
    """(3,) centre / Å: that of the particle, or the middle of a box."""
    if crystal.boundaries:
        return np.zeros(3)
    found: NDArray[np.float64] = (crystal.points.min(axis=0) + crystal.points.max(axis=0)) / 2
    return found


def inner_boundaries(axes: Any, crystal: Crystal) -> None:
    """The layers as grown, dashed, where they cut the plane y = 0."""
    for boundary in crystal.boundaries[:-1]:
        (x, y, z), (a, b, c) = np.array(boundary.centre) / 10, np.array(boundary.semiaxes) / 10
        angle, cut = np.linspace(0, 2 * np.pi, 200), np.sqrt(max(0.0, 1 - (y / b) ** 2))
        ellipse = x + a * cut * np.cos(angle), z + c * cut * np.sin(angle)
        axes.plot(*ellipse, color="black", lw=0.8, ls=(0, (4, 2)))


def discs(axes: Any, xy: NDArray[np.float64], diameter: float, face: Any, edge: str, width: float) -> PathCollection:
    """Discs of a diameter / nm; the area of a marker is given in points²."""
    box, (low, high) = axes.get_window_extent(), axes.get_xlim()
    points = diameter * box.width / (high - low) * 72 / axes.figure.dpi
    drawn: PathCollection = axes.scatter(*xy.T, s=points**2, c=face, edgecolors=edge, linewidths=width)
    return drawn


def _legend(figure: Figure, shown: Iterable[NDArray[np.uint8]]) -> None:
    handles = keys({int(code) for occupants in shown for code in np.unique(occupants)})
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), bbox_to_anchor=(0.5, 0.0), handletextpad=0.3)


def keys(codes: Collection[int], width: int = 200) -> list[Line2D]:
    """What a legend says of slabs in which these species codes are seen; names of other ions in lines of a width."""
    present = {SYMBOLS[code] for code in codes}
    look: dict[str, Any] = {"ls": "", "marker": "o", "ms": 5}
    handles = [
        Line2D([], [], mec="none", color=colour, label=symbol, **look)
        for symbol, colour in style.SPECIES_COLOURS.items()
        if symbol in present
    ]
    others = ", ".join(s for s in SPECIES if s in present - {"vacancy", *style.SPECIES_COLOURS})
    if others:
        handles.append(Line2D([], [], mec="none", color=style.OTHER_SPECIES, label=wrapped(others, width), **look))
    handles.append(Line2D([], [], mfc="white", mec="black", mew=0.9, label="vacancy", **look))
    handles.append(Line2D([], [], color="black", lw=0.8, ls=(0, (4, 2)), label="core as grown"))
    return handles


@dataclass(frozen=True)
class Panel:
    """One observable of a comparison: what is drawn, and nothing else.

    Attributes
    ----------
    column, title : str
        Name of the observable, and what the axes call it.
    steps : (n,) float64
    courses : mapping
        Mean, low and high by mechanism, shape (3, n).
    differences : mapping
        Mean, low and high of the paired difference at the end by mechanism, shape (3,).
    reference : str
        The mechanism from which differences are taken.
    limit : float or None
        Value at complete mixing.
    """

    column: str
    title: str
    steps: NDArray[np.float64]
    courses: Mapping[str, NDArray[np.float64]]
    differences: Mapping[str, NDArray[np.float64]]
    reference: str
    limit: float | None = None


def comparison(panels: Sequence[Panel]) -> Figure:
    """Time courses above, paired differences at the end below; bands and bars are 95 % intervals.

    Parameters
    ----------
    panels : sequence of Panel
        One column of the figure each, with the same mechanisms.
    """
    looks = legend.looks(panels[0].courses)
    others = list(panels[0].differences)
    shown = {label: wrapped(label, 26) for label in looks}
    below = [0.72 + 0.16 * sum(lines(shown[label]) for label in others)] if others else []
    with mpl.rc_context(style.RC):
        height = 2.2 + sum(below) + legend.height(looks)
        figure = Figure(figsize=(style.FULL_WIDTH, height), layout="constrained")
        grid = figure.subplots(1 + len(below), len(panels), squeeze=False, height_ratios=[2.2, *below])
        for axes, panel in zip(grid[0], panels, strict=True):
            _courses(axes, panel, looks)
        for number, (axes, panel) in enumerate(zip(grid[-1], panels, strict=True)):
            if others:
                _forest(axes, panel, looks, [shown[label] for label in others] if number == 0 else None)
        legend.draw(figure, looks)
    return figure


def _courses(axes: Any, panel: Panel, looks: Mapping[str, dict[str, Any]]) -> None:
    every = max(1, len(panel.steps) // 10)
    for number, (label, (mean, low, high)) in enumerate(panel.courses.items()):
        if np.isfinite(low).all():
            axes.fill_between(panel.steps, low, high, color=looks[label]["color"], alpha=0.2, lw=0)
        first = number * every // len(panel.courses)  # markers of equal curves stand beside each other
        axes.plot(panel.steps, mean, markevery=(first, every), clip_on=False, **looks[label])
    drawn = np.concatenate([ends.ravel() for ends in panel.courses.values()])
    drawn = drawn[np.isfinite(drawn)]
    top, bottom = max(0.0, *drawn), min(0.0, *drawn)
    if panel.limit:
        top = max(top, panel.limit)
        axes.axhline(panel.limit, color="black", lw=0.6, ls=(0, (1, 2)))
        axes.text(panel.steps[-1], panel.limit, "complete mixing", ha="right", va="bottom")
    axes.set(xlabel="steps (mean hops of a bulk vacancy)", ylabel=panel.title, xlim=(0, panel.steps[-1]))
    axes.set_ylim(1.1 * bottom, 1.1 * top if top > 0 else 0.0 if bottom < 0 else 1.0)


def _forest(axes: Any, panel: Panel, looks: Mapping[str, dict[str, Any]], names: Sequence[str] | None) -> None:
    for row, (label, ends) in enumerate(panel.differences.items()):
        legend.interval(axes, row, ends, looks[label])
    rows = len(panel.differences)
    axes.axvline(0.0, color="black", lw=0.6)
    unit = panel.title.removesuffix("%") + "percentage points" if panel.title.endswith("/ %") else panel.title
    axes.set(ylim=(rows - 0.4, -0.6), xlabel=textwrap.fill(f"{unit}, difference from {panel.reference}", 52))
    axes.set_yticks(range(rows), names if names is not None else [""] * rows)
    axes.margins(x=0.08)


def save(figure: Figure, path: Path) -> list[Path]:
    """Write PNG, SVG and PDF beside each other; `path` has no suffix."""
    written = []
    with mpl.rc_context(style.RC):
        for suffix in (".png", ".svg", ".pdf"):
            target = path.with_suffix(suffix)
            metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix)
            figure.savefig(target, metadata=metadata)
            written.append(target)
    return written
