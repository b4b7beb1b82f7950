"""Radial profiles in bins of equal count, and the width of an interface.

Both widths are secondary measures. The share of ions outside their layer grows all the way to complete mixing; a width
does not: close to it the profile flattens, no longer spans the levels that define the width, and the width becomes
nan after it has passed a maximum. Bins are spheres about the particle's centre, so for an eccentric or ellipsoidal core
the widths also measure its shape.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.grid import slabs
from ucnp_abm.crystal.species import IONS, VACANCY, code
from ucnp_abm.crystal.state import State
from ucnp_abm.errors import BadInput
from ucnp_abm.probes import census

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RadialProfile:
    """Shares against the distance from the particle's centre. B bins of equally many sites (to within one).

    Attributes
    ----------
    edges_nm : (B + 1,) float64
        0, half-way between neighbouring bins, and the outermost site. Sites of one shell (equal distances) may lie in
        two bins; the order of the site numbers decides.
    radius_nm : (B,) float64
        Mean distance of the sites of a bin.
    n_sites, n_ions : (B,) int64
    shares : dict of (B,) float64
        Share (0 to 1) of the *ions* of a bin, by symbol; nan in a bin without ions.
    errors : dict of (B,) float64
        Standard error of each share, sqrt(p (1 - p) / n_ions). Assumption: independent sites. Exact counts make the
        true scatter between particles a little smaller.
    vacancy_share : (B,) float64
        Vacancies for each *site* of a bin.
    """

    edges_nm: Floats
    radius_nm: Floats
    n_sites: NDArray[np.int64]
    n_ions: NDArray[np.int64]
    shares: dict[str, Floats]
    errors: dict[str, Floats]
    vacancy_share: Floats


def distances_nm(crystal: Crystal) -> Floats:
    """(N,) distance / nm of each site from the centre of the particle.

    Raises
    ------
    BadInput
        For a periodic box, which has no centre.
    """
    if crystal.periodic:
        raise BadInput("radial profile: a periodic box has no centre; give a particle")
    distance: Floats = np.empty(crystal.n_sites)
    for few in slabs(crystal.n_sites):
        distance[few] = np.linalg.norm(crystal.positions(np.arange(few.start, few.stop)), axis=1) / 10
    return distance


def radial_profile(
    crystal: Crystal, occupants: NDArray[np.uint8], symbols: Sequence[str], bins: int = 20
) -> RadialProfile:
    """Shares of species among the ions, and vacancies for each site, in equal-count bins about the centre.

    Parameters
    ----------
    crystal : Crystal
    occupants : (N,) uint8
        Species code on each site.
    symbols : sequence of str
        Ions whose share is wanted.
    bins : int

    Raises
    ------
    BadInput
        If a symbol is no ion, the number of bins does not fit, or the crystal is a periodic box.
    """
    codes = {symbol: code(symbol, "radial profile", IONS) for symbol in symbols}
    distance = distances_nm(crystal)
    order = np.argsort(distance, kind="stable")
    whole = isinstance(bins, (int, np.integer)) and not isinstance(bins, bool)
    if not whole or not 1 <= bins <= order.size:
        raise BadInput(f"bins: expected a whole number from 1 to {order.size}, the number of sites, got {bins!r}")
    parts = np.array_split(order, bins)
    between = [(distance[a[-1]] + distance[b[0]]) / 2 for a, b in itertools.pairwise(parts)]
    n_ions = np.array([census.ions(occupants[part]).sum() for part in parts], dtype=np.int64)
    shares, errors = {}, {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for symbol, number in codes.items():
            share = np.array([(occupants[part] == number).sum() for part in parts]) / n_ions
            shares[symbol], errors[symbol] = share, np.sqrt(share * (1 - share) / n_ions)
    return RadialProfile(
        edges_nm=np.array([0.0, *between, distance[order[-1]]]),
        radius_nm=np.array([distance[part].mean() for part in parts]),
        n_sites=np.array([part.size for part in parts], dtype=np.int64),
        n_ions=n_ions,
        shares=shares,
        errors=errors,
        vacancy_share=np.array([(occupants[part] == VACANCY).mean() for part in parts]),
    )


def members(crystal: Crystal, state: State, layer: int = 0) -> tuple[Floats, Floats]:
    """Distance / nm of each ion from the centre, and 1 if it began in the layer, else 0; empty in a periodic box."""
    if crystal.periodic:
        return np.empty(0), np.empty(0)
    held = census.ions(census.occupants(crystal, state))
    return distances_nm(crystal)[held], (census.origins(crystal, state)[held] == layer).astype(float)


def binned(radius_nm: ArrayLike, values: ArrayLike, bins: int = 40) -> tuple[Floats, Floats]:
    """Mean radius / nm and mean value in bins of equal count, from the inside; at most one bin for each value."""
    radius, value = np.asarray(radius_nm, dtype=float), np.asarray(values, dtype=float)
    parts = np.array_split(np.argsort(radius, kind="stable"), max(1, min(bins, radius.size)))[: radius.size]
    return np.array([radius[p].mean() for p in parts]), np.array([value[p].mean() for p in parts])


def width_10_90(radius_nm: ArrayLike, share: ArrayLike, plateau: float = 1.0) -> float:
    """10-90 % width / nm: the distance over which a share falls from 90 % to 10 % of its plateau.

    The profile is first made monotone (isotonic regression, pool adjacent violators: Barlow and Brunk 1972,
    doi:10.1080/01621459.1972.10481216), so that each level is crossed once; between its points it is linear. A step
    gives up to the distance of two points.

    Parameters
    ----------
    radius_nm, share : (B,) float64
        Bins of equal count, from the inside, such as `binned` gives.
    plateau : float
        The share as grown: 1 for the core's own ions, by identity.

    Returns
    -------
    float
        nan where the profile does not begin above 90 % and end below 10 %: no interface, or one that is too mixed.
    """
    radius, given = np.asarray(radius_nm, dtype=float), np.asarray(share, dtype=float)
    if given.size < 2 or not np.isfinite(given).all():
        return math.nan
    from scipy.optimize import isotonic_regression  # 0.3 s that most runs do not need

    falling = isotonic_regression(given, increasing=False).x / plateau
    if falling[0] <= 0.9 or falling[-1] > 0.1:
        return math.nan
    return _crossing(radius, falling, 0.1) - _crossing(radius, falling, 0.9)


def _crossing(radius: Floats, falling: Floats, level: float) -> float:
    """Radius at which a falling profile passes a level that lies between its ends."""
    below = int(np.flatnonzero(falling <= level)[0])
    above = below - 1
    part = (falling[above] - level) / (falling[above] - falling[below])
    return float(radius[above] + part * (radius[below] - radius[above]))


@dataclass(frozen=True)
class ErfFit:
    """c(r) = (c0/2) erfc((r - R) / (sqrt(2) w)): an interface at R, blurred by a Gaussian of standard deviation w.

    Attributes
    ----------
    plateau : float
        c0. It may pass 1 by chance: a bound there would make widths too small on average.
    position_nm, width_nm : float
        R and w. The 10-90 % width of this profile is 2.563 w.
    """

    plateau: float
    position_nm: float
    width_nm: float


def erf_profile(radius_nm: ArrayLike, plateau: float, position_nm: float, width_nm: float) -> Floats:
    """Share at each radius / nm of the profile that `ErfFit` describes.

    It is the profile of diffusion across a plane from a step, w = sqrt(2 D t) (Crank, The Mathematics of Diffusion,
    1975, ISBN 0-19-853411-6, eq. 2.14). Assumption: w is small against R, so that a sphere is nearly a plane.
    """
    from scipy.special import erfc

    values: Floats = plateau / 2 * erfc((np.asarray(radius_nm, dtype=float) - position_nm) / (math.sqrt(2) * width_nm))
    return values


def fit_erf(radius_nm: ArrayLike, share: ArrayLike) -> ErfFit:
    """Fit `erf_profile` by least squares, every point with equal weight.

    Parameters
    ----------
    radius_nm, share : (n,) float64
        Bins of equal count, or, without the blur of bins, single ions whose share is 0 or 1.

    Returns
    -------
    ErfFit
        All nan where no such profile is found inside the data: no fall, a centre beyond the data, or a width of their
        whole range. A step gives a width below the distance of the points next to it, not 0.
    """
    from scipy.optimize import curve_fit

    radius, given = np.asarray(radius_nm, dtype=float), np.asarray(share, dtype=float)
    nothing = ErfFit(math.nan, math.nan, math.nan)
    if radius.size < 4 or np.ptp(radius) == 0 or np.ptp(given) == 0 or not np.isfinite(given).all():
        return nothing
    low, high = float(radius.min()), float(radius.max())
    smallest, span = 1e-4 * (high - low), high - low
    # the ions inside a sphere of radius R are a share R³: a start that needs no guess
    start = (min(1.0, float(given.max())), low + span * min(0.99, float(given.mean()) ** (1 / 3)), 0.1 * span)
    try:
        best, _ = curve_fit(erf_profile, radius, given, p0=start, bounds=((0.0, low, smallest), (2.0, high, span)))
    except (RuntimeError, ValueError):
        return nothing
    plateau, position, width = (float(v) for v in best)
    inside = low + 1e-3 * span < position < high - 1e-3 * span and width < 0.99 * span and 1e-6 < plateau < 1.99
    return ErfFit(plateau, position, width) if inside else nothing
