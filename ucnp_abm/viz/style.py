"""Colours, line styles and sizes of all figures.

Species colours keep at least 17.7 CAM02-UCS apart in normal and colour-blind vision.
Mechanisms differ in colour, line and marker.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
VACANCY_COLOUR = "#000000"
LASER: dict[str, Any] = {"color": "#7A1F5C", "linestyle": ":", "marker": "D"}
MECHANISM_STYLES: dict[str, dict[str, Any]] = {
    "no-complex": {"color": "#9A9A9A", "linestyle": "-", "marker": "o"},
    "y-complex": {"color": "#0072B2", "linestyle": "--", "marker": "s"},
    "gd-complex": {"color": "#D98E04", "linestyle": "-.", "marker": "^"},
    "laser": LASER,
}
# With the four colours above at least 15.2 CAM02-UCS apart, also for deuter-, prot- and tritanopes.
_MORE_COLOURS = ("#D81B60", "#56B4E9", "#000000", "#0B3D2E")
_MORE_LINES = ((0, (7, 1.5)), (0, (4, 1, 1, 1, 1, 1)), (0, (1, 2.5)), (0, (9, 2, 3, 2)), (0, (2, 1)))
_MORE_MARKERS = ("v", "P", "X", "<", "p", ">", "h")
_LIGHT = {
    270: "#8E86B5", 345: "#7B5FC0", 400: "#5B2BC4", 450: "#1F3FD6", 475: "#0A7BE0", 500: "#009E94", 525: "#179A3A",
    545: "#4C9F00", 580: "#C9A400", 610: "#EA7400", 645: "#E0281A", 700: "#A81212", 800: "#701616", 870: "#4A1212",
}  # fmt: skip
"""Colour of light by wavelength / nm, dark enough for white paper; grey and brown where no eye sees it."""
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


def light_colour(wavelength_nm: float) -> str:
    """Colour in which light of a wavelength / nm is drawn.

    Examples
    --------
    >>> light_colour(450)
    '#1f3fd6'
    """
    known = sorted(_LIGHT)
    at = min(max(float(wavelength_nm), known[0]), known[-1])
    high = next(n for n in known if n >= at)
    low = max((n for n in known if n <= at), default=high)
    share = (at - low) / (high - low) if high > low else 0.0
    ends = [[int(_LIGHT[n][k : k + 2], 16) for k in (1, 3, 5)] for n in (low, high)]
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in zip(*ends, strict=True))


def mechanism_style(name: str, taken: Collection[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Colour, line and marker of a mechanism that no look in `taken` has; the same arguments give the same look.

    The four named in `MECHANISM_STYLES` keep theirs; a mechanism driven by a laser ('y-complex+laser-thermal') has that
    of 'laser'. All others, and who finds his look taken, get the next free one of 140.

    Parameters
    ----------
    name : str
    taken : collection of dict
        Looks that are in use in the figure.

    Examples
    --------
    >>> mechanism_style("y-complex+laser-thermal") == MECHANISM_STYLES["laser"]
    True
    """
    looks = []
    if name in MECHANISM_STYLES:
        looks.append(MECHANISM_STYLES[name])
    elif any(part.startswith("laser") for part in name.split("+")):
        looks.append(LASER)
    for n in range(len(_MORE_COLOURS) * len(_MORE_LINES) * len(_MORE_MARKERS)):
        each = (_MORE_COLOURS, _MORE_LINES, _MORE_MARKERS)
        color, line, marker = (choices[n % len(choices)] for choices in each)
        looks.append({"color": color, "linestyle": line, "marker": marker})
    free = (look for look in looks if look not in taken)
    return dict(next(free, looks[len(taken) % len(looks)]))
