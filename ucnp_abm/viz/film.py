"""The film of a run: the slab through the middle, what is counted, and its course, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.species import VACANCY, VOID
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.observables.atoms import n_vacancies, outside_core
from ucnp_abm.runs.plan import Plan, follow
from ucnp_abm.viz import labels, mp4, style
from ucnp_abm.viz.figures import colours_by_code, discs, in_slab, inner_boundaries, keys, middle

DEFAULT_FRAMES, DEFAULT_FPS = 251, 25
WIDTH, HEIGHT, DPI = 6.4, 3.6, 200
"""Inches, inches and pixels per inch."""
SIZE = (round(WIDTH * DPI), round(HEIGHT * DPI))
"""1280 x 720 pixels."""
_SIDE, _BELOW, _LEFT, _RIGHT = 3.24, 0.28, 3.56, 6.2
"""Inches: the slab's side, the strip below it, the column beside it."""
_TITLE, _TICKS, _AXIS = 0.26, 0.42, 0.42
"""Inches: above a course, beside it, and below the last one."""
_CLOCK = {"d": 86400.0, "h": 3600.0, "min": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True, eq=False)
class Moment:
    """What a frame shows.

    Attributes
    ----------
    step, time, temperature : float
        Steps and s passed; K, drives included.
    vacancies : int
        In the whole crystal.
    outside : float
        Share / % of the core's ions that lie outside the core; nan in a box.
    held : (S,) uint8
        Species codes on the sites of the slab.
    """

    step: float
    time: float
    temperature: float
    vacancies: int
    outside: float
    held: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Reel:
    """A run as evenly spaced moments.

    Attributes
    ----------
    crystal : Crystal
    mechanism : str
    in_time : bool
        They are evenly spaced in time, not in steps.
    sites : (S,) int64
        The slab, from the back to the front.
    moments : tuple of Moment
    """

    crystal: Crystal
    mechanism: str
    in_time: bool
    sites: NDArray[np.int64]
    moments: tuple[Moment, ...]


def shoot(
    simulation: Simulation,
    end: float,
    *,
    in_time: bool = False,
    frames: int = DEFAULT_FRAMES,
    show: Callable[[Simulation], object] | None = None,
) -> Reel:
    """Run a simulation from its start to an end, and keep what frames show of evenly spaced moments, ends included.

    Parameters
    ----------
    simulation : Simulation
        At its start; it is at the end afterwards.
    end : float
        Steps; s if `in_time`.
    in_time : bool
    frames : int
    show : callable or None
        Told the simulation after every piece, which takes a quarter of a second at most; what it raises ends the run.

    Raises
    ------
    BadInput
        If there are too few or too many frames, there is no end, or the simulation is not at its start.
    """
    mp4.within("frames", frames, mp4.FRAMES)
    if not 0 < end < math.inf:
        raise BadInput(
            f"movie: expected a run of a finite length above zero, got {end:g} {'s' if in_time else 'steps'}"
        )
    if simulation.time > 0:
        raise BadInput(f"movie: expected a simulation at its start, got one at {simulation.time:g} s")
    plan = Plan(tuple(np.linspace(0.0, end, frames).tolist()), in_time=in_time)
    crystal, sites, moments = simulation.crystal, in_slab(simulation.crystal), []
    for number in follow(simulation, plan):
        if number is not None:
            held = simulation.state.species[crystal.sites[sites]]
            counts = int(n_vacancies(simulation)), outside_core(simulation)
            moments.append(Moment(simulation.steps, simulation.time, simulation.temperature, *counts, held))
        if show:
            show(simulation)
    return Reel(crystal, simulation.mechanism.name, in_time, sites, tuple(moments))


def film(reel: Reel, target: Path, *, fps: int = DEFAULT_FPS, show: Callable[[int], object] | None = None) -> Path:
    """Draw a reel into an MP4 file, which takes its place when it is complete; one that exists is replaced.

    Parameters
    ----------
    reel : Reel
    target : Path
    fps : int
        Frames per second.
    show : callable or None
        Told how many frames have been drawn; what it raises ends the film, and no file is left.

    Raises
    ------
    BadInput
        If ffmpeg is missing or fails, the file cannot be written, or there are too few or too many frames per second.
    """
    with mp4.mp4(target, SIZE, fps) as take, mpl.rc_context(style.RC):
        picture = Picture(reel)
        for number in range(len(reel.moments)):
            take(picture.frame(number))
            if show:
                show(number + 1)
    return target


@dataclass(frozen=True, eq=False)
class _Course:
    title: str
    values: NDArray[np.float64]
    shown: str


class Picture:
    """A figure of which only what changes is drawn anew.

    Parameters
    ----------
    reel : Reel
    """

    def __init__(self, reel: Reel) -> None:
        self.reel = reel
        last = reel.moments[-1]
        self._steps, self._shown = _places(last.step), next((u for u, s in _CLOCK.items() if last.time >= 3 * s), "ns")
        self._time = _places(last.time / _CLOCK[self._shown])
        self._plane = ((reel.crystal.points[reel.sites] - middle(reel.crystal)) / 10)[:, [0, 2]]
        self._colours = to_rgba_array(list(colours_by_code()))
        with mpl.rc_context(style.RC):
            self.figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI)
            self._canvas = FigureCanvasAgg(self.figure)
            self._draw_slab()
            below = self._draw_words()
            self._draw_courses(below, self._draw_keys())
            self._changing = [self.ions, self.vacant, *self._dashed, self.caption]
            self._changing += [*self.curves, *self.tips, *self.values]
            for artist in self._changing:
                artist.set_animated(True)
            self._canvas.draw()
            self._still = self._canvas.copy_from_bbox(self.figure.bbox)

    def frame(self, number: int) -> memoryview:
        """The pixels of a frame, RGBA, row by row, valid until the next is drawn."""
        self.show(number)
        self._canvas.restore_region(self._still)
        for artist in self._changing:
            self.figure.draw_artist(artist)
        return memoryview(self._canvas.buffer_rgba()).cast("B")

    def show(self, number: int) -> None:
        """Let the artists say what a frame says."""
        moment = self.reel.moments[number]
        is_vacant = moment.held == VACANCY
        is_ion = ~is_vacant & (moment.held != VOID)
        self.ions.set_offsets(self._plane[is_ion])
        self.ions.set_facecolors(self._colours[moment.held[is_ion]])
        self.vacant.set_offsets(self._plane[is_vacant])
        last = self.reel.moments[-1]
        self.caption.set_text(
            f"step {self._steps(moment.step)} of {self._steps(last.step)}\n"
            f"{self._time(moment.time / _CLOCK[self._shown])} {self._shown} at {moment.temperature - 273.15:.0f} °C"
        )
        for course, curve, tip, value in zip(self._courses, self.curves, self.tips, self.values, strict=True):
            curve.set_data(self._along[: number + 1], course.values[: number + 1])
            tip.set_data(self._along[number : number + 1], course.values[number : number + 1])
            value.set_text(course.shown.format(course.values[number]))

    def _draw_slab(self) -> None:
        crystal = self.reel.crystal
        radius = crystal.boundaries[-1].extent / 10 if crystal.boundaries else float(np.abs(self._plane).max())
        half = max(1.03 * radius, radius + 0.25)
        axes = self.figure.add_axes((0.06 / WIDTH, _BELOW / HEIGHT, _SIDE / WIDTH, _SIDE / HEIGHT))
        axes.set(xlim=(-half, half), ylim=(-half, half), aspect="equal")
        axes.axis("off")
        self.ions = discs(axes, self._plane, 0.345, style.OTHER_SPECIES, "white", 0.55)
        self.vacant = discs(axes, self._plane, 0.30, "white", "black", 0.9)
        inner_boundaries(axes, crystal)
        self._dashed = list(axes.lines)
        for line in self._dashed:
            line.set_linewidth(1.1)
        y = -half * (1 + _BELOW / _SIDE)
        axes.plot([-radius, 2 - radius], [y, y], color="black", lw=2, solid_capstyle="butt", clip_on=False)
        axes.text(2 - radius + 0.03 * half, y, "2 nm", va="center_baseline", fontsize=8)

    def _draw_words(self) -> float:
        """Name and caption; returns where they end / inches."""
        lines = labels.wrapped(self.reel.mechanism, 30).splitlines()
        at = HEIGHT - 0.1
        for line in lines if len(lines) <= 3 else [*lines[:2], f"{lines[2][:29]}…"]:
            shown = self.figure.text(_LEFT / WIDTH, at / HEIGHT, line, va="top", fontsize=10, fontweight="bold")
            wide = shown.get_window_extent(self._canvas.get_renderer()).width / DPI
            shown.set_fontsize(10 * min(1.0, (_RIGHT - _LEFT) / wide))
            at -= 0.17
        self.caption = self.figure.text(
            _LEFT / WIDTH, (at - 0.02) / HEIGHT, "", va="top", fontsize=8.5, linespacing=1.3
        )
        return at - 0.38

    def _draw_keys(self) -> float:
        """The legend below, in as many columns as there is room for; returns where it ends / inches."""
        codes = {int(code) for moment in self.reel.moments for code in np.unique(moment.held)} - {VOID}
        handles = keys(codes, 20)
        handles = handles if self.reel.crystal.boundaries[:-1] else handles[:-1]  # nothing is dashed
        for columns in (4, 3, 2):
            legend = self.figure.legend(
                handles=handles, loc="lower left", bbox_to_anchor=(_LEFT / WIDTH, 0.06 / HEIGHT), ncols=columns,
                borderpad=0, borderaxespad=0, handletextpad=0.3, columnspacing=0.9, handlelength=1.8,
                labelspacing=0.35, fontsize=7.5,
            )  # fmt: skip
            box = legend.get_window_extent(self._canvas.get_renderer())
            if box.x1 <= _RIGHT * DPI or columns == 2:
                break
            legend.remove()
        return float(box.y1) / DPI

    def _draw_courses(self, top: float, bottom: float) -> None:
        moments, in_time = self.reel.moments, self.reel.in_time
        self._courses = [_Course("vacancies", np.array([float(m.vacancies) for m in moments]), "{:,.0f}")]
        if self.reel.crystal.boundaries[:-1]:
            name = self.reel.crystal.layers[0]
            title = labels.wrapped(f"{name}'s ions outside the {name}", 34).partition("\n")[0]
            self._courses.append(_Course(title, np.array([m.outside for m in moments]), "{:.1f} %"))
        self._along = np.array([m.time / _CLOCK[self._shown] if in_time else m.step for m in moments])
        self.curves, self.tips, self.values = [], [], []
        height = (top - bottom - _AXIS) / len(self._courses)
        for number, course in enumerate(self._courses):
            low = top - (number + 1) * height
            left, right = (_LEFT + _TICKS) / WIDTH, _RIGHT / WIDTH
            axes = self.figure.add_axes((left, low / HEIGHT, right - left, (height - _TITLE) / HEIGHT))
            above = (low + height - _TITLE + 0.05) / HEIGHT
            self.figure.text(_LEFT / WIDTH, above, course.title, fontsize=8)
            self.values.append(self.figure.text(right, above, "", fontsize=8, fontweight="bold", ha="right"))
            axes.set(xlim=(0, self._along[-1]), ylim=(0, 1.12 * float(np.nanmax(course.values)) or 1.0))
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            axes.yaxis.set_major_locator(MaxNLocator(3, integer=number == 0))
            axes.xaxis.set_major_formatter("{x:,g}")
            axes.yaxis.set_major_formatter("{x:,g}")
            axes.tick_params(labelbottom=course is self._courses[-1])
            if course is self._courses[-1]:
                axes.set_xlabel(
                    f"time / {self._shown}" if in_time else "steps (mean hops of a bulk vacancy)", labelpad=2
                )
            self.curves += axes.plot([], [], color="black", lw=1.2)
            self.tips += axes.plot([], [], color="black", marker="o", ms=3.5, clip_on=False)


def _places(end: float) -> Callable[[float], str]:
    """How numbers up to an end are written, so that they keep their places while they grow."""
    if not 1e-3 <= end < 1e9:
        return "{:.3g}".format
    return f"{{:,.{max(0, 2 - math.floor(math.log10(end)))}f}}".format
