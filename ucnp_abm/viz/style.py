"""Colours, line styles and sizes of all figures.

Species colours keep at least 17.7 CAM02-UCS apart in normal and colour-blind vision.
Mechanisms differ in colour, line and marker.
"""

from __future__ import annotations

from typing import Any

SPECIES_COLOURS = {
    "Na": "#B2AAAA",
    "Y": "#71CBFF",
    "Gd": "#2D1078",
    "Yb": "#E6841C",
    "Tm": "#852000",
    "Er": "#3D7964",
}
OTHER_SPECIES = "#7A7F87"
MECHANISM_STYLES: dict[str, dict[str, Any]] = {
    "no-complex": {"color": "#9A9A9A", "linestyle": "-", "marker": "o"},
    "y-complex": {"color": "#0072B2", "linestyle": "--", "marker": "s"},
    "gd-complex": {"color": "#D98E04", "linestyle": "-.", "marker": "^"},
}
OTHER_MECHANISM: dict[str, Any] = {"color": "#7A1F5C", "linestyle": ":", "marker": "D"}
FULL_WIDTH, HALF_WIDTH = 7.0, 3.25
"""Inches."""
RC: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "savefig.dpi": 300,
    "figure.facecolor": "white",
}
