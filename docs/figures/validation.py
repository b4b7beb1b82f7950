"""Draw the figures of the validation page: python docs/figures/validation.py [NAME…]; needs the `test` extra."""

from __future__ import annotations

import choices
import clock
import common
import diffusion
import equilibrium

FIGURES = {
    "boltzmann": equilibrium.boltzmann,
    "exclusion": equilibrium.exclusion,
    "docking": equilibrium.docking,
    "correlation": diffusion.correlation,
    "displacement": diffusion.displacement,
    "clock": clock.clock,
    "ramp": clock.ramp,
    "light": choices.light,
    "phases": choices.phases,
    "surface": choices.surface,
    "residual": choices.residual,
}

if __name__ == "__main__":
    common.main(FIGURES, "validation_")
