"""Where a result comes from: versions, platform, mechanism, seed."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import math
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ucnp_abm.crystal.particle import Particle, describe
from ucnp_abm.engine.simulation import ENGINE_VERSION, Simulation
from ucnp_abm.rules.law import name_of
from ucnp_abm.runs import eventlog
from ucnp_abm.runs.plan import Plan

SCHEMA = 3
"""Version of run.json."""


def provenance(
    simulation: Simulation,
    config: dict[str, Any] | None = None,
    resolved: dict[str, Any] | None = None,
    plan: Plan | None = None,
) -> dict[str, Any]:
    """What run.json holds: with a plan, all that is needed to run it again.

    Parameters
    ----------
    simulation : Simulation
    config, resolved : dict or None
        The configuration as given, and with all defaults.
    plan : Plan or None
        What is recorded and when.
    """
    mechanism, protocol = simulation.mechanism, simulation.protocol
    laws = [rule.law for rule in mechanism.hops]
    laws += [rule.law for ruleset in (mechanism, *mechanism.drives) for rule in ruleset.site_rules]
    files = sorted({inspect.getsourcefile(law) or "" for law in laws if inspect.isfunction(law)} - {""})
    return {
        "schema": SCHEMA,
        "config": config or {},
        "config_resolved": resolved or {},
        "altered_by_hand": False,
        "particle": describe(simulation.particle),
        "crystal_sha256": crystal_sha256(simulation.particle),
        "mechanism": {
            "name": mechanism.name,
            "parameters": mechanism.all_values(),
            "irreversible": mechanism.irreversible_verbs,
            "drives": {drive.name: drive.source for drive in mechanism.drives},
            "reservoirs": [vars(reservoir) for reservoir in simulation.table.reservoirs],
            "source": mechanism.source,
            "levels": asdict(mechanism.division) if mechanism.division else None,
            "rows_on_the_way": [name_of(law) for law in simulation.table.on_the_way],
            "table_fingerprint": simulation.table.fingerprint(),
            "files_sha256": {Path(f).name: hashlib.sha256(Path(f).read_bytes()).hexdigest() for f in files},
        },
        "protocol": {
            "edges_s": protocol.edges,
            "temperatures_K": protocol.temperatures,
            "duration_s": protocol.duration if math.isfinite(protocol.duration) else None,
            "reference_barrier_eV": protocol.reference_barrier,
            "reference_attempt_per_s": protocol.reference_attempt,
        },
        "seed": simulation.seed,
        "philox_key": list(simulation.key),
        "scheduler": simulation.scheduler,
        "plan": plan.about() if plan else None,
        "event_log": eventlog.about(simulation.table) if plan and plan.events else None,
        "engine_version": ENGINE_VERSION,
        "versions": versions(),
        "platform": platform.platform(),
    }


def versions() -> dict[str, str]:
    """Of Python and of the packages on which numbers depend."""
    packages = {name: importlib.metadata.version(name) for name in ("ucnp-abm", "numpy", "numba", "mesa", "pluggy")}
    return {"python": platform.python_version(), **packages}


def crystal_sha256(particle: Particle) -> str:
    """SHA-256 of the sites of a particle and of what sits on them: what its recipe must give again."""
    crystal = particle.crystal
    parts = (crystal.sites, crystal.place, particle.occupants)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
