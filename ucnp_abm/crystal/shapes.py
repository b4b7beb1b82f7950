"""Shapes: every layer boundary is an ellipsoid with a centre, its axes along x, y and z (c along z)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadInput

TOLERANCE = 1e-6
"""Å; a site this far beyond a boundary still belongs inside, so that rounding decides nothing."""
_DIRECTIONS = 2000
_BISECTIONS = 100


def _within(value: object, least: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and least < value < math.inf


@dataclass(frozen=True)
class Ellipsoid:
    """A layer boundary.

    Attributes
    ----------
    centre : tuple of 3 floats
        Å, relative to the centre of the particle.
    semiaxes : tuple of 3 floats
        Half-axes / Å along x, y and z.

    Raises
    ------
    BadInput
        If they are not three finite numbers each, half-axes above zero.
    """

    centre: tuple[float, float, float]
    semiaxes: tuple[float, float, float]

    def __post_init__(self) -> None:
        for what, values in (("centre", self.centre), ("semiaxes", self.semiaxes)):
            least = -math.inf if what == "centre" else 0.0
            if not isinstance(values, (tuple, list)) or len(values) != 3 or not all(_within(v, least) for v in values):
                above = "" if what == "centre" else " above zero"
                raise BadInput(f"{what}: expected three numbers / Å{above}, got {values!r}")

    @property
    def is_sphere(self) -> bool:
        return self.semiaxes[0] == self.semiaxes[1] == self.semiaxes[2]

    @property
    def extent(self) -> float:
        """Half of the side / Å of the cube around the particle's centre that holds the whole boundary."""
        return max(abs(c) + s for c, s in zip(self.centre, self.semiaxes, strict=True))

    @property
    def area(self) -> float:
        """Surface / Å²: 4 pi R_G(a²b², a²c², b²c²) with Carlson's R_G (DLMF 19.33.1)."""
        from scipy.special import elliprg  # 0.3 s that only light needs

        a, b, c = (axis**2 for axis in self.semiaxes)
        return float(4 * math.pi * elliprg(a * b, a * c, b * c))

    def distance(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Signed distance / Å of points of shape (n, 3), negative inside; shape (n,).

        Exact for a sphere. Otherwise of first order, ``g / |grad g|`` with ``g = |x / semiaxes| - 1``: right in sign
        everywhere and in size near the boundary, where interfaces are looked for.
        """
        x = points - np.array(self.centre)
        if self.is_sphere:
            radial: NDArray[np.float64] = np.linalg.norm(x, axis=1) - self.semiaxes[0]
            return radial
        scaled = x / np.array(self.semiaxes)
        level = np.linalg.norm(scaled, axis=1)
        slope = np.linalg.norm(scaled / np.array(self.semiaxes), axis=1)
        found = np.full(level.shape, -min(self.semiaxes))  # at the very centre, where g has no gradient
        np.divide((level - 1.0) * level, slope, out=found, where=slope > 0)
        return found

    def depth(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distance / Å from points of shape (n, 3) inside to the nearest point of the boundary; shape (n,).

        The nearest point y obeys y = a² x / (t + a²) along each axis of half-length a, and lies on the ellipsoid for
        one t between -min(a)² and 0, which is found by bisection to the last digits (D. Eberly, Distance from a Point
        to an Ellipse, an Ellipsoid, or a Hyperellipsoid, Geometric Tools, 2013). Points outside have depth 0.
        """
        if self.is_sphere:
            return np.maximum(-self.distance(points), 0.0)
        axes = np.array(self.semiaxes)
        x = np.maximum(
            np.abs(points - np.array(self.centre)), 1e-9 * axes
        )  # on a plane of symmetry, either side will do
        beyond = axes**2 - axes.min() ** 2
        low, high = np.zeros(len(x)), np.full(len(x), axes.min() ** 2)  # of t + min(a)²
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            outside = ((axes * x / (middle[:, None] + beyond)) ** 2).sum(axis=1) > 1.0
            low, high = np.where(outside, middle, low), np.where(outside, high, middle)
        nearest = axes**2 * x / (high[:, None] + beyond)
        inside = ((x / axes) ** 2).sum(axis=1) < 1.0
        found: NDArray[np.float64] = np.where(inside, np.linalg.norm(nearest - x, axis=1), 0.0)
        return found

    def inside(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether points of shape (n, 3) / Å lie inside or on the boundary (within `TOLERANCE`); shape (n,)."""
        within: NDArray[np.bool_] = self.distance(points) <= TOLERANCE
        return within

    def surface(self) -> NDArray[np.float64]:
        """(2006, 3) points / Å on the boundary: the ends of the axes and a spiral of nearly even directions."""
        k = np.arange(_DIRECTIONS) + 0.5
        height = 1.0 - 2.0 * k / _DIRECTIONS
        turn = k * math.pi * (3.0 - math.sqrt(5.0))  # the golden angle
        flat = np.sqrt(1.0 - height**2)
        spiral = np.stack([flat * np.cos(turn), flat * np.sin(turn), height], axis=1)
        directions = np.concatenate([spiral, np.eye(3), -np.eye(3)])
        points: NDArray[np.float64] = np.array(self.centre) + directions * np.array(self.semiaxes)
        return points

    def gap(self, inner: Ellipsoid) -> float:
        """Smallest distance / Å from `inner` out to this boundary; negative where `inner` pokes out.

        Exact between spheres, otherwise the smallest at the points of `surface` (about 0.1 % of the size).
        """
        if self.is_sphere and inner.is_sphere:
            return self.semiaxes[0] - inner.semiaxes[0] - math.dist(self.centre, inner.centre)
        return float(-self.distance(inner.surface()).max())
