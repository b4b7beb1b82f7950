"""Draw the figures of the page on light: python docs/figures/light.py [ends spectrum]."""

from __future__ import annotations

from functools import cache

import common
from matplotlib.figure import Figure

from ucnp_abm import Light, Simulation, light, mechanism
from ucnp_abm.study.cells import PAPER_PARTICLE
from ucnp_abm.viz import ends as dying
from ucnp_abm.viz import light as drawn

STEPS = 100
CONDITIONS = f"{STEPS} steps with the yttrium complex, npt, 4 W/cm² at 980 nm, cyclohexane"
WORDS = {
    "radiated": "radiated by Yb",
    "nonradiative": "lost in Yb alone",
    "vacancies": "dies at vacancies",
    "surface": "dies at the surface",
    "activators": "taken by activators for good",
}


@cache
def seen() -> tuple[Light, Light]:
    """The paper's particle as grown, and after some steps."""
    simulation = Simulation(PAPER_PARTICLE.build(0), mechanism("y-complex"), seed=0)
    before = light(simulation)
    simulation.run(steps=STEPS)
    return before, light(simulation)


def ends() -> Figure:
    """Where absorbed energy dies."""
    _, after = seen()
    print({name: round(share, 4) for name, share in after.shares.items()})
    return dying.ends(after, CONDITIONS, WORDS)


def spectrum() -> Figure:
    """Lines before and after."""
    before, after = seen()
    print({name: f"{after.intensity(name) / before.intensity(name):.3g}" for name in after.lines()})
    return drawn.spectrum({"as grown": before, f"{STEPS} steps": after}, CONDITIONS)


FIGURES = {"ends": ends, "spectrum": spectrum}

if __name__ == "__main__":
    common.main(FIGURES, "light_")
