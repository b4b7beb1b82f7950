"""The map of where energy dies: carriers by what ends on them, sinks, and the strongest flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ucnp_abm import units
from ucnp_abm.errors import BadInput
from ucnp_abm.photons.flows import SINKS, Layout, layout
from ucnp_abm.photons.network import Network
from ucnp_abm.viz import style

if TYPE_CHECKING:
    from ucnp_abm.photons.graph import EnergyGraph
    from ucnp_abm.photons.solve import Fate

DECADES = 3.0
"""What dies on a carrier is shown over so many powers of ten below the most."""
MAP = LinearSegmentedColormap.from_list("dies", ["#F1ECE6", style.SPECIES_COLOURS["Yb"], "#5C1400"])
"""From ions where nothing dies to those where most does; lightness falls all the way, also in grey."""
_RINGS = {"vacancies": 5.0, "surface": 1.4}
_ACTIVATOR = style.SPECIES_COLOURS["Gd"]


def energy_map(
    energy: EnergyGraph | Network, fate: Fate | None = None, slab: str | float | None = "1.2 nm", flows: int = 120
) -> Figure:
    """A slab (or, with ``slab=None``, all) of a network seen along y, c axis upright.

    Dots are carriers, the darker the more of all energy leaves them into vacancies and the surface; black rings are
    vacancies (large) and surface quenchers (small), blue diamonds activators; lines the strongest flows of energy, the
    wider the stronger.

    Parameters
    ----------
    energy : EnergyGraph or Network
    fate : Fate or None
        Of a network; a graph works out its own.
    slab : length or None
        Thickness of the slab through the middle.
    flows : int
        So many of the strongest flows are drawn, of those in the slab.

    Raises
    ------
    BadInput
        If a network comes without its fate, or no carrier lies in the slab.
    """
    found = _layout(energy, fate, 20 * flows)
    middle = 0.5 * (found.positions[:, 1].min() + found.positions[:, 1].max())
    half = np.inf if slab is None else units.positive(slab, "length", "slab") / 20

    def within(points: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.asarray(np.abs(points[:, 1] - middle) <= half + 1e-9)

    shown = within(found.positions)
    if not shown.any():
        raise BadInput(f"energy map: no carrier lies in a slab of {slab}; take a thicker one, or None for all")
    with mpl.rc_context(style.RC):
        figure = Figure(figsize=(style.HALF_WIDTH, style.HALF_WIDTH * 1.12))
        axes = figure.add_axes((0.02, 0.13, 0.96, 0.86))
        everything = np.concatenate([found.positions, *found.sinks.values()])[:, [0, 2]]
        low, high = everything.min(axis=0), everything.max(axis=0)
        edge = 0.03 * (high - low).max()
        axes.set(xlim=(low[0] - edge, high[0] + edge), ylim=(low[1] - edge, high[1] + edge), aspect="equal")
        axes.axis("off")
        for name, size in _RINGS.items():
            rings = found.sinks[name][within(found.sinks[name])]
            axes.scatter(
                rings[:, 0], rings[:, 2], s=size**2, facecolors="none", edgecolors="black",
                linewidths=0.8 if name == "vacancies" else 0.35, zorder=3,
            )  # fmt: skip
        activators = found.sinks["activators"][within(found.sinks["activators"])]
        axes.scatter(activators[:, 0], activators[:, 2], s=11, marker="D", color=_ACTIVATOR, linewidths=0, zorder=4)
        _flows(axes, found, within(found.start) & within(found.end), flows)
        most = max(float(found.dies.max()), 1e-300)
        norm = LogNorm(most * 10**-DECADES, most, clip=True)
        order = np.flatnonzero(shown)[np.argsort(found.dies[shown], kind="stable")]
        dots = axes.scatter(
            found.positions[order, 0], found.positions[order, 2], s=9, c=np.maximum(found.dies[order], most * 1e-9),
            cmap=MAP, norm=norm, edgecolors="#6B625A", linewidths=0.2, zorder=2,
        )  # fmt: skip
        _furniture(figure, axes, dots, low, edge)
    return figure


def _layout(energy: EnergyGraph | Network, fate: Fate | None, most: int) -> Layout:
    if isinstance(energy, Network):
        if fate is None:
            raise BadInput("energy map: a network needs its fate, as solve.fate(network) gives it")
        return layout(energy, fate, most)
    return energy.layout(most)


def _flows(axes: Any, found: Layout, inside: NDArray[np.bool_], flows: int) -> None:
    some = np.flatnonzero(inside)[:flows]
    if not some.size:
        return
    lines = np.stack([found.start[some][:, [0, 2]], found.end[some][:, [0, 2]]], axis=1)
    strength = found.flow[some] / found.flow[some].max()
    colours = np.where(found.into[some] == 1 + SINKS.index("activators"), _ACTIVATOR, "black")
    axes.add_collection(
        LineCollection(
            list(lines), linewidths=0.25 + 1.6 * np.sqrt(strength), colors=list(colours), alpha=0.75, zorder=2.5
        )
    )


def _furniture(figure: Figure, axes: Any, dots: Any, low: NDArray[np.float64], edge: float) -> None:
    """Scale bar, colour bar and key."""
    axes.plot([low[0], low[0] + 1], [low[1] - 0.4 * edge] * 2, color="black", lw=1.5, solid_capstyle="butt")
    axes.text(low[0] + 0.5, low[1], "1 nm", ha="center", va="bottom", fontsize=6)
    bar = figure.colorbar(dots, cax=figure.add_axes((0.06, 0.085, 0.38, 0.022)), orientation="horizontal")
    bar.set_label("share of all energy that dies here", fontsize=6, labelpad=1)
    bar.ax.tick_params(labelsize=6, length=2, which="both", pad=1)
    bar.minorticks_off()
    bar.outline.set_linewidth(0.4)
    key = [
        {"marker": "o", "mfc": "none", "mec": "black", "mew": 0.8, "ms": 4.5, "label": "vacancy"},
        {"marker": "o", "mfc": "none", "mec": "black", "mew": 0.35, "ms": 1.4, "label": "surface quencher"},
        {"marker": "D", "mfc": _ACTIVATOR, "mec": "none", "ms": 3, "label": "activator"},
    ]
    handles = [Line2D([], [], ls="", **each) for each in key]
    handles.append(Line2D([], [], color="black", lw=1.0, label="net flow"))
    handles.append(Line2D([], [], color=_ACTIVATOR, lw=1.0, label="to activators"))
    figure.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(0.99, 0.0), ncols=2, fontsize=6, handletextpad=0.2,
        labelspacing=0.2,
        columnspacing=0.8,
        handlelength=1.4,
    )  # fmt: skip
