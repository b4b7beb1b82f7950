"""The network that one excitation wanders through: who can hold it, where it can go, and where it ends.

*Carriers* hold the excitation: Yb, and an activator that takes energy from Yb and gives it back (Er 4I11/2). What ends
it: the carrier's own decay, radiative or not; *quenchers*, that is vacancies and the surface; *activators* that keep
what they take (Tm, whose 3H5 lies too low to return it). Pairs trade at C / r⁶ (Förster, doi:10.1002/andp.19484370105).
Weak excitation: a carrier is never found excited already.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import bmat, csr_matrix, diags_array

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.errors import BadInput
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.pairs import CUTOFF, FEW_PAIRS, inverse_sixth, total, truncation
from ucnp_abm.photons.rates import RateSet

ACTIVATORS = ("Tm", "Er")
CHANNELS = ("radiated", "nonradiative", "vacancies", "surface", "activators")
"""Where an excitation may end."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Near:
    """Sums of r⁻⁶ in one crystal, within a cutoff / Å."""

    crystal: Crystal
    cutoff: float | None

    def __call__(self, points: Floats, others: Floats) -> csr_matrix:
        return inverse_sixth(points, others, self.cutoff, self.cell)

    @property
    def cell(self) -> Floats | None:
        """(3, 3) vectors / Å of a periodic box, or None."""
        crystal = self.crystal
        return crystal.cells[:, None] * np.array(crystal.lattice.cell) if crystal.periodic else None

    def sums(self, points: Floats, others: Floats, pairs: csr_matrix | None = None) -> Floats:
        """(n,) sum of r⁻⁶ over all others, in a finite crystal beyond the cutoff too."""
        if self.cell is not None or self._all(len(points) * len(others)):
            return np.asarray((self(points, others) if pairs is None else pairs).sum(axis=1)).ravel()
        return total(points, others)

    def _all(self, pairs: int) -> bool:
        return self.cutoff is None and self.cell is None and pairs <= FEW_PAIRS

    def left_out(self, points: Floats, sites: NDArray[np.int64]) -> float:
        """Upper estimate of what the cutoff takes from the sums among points on some sites, relative.

        As if all the crystal were as dense as the layer that is densest in them.
        """
        if self._all(len(points) ** 2):
            return 0.0
        crystal = self.crystal
        there = np.bincount(crystal.layer, minlength=len(crystal.layers))
        held = np.bincount(crystal.layer[sites], minlength=len(crystal.layers))
        density = (held / np.maximum(there, 1)).max() * len(crystal.lattice.basis)
        density /= abs(np.linalg.det(crystal.lattice.cell))
        inside = self(points[: 10**4], points).sum() / min(len(points), 10**4)
        return float(truncation(density, CUTOFF if self.cutoff is None else self.cutoff, inside))


@dataclass(frozen=True, eq=False)
class Network:
    """Carriers, the rates between them, and the rates of their ends. n carriers; all rates / 1/s.

    Attributes
    ----------
    symbols : (n,) str
        Species of each carrier.
    positions : (n, 3) float64
        Å.
    sites : (n,) int64
        Site numbers in the crystal.
    hops : scipy.sparse.csr_matrix
        (n, n) rate from carrier (row) to carrier (column).
    weight : (n,) float64
        weight_i hops_ij = weight_j hops_ji: occupation of the carriers if nothing ended.
    radiated, nonradiative : (n,) float64
        Decay of the carrier alone.
    vacancies, surface, activators : scipy.sparse.csr_matrix
        (n, m) rates to each of m quenchers or activators within the cutoff.
    beyond : mapping
        (n,) rate to all quenchers beyond the cutoff together, by channel; nothing where left out.
    ends : mapping
        (m, 3) positions / Å of the quenchers and activators by channel.
    start : (n,) float64
        Where the excitation begins; adds up to 1. Uniform over the absorbing ions.
    truncation : float
        Upper estimate of what the cutoff leaves out of the hops' rates, relative.
    cell : (3, 3) float64 or None
        Vectors / Å of a periodic box: without them no length between two positions is known.
    """

    symbols: NDArray[np.str_]
    positions: Floats
    sites: NDArray[np.int64]
    hops: csr_matrix
    weight: Floats
    radiated: Floats
    nonradiative: Floats
    vacancies: csr_matrix
    surface: csr_matrix
    activators: csr_matrix
    ends: dict[str, Floats]
    start: Floats
    beyond: dict[str, Floats] = field(default_factory=dict)
    truncation: float = 0.0
    cell: Floats | None = None

    @property
    def n_carriers(self) -> int:
        return len(self.symbols)

    @cached_property
    def channels(self) -> dict[str, Floats]:
        """(n,) rate of each way to end, by channel."""
        found = {"radiated": self.radiated, "nonradiative": self.nonradiative}
        for name in CHANNELS[2:]:
            found[name] = np.asarray(getattr(self, name).sum(axis=1)).ravel() + self.beyond.get(name, 0.0)
        return found

    def scaled(self, vacancies: float, surface: float) -> Network:
        """The same network with quenchers that are so many times stronger."""
        return replace(
            self,
            vacancies=self.vacancies * vacancies,
            surface=self.surface * surface,
            beyond={name: rate * surface for name, rate in self.beyond.items()},
        )

    @property
    def ending(self) -> Floats:
        """(n,) rate of all ways to end together."""
        return np.sum([self.channels[name] for name in CHANNELS], axis=0)

    @property
    def quenching(self) -> Floats:
        """(n,) rate to vacancies and surface."""
        return self.channels["vacancies"] + self.channels["surface"]

    @property
    def mean_quenching(self) -> float:
        """<k_q> / 1/s over the ions that absorb: the effective rate where migration mixes perfectly."""
        return float(self.start @ self.quenching)


def network(crystal: Crystal, occupants: NDArray[np.uint8], optics: Optics, of: str = "Yb") -> Network:
    """The network of a crystal.

    Parameters
    ----------
    crystal : Crystal
    occupants : (N,) uint8
        Species code on each site.
    optics : Optics
    of : {'Yb', 'Gd'}
        The sublattice in which energy migrates. For Gd (ultraviolet) all quenchers act as on Yb: assumption.

    Raises
    ------
    BadInput
        If there is no such ion, or the rate set lacks a level that is needed.
    """
    rates = optics.set
    rates.ion(of)
    kinds = [(of, 1)]
    sinks: list[tuple[str, float]] = []
    for symbol in ACTIVATORS if of == "Yb" else ():
        if not sites_of(occupants, symbol).size:
            continue
        rates.ion(symbol)
        level = shared_level(rates, symbol)
        if level:
            kinds.append((symbol, level))
        taken = sum(t.constant for t in rates.between(of, symbol) if t.up[0] == 0 and t.up[1] != level)
        sinks.append((symbol, float(taken)))
    where = {symbol: sites_of(occupants, symbol) for symbol in (of, *ACTIVATORS)}
    if not where[of].size:
        raise BadInput(f"light: the crystal holds no {of}: nothing absorbs or carries energy")
    near = Near(crystal, optics.reach)
    points = [crystal.positions(where[symbol]) for symbol, _ in kinds]
    counts = [len(each) for each in points]
    constants = np.array([[_hop_constant(rates, optics, a, b) for b in kinds] for a in kinds])
    hops = [
        [near(a, b) * c for b, c in zip(points, row, strict=True)] for a, row in zip(points, constants, strict=True)
    ]
    everyone = np.concatenate(points)
    ends = {"vacancies": crystal.positions(sites_of(occupants, "vacancy"))}
    ends["surface"], strength = surface_quenchers(crystal, optics)
    ends["activators"] = crystal.positions(np.concatenate([where[symbol] for symbol, _ in sinks] or [where[of][:0]]))
    taking = np.repeat([float(c) for _, c in sinks], [len(where[symbol]) for symbol, _ in sinks])
    to_vacancies, to_surface = near(everyone, ends["vacancies"]), near(everyone, ends["surface"])
    inside = np.asarray(to_surface.sum(axis=1)).ravel()
    beyond = {"surface": strength * np.maximum(near.sums(everyone, ends["surface"], to_surface) - inside, 0.0)}
    ions = [rates.ion(symbol) for symbol, _ in kinds]
    radiated = [each.radiative[level] for each, (_, level) in zip(ions, kinds, strict=True)]
    others = [each.decay[level].sum() for each, (_, level) in zip(ions, kinds, strict=True)] - np.array(radiated)
    return Network(
        symbols=np.repeat([symbol for symbol, _ in kinds], counts),
        positions=everyone,
        sites=np.concatenate([where[symbol] for symbol, _ in kinds]),
        hops=bmat(hops, format="csr"),
        weight=np.repeat([1.0, *(constants[0, 1:] / constants[1:, 0])], counts),
        radiated=np.repeat(radiated, counts),
        nonradiative=np.repeat(np.maximum(others, 0.0), counts),
        vacancies=to_vacancies * optics.c_vacancy,
        surface=to_surface * strength,
        activators=(near(everyone, ends["activators"]) @ diags_array(taking)).tocsr(),
        ends=ends,
        start=np.repeat([1.0 / counts[0], *[0.0] * (len(kinds) - 1)], counts),
        beyond=beyond,
        truncation=near.left_out(points[0], where[of]),
        cell=near.cell,
    )


def sites_of(occupants: NDArray[np.uint8], symbol: str) -> NDArray[np.int64]:
    """Numbers of the sites that hold a species."""
    return np.flatnonzero(occupants == SPECIES[symbol].code)


def shared_level(rates: RateSet, symbol: str) -> int:
    """The level that takes energy from Yb and gives it back; 0 if there is none."""
    takes = {t.up[1] for t in rates.between("Yb", symbol) if t.up[0] == 0}
    gives = {t.down[0] for t in rates.between(symbol, "Yb") if t.down[1] == 0}
    return min(takes & gives, default=0)


def surface_quenchers(crystal: Crystal, optics: Optics) -> tuple[Floats, float]:
    """(m, 3) positions / Å of the surface's quenchers, and C / Å⁶/s of each.

    They sit on the empty lattice points next to the surface; each of these holds as many as its share of the area of
    the outer boundary carries at the optics' density. Assumption: the mean over where ligands happen to sit.
    """
    if crystal.periodic or not crystal.boundaries:
        return np.empty((0, 3)), 0.0
    points = crystal.empty_neighbours
    return points, optics.c_surface * optics.density * crystal.boundaries[-1].area / len(points)


def _hop_constant(rates: RateSet, optics: Optics, donor: tuple[str, int], acceptor: tuple[str, int]) -> float:
    """C / Å⁶/s with which one excitation goes from one kind of carrier to another."""
    if donor[0] == acceptor[0] == "Gd":
        return optics.c_gd
    found = [t.constant for t in rates.between(donor[0], acceptor[0])
             if t.down == (donor[1], 0) and t.up == (0, acceptor[1])]  # fmt: skip
    return sum(found)
