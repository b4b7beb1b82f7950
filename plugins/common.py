"""What the shipped mechanisms share: vacancies that wander, and the bath of a complex.

The barriers are assumptions: 1.65 eV with an attempt frequency of 1e13 /s gives about 1 nm of mixing in 1 h at 300 °C;
1.40 eV in the cubic phase, because it mixes at 200 °C where the hexagonal one does not (Chem. Synth. 2023, 3, 29).
"""

from __future__ import annotations

from ucnp_abm import IONS, Env, Mechanism


def hop_barrier(env: Env) -> float:
    """One barrier for all cations: an ideal solution (size misfit is 8-15 meV against kT = 49 meV)."""
    barrier: float = env.p.barrier
    return barrier


def vacancies_wander(mechanism: Mechanism) -> None:
    """Every cation hops into vacancies, at one barrier."""
    mechanism.parameter(
        "barrier",
        "1.65 eV",
        by_lattice={"alpha": "1.40 eV"},
        doc="Kinetic barrier of every cation's hop into a vacancy.",
    )
    mechanism.hop(mover=IONS)(hop_barrier)


def bath_of(mechanism: Mechanism, species: str, *, activity: float = 1.0, prefix: str = "") -> None:
    """Parameters of the bath's complexes of a species: their activity, and how many there are."""
    a0 = mechanism.parameter(
        f"{prefix}activity",
        activity,
        kind="number",
        doc=f"Activity of the {species} complex in the bath, at the start.",
    )
    size = mechanism.parameter(
        f"{prefix}reservoir",
        None,
        kind="count",
        low=1,
        doc=f"{species} complexes for each particle. Unset: infinitely many.",
    )
    mechanism.reservoir(species, activity=a0, size=size)
