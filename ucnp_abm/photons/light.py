"""The light of a crystal or of many: the one door to it, `light`, and everything that is asked of what it gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.errors import BadInput
from ucnp_abm.photons.decays import DRIVES, Lifetimes, lifetimes
from ucnp_abm.photons.glow import Glow
from ucnp_abm.photons.network import CHANNELS
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.spectrum import LINES, band
from ucnp_abm.photons.steady import populations

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Light:
    """The light of one crystal or of a population: sums over all crystals, per crystal.

    Attributes
    ----------
    glows : tuple of Glow
        One for each crystal, all with the same optics.
    notes : tuple of str
        What was imposed rather than predicted.
    """

    glows: tuple[Glow, ...]
    notes: tuple[str, ...] = ()

    @property
    def optics(self) -> Optics:
        return self.glows[0].optics

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was imposed, and where an assumption of the model fails; each sentence once."""
        return tuple(dict.fromkeys([*self.notes, *(w for glow in self.glows for w in glow.populations.warnings)]))

    @property
    def _weights(self) -> Floats:
        """(g,) share of all Yb in each crystal."""
        counts = np.array([np.count_nonzero(glow.network.start) for glow in self.glows], dtype=float)
        return counts / counts.sum()

    @property
    def shares(self) -> dict[str, float]:
        """Share of absorbed energy that ends in each channel, in the weakly excited crystals."""
        return {c: float(self._weights @ [glow.fate.shares[c] for glow in self.glows]) for c in CHANNELS}

    @property
    def to_gd_per_s(self) -> float:
        """Energy quanta that Gd takes from activators, per second and crystal."""
        return float(np.mean([glow.gd[0] for glow in self.glows]))

    @property
    def gd_shares(self) -> dict[str, float]:
        """Share of what Gd takes that ends in each channel: radiated at 311 nm, or dead at vacancies and surface."""
        ends = [(taken, found.shares) for taken, found in (glow.gd for glow in self.glows) if found is not None]
        total = sum(taken for taken, _ in ends)
        return {c: sum(taken * shares[c] for taken, shares in ends) / total if ends else 0.0 for c in CHANNELS}

    @property
    def lifetime_s(self) -> float:
        """Mean time / s from absorption to the end."""
        return float(self._weights @ [glow.fate.lifetime_s for glow in self.glows])

    @property
    def k_eff(self) -> float:
        """Effective quench rate / 1/s: quench events per excitation and second."""
        return (self.shares["vacancies"] + self.shares["surface"]) / self.lifetime_s

    @property
    def k_mean(self) -> float:
        """Mean quench rate of all Yb / 1/s."""
        return float(self._weights @ [glow.fate.k_mean for glow in self.glows])

    @property
    def absorbed_per_s(self) -> float:
        """Pump photons absorbed per crystal / 1/s."""
        return float(np.mean([glow.absorbed_per_s for glow in self.glows]))

    def intensity(self, name: str | float) -> float:
        """Photons per second and crystal in a line, such as 450."""
        return float(np.mean([glow.intensity(name) for glow in self.glows]))

    def lines(self) -> dict[str, float]:
        """Photons per second and crystal in every line of the ions that are there."""
        there = {symbol for glow in self.glows for symbol in glow.system.activators}
        return {name: self.intensity(name) for name, each in LINES.items() if each.ion in there}

    def spectrum(self) -> list[tuple[float, float]]:
        """(wavelength / nm, photons per second and crystal) of every transition."""
        found: dict[float, float] = {}
        for glow in self.glows:
            for _, wavelength, photons in glow.photons():
                found[wavelength] = found.get(wavelength, 0.0) + photons / len(self.glows)
        return sorted(found.items())

    def quantum_yield(self, within: str | tuple[float, float] = "all") -> float:
        """Upconverted photons in a band for each photon absorbed; a band is a name of `BANDS` or two ends / nm."""
        low, high = band(within)
        photons = sum(p for wavelength, p in self.spectrum() if low <= wavelength <= high)
        return photons / self.absorbed_per_s

    def curve(self, name: str | float = 450, drive: str = "pulse") -> tuple[Floats, Floats]:
        """Times / s and photons per second and crystal in a line after the pump.

        Parameters
        ----------
        name : str or float
        drive : {'pulse', 'cw-off'}
            After a short, weak pulse, or after the steady pump is switched off.
        """
        if drive not in DRIVES:
            raise BadInput(f"light: expected the drive 'pulse' or 'cw-off', got {drive!r}")
        curves = [glow.curve(name, drive) for glow in self.glows]
        return curves[0][0], np.mean([intensity for _, intensity in curves], axis=0)

    def lifetimes(self, name: str | float = 450, drive: str = "pulse") -> Lifetimes:
        """Both lifetimes of a line."""
        return lifetimes(*self.curve(name, drive))

    def slope(self, name: str | float) -> float:
        """Logarithmic slope d ln I / d ln P of a line at the present pump, from pumps 1 % above and below."""
        ends = []
        for factor in (1 / 1.01, 1.01):
            held = [populations(glow.system, factor * glow.pump) for glow in self.glows]
            ends.append(sum(glow.intensity(name, each) for glow, each in zip(self.glows, held, strict=True)))
        if not ends[0] > 0:
            raise BadInput(f"light: there is no light at {name} nm whose slope could be taken")
        return float(np.log(ends[1] / ends[0]) / (2 * np.log(1.01)))

    def summary(self) -> dict[str, Any]:
        """The main numbers with their units, as plain data; a line that does not shine has no lifetime."""
        found: dict[str, Any] = {"crystals": len(self.glows), "absorbed_per_s": self.absorbed_per_s}
        found |= {f"share_{name}": share for name, share in self.shares.items()}
        found |= {"k_eff_per_s": self.k_eff, "k_mean_per_s": self.k_mean}
        found["lifetime_yb_ms"] = 1e3 * self.lifetime_s
        found |= {"to_gd_per_s": self.to_gd_per_s} | {f"gd_share_{c}": share for c, share in self.gd_shares.items()}
        found |= {f"i_{name}_per_s": photons for name, photons in self.lines().items()}
        found |= {f"qy_{name.replace('-', '_')}": self.quantum_yield(name) for name in ("all", "without-800")}
        return found


WHY: dict[str, dict[str, Any]] = {
    "gd-path": {"gd_transfer": "1e-40 cm^6/s", "gd_migration": "1e-40 cm^6/s"},
    "empirical": {"imposed_factor": 0.9},
}
"""What two choices of `gd-complex` mean for light. Assumptions: round numbers, not fitted to anything."""
_SAID = {
    "gd-path": "why=gd-path: Tm 1I6 loses energy to Gd at 1e-40 cm^6/s, which no rate set gives; only the ultraviolet "
    "lines suffer",
    "empirical": "why=empirical: all intensities of this sample are multiplied by 0.9; imposed, not predicted",
}


def light(source: Any, optics: Optics | None = None, **options: Any) -> Light:
    """The light of a crystal, or of several together.

    Parameters
    ----------
    source : Simulation, Model or Particle, or a list of them
        Its state as it is now.
    optics : Optics or None
    **options
        Whatever of `Optics` is to be changed: ``light(model, rates="simetuc", solvent="water")``.

    Returns
    -------
    Light

    Raises
    ------
    BadInput
        If an option is wrong, a crystal holds no Yb, or the rate set lacks a level that is needed. A crystal without Tm
        and Er has networks and fates; asking for its spectrum raises.

    Examples
    --------
    >>> from ucnp_abm import Particle
    >>> particle = Particle.core_shell(core="NaGdF4: 49% Yb, 2% Tm", diameter="3 nm", shell="NaYF4", thickness="1 nm")
    >>> found = light(particle, rates="simetuc", solvent="water")
    >>> round(sum(found.shares.values()), 12), found.intensity(450) < found.intensity(800)
    (1.0, True)
    """
    chosen = Optics.of(optics, **options)
    given = list(source) if isinstance(source, Sequence | Iterable) and not hasattr(source, "crystal") else [source]
    given = [getattr(each, "simulation", each) for each in given]  # a Model is that of its simulation
    if not given:
        raise BadInput("light: expected at least one crystal, got none")
    why = {_why(each) for each in given} & WHY.keys()
    glows, notes = [], [_SAID[reason] for reason in sorted(why)]
    for each in given:
        wanted = {name: value for name, value in WHY.get(_why(each), {}).items() if name not in options}
        glows.append(Glow(*_seen(each), Optics.of(chosen, **wanted)))
    if chosen.imposed_factor != 1:
        factor = f"imposed_factor={chosen.imposed_factor:g}"
        notes.append(f"{factor}: all intensities are multiplied by it; imposed, not predicted")
    return Light(tuple(glows), tuple(notes))


def _why(source: Any) -> str:
    values = getattr(getattr(source, "mechanism", None), "values", None)
    return str(values.get("why", "")) if isinstance(values, dict) else ""


def _seen(source: Any) -> tuple[Crystal, NDArray[np.uint8]]:
    crystal = getattr(source, "crystal", None)
    if not isinstance(crystal, Crystal):
        raise BadInput(f"light: expected a Simulation, Model or Particle, got {source!r}")
    if hasattr(source, "occupants"):
        return crystal, source.occupants
    return crystal, source.state.species[crystal.sites]
