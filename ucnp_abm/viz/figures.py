"""The figures of a comparison: slabs through the particle over time, and time courses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ucnp_abm.crystal.species import SPECIES, VACANCY
from ucnp_abm.engine.trajectory import Trajectory
from ucnp_abm.viz import style

SLAB_NM = 1.0


def slab_panels(trajectories: Mapping[str, Trajectory], steps: Sequence[float]) -> Figure:
    """One row for each mechanism, one panel for each step: a 1-nm slab through the centre, c axis upright.

    Parameters
    ----------
    trajectories : mapping
        Trajectory by row title; all of one particle, with snapshots at `steps`.
    steps : sequence of float
    """
    first = next(iter(trajectories.values()))
    radius = first.simulation.crystal.radii[-1] / 10
    with mpl.rc_context(style.RC):
        width = style.FULL_WIDTH
        side = (width - 0.32) / len(steps)
        height = 0.26 + len(trajectories) * (side + 0.36) + 0.22
        figure = Figure(figsize=(width, height))
        for row, (title, trajectory) in enumerate(trajectories.items()):
            for column, step in enumerate(steps):
                top = height - 0.26 - row * (side + 0.36)
                axes = figure.add_axes(
                    ((0.32 + column * side) / width, (top - side) / height, side / width, side / height)
                )
                _slab(axes, trajectory, step, radius)
                if row == 0:
                    axes.set_title("as grown" if step == 0 else f"{step:g} steps", pad=4, fontsize=8)
                if column == 0:
                    axes.text(
                        -0.06, 0.5, title, transform=axes.transAxes, rotation=90, va="center", ha="right", fontsize=8
                    )
                    axes.plot(
                        [-radius, -radius + 2], [-radius * 1.02] * 2, color="black", lw=1.5, solid_capstyle="butt"
                    )
                    axes.text(-radius + 1, -radius * 1.0, "2 nm", ha="center", va="bottom", fontsize=6)
        _legend(figure, first)
    return figure


def _slab(axes: Any, trajectory: Trajectory, step: float, radius: float) -> None:
    crystal = trajectory.simulation.crystal
    points = crystal.points / 10
    inside = np.abs(points[:, 1]) <= SLAB_NM / 2
    order = np.flatnonzero(inside)[np.argsort(-points[inside, 1], kind="stable")]
    _, front = np.unique(points[order][:, [0, 2]].round(3), axis=0, return_index=True)
    order = order[np.sort(front)][::-1]  # only who is seen, from the back to the front
    species = trajectory.snapshots[float(step)]
    colours = np.full(len(SPECIES) + 32, style.OTHER_SPECIES, dtype=object)
    for symbol, colour in style.SPECIES_COLOURS.items():
        colours[SPECIES[symbol].code] = colour
    axes.set(xlim=(-radius * 1.06, radius * 1.06), ylim=(-radius * 1.06, radius * 1.06), aspect="equal")
    axes.axis("off")
    ions = order[species[order] != VACANCY]
    vacant = order[species[order] == VACANCY]
    _discs(axes, points[ions][:, [0, 2]], 0.345, list(colours[species[ions]]), "white", 0.55)
    _discs(axes, points[vacant][:, [0, 2]], 0.30, "white", "black", 0.9)
    for r in crystal.radii[:-1]:
        angle = np.linspace(0, 2 * np.pi, 200)
        axes.plot(r / 10 * np.cos(angle), r / 10 * np.sin(angle), color="black", lw=0.8, ls=(0, (4, 2)))
    vacancies, outside = trajectory.at(step, "vacancies"), trajectory.at(step, "outside_core_pct")
    axes.text(
        0.5,
        0.0,
        f"{vacancies:.0f} vacancies\n{outside:.1f} % of core ions outside",
        transform=axes.transAxes,
        ha="center",
        va="top",
        linespacing=1.25,
    )


def _discs(axes: Any, xy: NDArray[np.float64], diameter: float, face: Any, edge: str, width: float) -> None:
    """Discs of a diameter / nm; the area of a marker is given in points²."""
    box, (low, high) = axes.get_window_extent(), axes.get_xlim()
    points = diameter * box.width / (high - low) * 72 / axes.figure.dpi
    axes.scatter(*xy.T, s=points**2, c=face, edgecolors=edge, linewidths=width)


def _legend(figure: Figure, trajectory: Trajectory) -> None:
    present = trajectory.simulation.particle.counts
    names = [s for s in style.SPECIES_COLOURS if s in present]
    handles = [
        Line2D([], [], ls="", marker="o", ms=5, mec="none", color=style.SPECIES_COLOURS[s], label=s) for s in names
    ]
    handles.append(Line2D([], [], ls="", marker="o", ms=5, mfc="white", mec="black", mew=0.9, label="vacancy"))
    handles.append(Line2D([], [], color="black", lw=0.8, ls=(0, (4, 2)), label="core as grown"))
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), bbox_to_anchor=(0.5, 0.0), handletextpad=0.3)


def time_courses(runs: Mapping[str, Sequence[Trajectory]], mixed_pct: float) -> Figure:
    """Vacancies and intermixing against steps: mean over the seeds with the range of all seeds.

    Parameters
    ----------
    runs : mapping
        Trajectories (one for each seed, equal marks) by mechanism.
    mixed_pct : float
        Share / % of core ions outside the core at complete mixing.
    """
    with mpl.rc_context(style.RC):
        figure = Figure(figsize=(style.FULL_WIDTH, 2.5), layout="constrained")
        panels = figure.subplots(1, 2)
        for axes, column, label in zip(
            panels, ("vacancies", "outside_core_pct"), ("vacancies", "core ions outside the core / %"), strict=True
        ):
            for name, trajectories in runs.items():
                look = style.MECHANISM_STYLES.get(name, style.OTHER_MECHANISM)
                steps = trajectories[0].column("steps")
                values = np.array([t.column(column) for t in trajectories])
                axes.fill_between(steps, values.min(axis=0), values.max(axis=0), color=look["color"], alpha=0.18, lw=0)
                every = max(1, len(steps) // 10)
                axes.plot(steps, values.mean(axis=0), label=name, markevery=every, **look)
            axes.set(xlabel="steps (mean hops of a bulk vacancy)", ylabel=label, ylim=(0, None), xlim=(0, None))
        panels[1].axhline(mixed_pct, color="black", lw=0.6, ls=(0, (1, 2)))
        panels[1].text(panels[1].get_xlim()[1], mixed_pct, "complete mixing", ha="right", va="bottom")
        panels[1].set_ylim(0, mixed_pct * 1.1)
        panels[0].legend(loc="center right", handlelength=3.5)
        n = len(next(iter(runs.values())))
        panels[0].set_title(f"mean and range of {n} particle{'s' if n > 1 else ''}", loc="left", color="0.35")
    return figure


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
