"""Where a result comes from: versions, platform, mechanism, seed."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import platform
from pathlib import Path
from typing import Any

from ucnp_abm.crystal.particle import describe
from ucnp_abm.engine.simulation import ENGINE_VERSION, Simulation

SCHEMA = 2
"""Version of run.json."""


def provenance(
    simulation: Simulation, config: dict[str, Any] | None = None, resolved: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What run.json holds.

    Parameters
    ----------
    simulation : Simulation
    config, resolved : dict or None
        The configuration as given, and with all defaults.
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
        "mechanism": {
            "name": mechanism.name,
            "parameters": mechanism.all_values(),
            "irreversible": mechanism.irreversible_verbs,
            "drives": {drive.name: drive.source for drive in mechanism.drives},
            "reservoirs": [vars(reservoir) for reservoir in simulation.table.reservoirs],
            "source": mechanism.source,
            "table_fingerprint": simulation.table.fingerprint(),
            "files_sha256": {Path(f).name: hashlib.sha256(Path(f).read_bytes()).hexdigest() for f in files},
        },
        "protocol": {
            "edges_s": protocol.edges,
            "temperatures_K": protocol.temperatures,
            "reference_barrier_eV": protocol.reference_barrier,
            "reference_attempt_per_s": protocol.reference_attempt,
        },
        "seed": simulation.seed,
        "philox_key": list(simulation.key),
        "scheduler": simulation.scheduler,
        "engine_version": ENGINE_VERSION,
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("ucnp-abm", "numpy", "numba", "mesa", "pluggy")},
        },
        "platform": platform.platform(),
    }
