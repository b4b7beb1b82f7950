"""The light of one crystal: networks, populations and decays, each worked out when it is asked for, and once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.photons.decays import Course, course
from ucnp_abm.photons.network import Near, Network, network
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.solve import Fate, fate
from ucnp_abm.photons.spectrum import emissions_of, line
from ucnp_abm.photons.steady import Populations, populations
from ucnp_abm.photons.system import System, system

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Glow:
    """The light of one crystal.

    Attributes
    ----------
    crystal : Crystal
    occupants : (N,) uint8
        Species code on each site.
    optics : Optics
    """

    crystal: Crystal
    occupants: NDArray[np.uint8]
    optics: Optics

    @cached_property
    def network(self) -> Network:
        """What one excitation wanders through."""
        return self.system.network if "system" in vars(self) else network(self.crystal, self.occupants, self.optics)

    @cached_property
    def fate(self) -> Fate:
        """Where it ends, in the weakly excited crystal."""
        return fate(self.network)

    @cached_property
    def system(self) -> System:
        """Yb and activators."""
        return system(self.crystal, self.occupants, self.optics)

    def under(self, optics: Optics) -> Glow:
        """The light of the same crystal under other optics; pair sums that stay the same are kept."""
        changed = Glow(self.crystal, self.occupants, optics)
        known = self.system.under(optics)
        if known is not None:
            vars(changed)["system"] = known
        return changed

    @cached_property
    def populations(self) -> Populations:
        """Stationary populations under the pump."""
        return populations(self.system)

    @cached_property
    def courses(self) -> dict[str, Course]:
        """Populations after the pump, by drive, as far as they were asked for."""
        return {}

    def course(self, drive: str) -> Course:
        """Populations after the pump."""
        if drive not in self.courses:
            self.courses[drive] = course(self.system, self.populations, drive)
        return self.courses[drive]

    @cached_property
    def gd(self) -> tuple[float, Fate | None]:
        """Energy quanta that Gd takes from activators / 1/s, and what becomes of them; None if it takes nothing."""
        taken = {s: self.populations.activators[s] * each.to_gd for s, each in self.system.activators.items()}
        total = float(sum(each.sum() for each in taken.values()))
        if not total > 0:
            return 0.0, None
        lattice = network(self.crystal, self.occupants, self.optics, "Gd")
        near = np.zeros(lattice.n_carriers)
        for symbol, each in self.system.activators.items():
            near += Near(self.crystal, self.optics.reach)(
                lattice.positions, self.crystal.positions(each.sites)
            ) @ taken[symbol].sum(axis=1)
        return total, fate(replace(lattice, start=near / near.sum()))

    @property
    def absorbed_per_s(self) -> float:
        """Pump photons that Yb absorbs / 1/s."""
        return float(self.pump * (1.0 - self.populations.yb).sum())

    @property
    def pump(self) -> float:
        """G / 1/s: excitations per second of one Yb in its ground state."""
        return self.optics.set.pump(self.optics.intensity)

    def photons(self, populations: Populations | None = None) -> list[tuple[str, float, float]]:
        """(ion, wavelength / nm, photons per second) of every transition of the activators."""
        held = self.populations if populations is None else populations
        return [
            (
                symbol,
                emission.wavelength_nm,
                float(levels[:, emission.level].sum() * emission.rate) * self.optics.imposed_factor,
            )
            for symbol, levels in held.activators.items()
            for emission in self.optics.set.ion(symbol).emissions
        ]

    def intensity(self, name: str | float, populations: Populations | None = None) -> float:
        """Photons per second in a line; 0 if the crystal lacks its ion."""
        which, held = line(name), self.populations if populations is None else populations
        if which.ion not in held.activators:
            return 0.0
        levels = held.activators[which.ion].sum(axis=0)
        rates = emissions_of(self.optics.set, which)
        return float(sum(levels[each.level] * each.rate for each in rates)) * self.optics.imposed_factor

    def curve(self, name: str | float, drive: str) -> tuple[Floats, Floats]:
        """Times / s and photons per second in a line after the pump, shape (t,) each."""
        which, seen = line(name), self.course(drive)
        if which.ion not in seen.levels:
            return seen.times_s, np.zeros(seen.times_s.size)
        n = len(self.system.activators[which.ion].sites) * self.optics.imposed_factor
        rates = emissions_of(self.optics.set, which)
        return seen.times_s, n * np.sum([seen.levels[which.ion][:, each.level] * each.rate for each in rates], axis=0)
