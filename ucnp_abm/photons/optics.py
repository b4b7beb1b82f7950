"""Optics: everything that the light of a crystal depends on besides its atoms. All of it is stated with each result."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

from ucnp_abm import units
from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.photons.levels import CM6
from ucnp_abm.photons.rates import RateSet, rate_set

SOLVENTS = {"dry": 0.5, "cyclohexane": 1.0, "ethanol": 3.0, "water": 10.0}
"""Surface quenchers per nm² by solvent. Assumption: round numbers that rank C-H below O-H below water."""
METHODS = ("per-ion", "hybrid")
"""How populations are found: Yb by Yb, or one population of Yb for all (gated, see `ucnp_abm.photons.steady`)."""


@dataclass(frozen=True)
class Optics:
    """What is assumed about light.

    Attributes
    ----------
    rates : str or RateSet
        `npt`, `simetuc`, `simetuc+npt-migration`, or a .toml file.
    pump : str or float
        Intensity at 980 nm; bare numbers are W/cm².
    solvent : str
        Gives the surface quenchers per nm² unless `surface_density` does: `dry`, `cyclohexane`, `ethanol`, `water`.
    vacancy_quenching : str or float
        C_q / cm⁶/s: a vacancy takes energy from Yb at the rate C_q / r⁶. Only its product with the number of vacancies
        is identifiable (calibrated by `ucnp-abm reproduce light`).
    surface_quenching : str or float
        C / cm⁶/s of one surface quencher (calibrated likewise), on the empty lattice points next to the surface.
    surface_density : str, float or None
        Surface quenchers per nm².
    activator_quenching : str or float
        Share of both constants with which vacancies and surface also quench Tm and Er levels, to the ground state.
        Assumption, off by default.
    gd_transfer : str or float or None
        C / cm⁶/s from Tm 1I6 to Gd; None: that of the rate set.
    gd_migration : str or float
        C / cm⁶/s from Gd to Gd. Assumption: no rate set gives it.
    imposed_factor : float
        All intensities are multiplied by it. Empirical: for what no mechanism in the model explains; results say so.
    cutoff : str, float or None
        Distance beyond which pairs are left out; None: 20 Å, or none in small crystals.
    method : {'per-ion', 'hybrid'}
        Yb by Yb, or one population for all Yb where migration mixes well enough.
    correlated : bool
        Whether each activator sees the Yb around it as they are when it is in each of its levels
        (`ucnp_abm.photons.closure`), or at their mean, as in textbook rate equations.
    """

    rates: str | RateSet = "npt"
    pump: str | float = "4 W/cm²"
    solvent: str = "cyclohexane"
    vacancy_quenching: str | float = "1e-40 cm^6/s"
    surface_quenching: str | float = "1e-40 cm^6/s"
    surface_density: str | float | None = None
    activator_quenching: str | float = 0.0
    gd_transfer: str | float | None = None
    gd_migration: str | float = 0.0
    imposed_factor: float = 1.0
    cutoff: str | float | None = None
    method: str = "per-ion"
    correlated: bool = True

    def __post_init__(self) -> None:
        if not self.intensity > 0:
            raise BadInput(f"optics.pump: expected an intensity above zero, such as '4 W/cm²', got {self.pump!r}")
        for name in ("c_vacancy", "c_surface", "c_gd", "density", "activator_share"):
            getattr(self, name)
        if self.c_tm_gd is not None and self.c_tm_gd < 0:
            raise BadInput(f"optics.gd_transfer: expected no negative constant, got {self.gd_transfer!r}")
        if not units.amount(self.imposed_factor, "optics.imposed_factor") < math.inf:
            raise BadInput(f"optics.imposed_factor: expected a finite number, got {self.imposed_factor!r}")
        if self.method not in METHODS:
            raise BadInput(f"optics.method: unknown method {self.method!r}{nearest(str(self.method), METHODS)}")
        if not isinstance(self.correlated, bool):
            raise BadInput(f"optics.correlated: expected True or False, got {self.correlated!r}")
        if self.reach is not None and not self.reach > 0:
            raise BadInput(f"optics.cutoff: expected a length above zero, got {self.cutoff!r}")
        rate_set(self.rates)

    @classmethod
    def of(cls, given: Optics | None = None, **options: Any) -> Optics:
        """Optics with some options changed.

        Raises
        ------
        BadInput
            If an option is unknown, or a value cannot be used.
        """
        if given is not None and not isinstance(given, Optics):
            raise BadInput(f"light: expected Optics, got {given!r}")
        known = [f.name for f in fields(cls)]
        for name in options:
            if name not in known:
                raise BadInput(f"light: unknown option '{name}'{nearest(name, known)}")
        return replace(given or cls(), **options)

    @property
    def set(self) -> RateSet:
        """The rate set itself."""
        return rate_set(self.rates)

    @property
    def intensity(self) -> float:
        """Pump / W/cm²."""
        return units.parse(self.pump, "intensity", "optics.pump")

    @property
    def c_vacancy(self) -> float:
        """C / Å⁶/s of a vacancy."""
        return _constant(self.vacancy_quenching, "optics.vacancy_quenching")

    @property
    def c_surface(self) -> float:
        """C / Å⁶/s of a surface quencher."""
        return _constant(self.surface_quenching, "optics.surface_quenching")

    @property
    def c_gd(self) -> float:
        """C / Å⁶/s of migration from Gd to Gd."""
        return _constant(self.gd_migration, "optics.gd_migration")

    @property
    def c_tm_gd(self) -> float | None:
        """C / Å⁶/s from Tm 1I6 to Gd, or None."""
        return None if self.gd_transfer is None else _constant(self.gd_transfer, "optics.gd_transfer")

    @property
    def activator_share(self) -> float:
        """`activator_quenching` as a number."""
        return units.fraction(self.activator_quenching, "optics.activator_quenching")

    @property
    def density(self) -> float:
        """Surface quenchers / Å⁻²."""
        if self.surface_density is not None:
            found = units.parse(self.surface_density, "surface density", "optics.surface_density")
            if found < 0:
                raise BadInput(f"optics.surface_density: expected at least 0, got {self.surface_density!r}")
            return found / 100
        if not isinstance(self.solvent, str) or self.solvent not in SOLVENTS:
            raise BadInput(f"optics.solvent: unknown solvent {self.solvent!r}{nearest(str(self.solvent), SOLVENTS)}")
        return SOLVENTS[self.solvent] / 100

    @property
    def reach(self) -> float | None:
        """Cutoff / Å."""
        return None if self.cutoff is None else units.parse(self.cutoff, "length", "optics.cutoff")

    def describe(self) -> dict[str, Any]:
        """As plain data, with the fingerprint of the rate set."""
        told = {f.name: getattr(self, f.name) for f in fields(self)}
        return told | {"rates": self.set.name, "rates_sha256": self.set.fingerprint}


def _constant(value: str | float, what: str) -> float:
    found = units.parse(value, "transfer constant", what)
    if found < 0:
        raise BadInput(f"{what}: expected no negative constant, got {value!r}")
    return found * CM6
