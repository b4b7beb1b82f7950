"""Four things that a 976-nm laser might do to an annealing crystal. All phenomenological, all assumptions.

A single particle under a continuous beam does not warm by itself (5e-9 K at 4 W/cm², 1 mK at 1 MW/cm²), so
`laser-thermal` is a collective temperature that the user gives. Excitations: G = sigma I / h nu per ytterbium ion, with
sigma = 1.22e-20 cm² and h nu = 1.27 eV, is 0.06 /s at 1 W/cm² (0.24 /s at 4 W/cm²). The default intensity is 1 kW/cm²:
at 4 W/cm² the athermal drive adds 0.4 % to a hop at 300 °C and nothing at room temperature, at 1 kW/cm² about 90 %.

Source: Assumption. That light can reconstruct such surfaces: Lei et al., Mater. Today Nano 2019, 8, 100055.
"""

from __future__ import annotations

from ucnp_abm import IONS, Drive, Env, hookimpl

EXCITATIONS = 0.06
"""Excitations of one ytterbium ion / s⁻¹ at 1 W/cm²."""
SOURCE = "Assumption; that light reconstructs surfaces: Mater. Today Nano 2019, 8, 100055"


def intensity(drive: Drive) -> None:
    """The parameter that three of the drives share."""
    drive.parameter("intensity", "1 kW/cm²", kind="intensity", doc="Intensity of the beam at 976 nm.")


thermal = Drive("laser-thermal", summary="The laser warms the whole sample.", source=SOURCE)
rise = thermal.parameter(
    "rise", "30 K", kind="temperature difference", high=2000.0, doc="How much warmer at full level, collectively."
)
thermal.warm(rise)

athermal = Drive(
    "laser-athermal", summary="Excited ions lend their energy to hops of exposed vacancies.", source=SOURCE
)
intensity(athermal)
athermal.parameter("efficiency", 1.0, kind="fraction", high=1.0, doc="Share of the excitations that assist a hop.")
relief = athermal.parameter("relief", "1.27 eV", high="1.27 eV", doc="Energy that one excitation lends.")
athermal.assist_hops(rate=lambda p: p.efficiency * EXCITATIONS * p.intensity, relief=relief)

docking = Drive("laser-dock", summary="Light frees ligands, so that complexes dock faster.", source=SOURCE)
factor = docking.parameter("factor", 10.0, kind="number", doc="By how much docking is faster at full level.")
docking.multiply("dock", factor)

strip = Drive(
    "laser-strip", summary="Light strips ligands together with their ions: it makes vacancies.", source=SOURCE
)
intensity(strip)
strip.parameter(
    "ion_yield", 1e-6, kind="fraction", high=1.0, doc="Exposed ions that leave for each excitation of an ytterbium ion."
)


@strip.etch(IONS, irreversible=True, attempt=lambda p: p.ion_yield * EXCITATIONS * p.intensity)
def no_barrier(env: Env) -> float:
    """Light, not heat, drives it."""
    return 0.0


@hookimpl
def ucnp_drives() -> list[Drive]:
    return [thermal, athermal, docking, strip]
