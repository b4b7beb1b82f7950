"""Calibration: three constants that nobody has measured, from the pristine and the Y-annealed particle.

Fitted are C_q of a vacancy, C of a surface quencher, and the pump; the data are the four numbers of `calibration.toml`.
Only products are identifiable (vacancies x C_q, quenchers x C), and the result says how well.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ucnp_abm.errors import BadInput
from ucnp_abm.photons.decays import DRIVES
from ucnp_abm.photons.glow import Glow
from ucnp_abm.photons.light import Light, light
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.spectrum import band
from ucnp_abm.reproduce.samples import sample

Floats = NDArray[np.float64]

PARAMETERS = ("vacancy_quenching", "surface_quenching", "pump")
UNITS = ("cm^6/s", "cm^6/s", "W/cm²")
START = (1e-40, 3e-39, 4.0)
LOWEST, HIGHEST = (1e-43, 1e-43, 0.4), (1e-36, 1e-35, 400.0)
MOST_STEPS = 25
LIFETIMES = {"1/e": "to_1_e_s", "integral": "integral_s"}
DATA = ("gain_450", "gain_qy", "lifetime_before_ms", "lifetime_after_ms")


@dataclass(frozen=True)
class Measure:
    """How the paper's numbers are read, where it does not say.

    Attributes
    ----------
    band : str
        Of the quantum yield; see `BANDS`.
    drive : {'pulse', 'cw-off'}
    lifetime : {'1/e', 'integral'}
    """

    band: str = "visible"
    drive: str = "pulse"
    lifetime: str = "1/e"

    def __post_init__(self) -> None:
        band(self.band)
        if self.drive not in DRIVES or self.lifetime not in LIFETIMES:
            raise BadInput(f"measure: expected a drive of {DRIVES} and a lifetime of {tuple(LIFETIMES)}, got {self}")

    def lifetime_ms(self, found: Light, line: str | float = 450) -> float:
        """Lifetime / ms of a line by this definition."""
        return 1e3 * float(getattr(found.lifetimes(line, self.drive), LIFETIMES[self.lifetime]))

    def quantum_yield(self, found: Light) -> float:
        """Quantum yield in this band."""
        return found.quantum_yield(self.band)


@dataclass(frozen=True)
class Calibration:
    """What the fit found on one crystal.

    Attributes
    ----------
    rates : str
    seed : int
    values : mapping
        Each parameter, in the unit of `UNITS`.
    spread : mapping
        Factor by which each may be off (95 %), if the data are right within their assumed error.
    reached : mapping
        What the model gives for each datum.
    correlation : (3, 3) list of lists
        Between the logarithms of the parameters.
    bound : tuple of str
        Parameters that ended at the edge of their range.
    """

    rates: str
    seed: int
    values: Mapping[str, float]
    spread: Mapping[str, float]
    reached: Mapping[str, float]
    correlation: list[list[float]]
    bound: tuple[str, ...]

    @property
    def optics(self) -> Optics:
        """Optics with the constants found."""
        return _optics(self.rates, [self.values[name] for name in PARAMETERS])


def targets() -> dict[str, float]:
    """The numbers of the two samples, and their relative error."""
    text = resources.files("ucnp_abm.reproduce").joinpath("calibration.toml").read_text(encoding="utf-8")
    return {key: float(value) for key, value in tomllib.loads(text).items()}


def calibrate(rates: str, seed: int, measure: Measure | None = None) -> Calibration:
    """Fit the three constants on one crystal, as grown and after an hour with Y-oleate.

    Parameters
    ----------
    rates : str
        Rate set.
    seed : int
        Of the crystal and its anneal.
    measure : Measure or None
    """
    chosen, wanted = measure or Measure(), targets()
    pair = [light(sample(name).make(seed), _optics(rates, START)).glows[0] for name in ("standard", "standard+y")]
    logs = np.log([wanted[name] for name in DATA])

    def residuals(x: Floats) -> Floats:
        return (np.log(_reached(pair, rates, np.exp(x), chosen)) - logs) / wanted["error"]

    low, high = np.log(LOWEST), np.log(HIGHEST)
    fit = least_squares(
        residuals, np.log(START), bounds=(low, high), diff_step=0.03, ftol=1e-4, xtol=1e-4, max_nfev=MOST_STEPS
    )
    curvature = fit.jac.T @ fit.jac
    covariance = np.linalg.pinv(curvature)
    deviation = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviation, deviation)
    edge = tuple(n for n, x, a, b in zip(PARAMETERS, fit.x, low, high, strict=True) if min(x - a, b - x) < 0.05)
    return Calibration(
        rates=rates,
        seed=seed,
        values=dict(zip(PARAMETERS, np.exp(fit.x).tolist(), strict=True)),
        spread=dict(zip(PARAMETERS, np.exp(np.minimum(1.96 * deviation, 50.0)).tolist(), strict=True)),
        reached=dict(zip(DATA, _reached(pair, rates, np.exp(fit.x), chosen).tolist(), strict=True)),
        correlation=correlation.round(3).tolist(),
        bound=edge,
    )


def _optics(rates: str, values: Floats | tuple[float, ...] | list[float]) -> Optics:
    vacancy, surface, pump = (float(value) for value in values)
    return Optics(rates=rates, vacancy_quenching=vacancy, surface_quenching=surface, pump=pump)


def _reached(pair: list[Glow], rates: str, values: Floats, measure: Measure) -> Floats:
    """The model's numbers for the data."""
    before, after = (Light((glow.under(_optics(rates, values)),)) for glow in pair)
    return np.array(
        [
            after.intensity(450) / before.intensity(450),
            measure.quantum_yield(after) / measure.quantum_yield(before),
            measure.lifetime_ms(before),
            measure.lifetime_ms(after),
        ]
    )
