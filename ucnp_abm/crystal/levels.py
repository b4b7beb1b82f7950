"""Levels: a crystal cut into slices along depth, radius or an axis, for laws and energies with a gradient.

A level is a property of a place, as a zone is: the loop sees finer places and nothing new.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.grid import slabs
from ucnp_abm.crystal.places import MAX_PLACES
from ucnp_abm.crystal.shared import shared
from ucnp_abm.errors import BadInput, nearest

if TYPE_CHECKING:
    from ucnp_abm.crystal.crystal import Crystal

ALONG = ("depth", "radius", "x", "y", "z")
MAX_LEVELS = 16
_TOLERANCE = 1e-6
"""Å; a site this far before a border belongs behind it, so that rounding decides nothing."""


@dataclass(frozen=True)
class Division:
    """How a crystal is cut into levels 0 … n - 1.

    Attributes
    ----------
    along : {'depth', 'radius', 'x', 'y', 'z'}
        Depth below the outer surface, distance from the centre, or a coordinate.
    levels : int
        2 to 16.
    width : float or None
        Å of each level, counted from the smallest value; the last level holds the rest. None: equal widths.

    Raises
    ------
    BadInput
        If one of them is not allowed.
    """

    along: str
    levels: int
    width: float | None = None

    def __post_init__(self) -> None:
        if self.along not in ALONG:
            raise BadInput(f"levels: unknown direction '{self.along}'{nearest(str(self.along), ALONG)}")
        whole = isinstance(self.levels, int) and not isinstance(self.levels, bool)
        if not whole or not 2 <= self.levels <= MAX_LEVELS:
            raise BadInput(f"levels: expected a whole number from 2 to {MAX_LEVELS}, got {self.levels!r}")
        if self.width is not None and not 0 < self.width < math.inf:
            raise BadInput(f"levels: width: expected a length above 0 Å, got {self.width!r}")

    def coordinate(self, crystal: Crystal, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) what is cut / Å, at points of shape (n, 3) / Å.

        Raises
        ------
        BadInput
            If a periodic box, which has no surface and no centre, is to be cut along depth or radius.
        """
        if self.along in ("x", "y", "z"):
            axis: NDArray[np.float64] = points[:, "xyz".index(self.along)]
            return axis
        if crystal.periodic:
            raise BadInput(f"levels along {self.along}: a periodic box has none; cut it along 'x', 'y' or 'z'")
        if self.along == "depth":
            return crystal.boundaries[-1].depth(points)
        radius: NDArray[np.float64] = np.linalg.norm(points, axis=1)
        return radius


def level_of_sites(crystal: Crystal, division: Division) -> NDArray[np.uint8]:
    """(N,) level of each site."""
    found = np.empty(crystal.n_sites)
    for few in slabs(crystal.n_sites):
        found[few] = division.coordinate(crystal, crystal.positions(np.arange(few.start, few.stop)))
    low, high = float(found.min()), float(found.max())
    width = division.width or ((high - low) / division.levels if high - low > _TOLERANCE else math.inf)
    levels: NDArray[np.uint8] = np.clip((found - low + _TOLERANCE) // width, 0, division.levels - 1).astype(np.uint8)
    return levels


def with_levels(crystal: Crystal, division: Division | None) -> Crystal:
    """The crystal as a mechanism divides it, one for all who ask; the same one if it is not divided."""
    return crystal if division is None else shared(divided, crystal, division)


def divided(crystal: Crystal, division: Division) -> Crystal:
    """The same crystal with a level for each place; all but the places is shared.

    Raises
    ------
    BadInput
        If there would be more kinds of site than a byte can number.
    """
    level = level_of_sites(crystal, division)
    kinds, number = np.unique(crystal.place[crystal.sites] * np.int64(MAX_LEVELS) + level, return_inverse=True)
    if kinds.size > MAX_PLACES:
        raise BadInput(
            f"levels: {division.levels} levels along {division.along} make {kinds.size} kinds of site, more than "
            f"{MAX_PLACES}; use fewer levels"
        )
    parent = kinds // MAX_LEVELS
    place = np.zeros_like(crystal.place)
    place[crystal.sites] = number
    return replace(
        crystal,
        place=place,
        offset=np.ascontiguousarray(crystal.offset[parent]),
        bond=np.ascontiguousarray(crystal.bond[parent]),
        basis=crystal.basis[parent],
        zone=crystal.zone[parent],
        coordination=crystal.coordination[parent],
        level=(kinds % MAX_LEVELS).astype(np.uint8),
    )
