"""Figures of light: the spectrum, how it decays, and how the main numbers go over an anneal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ucnp_abm.errors import NotConverged
from ucnp_abm.photons.light import Light
from ucnp_abm.photons.spectrum import LINES, WIDTH_NM, profile
from ucnp_abm.viz import style

LOW_NM, HIGH_NM = 270.0, 870.0
FEW_DECADES = 30.0
"""Between strongest and weakest line: up to this ratio a linear scale shows both."""
CURVES = ("450", "475", "800", "545", "655")
"""Lines whose decays are drawn, where they shine."""
LEFT = 3e-3
"""Share of the peak down to which decays are drawn."""
_GREY = "#7A7F87"


def term(level: str) -> str:
    """A level as spectroscopists write it, in matplotlib's notation.

    Examples
    --------
    >>> term("1D2"), term("2H(2)11/2")
    ('$^1$D$_2$', '$^2$H$_{11/2}$')
    """
    rest = level[2:].removeprefix("(2)")
    return f"$^{level[0]}${level[1]}$_{rest if len(rest) == 1 else f'{{{rest}}}'}$"


def spectrum(seen: Mapping[str, Light], conditions: str) -> Figure:
    """Emission under the pump, the last in the colours of the light, those before it in grey.

    Lines of equal strength are drawn as curves on a linear scale. Where they differ much, as they do under a weak pump,
    each transition is a bar on a logarithmic one: a curve would bury the weak lines under the feet of the strong.

    Parameters
    ----------
    seen : mapping
        `Light` by what it is called.
    conditions : str
        Moment, rate set, pump and solvent.
    """
    last = list(seen.values())[-1]
    lines = {n: photons for n, photons in last.lines().items() if photons > 0}
    centres = {n: _centre(last, n) for n in lines}
    log = max(lines.values()) / min(lines.values()) > FEW_DECADES
    with mpl.rc_context(style.RC):
        figure = Figure(figsize=(style.FULL_WIDTH, 2.9))
        axes = figure.add_axes((0.085, 0.15, 0.9, 0.58))
        axes.set(xlim=(LOW_NM, HIGH_NM), xlabel="wavelength / nm")
        tops = _bars(axes, seen, lines, centres) if log else _curves(axes, seen, centres)
        if len(seen) > 1:
            figure.legend(handles=_moments(list(seen), log), loc="upper right", ncols=len(seen), borderpad=0.2)
        _labels(axes, centres, tops)
        figure.text(0.01, 0.985, f"Upconverted light. {conditions}", va="top")
    return figure


def _bars(
    axes: Any, seen: Mapping[str, Light], lines: Mapping[str, float], centres: Mapping[str, float]
) -> dict[str, float]:
    """One bar for each line, thin ones for what has no name; returns their tops by line."""
    *others, last = seen.values()
    before = [other.lines().get(n, 0.0) for other in others for n in lines]
    low = min([*lines.values(), *(photons for photons in before if photons > 0)])
    floor, top = low / 5, max([*lines.values(), *before])
    axes.set(yscale="log", ylim=(floor, 4 * top), ylabel="photons per second and crystal")
    axes.set_xlabel("wavelength / nm (thin bars: other transitions)")
    named = {wave for n in lines for wave, _ in _members(last, n)}
    for wave, photons in last.spectrum():
        if wave not in named and photons > floor and LOW_NM < wave < HIGH_NM:
            axes.bar(wave, photons - floor, 1.6, floor, color=style.light_colour(wave), alpha=0.45, lw=0)
            if photons > top / 100:
                axes.text(wave, 1.3 * photons, f"{wave:.0f}", ha="center", va="bottom", fontsize=6, color=_GREY)
    for n, photons in lines.items():
        axes.bar(centres[n], photons - floor, 6, floor, color=style.light_colour(centres[n]), lw=0, zorder=2)
        for other in others:
            if (was := other.lines().get(n, 0.0)) > 0:
                axes.plot([centres[n] - 6, centres[n] + 6], [was, was], color="white", lw=2.6, zorder=3)
                axes.plot([centres[n] - 6, centres[n] + 6], [was, was], color="black", lw=1.3, zorder=3)
    return dict(lines)


def _curves(axes: Any, seen: Mapping[str, Light], centres: Mapping[str, float]) -> dict[str, float]:
    """Lines with a width, filled in their colours; returns their tops by line."""
    *others, last = seen.values()
    wavelengths = np.arange(LOW_NM, HIGH_NM + 0.5, 0.5)
    drawn = profile(last.spectrum(), wavelengths)
    before = [profile(other.spectrum(), wavelengths) for other in others]
    axes.set_ylim(0, 1.08 * max(curve.max() for curve in (drawn, *before)))
    axes.set_xlabel(f"wavelength / nm (each line is drawn {2.355 * WIDTH_NM:.0f} nm wide)")
    axes.set_ylabel("photons per second, nm and crystal")
    pieces = [
        [(a, 0), (a, ya), (b, yb), (b, 0)]
        for a, b, ya, yb in zip(wavelengths[:-1], wavelengths[1:], drawn[:-1], drawn[1:], strict=True)
    ]
    colours = [style.light_colour(wave) for wave in wavelengths[:-1] + 0.25]
    axes.add_collection(PolyCollection(pieces, facecolors=colours, edgecolors=colours, linewidths=0.3))
    for curve in before:
        axes.plot(wavelengths, curve, color="black", lw=0.9, ls=(0, (3, 1.5)))
    return {n: float(drawn[np.abs(wavelengths - at).argmin()]) for n, at in centres.items()}


def _moments(names: Sequence[str], log: bool) -> list[Line2D | Patch]:
    before = {"color": "black", "lw": 1.3} if log else {"color": "black", "lw": 0.9, "ls": (0, (3, 1.5))}
    handles: list[Line2D | Patch] = [Line2D([], [], label=name, **before) for name in names[:-1]]
    return [*handles, Patch(color=style.light_colour(450), lw=0, label=names[-1])]


def _members(seen: Light, name: str) -> list[tuple[float, float]]:
    """(wavelength / nm, rate / 1/s) of the transitions that make a line."""
    which = LINES[name]
    emissions = seen.optics.set.ion(which.ion).emissions
    return [(e.wavelength_nm, e.rate) for e in emissions if e.upper in which.uppers and e.lower == which.lower]


def _centre(seen: Light, name: str) -> float:
    """Mean wavelength / nm of a line's transitions, weighted by their rates."""
    waves, rates = np.array(_members(seen, name)).T
    return float(np.average(waves, weights=rates))


def _labels(axes: Any, centres: Mapping[str, float], tops: Mapping[str, float]) -> None:
    """Wavelength and transition above the axes, spread so that none covers another, with a line to each peak."""
    names = sorted(centres, key=centres.__getitem__)
    both = len({LINES[n].ion for n in names}) > 1
    gap = (HIGH_NM - LOW_NM) * (0.098 if both else 0.088)
    at = _spread([centres[n] for n in names], gap, LOW_NM + gap / 2, HIGH_NM - gap / 2)
    frame = axes.get_xaxis_transform()
    for name, x in zip(names, at, strict=True):
        line, colour = LINES[name], style.light_colour(centres[name])
        words = f"{name} nm{f', {line.ion}' if both else ''}\n{term(line.uppers[0])} → {term(line.lower)}"
        axes.text(x, 1.13, words, transform=frame, ha="center", va="bottom", color=colour, linespacing=1.3,
                  fontsize=6.5 if both else 7)  # fmt: skip
        axes.plot([x, centres[name]], [1.12, 1.0], transform=frame, color=colour, lw=0.6, clip_on=False)
        axes.plot([centres[name]] * 2, [tops[name], axes.get_ylim()[1]], color=colour, lw=0.5, ls=(0, (1, 2)))


def _spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, in their order, at least a gap apart."""
    groups: list[list[float]] = []  # [sum of (wanted - offset), count, first place]
    for place in wanted:
        groups.append([place, 1])
        while len(groups) > 1 and groups[-2][0] + gap * groups[-2][1] > groups[-1][0]:
            (a, n), (b, m) = groups[-2:]
            groups[-2:] = [[(a * n + (b - gap * n) * m) / (n + m), n + m]]
        groups[-1][0] = min(max(groups[-1][0], low), high - gap * (groups[-1][1] - 1))
    return [first + gap * k for first, n in groups for k in range(int(n))]


def decays(seen: Light, conditions: str) -> Figure:
    """Decays after a short pulse and after the pump is switched off, relative to their peaks, with both lifetimes."""
    lines = [n for n in CURVES if seen.intensity(n) > 0] or [n for n, p in seen.lines().items() if p > 0]
    looks = {n: {"color": style.light_colour(float(n)), "lw": 0.9} for n in lines} | {
        lines[0]: {"color": style.light_colour(float(lines[0])), "lw": 1.8}
    }
    with mpl.rc_context(style.RC):
        figure = Figure(figsize=(style.FULL_WIDTH, 2.9), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.05, h_pad=0.04, wspace=0.05)
        figure.suptitle(f"Decay of upconverted light. {conditions}", x=0.01, ha="left", fontsize=7)
        titles = {"pulse": "after a short, weak pulse", "cw-off": "after the steady pump is switched off"}
        for axes, (drive, title) in zip(figure.subplots(1, 2, sharey=True), titles.items(), strict=True):
            longest = 0.0
            for name, look in looks.items():
                times, photons = seen.curve(name, drive)
                rest = photons / photons.max()
                axes.plot(1e3 * times, rest, **look)
                longest = max(longest, 1e3 * float(times[np.flatnonzero(rest > LEFT)[-1]]))
            axes.axhline(1 / np.e, color="black", lw=0.6, ls=(0, (1, 2)))
            axes.text(longest, 1 / np.e, "1/e", va="bottom", ha="right")
            axes.set(yscale="log", ylim=(LEFT, 4), xlim=(0, longest), xlabel="time / ms")
            axes.xaxis.set_major_locator(MaxNLocator(6))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.set_title(title, loc="left")
            axes.legend(handles=_lived(axes, seen, lines[0], drive), loc="upper right", borderpad=0, labelspacing=0.4)
        figure.axes[0].set_ylabel("intensity / that at the peak")
        handles = [Line2D([], [], label=f"{n} nm, {term(LINES[n].uppers[0])}", **look) for n, look in looks.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), borderpad=0)
    return figure


def _lived(axes: Any, seen: Light, name: str, drive: str) -> list[Line2D]:
    """Marks of both lifetimes on a curve, and what the legend says of them."""
    try:
        found = seen.lifetimes(name, drive)
    except NotConverged:
        return [Line2D([], [], ls="", label=f"{name} nm: longer than 0.1 s")]
    colour, (times, photons), handles = style.light_colour(float(name)), seen.curve(name, drive), []
    for lived, words, marker, face in (
        (found.to_1_e_s, "from the peak to 1/e", "o", colour),
        (found.integral_s, "integral after the peak / peak", "D", "white"),
    ):
        at = found.peak_s + lived
        look = {"ls": "", "marker": marker, "mfc": face, "mec": colour, "mew": 1.0, "ms": 5}
        axes.plot(1e3 * at, np.interp(at, times, photons / photons.max()), zorder=5, **look)
        handles.append(Line2D([], [], label=f"{name} nm, {words}: {1e3 * lived:.3g} ms", **look))
    return handles


def courses(rows: Sequence[Mapping[str, Any]], conditions: str) -> Figure:
    """The main numbers over an anneal: rows with `steps` and numbers by column, None where one is not defined."""
    line = next((key for key in rows[0] if key.startswith("i_") and key.endswith("_per_s")), "i_450_per_s")
    nm = line.split("_")[1]
    panels = {
        line: (f"{nm} nm / (photons/s and crystal)", style.light_colour(float(nm))),
        "qy_all": ("upconverted photons / absorbed photons", "#000000"),
        "k_eff_per_s": (r"quench rate k$_\mathrm{eff}$ / (1/s)", "#6B1D5C"),
    }
    with mpl.rc_context(style.RC):
        figure = Figure(figsize=(style.FULL_WIDTH, 2.35), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.05, h_pad=0.04, wspace=0.05)
        figure.suptitle(f"Light over the anneal. {conditions}", x=0.01, ha="left", fontsize=7)
        for axes, (key, (title, colour)) in zip(figure.subplots(1, 3), panels.items(), strict=True):
            told = [(row["steps"], row[key]) for row in rows if row.get(key) is not None]
            axes.set_title(title, loc="left")
            axes.set(xlabel="steps (mean hops of a bulk vacancy)", xlim=(0, rows[-1]["steps"]))
            if not told:
                axes.text(0.5, 0.5, rows[-1].get("why") or "not defined", transform=axes.transAxes, ha="center")
                axes.set_yticks([])
                continue
            steps, values = np.array(told, dtype=float).T
            axes.plot(steps, values, color=colour, marker="o", clip_on=False, zorder=3)
            if values.min() > 0 and values.max() / values.min() > FEW_DECADES:
                axes.set_yscale("log")
            else:
                axes.set_ylim(0, 1.08 * values.max() if values.max() > 0 else 1.0)
    return figure
