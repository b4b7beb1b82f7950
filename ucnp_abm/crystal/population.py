"""Populations: particles that differ in kind and size, as in a flask; the seed says which particle is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ucnp_abm import seeds, units
from ucnp_abm.crystal.recipes import CoreShell, Share
from ucnp_abm.errors import BadInput

if TYPE_CHECKING:
    from ucnp_abm.crystal.particle import Particle

MAX_DRAWS = 1000


@dataclass(frozen=True)
class Population:
    """A mixture of core-shell particles with spread sizes; it builds particles just as a `CoreShell` does.

    Core diameter and shell thickness are drawn from independent log-normal distributions (Assumption) whose means are
    the values of the `CoreShell` and whose standard deviations are the spreads times these. One draw scales all shells
    of a particle: particles that grew in a richer spot have thicker shells throughout (Assumption). A particle that
    cannot be grown (a core or a shell thinner than a lattice spacing, a core that pokes out of its shell) is drawn
    again, which truncates the distributions. Offset, elongation, anisotropy and compositions are not spread.

    Parameters
    ----------
    parts : CoreShell, or tuple of (share, CoreShell)
        Number shares, which add up to 1.
    diameter_spread, thickness_spread : share
        Relative standard deviations, 0 to 1.

    Raises
    ------
    BadInput
        If the shares do not add up to 1, or a part cannot be grown at its mean size.
    """

    parts: CoreShell | tuple[tuple[Share, CoreShell], ...]
    diameter_spread: Share = 0.0
    thickness_spread: Share = 0.0

    def __post_init__(self) -> None:
        units.fraction(self.diameter_spread, "diameter_spread")
        units.fraction(self.thickness_spread, "thickness_spread")
        total = math.fsum(share for share, _ in self.mixture)
        if abs(total - 1.0) > 1e-9:
            raise BadInput(f"parts: the shares add up to {total:g}, expected 1")
        for _, recipe in self.mixture:
            recipe.layers()

    @property
    def mixture(self) -> tuple[tuple[float, CoreShell], ...]:
        """Share and recipe of each part."""
        parts = ((1.0, self.parts),) if isinstance(self.parts, CoreShell) else self.parts
        if not isinstance(parts, (tuple, list)) or not parts:
            raise BadInput(f"parts: expected a CoreShell or ((share, CoreShell), …), got {parts!r}")
        for part in parts:
            if not isinstance(part, (tuple, list)) or len(part) != 2 or not isinstance(part[1], CoreShell):
                raise BadInput(f"parts: expected (share, CoreShell) for each, got {part!r}")
        return tuple((units.fraction(share, "parts: share"), recipe) for share, recipe in parts)

    def draw(self, seed: int) -> CoreShell:
        """The recipe of the particle with this seed: a part, with its sizes drawn.

        Kind, diameter and thickness come from streams of their own, so that none changes with how often or in what
        order the others are drawn.

        Raises
        ------
        BadInput
            If none of 1000 drawn sizes could be grown.
        """
        shares = [share for share, _ in self.mixture]
        chosen = int(
            seeds.generator(seed, "population part").choice(len(shares), p=np.array(shares) / math.fsum(shares))
        )
        part = self.mixture[chosen][1]
        diameters = seeds.generator(seed, "population diameter")
        thicknesses = seeds.generator(seed, "population thickness")
        diameter_spread = units.fraction(self.diameter_spread, "diameter_spread")
        thickness_spread = units.fraction(self.thickness_spread, "thickness_spread")
        reason = ""
        for _ in range(MAX_DRAWS):
            drawn = _scaled(part, _factor(diameters, diameter_spread), _factor(thicknesses, thickness_spread))
            try:
                drawn.layers()
            except BadInput as too_thin:  # its mean sizes could be grown: the drawn ones cannot
                reason = str(too_thin)
            else:
                return drawn
        raise BadInput(
            f"population: none of {MAX_DRAWS} drawn sizes can be grown ({reason}); expected a smaller spread"
        )

    def build(self, seed: int = 0) -> Particle:
        """Grow the particle with this seed; its recipe is the `CoreShell` that was drawn."""
        return self.draw(seed).build(seed)


def _factor(rng: np.random.Generator, spread: float) -> float:
    """A log-normal number of mean 1 and the standard deviation given: sigma² = ln(1 + spread²), mu = -sigma²/2."""
    variance = math.log1p(spread * spread)
    return math.exp(math.sqrt(variance) * float(rng.standard_normal()) - variance / 2)


def _scaled(part: CoreShell, core: float, shell: float) -> CoreShell:
    """The part with its core and its shells scaled; lengths that stay the same keep their text."""
    if core != 1.0:
        part = replace(part, diameter=units.positive(part.diameter, "length", "diameter") * core)
    if shell != 1.0 and part.thickness is not None:
        part = replace(part, thickness=units.positive(part.thickness, "length", "thickness") * shell)
    if shell != 1.0 and part.shells:
        scaled = ((text, units.positive(thick, "length", "thickness") * shell) for text, thick in part.shells)
        part = replace(part, shells=tuple(scaled))
    return part
