"""Draw the pictures that explain, from the program itself: python docs/figures/concepts.py [env kra verbs floors]."""

from __future__ import annotations

import math
from typing import Any

import common
import numpy as np
from common import BLUE, GREY, INK, ORANGE, PURPLE, heading, sheet
from floors import floors
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from ucnp_abm import Mechanism, Particle, Simulation
from ucnp_abm.crystal import growth, lattice
from ucnp_abm.crystal.particle import Box
from ucnp_abm.kernels.layout import HOP
from ucnp_abm.kernels.rates import activation
from ucnp_abm.rules.tabulate import tabulate
from ucnp_abm.viz.style import OTHER_SPECIES, SPECIES_COLOURS

NEAR = 3.8
"""Å, the bond length of the flat crystal that is drawn."""
DARK = ("Gd", "Tm", "Er")


def disc(axes: Any, x: float, y: float, symbol: str, *, radius: float = 0.36, pale: bool = False) -> None:
    """An ion with its symbol, an empty ring for a vacancy, a cross for a void."""
    alpha = 0.22 if pale else 1.0
    empty = symbol in ("vacancy", "void")
    face = "white" if empty else SPECIES_COLOURS.get(symbol, OTHER_SPECIES)
    edge = INK if empty else "white"
    axes.add_patch(Circle((x, y), radius, fc=face, ec=edge, lw=1.1 if empty else 0.6, alpha=alpha, zorder=3))
    if symbol == "void":
        axes.plot(x, y, marker="x", ms=6, color=INK, zorder=4)
    elif not empty:
        ink = "white" if symbol in DARK else INK
        axes.text(x, y, symbol, ha="center", va="center", fontsize=6.5, color=ink, alpha=0.35 if pale else 1, zorder=4)


def flat_crystal() -> Simulation:
    """37 sites of a flat lattice with z = 6 in three zones, with two vacancies."""
    cell = [[NEAR, 0.0, 0.0], [-NEAR / 2, NEAR * math.sqrt(3) / 2, 0.0], [0.0, 0.0, 100.0]]
    kind = lattice.custom({"name": "flat", "cell": cell, "basis": [[0, 0, 0]], "bonds": [["nn", NEAR]]})
    room = growth.sphere(kind, (1.05 * NEAR, 3.05 * NEAR), ("core", "shell"), 0.0)
    occupants = ["Gd" if layer == 0 else "Y" for layer in room.layer]
    chosen = {
        (1, 0): "Yb", (2, 0): "vacancy", (1.5, 1): "Yb", (1.5, -1): "Y", (0.5, 1): "Gd", (0, 0): "Tm",
        (0.5, -1): "Yb", (2.5, 1): "Y", (3, 0): "Na", (-2.5, 1): "vacancy", (-1.5, 1): "Gd", (-2, 0): "Na",
    }  # fmt: skip
    for (x, row), symbol in chosen.items():
        place = np.array([x, row * math.sqrt(3) / 2, 0.0]) * NEAR
        occupants[int(np.argmin(np.linalg.norm(room.points - place, axis=1)))] = symbol
    rules = Mechanism("drawn", summary="One hop, one docking.", source="Assumption: a picture")
    rules.hop(("Gd", "Yb", "Y", "Tm", "Na"))(lambda env: 1.65)
    rules.dock("Y", irreversible=True)(lambda env: 1.20)
    return Simulation(Particle.of(room, occupants), rules)


def env() -> Figure:
    """What a hop law and a one-site law see, with the counts that the engine gives them."""
    simulation = flat_crystal()
    points = simulation.crystal.points[:, :2] / NEAR
    moves = [m for n in range(simulation.crystal.n_sites) for m in simulation.options(n)]
    hop = next(m for m in moves if m.verb == "hop" and m.species == "Yb" and np.allclose(points[m.site], (2, 0)))
    dock = next(m for m in moves if m.verb == "dock")
    figure, (left, right) = sheet("A law sees the neighbourhood, counted; never the whole crystal", 2, 2.8)
    ends = {hop.site: hop.to, hop.to: hop.site}
    seen = [n for end, other in ends.items() for n in simulation.crystal.neighbours(end) if n not in (-1, other)]
    twice = sorted({n for n in seen if seen.count(n) == 2})
    lines = [
        (end, n) for end, other in ends.items() for n in simulation.crystal.neighbours(end) if n not in (-1, other)
    ]
    _plane(left, simulation, points, {*seen, *ends}, lines)
    for n in twice:
        x, y = points[n]
        box = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.85}
        left.text(
            x,
            y + math.copysign(0.56, y),
            "×2",
            color=PURPLE,
            ha="center",
            va="center",
            fontweight="bold",
            bbox=box,
            zorder=6,
        )
    (x0, y0), (x1, y1) = points[hop.to], points[hop.site]
    left.annotate(
        "", (x1 - 0.3, y1), (x0 + 0.3, y0), arrowprops={"arrowstyle": "-|>", "lw": 1.6, "color": INK}, zorder=6
    )
    counts = _counts(hop.environment.n)
    total = sum(hop.environment.n[s] for s in SYMBOLS)
    text = [
        "env.mover", f"   '{hop.environment.mover}'", "env.bond", f"   '{hop.environment.bond}'",
        "env.zones", f"   {hop.environment.zones}".replace("'", ""), "env.n", *counts,
        f"   {len(lines)} bonds: 2 (z - 1)", f"   {len(twice)} common", "   neighbours",
    ]  # fmt: skip
    _beside(left, text)
    assert total == len(lines)
    heading(left, "a hop: both ends look, each without the other;\na common neighbour has two bonds and counts twice")
    around = simulation.crystal.neighbours(dock.site)
    there = [n for n in around if n >= 0]
    _plane(right, simulation, points, {*there, dock.site}, [(dock.site, n) for n in there])
    bonds = np.array([(math.cos(a), math.sin(a)) for a in np.arange(6) * math.pi / 3])
    for x, y in points[dock.site] + bonds:
        if np.linalg.norm(points - (x, y), axis=1).min() > 0.1:
            right.add_patch(Circle((x, y), 0.36, fc="none", ec=INK, lw=0.8, ls=(0, (1.5, 1.5))))
    site = dock.environment.site
    missing = around.count(-1)
    text = [
        "env.site.zone", f"   '{site.zone}'", "env.site.coordination", f"   {site.coordination}",
        "env.site.n", *_counts(site.n), "", f"{missing} neighbours are", "missing: exposed",
    ]  # fmt: skip
    _beside(right, text)
    heading(right, "docking, etching, …: the exposed site alone;\nmissing neighbours are dotted")
    print(hop.environment, "|", f"{len(twice)} common", "|", dock.environment)
    return figure


SYMBOLS = ("Gd", "Yb", "Tm", "Y", "Na", "vacancy")


def _counts(n: Any) -> list[str]:
    return [f"   ['{symbol}'] = {n[symbol]}" for symbol in SYMBOLS if n[symbol]]


def _beside(axes: Any, text: list[str]) -> None:
    for k, line in enumerate(text):
        bold = "bold" if line.startswith("env") else "normal"
        axes.text(3.85, 2.7 - 0.5 * k, line, va="center", fontfamily="monospace", fontsize=6.5, fontweight=bold)


def _plane(axes: Any, simulation: Simulation, points: np.ndarray, seen: set[int], lines: list[tuple[int, int]]) -> None:
    """The flat crystal: what the law sees in colour, with its bonds; the rest pale; the core's boundary dashed."""
    for a, b in lines:
        axes.plot(*points[[a, b]].T, color=INK, lw=1.3, zorder=2)
    for n, (x, y) in enumerate(points):
        disc(axes, x, y, simulation.occupant(n), pale=n not in seen)
    corners = np.arange(7) * math.pi / 3
    axes.plot(1.5 * np.cos(corners), 1.5 * np.sin(corners), color=ORANGE, lw=1, ls=(0, (4, 2)), zorder=1)
    text = "zones: core inside the dashed line,\nshell, surface (a neighbour missing)"
    axes.text(0.0, -3.2, text, ha="center", va="top", color="#9C5A00", fontsize=6)
    axes.set(xlim=(-4.0, 7.6), ylim=(-4.2, 3.05), aspect="equal")
    axes.axis("off")


def kra() -> Figure:
    """Energy along a hop, forward and backward, and where the maximum clips."""
    figure, (left, right) = sheet("One kinetic barrier both ways: E_a = max(E_KRA + ΔE/2, ΔE, 0)", 2, 2.8, sharey=True)
    for axes, barrier, step in ((left, 0.60, 0.30), (right, 0.12, 0.50)):
        forward = activation(HOP, barrier, step)
        back = activation(HOP, barrier, -step)
        clipped = barrier + step / 2 < step
        print(f"E_KRA {barrier}, dE {step}: forward {forward:.2f}, back {back:.2f} eV")
        x = np.linspace(-0.12, 1.08, 400)
        axes.plot(x, _profile(x, step, forward), color=INK, lw=1.4)
        axes.plot([0, 0.5, 1], [0, step / 2, step], color=GREY, lw=0.7, ls=(0, (4, 2)))
        axes.plot([-0.12, 1.32], [0, 0], color=GREY, lw=0.5, zorder=0)
        axes.plot([1, 1.32], [step, step], color=GREY, lw=0.5, zorder=0)
        _measure(
            axes,
            0.5,
            step / 2,
            step / 2 + barrier,
            "E_KRA",
            PURPLE,
            -0.04 if clipped else 0.04,
            0.5 if clipped else 0.3,
        )
        _measure(axes, 1.26, 0, step, "ΔE", INK, 0.03)
        _measure(axes, -0.2, 0, forward, f"forward\nE_a = {forward:.2f} eV", BLUE, -0.03)
        axes.plot([-0.2, 0.5 if not clipped else 1], [forward, forward], color=BLUE, lw=0.5, ls=(0, (1, 2)))
        if back > 0:
            axes.plot([0.5, 1.13], [forward, forward], color=ORANGE, lw=0.5, ls=(0, (1, 2)))
            _measure(axes, 1.13, step, forward, f"back\nE_a = {back:.2f} eV", ORANGE, 0.03)
        else:
            axes.text(
                1.0,
                step + 0.03,
                f"back: E_a = {back:.0f},\nnothing in the way",
                color="#A86C00",
                ha="center",
                va="bottom",
            )
            axes.plot(0.5, step / 2 + barrier, marker="o", mfc="white", color=PURPLE)
        for place, symbol in ((0, "start"), (1, "end")):
            axes.text(place, (0, step)[place] - 0.05, symbol, ha="center", va="top")
        axes.set(xlim=(-0.95, 1.75), ylim=(-0.14, 0.92), xlabel="way of the ion into the vacancy")
        axes.set_xticks([])
    left.set_ylabel("energy / eV (schematic numbers)")
    heading(left, "E_KRA = 0.60, ΔE = 0.30 eV: E_KRA ± ΔE/2")
    heading(right, "E_KRA = 0.12, ΔE = 0.50 eV: E_KRA + ΔE/2 < ΔE, so clipped at ΔE")
    return figure


def _profile(x: np.ndarray, step: float, top: float) -> np.ndarray:
    """A smooth way from 0 over `top` to `step`; a mere rise if the top is the end."""
    if top <= step:
        inner = np.clip(x, 0, 1)
        return step * (1 - np.cos(np.pi * inner)) / 2 + 2.0 * np.where(x < 0, x, 0) ** 2 * 6
    rise = top * (1 - np.cos(2 * np.pi * x)) / 2
    fall = step + (top - step) * (1 - np.cos(2 * np.pi * x)) / 2
    return np.where(x < 0.5, rise, fall)


def _measure(
    axes: Any, x: float, low: float, high: float, text: str, colour: str, shift: float, at: float = 0.5
) -> None:
    axes.annotate(
        "", (x, high), (x, low), arrowprops={"arrowstyle": "<->", "color": colour, "lw": 1, "shrinkA": 0, "shrinkB": 0}
    )
    side = "left" if shift > 0 else "right"
    axes.text(x + shift, low + at * (high - low), text, color=colour, ha=side, va="center")


def verbs() -> Figure:
    """The two primitives and the verbs built on them, as the rate table of one mechanism lists them."""
    rules = Mechanism("all verbs", summary="Everything at once.", source="Assumption: a picture")
    rules.hop(("Gd", "Y"))(lambda env: 1.65)
    for symbol in ("Y", "Gd"):
        rules.reservoir(symbol, size=100)
    rules.dock("Y", chemical_potential="0.1 eV")(lambda env: 1.20)
    rules.etch("Gd", irreversible=True)(lambda env: 1.95)
    rules.swap("Gd", "Y", chemical_potential="0.1 eV")(lambda env: 1.70)
    rules.sink(irreversible=True)(lambda env: 1.65)
    particle = Box("sc", (3, 3, 3), "Gd: 30% Y", vacancies=1).build()
    table = tabulate(rules, particle.crystal, particle.counts)
    says = {
        "dock": "a complex fills an exposed vacancy",
        "undock": "the way back: any exposed Y",
        "etch": "an exposed ion leaves, no way back",
        "swap": "cation exchange, no vacancy needed",
        "unswap": "the way back",
        "sink": "the surface absorbs a vacancy for good",
    }
    figure = Figure(figsize=(7.0, 3.35))
    figure.text(0.008, 0.985, "Two primitives, seven verbs", fontsize=8, fontweight="bold", va="top")
    axes = figure.add_axes((0.0, 0.0, 1.0, 0.93))
    rows = 1.15 + len(table.channels)
    axes.set(xlim=(0, 21), ylim=(-(rows + 0.65), 0.75), aspect="auto")
    axes.axis("off")
    for x, text in (
        (0.2, "primitive"),
        (4.3, "verb"),
        (6.2, "before and after"),
        (12.2, "bath, if finite"),
        (15.1, "what it is"),
    ):
        axes.text(x, 0.45, text, color="#6E6E6E", va="center")
    tall = 21 / 7.0 / ((rows + 1.4) / (3.35 * 0.93))
    icons = figure.add_axes((0.0, 0.0, 1.0, 0.93), sharex=axes)
    icons.set(xlim=(0, 21), ylim=(-(rows + 0.65) * tall, 0.75 * tall), aspect="equal")
    icons.axis("off")
    for top, bottom, name, text in (
        (-0.05, -1.12, "exchange", "a vacancy and a\nneighbour trade places"),
        (-1.25, -(rows + 0.2), "transform", "the occupant of one\nexposed site changes"),
    ):
        axes.fill_between([0.1, 20.9], top, bottom, color="#F1F1F1", lw=0, zorder=0)
        axes.text(0.3, top - 0.12, name, fontweight="bold", va="top")
        axes.text(0.3, top - 0.47, text, va="top", fontsize=6.5)
    y = -0.55
    axes.text(4.3, y, "hop", va="center", fontweight="bold")
    for x, symbol in ((6.6, "vacancy"), (7.7, "Gd"), (9.9, "Gd"), (11.0, "vacancy")):
        disc(icons, x, y * tall, symbol, radius=0.42)
    _arrow(icons, 8.35, 9.25, y * tall)
    for low, high in ((7.02, 7.28), (10.32, 10.58)):
        icons.plot([low, high], [y * tall] * 2, color=INK, lw=1.3)
    axes.text(15.1, y, "either end may be exposed or buried", va="center")
    for k, channel in enumerate(table.channels):
        y = -1.75 - k
        axes.text(4.3, y, channel.verb, va="center", fontweight="bold")
        disc(icons, 7.15, y * tall, channel.before, radius=0.42)
        _arrow(icons, 8.35, 9.25, y * tall)
        disc(icons, 10.45, y * tall, channel.after, radius=0.42)
        bath = [f"{'+' if sign > 0 else '-'}1 {table.reservoirs[n].species}" for n, sign in
                ((channel.takes, -1), (channel.gives, 1)) if n >= 0]  # fmt: skip
        axes.text(12.2, y, ", ".join(bath) or "none", va="center")
        axes.text(15.1, y, says[channel.verb], va="center")
        print(f"{channel.verb}: {channel.before} -> {channel.after}, bath {bath}")
    return figure


def _arrow(axes: Any, low: float, high: float, y: float) -> None:
    axes.annotate("", (high, y), (low, y), arrowprops={"arrowstyle": "-|>", "lw": 1, "color": INK})


FIGURES = {"env": env, "kra": kra, "verbs": verbs, "floors": floors}

if __name__ == "__main__":
    common.main(FIGURES)
