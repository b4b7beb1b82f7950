"""The figure of where absorbed energy dies: a slab of the crystal, and the shares of all ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ucnp_abm.crystal.species import SPECIES, VACANCY
from ucnp_abm.photons.glow import Glow
from ucnp_abm.photons.light import Light
from ucnp_abm.photons.network import CHANNELS
from ucnp_abm.viz import style
from ucnp_abm.viz.figures import SLAB_NM, discs, in_slab, inner_boundaries, middle

LEFT = 0.565
"""Where what stands beside the map begins, as a share of the width."""
HEAT = LinearSegmentedColormap.from_list("heat", ["#F6E7DA", "#F2A65A", "#D1495B", "#6B1D5C", "#1B0B33"])
"""From next to nothing to the most; no species has these colours but where energy dies."""
ABSENT = "#E4E6EA"


def ends(seen: Light, conditions: str, words: Mapping[str, str]) -> Figure:
    """Where absorbed energy dies: a 1-nm slab of the first crystal, and the shares of all ends.

    Parameters
    ----------
    seen : Light
    conditions : str
        Moment, rate set, pump and solvent.
    words : mapping
        What each channel is called.
    """
    with mpl.rc_context(style.RC):
        width, height = style.FULL_WIDTH, 3.5
        figure = Figure(figsize=(width, height))
        side = 3.1
        axes = figure.add_axes((0.02, 0.015, side / width, side / height))
        scale = _map(axes, seen.glows[0])
        bar = figure.add_axes((LEFT, 0.68, 0.40, 0.035))
        ticks = MaxNLocator(5)
        figure.colorbar(mpl.cm.ScalarMappable(scale, HEAT), cax=bar, orientation="horizontal", ticks=ticks)
        bar.set_title(
            "Yb, by the absorbed energy that dies there at vacancies\nand the surface / % of all", loc="left", pad=4
        )
        bar.spines[:].set_visible(False)
        bar.tick_params(length=2)
        figure.legend(handles=_keys(seen.glows[0]), loc="upper left", bbox_to_anchor=(LEFT - 0.008, 0.90), ncols=3,
                      handletextpad=0.3, columnspacing=1.0, borderpad=0)  # fmt: skip
        _shares(figure.add_axes((0.755, 0.05, 0.185, 0.43)), seen, words)
        figure.text(0.01, 0.985, f"Where absorbed energy goes. {conditions}", va="top")
    return figure


def _map(axes: Any, glow: Glow) -> Normalize:
    crystal, held = glow.crystal, glow.occupants
    died = np.zeros(crystal.n_sites)
    died[glow.network.sites] = 100 * glow.fate.dwell_s * glow.network.quenching
    points, order = (crystal.points - middle(crystal)) / 10, in_slab(crystal)
    radius = crystal.boundaries[-1].extent / 10 if crystal.boundaries else float(np.abs(points[:, [0, 2]]).max())
    axes.set(xlim=(-radius * 1.06, radius * 1.06), ylim=(-radius * 1.06, radius * 1.06), aspect="equal")
    axes.axis("off")
    plane = points[:, [0, 2]]
    is_yb = held == SPECIES["Yb"].code
    active = np.isin(held, [SPECIES[symbol].code for symbol in ("Tm", "Er")])
    others = order[~is_yb[order] & ~active[order] & (held[order] != VACANCY)]
    discs(axes, plane[others], 0.30, ABSENT, "white", 0.4)
    donors = order[is_yb[order]]
    scale = Normalize(0.0, float(died[donors].max(initial=0.0)) or 1.0)
    discs(axes, plane[donors], 0.345, list(HEAT(scale(died[donors]))), "white", 0.45)
    vacant = order[held[order] == VACANCY]
    discs(axes, plane[vacant], 0.30, "white", "black", 0.9)
    for symbol in ("Tm", "Er"):
        there = np.flatnonzero((held == SPECIES[symbol].code) & (np.abs(points[:, 1]) <= SLAB_NM / 2))
        discs(axes, plane[there], 0.44, style.SPECIES_COLOURS[symbol], "white", 0.5)
    inner_boundaries(axes, crystal)
    axes.plot([-radius, -radius + 2], [-radius * 1.02] * 2, color="black", lw=1.5, solid_capstyle="butt")
    axes.text(-radius + 1, -radius * 1.0, "2 nm", ha="center", va="bottom", fontsize=6)
    return scale


def _keys(glow: Glow) -> list[Line2D]:
    present = set(np.unique(glow.occupants).tolist())
    look: dict[str, Any] = {"ls": "", "marker": "o", "ms": 5}
    keys = [Line2D([], [], mfc="white", mec="black", mew=0.9, label="vacancy", **look)]
    keys += [
        Line2D([], [], mec="none", color=style.SPECIES_COLOURS[symbol], label=symbol, **look)
        for symbol in ("Tm", "Er")
        if SPECIES[symbol].code in present
    ]
    keys.append(Line2D([], [], mec="none", color="#C9CDD4", label="other ions", **look))
    if glow.crystal.boundaries[:-1]:
        keys.append(Line2D([], [], color="black", lw=0.8, ls=(0, (4, 2)), label="core as grown"))
    return keys


def _shares(axes: Any, seen: Light, words: Mapping[str, str]) -> None:
    """All ends as bars with their shares in words."""
    er = any("Er" in glow.network.symbols for glow in seen.glows)
    colours = {"radiated": "#E6841C", "nonradiative": "#B2AAAA", "vacancies": "#1B0B33", "surface": "#8C5A7C",
               "activators": style.SPECIES_COLOURS["Er" if er else "Tm"]}  # fmt: skip
    shares = {name: 100 * share for name, share in seen.shares.items()}
    axes.barh(range(len(CHANNELS)), [shares[n] for n in CHANNELS], color=[colours[n] for n in CHANNELS], height=0.62)
    for row, name in enumerate(CHANNELS):
        axes.text(-2, row, words[name], ha="right", va="center")
        shown = f"{shares[name]:.2g} %" if shares[name] >= 1e-4 else "none"
        axes.text(max(shares[name], 0) + 2, row, shown, va="center", fontweight="bold")
    axes.set(xlim=(0, 100), ylim=(len(CHANNELS) - 0.5, -0.5), yticks=[], xticks=[])
    axes.spines[:].set_visible(False)
    axes.spines.left.set_visible(True)
    mean = "" if len(seen.glows) == 1 else f", mean of {len(seen.glows)} crystals"
    heading = f"share of absorbed energy{mean}"
    axes.figure.text(LEFT, axes.get_position().y1 + 0.01, heading, va="bottom", fontweight="bold")
