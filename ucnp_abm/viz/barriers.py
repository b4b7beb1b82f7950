"""The figure of a rate table: activation energies (left) and rates (right) by environment."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ucnp_abm.viz import style

SUFFIXES = (".png", ".svg", ".pdf")
MOST_PANELS = 24
_ACROSS, _HEIGHT = 3, 1.75
_NAMED, _SHOWN = 6, 4
"""So many curves all have a name in the legend; of more, so many."""
_LN10 = math.log(10)


@dataclass(frozen=True)
class Curve:
    """Environments that differ in one thing only.

    Attributes
    ----------
    label : str
        '' if it needs none.
    species : str
        Decides the colour; '' if something else does.
    x, energies, rates : tuple of float
        Position or number of the category; eV; 1/s.
    """

    label: str
    species: str
    x: tuple[float, ...]
    energies: tuple[float, ...]
    rates: tuple[float, ...]


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes
    ----------
    title, axis, legend : str
        What stands above, below, and over the names of the curves.
    categories : tuple of str
        Names of x = 0, 1, …; empty where x is a number.
    curves : tuple of Curve
    """

    title: str
    axis: str
    legend: str
    categories: tuple[str, ...]
    curves: tuple[Curve, ...]


def barriers(panels: Sequence[Panel], title: str, mechanism: str, kt: float) -> Figure:
    """Draw at most 24 panels: energies by environment, the rates that follow on the right.

    Parameters
    ----------
    panels : sequence of Panel
        At least one.
    title, mechanism : str
        The mechanism decides the colour of curves that stand for several species.
    kt : float
        Thermal energy / eV.
    """
    drawn = panels[:MOST_PANELS]
    across = 2 if len(drawn) in (2, 4) else min(_ACROSS, len(drawn))
    rows = -(-len(drawn) // across)
    width = style.HALF_WIDTH if len(drawn) == 1 else style.FULL_WIDTH
    letters = int(15 * width / across)
    height = 0.25
    for row in range(rows):
        below = [_turned(panel, letters) for panel in drawn[row * across : (row + 1) * across]]
        above = [len(textwrap.wrap(panel.title, letters)) for panel in drawn[row * across : (row + 1) * across]]
        names = [name.count("\n") for panel in drawn[row * across : (row + 1) * across] for name in panel.categories]
        height += _HEIGHT + 0.055 * max(below) + 0.12 * (max(above) - 1 + max(names, default=0))
    with mpl.rc_context(style.RC):
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.suptitle(textwrap.fill(title, int(width * 16)), fontsize=8)
        grid = figure.subplots(rows, across, squeeze=False)
        for axes, panel in zip(grid.flat, drawn, strict=False):
            _draw(axes, panel, style.mechanism_style(mechanism)["color"], kt, letters)
        for axes in list(grid.flat)[len(drawn) :]:
            axes.set_axis_off()
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write one file, whose suffix says the format; text stays text, and the same figure gives the same bytes."""
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower())
    with mpl.rc_context({**style.RC, "svg.hashsalt": "ucnp-abm"}):
        figure.savefig(path, metadata=metadata)


def _turned(panel: Panel, letters: int) -> int:
    """Length of the names of categories if they must stand upright to have room, else 0."""
    lengths = [max(map(len, name.split("\n"))) for name in panel.categories]
    return max(lengths, default=0) if len(lengths) * (max(lengths, default=0) + 2) > letters else 0


def _draw(axes: Any, panel: Panel, colour: str, kt: float, letters: int) -> None:
    named = [curve for curve in panel.curves if curve.label]
    for number, curve in enumerate(panel.curves):
        drawn: Any = colour
        if curve.species:
            drawn = style.SPECIES_COLOURS.get(curve.species, style.OTHER_SPECIES)
        elif len(named) > 1:
            drawn = mpl.colormaps["viridis"](0.9 * number / (len(panel.curves) - 1))
        beside = 0.4 * ((number + 0.5) / len(named) - 0.5) if panel.categories and named else 0.0
        x = [place + beside for place in curve.x]
        size, line = (2 if len(panel.curves) > _NAMED else 3), "" if panel.categories else "-"
        axes.plot(x, curve.energies, ls=line, lw=0.8, marker="o", ms=size, color=drawn, clip_on=False)
    energies = [e for curve in panel.curves for e in curve.energies]
    low, high = min(energies), max(energies)
    margin = max(0.12 * (high - low), 0.05)
    axes.set(ylim=(low - margin, high + margin), ylabel="activation energy / eV", xlabel=panel.axis)
    axes.set_title(textwrap.fill(panel.title, letters), loc="left", fontsize=6.5)
    if panel.categories:
        turned = _turned(panel, letters) > 0
        axes.set_xticks(range(len(panel.categories)), panel.categories, rotation=90 if turned else 0)
        axes.set_xlim(-0.6, len(panel.categories) - 0.4)
    else:
        axes.xaxis.get_major_locator().set_params(integer=True)
    if len(named) > 1:
        _legend(axes, panel)
    _rates(axes, panel, kt)


def _legend(axes: Any, panel: Panel) -> None:
    """The names of all curves, or of some of many, in a band above them."""
    n, some = len(panel.curves), _SHOWN - 1
    shown = list(range(n)) if n <= _NAMED else [round(k * (n - 1) / some) for k in range(_SHOWN)]
    names = [panel.curves[k].label for k in shown]
    handles = [Line2D([], [], ls="", marker="o", ms=3, color=axes.lines[k].get_color()) for k in shown]
    columns = max(1, min(len(names), 28 // (5 + max(map(len, names)))))
    band = 0.1 * (-(-len(names) // columns) + bool(panel.legend))
    low, high = axes.get_ylim()
    axes.set_ylim(low, low + (high - low) / (1 - band))
    axes.legend(
        handles,
        names,
        title=panel.legend,
        fontsize=6,
        title_fontsize=6,
        loc="upper left",
        ncols=columns,
        handletextpad=0.1,
        columnspacing=0.8,
        borderpad=0.0,
    )


def _rates(axes: Any, panel: Panel, kt: float) -> None:
    """The right axis: a scale of its own if one prefactor holds for all, else open markers on a logarithmic axis."""
    pairs = [(e, r) for curve in panel.curves for e, r in zip(curve.energies, curve.rates, strict=True) if r > 0]
    before = [math.log10(r) + e / (kt * _LN10) for e, r in pairs]
    if not pairs:
        return
    if max(before) - min(before) < 1e-6:
        right = axes.secondary_yaxis(
            "right", functions=(lambda e: before[0] - e / (kt * _LN10), lambda lg: (before[0] - lg) * kt * _LN10)
        )
        low, high = (before[0] - e / (kt * _LN10) for e in reversed(axes.get_ylim()))
        ticks = _ticks(low, high)
        right.set_yticks([math.log10(tick) for tick in ticks], [_power(tick) for tick in ticks])
        right.set_ylabel("rate / s⁻¹")
        right.spines["right"].set_visible(True)
        return
    right = axes.twinx()
    right.spines["right"].set_visible(True)
    for curve, line in zip(panel.curves, list(axes.lines), strict=True):
        right.plot(
            line.get_xdata(),
            [r or math.nan for r in curve.rates],
            ls="",
            marker="s",
            ms=4.5,
            mfc="none",
            mec=line.get_color(),
        )
    logs = [math.log10(r) for _, r in pairs]
    low, high = min(logs) - 0.5, max(logs) + 0.5
    right.set(yscale="log", ylim=(10**low, 10**high), ylabel="rate / s⁻¹ (open squares)")
    right.minorticks_off()
    ticks = _ticks(low, high)
    right.set_yticks(ticks, [_power(tick) for tick in ticks])


def _ticks(low: float, high: float) -> list[float]:
    """Three to seven rates between two powers of ten."""
    decades = high - low
    if decades > 3:
        step = max(1, math.ceil(decades / 6))
        return [10.0**n for n in range(math.ceil(low), math.floor(high) + 1) if n % step == 0]
    digits = (1, 3) if decades > 1.5 else (1, 2, 5) if decades > 0.7 else (1, 1.5, 2, 3, 4, 5, 6, 8)
    found = [d * 10.0**n for n in range(math.floor(low), math.ceil(high) + 1) for d in digits]
    return [rate for rate in found if low <= math.log10(rate) <= high]


def _power(rate: float) -> str:
    exponent = math.floor(math.log10(rate) + 1e-9)
    digit = rate / 10.0**exponent
    if -3 < exponent < 4:
        return f"{rate:g}"
    power = f"$10^{{{exponent}}}$"
    return power if abs(digit - 1) < 1e-9 else f"{digit:g}·{power}"
