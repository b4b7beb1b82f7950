"""Predictions: what a calibrated model says of every other sample. Nothing here knows what the paper found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ucnp_abm.photons.light import Light, light
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.spectrum import BANDS
from ucnp_abm.reproduce.calibrate import LIFETIMES, Calibration, Measure
from ucnp_abm.reproduce.samples import SHELLS_NM, YB_PCT, sample

GD = ("gd", *(f"gd-{why}" for why in ("weaker-binding", "slower", "gd-path", "empirical")))
SOLVENTS = ("ethanol", "water")
UV, ER_GREEN = 345, 545


@dataclass(frozen=True)
class Predicted:
    """All numbers that one calibration leads to.

    Attributes
    ----------
    calibration : Calibration
    measure : Measure
    """

    calibration: Calibration
    measure: Measure

    @cached_property
    def _seen(self) -> dict[tuple[str, str], Light]:
        return {}

    def light_of(self, name: str, solvent: str = "cyclohexane") -> Light:
        """The light of a sample in a solvent; each is made once."""
        if (name, solvent) not in self._seen:
            if solvent == "cyclohexane":
                made = light(sample(name).make(self.calibration.seed), self.calibration.optics)
            else:
                made = _in(self.light_of(name), solvent)
            self._seen[name, solvent] = made
        return self._seen[name, solvent]

    def gain(self, name: str, over: str, line: str | float = 450, solvent: str = "cyclohexane") -> float:
        """Intensity of a line in one sample over that in another."""
        return self.light_of(name, solvent).intensity(line) / self.light_of(over, solvent).intensity(line)

    def numbers(self) -> dict[str, float]:
        """Every prediction by name; ratios unless the name carries a unit."""
        found = {
            "core-shell/core": self.gain("standard", "core"),
            "none/pristine": self.gain("standard+none", "standard"),
        }
        for nm in SHELLS_NM:
            shell = f"shell-{nm:g}nm"
            found[f"{shell}/core"] = self.gain(shell, "core")
            found[f"{shell}+y/core"] = self.gain(f"{shell}+y", "core")
            found[f"{shell} lifetime_ms"] = self.measure.lifetime_ms(self.light_of(shell))
            found[f"{shell}+y lifetime_ms"] = self.measure.lifetime_ms(self.light_of(f"{shell}+y"))
        for kind in GD:
            found[f"{kind}/y"] = self.gain(f"standard+{kind}", "standard+y")
            if self.light_of("standard+y").intensity(UV) > 0:
                found[f"{kind}/y uv"] = self.gain(f"standard+{kind}", "standard+y", UV)
        for yb in YB_PCT:
            found[f"yb-{yb}+y/yb-{yb}"] = self.gain(f"yb-{yb}+y", f"yb-{yb}")
            found[f"yb-{yb}+y/core-shell"] = self.gain(f"yb-{yb}+y", "standard")
        for solvent in SOLVENTS:
            found[f"y in {solvent}"] = self.gain("standard+y", "standard", solvent=solvent)
        if "Er" in self.calibration.optics.set.ions:
            found["er"] = self.gain("er+y", "er", ER_GREEN)
        return found | self._definitions()

    def _definitions(self) -> dict[str, float]:
        """The calibrated numbers by every definition that the paper may have meant, and the quench rates."""
        before, after = self.light_of("standard"), self.light_of("standard+y")
        found = {"k_eff before_per_s": before.k_eff, "k_eff after_per_s": after.k_eff}
        found["gain_450"] = after.intensity(450) / before.intensity(450)
        for band in BANDS:
            if before.quantum_yield(band) > 0:
                found[f"gain_qy {band}"] = after.quantum_yield(band) / before.quantum_yield(band)
        for drive in ("pulse", "cw-off"):
            for definition, attribute in LIFETIMES.items():
                for when, seen in (("before", before), ("after", after)):
                    lifetime = getattr(seen.lifetimes(450, drive), attribute)
                    found[f"lifetime {when}, {drive}, {definition}_ms"] = 1e3 * lifetime
        return found


def _in(dry: Light, solvent: str) -> Light:
    """The same crystals in another solvent."""
    optics = [Optics.of(glow.optics, solvent=solvent) for glow in dry.glows]
    return Light(tuple(glow.under(o) for glow, o in zip(dry.glows, optics, strict=True)), dry.notes)
