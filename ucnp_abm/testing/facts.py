"""The tiny particle, and what the contracts assert of runs and of words, each with what is wrong in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ucnp_abm import observables
from ucnp_abm.crystal.particle import Particle
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.rules.ruleset import Ruleset


@cache
def tiny() -> Particle:
    """217 sites of β-NaREF4 in all four zones, 32 of them vacant: Gd, Yb, Y and Na."""
    return Particle.core_shell(
        core="NaGdF4: 20% Yb",
        diameter="1.6 nm",
        shell="NaYF4",
        thickness="0.6 nm",
        interface_width="0.2 nm",
        surface_vacancies=0.2,
        seed=4,
    )


def states_what_it_is(part: Ruleset) -> None:
    """Assert that a mechanism or a drive has a summary, a source, and a sentence for each parameter."""
    assert part.summary.endswith("."), f"{part.name}: summary: expected a sentence with a full stop: '{part.summary}'"
    assert "doi" in part.source.lower() or "assumption" in part.source.lower(), (
        f"{part.name}: source: expected a DOI, or 'Assumption: …' and why, got '{part.source}'"
    )
    for parameter in part.parameters.values():
        assert parameter.doc.endswith("."), (
            f"{part.name}.{parameter.name}: doc: expected a sentence with a full stop, got '{parameter.doc}'"
        )


def told(simulation: Simulation) -> dict[str, Any]:
    """A moment of a run: what must be equal, bit for bit, for two to be the same."""
    state = simulation.state
    return {
        "time": state.time,
        "number of events": state.events,
        "number of candidates": state.candidates,
        "events of each verb": state.counts().tolist(),
        "complexes in the bath": state.reservoir.tolist(),
        "occupants of the sites": state.species[simulation.crystal.sites].tolist(),
        "digest": simulation.digest(),
    }


def told_after(simulation: Simulation, n_events: int) -> dict[str, Any]:
    """The moment just after so many more events."""
    simulation.run(events=n_events)
    return told(simulation)


def are_the_same(a: Mapping[str, Any], b: Mapping[str, Any], otherwise: str) -> None:
    """Assert that two moments are one."""
    parted = [name for name in a if a[name] != b[name]]
    assert not parted, f"{otherwise}; they differ in: {', '.join(parted)}"


def it_runs(simulation: Simulation, what: str) -> None:
    """Assert that something happens, and that the sites stay what they are."""
    simulation.run(events=20)
    n = sum(observables.composition(simulation).values())
    assert simulation.state.events, f"{simulation.mechanism.name}: with {what} nothing happens on this particle"
    assert n == simulation.crystal.n_sites, f"{simulation.mechanism.name}: with {what} sites are lost"
