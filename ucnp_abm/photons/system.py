"""What shines: the Yb of a crystal and its activators, with the pair sums through which they see each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.errors import BadInput
from ucnp_abm.photons.cascade import Cascade, cascade, closed
from ucnp_abm.photons.network import ACTIVATORS, Near, Network, network, sites_of, surface_quenchers
from ucnp_abm.photons.optics import Optics

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Activators:
    """The activators of one kind: a ions.

    Attributes
    ----------
    cascade : Cascade
    sites : (a,) int64
        Site numbers.
    own : (a, L, L) float64
        Generator / 1/s of each ion alone: its decay, and what Gd and quenchers take from it.
    to_gd : (a, L) float64
        What Gd takes from each level, as part of `own` / 1/s.
    yb : scipy.sparse.csr_matrix
        (n, a) r⁻⁶ / Å⁻⁶ between Yb and activators.
    pairs : scipy.sparse.csr_matrix
        (a, a) r⁻⁶ / Å⁻⁶ among the activators.
    """

    cascade: Cascade
    sites: NDArray[np.int64]
    own: Floats
    to_gd: Floats
    yb: csr_matrix
    pairs: csr_matrix

    @cached_property
    def sums(self) -> Floats:
        """(a,) sum of r⁻⁶ over all Yb / Å⁻⁶."""
        return np.asarray(self.yb.sum(axis=0)).ravel()


@dataclass(frozen=True, eq=False)
class System:
    """Yb and activators of one crystal; n Yb.

    Attributes
    ----------
    optics : Optics
    network : Network
        Of the weakly excited crystal; its first n carriers are the Yb.
    activators : mapping
        `Activators` by symbol.
    """

    optics: Optics
    network: Network
    activators: dict[str, Activators]

    @cached_property
    def n_yb(self) -> int:
        return int((self.network.symbols == "Yb").sum())

    @cached_property
    def hops(self) -> csr_matrix:
        """(n, n) rates / 1/s among Yb."""
        return self.network.hops[: self.n_yb, : self.n_yb].tocsr()

    @cached_property
    def leaving(self) -> Floats:
        """(n,) rate / 1/s at which each Yb hops."""
        return np.asarray(self.hops.sum(axis=1)).ravel()

    @cached_property
    def losses(self) -> Floats:
        """(n,) rate / 1/s at which each Yb loses energy alone or to quenchers."""
        channels = self.network.channels
        names = ("radiated", "nonradiative", "vacancies", "surface")
        found: Floats = np.sum([channels[name][: self.n_yb] for name in names], axis=0)
        return found

    def under(self, optics: Optics) -> System | None:
        """The system under another pump or other quenchers; None if the crystal must be looked at again."""
        before, now = self.optics, optics
        same = ("reach", "c_tm_gd", "activator_share")
        if before.set.fingerprint != now.set.fingerprint or any(getattr(before, n) != getattr(now, n) for n in same):
            return None
        held = (before.c_vacancy, before.c_surface * before.density)
        if now.activator_share or not all(held):
            return None
        wanted = (now.c_vacancy, now.c_surface * now.density)
        factors = [w / h for w, h in zip(wanted, held, strict=True)]
        return replace(self, optics=now, network=self.network.scaled(*factors))

    @property
    def quenching(self) -> Floats:
        """(n,) rate / 1/s at which quenchers take energy from each Yb."""
        return self.network.quenching[: self.n_yb]


def system(crystal: Crystal, occupants: NDArray[np.uint8], optics: Optics) -> System:
    """The system of a crystal.

    Parameters
    ----------
    crystal : Crystal
    occupants : (N,) uint8
        Species code on each site.
    optics : Optics

    Raises
    ------
    BadInput
        If it holds no Yb or neither Tm nor Er, or the rate set lacks a level that is needed.
    """
    built = network(crystal, occupants, optics)
    present = [symbol for symbol in ACTIVATORS if sites_of(occupants, symbol).size]
    if not present:
        raise BadInput(
            "light: the crystal holds neither Tm nor Er: nothing upconverts; `fate` and `decay` work for Yb alone"
        )
    near = Near(crystal, optics.reach)
    yb = built.positions[built.symbols == "Yb"]
    quench = _quenching(crystal, occupants, optics, near)
    gd = crystal.positions(sites_of(occupants, "Gd"))
    found = {}
    for symbol in present:
        sites = sites_of(occupants, symbol)
        points = crystal.positions(sites)
        kind = cascade(optics.set, symbol)
        to_gd = near.sums(points, gd)[:, None] * _to_gd(optics, symbol)
        drop = np.zeros((len(sites), kind.n_levels, kind.n_levels))
        drop[:, 1:, 0] = to_gd[:, 1:] + quench(points)[:, None]
        found[symbol] = Activators(kind, sites, kind.own + closed(drop), to_gd, near(yb, points), near(points, points))
    return System(optics, built, found)


def _to_gd(optics: Optics, symbol: str) -> Floats:
    """(L,) constant / Å⁶/s with which Gd takes energy from each level of an activator; it never returns."""
    rates = optics.set
    taken = np.zeros(len(rates.ion(symbol).levels))
    for t in rates.between(symbol, "Gd"):
        if t.up[0] == 0:
            taken[t.down[0]] += t.constant
    if symbol == "Tm" and optics.c_tm_gd is not None:
        taken[rates.ion("Tm").number("1I6")] = optics.c_tm_gd
    return taken


def _quenching(crystal: Crystal, occupants: NDArray[np.uint8], optics: Optics, near: Near):  # type: ignore[no-untyped-def]
    """A function from positions of activators to the rate / 1/s at which quenchers empty each of their levels."""
    share = optics.activator_share
    if not share:
        return lambda points: np.zeros(len(points))
    vacant = crystal.positions(sites_of(occupants, "vacancy"))
    around, strength = surface_quenchers(crystal, optics)
    return lambda points: share * (optics.c_vacancy * near.sums(points, vacant) + strength * near.sums(points, around))
