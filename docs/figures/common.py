"""What the figures of the documentation share: where they go, how they look, and the closed forms of the tests."""

from __future__ import annotations

import importlib
import io
import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image
from scipy.stats import beta

from ucnp_abm.units import BOLTZMANN
from ucnp_abm.viz import style

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
DPI = 200
LARGEST = 150_000
"""Bytes of one image."""
ATTEMPT = 1e13
"""1/s."""
INK, GREY = "#000000", "#9A9A9A"
BLUE, ORANGE, PURPLE = (style.MECHANISM_STYLES[name]["color"] for name in ("y-complex", "gd-complex", "laser"))


def oracle(name: str) -> ModuleType:
    """A module of the tests, so that a figure and its proof share one closed form."""
    for folder in (ROOT / "tests", ROOT / "tests" / "oracle"):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    return importlib.import_module(name)


def rate(barrier: float, kelvin: float) -> float:
    """Arrhenius rate / s⁻¹ of a barrier / eV at the default attempt frequency."""
    return ATTEMPT * math.exp(-barrier / (BOLTZMANN * kelvin))


def looks(names: Iterable[str]) -> list[dict[str, Any]]:
    """Colour, line and marker of each name, all different."""
    found: list[dict[str, Any]] = []
    for name in names:
        found.append(style.mechanism_style(name, tuple(found)))
    return found


def zone_looks() -> dict[str, dict[str, Any]]:
    """Colour and marker of each zone of a core-shell particle."""
    colours = {"core": ORANGE, "interface": PURPLE, "shell": "#56B4E9", "surface": BLUE}
    return {zone: {"color": colour, "marker": m} for (zone, colour), m in zip(colours.items(), "^Dos", strict=True)}


def share_interval(seen: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval of a share."""
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, seen, of - seen + 1)) if seen else 0.0
    return low, float(beta.ppf(1 - tail, seen + 1, of - seen)) if seen < of else 1.0


def sheet(truth: str, columns: int, height: float, **options: Any) -> tuple[Figure, Any]:
    """A figure of full width with its truth as title, and its axes in one row."""
    figure = Figure(figsize=(style.FULL_WIDTH, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.05, wspace=0.04)
    figure.suptitle(truth, x=0.008, ha="left", fontsize=8, fontweight="bold")
    return figure, figure.subplots(1, columns, **options)


def heading(axes: Any, text: str) -> None:
    """What a panel shows, above it and flush left."""
    axes.set_title(text, loc="left", pad=5)


def save(figure: Figure, name: str) -> Path:
    """Write one PNG of at most 256 colours.

    Raises
    ------
    ValueError
        If it is larger than a page should load.
    """
    raw = io.BytesIO()
    figure.savefig(raw, dpi=DPI, format="png")
    target = IMAGES / f"{name}.png"
    flat = Image.open(raw).convert("RGB")
    flat.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(target, optimize=True)
    if target.stat().st_size > LARGEST:
        raise ValueError(f"{target.name}: {target.stat().st_size} bytes, more than {LARGEST}")
    return target


def main(drawings: Mapping[str, Callable[[], Figure]], prefix: str = "") -> None:
    """Draw the figures named on the command line, or all, and say how long each took."""
    chosen = sys.argv[1:] or list(drawings)
    for name in chosen:
        if name not in drawings:
            raise SystemExit(f"unknown figure '{name}'; there are {', '.join(drawings)}")
    for name in chosen:
        print(f"\n== {name}")
        began = time.process_time()
        with mpl.rc_context({**style.RC, "savefig.dpi": DPI}):
            target = save(drawings[name](), prefix + name)
        spent = time.process_time() - began
        print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1000:.0f} kB, {spent:.1f} s of CPU")
