"""A number for each site, as one byte, to colour by: age, visits, lowest barrier, where energy dies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadInput, nearest, shown
from ucnp_abm.kernels.layout import HOPS
from ucnp_abm.photons.light import light
from ucnp_abm.server.line import Line
from ucnp_abm.server.words import base64_of

KINDS = ("species", "zone", "age", "visits", "barrier", "energy")
UNKNOWN, MOST = 255, 254
"""The byte of a site that has no number, and that of the largest one."""
Floats = NDArray[np.float64]


def tones(line: Line, kind: object) -> dict[str, Any]:
    """The bytes of all sites, their ends in words, and what they mean.

    Raises
    ------
    BadInput
        If the kind is unknown, or the crystal has no light.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        raise BadInput(f"colour: unknown kind {shown(kind)}{nearest(str(kind), KINDS)}")
    if kind in ("species", "zone"):
        return {"kind": kind}
    values, unit, words, absent, logarithmic = {"age": _age, "visits": _visits, "barrier": _barrier, "energy": _energy}[
        kind
    ](line)
    known = np.isfinite(values)
    low = float(values[known].min(initial=np.inf)) if known.any() else 0.0
    high = float(values[known].max(initial=-np.inf)) if known.any() else 0.0
    scaled = (
        np.log1p(99 * (values - low) / (high - low)) / np.log(100)
        if logarithmic and high > low
        else (values - low) / (high - low or 1.0)
    )
    bytes_ = np.full(values.size, UNKNOWN, dtype=np.uint8)
    bytes_[known] = np.rint(MOST * scaled[known]).astype(np.uint8)
    return {
        "kind": kind,
        "values": base64_of(bytes_),
        "low": f"{low:.4g}",
        "high": f"{high:.4g}",
        "unit": unit,
        "words": words,
        "absent": absent,
        "some": bool(known.all()),
    }


Toned = tuple[Floats, str, str, str, bool]


def _age(line: Line) -> Toned:
    state, crystal = line.simulation.state, line.simulation.crystal
    slots = state.slot[crystal.sites]
    words = "Time since the occupant came to be: since the start, or since its site was docked, emptied or swapped."
    return line.simulation.time - state.born[slots], "s", words, "", False


def _visits(line: Line) -> Toned:
    chronicle, now = line.chronicle, line.simulation.state.events
    words = f"Events after number {chronicle.kept_after} that changed the site, on a logarithmic scale."
    return chronicle.visits(now).astype(np.float64), "visits", words, "", True


def _barrier(line: Line) -> Toned:
    """The lowest barrier of the hops that each ion could make now."""
    simulation = line.simulation
    found = simulation.candidates()
    hops = found[found["channel"] == HOPS]
    lowest = np.full(simulation.crystal.n_sites, np.inf)
    np.minimum.at(lowest, hops["to"], simulation.effective_barriers(hops))
    words = "The lowest barrier of the hops that the ion could make now, as −kT ln(rate / attempt frequency)."
    return np.where(np.isfinite(lowest), lowest, np.nan), "eV", words, "cannot hop now", False


def _energy(line: Line) -> Toned:
    """The share of all absorbed energy that leaves each Yb for vacancies and the surface."""
    glow = light(line.simulation).glows[0]
    died = np.full(line.simulation.crystal.n_sites, np.nan)
    died[glow.network.sites] = 100 * glow.fate.dwell_s * glow.network.quenching
    words = "Share of all absorbed energy that this Yb loses at vacancies and the surface (npt, cyclohexane), in logs."
    return died, "% of all", words, "carries no energy", True
