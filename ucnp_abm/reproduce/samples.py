"""The samples of the paper: how each crystal is grown, and by what it is annealed for an hour at 300 °C."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ucnp_abm.crystal.particle import CoreShell
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.registry import mechanism
from ucnp_abm.study.cells import PAPER_PARTICLE

ANNEAL = "300 °C for 1 h"
SHELLS_NM = (0.5, 1.0, 1.5, 2.0)
YB_PCT = (19, 59, 99)
CORE, DIAMETER = PAPER_PARTICLE.core, PAPER_PARTICLE.diameter
MULTILAYER = {"diameter": "4 nm", "active": "1.35 nm", "inert": "1.65 nm"}
"""Dimensions of the multilayers. Assumption: the active layer ends where the paper's core does."""


@dataclass(frozen=True)
class Sample:
    """How one sample is made.

    Attributes
    ----------
    recipe : CoreShell
    annealed : str or None
        Mechanism; None: as grown.
    parameters : mapping
        Of the mechanism.
    """

    recipe: CoreShell
    annealed: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    def make(self, seed: int) -> Simulation:
        """The sample at the end of its anneal, or as grown."""
        chosen = mechanism(self.annealed or "no-complex", **dict(self.parameters))
        made = Simulation(self.recipe.build(seed), chosen, Protocol.parse(ANNEAL), seed=seed)
        if self.annealed:
            made.run(time=made.protocol.duration)
        return made


def _multilayer(yb: int) -> CoreShell:
    gadolinium = f"NaGdF4: {yb}% Yb, 1% Tm" if yb < 99 else "NaYbF4: 1% Tm"
    shells = ((gadolinium, MULTILAYER["active"]), ("NaYF4", MULTILAYER["inert"]))
    return CoreShell(core="NaGdF4", diameter=MULTILAYER["diameter"], shells=shells)


def _pairs(name: str, recipe: CoreShell) -> dict[str, Sample]:
    return {name: Sample(recipe), f"{name}+y": Sample(recipe, "y-complex")}


SAMPLES: dict[str, Sample] = {
    **_pairs("standard", PAPER_PARTICLE),
    "standard+none": Sample(PAPER_PARTICLE, "no-complex"),
    "standard+gd": Sample(PAPER_PARTICLE, "gd-complex"),
    **{
        f"standard+gd-{why}": Sample(PAPER_PARTICLE, "gd-complex", {"why": why})
        for why in ("weaker-binding", "slower", "gd-path", "empirical")
    },
    "core": Sample(CoreShell(core=CORE, diameter=DIAMETER)),
    **{
        name: sample
        for nm in SHELLS_NM
        for name, sample in _pairs(
            f"shell-{nm:g}nm", CoreShell(core=CORE, diameter=DIAMETER, shell="NaYF4", thickness=f"{nm} nm")
        ).items()
    },
    **{name: sample for yb in YB_PCT for name, sample in _pairs(f"yb-{yb}", _multilayer(yb)).items()},
    **_pairs("er", CoreShell(core="NaGdF4: 49% Yb, 1% Er", diameter=DIAMETER, shell="NaYF4", thickness="1.65 nm")),
}
"""All samples by name; '+y' is the same crystal after an hour with Y-oleate."""


def sample(name: str) -> Sample:
    """A sample by name.

    Raises
    ------
    BadInput
        If there is none.
    """
    if name not in SAMPLES:
        raise BadInput(f"unknown sample '{name}'{nearest(name, SAMPLES)}")
    return SAMPLES[name]
