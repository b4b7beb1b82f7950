"""A run in one file (.npz, no pickle): what is loaded goes on bit for bit as the saved run would have."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.particle import Particle, describe, recipe_from
from ucnp_abm.crystal.state import State
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import ENGINE_VERSION, Simulation
from ucnp_abm.errors import BadInput, DamagedData
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.runs import disk
from ucnp_abm.runs.saved import FORMAT, SCHEMA, Arrays, PathLike, read


def content(simulation: Simulation, journal: Mapping[str, Any] | None = None, *, compressed: bool = True) -> bytes:
    """A whole file with the run in it: the same run, the same bytes.

    Parameters
    ----------
    simulation : Simulation
    journal : mapping or None
        How far the files of the run directory have been written.
    compressed : bool
        Otherwise it is several times larger, and written far faster.
    """
    about = _about(simulation) | ({"journal": journal} if journal else {})
    text = json.dumps(about, ensure_ascii=False, allow_nan=False)
    arrays = {f"state.{f.name}": getattr(simulation.state, f.name) for f in fields(State)}
    return disk.npz(
        compressed=compressed,
        about=np.frombuffer(text.encode(), dtype=np.uint8),
        occupants=simulation.particle.occupants,
        **arrays,
    )


def save(simulation: Simulation, path: PathLike) -> None:
    """Write the run into one file, which is there completely or not at all.

    Raises
    ------
    BadInput
        If it cannot be written.
    """
    try:
        disk.put(Path(path), content(simulation))
    except OSError as error:
        raise BadInput(f"save: cannot write '{path}' ({error.strerror})") from error


def load(
    path: PathLike, mechanism: Mechanism | None = None, resolve: Callable[[str], Mechanism] | None = None
) -> Simulation:
    """The simulation of a file that `save` wrote, to be continued.

    Parameters
    ----------
    path : path
    mechanism : Mechanism or None
        The mechanism of the run, if it is not installed; it gets the saved parameter values.
    resolve : callable or None
        Finds an installed mechanism by name (`ucnp_abm.mechanism`).

    Raises
    ------
    BadInput
        If there is no such file, or it belongs to another program, version, mechanism or parameters.
    DamagedData
        If it is broken.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise BadInput(f"load: expected a path, got {path!r}")
    saved = read(path)
    about = saved.about
    simulation = Simulation(
        _particle(saved.arrays, about, path),
        _mechanism(about, mechanism, resolve, path),
        _protocol(about["protocol"]),
        seed=about["seed"],
        scheduler=about["scheduler"],
        present=about["present"],
    )
    saved.onto(simulation)
    if about["branched"]:
        simulation.begin_here()
    return simulation


def geometry(crystal: Crystal) -> str:
    """SHA-256 of which grid points are sites and of what kind."""
    return hashlib.sha256(crystal.sites.tobytes() + crystal.place.tobytes()).hexdigest()


def _about(simulation: Simulation) -> dict[str, Any]:
    """Everything but the arrays, as plain data."""
    particle, protocol = simulation.particle, simulation.protocol
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "engine_version": ENGINE_VERSION,
        "particle": describe(particle),
        "immobile": particle.immobile,
        "geometry": geometry(particle.crystal),
        "mechanism": {"name": simulation.mechanism.name, "parameters": simulation.mechanism.all_values()},
        "table_fingerprint": simulation.table.fingerprint(),
        "protocol": {f.name: _finite(getattr(protocol, f.name)) for f in fields(protocol)},
        "seed": simulation.seed,
        "scheduler": simulation.scheduler,
        "present": simulation.present,
        "branched": simulation.timeline.begin is not None,
        "digest": simulation.digest(),
    }


def _finite(value: Any) -> Any:
    """JSON knows no infinity: None stands for it."""
    return None if value == math.inf else value


def _protocol(saved: dict[str, Any]) -> Protocol:
    values: dict[str, Any] = {}
    for name, value in saved.items():
        values[name] = math.inf if value is None else tuple(value) if isinstance(value, list) else value
    return Protocol(**values)


def _particle(arrays: Arrays, about: Mapping[str, Any], path: PathLike) -> Particle:
    particle = recipe_from(about["particle"]).build(about["particle"]["seed"])
    occupants = arrays["occupants"]
    if geometry(particle.crystal) != about["geometry"]:
        raise BadInput(f"load: '{path}' holds a crystal that this version of ucnp_abm would build otherwise")
    if occupants.dtype != particle.occupants.dtype or occupants.shape != particle.occupants.shape:
        raise DamagedData(f"load: '{path}' is damaged: 'occupants' has {occupants.shape} {occupants.dtype}")
    return replace(particle, occupants=occupants, immobile=tuple(about["immobile"]))


def _mechanism(
    about: Mapping[str, Any],
    given: Mechanism | None,
    resolve: Callable[[str], Mechanism] | None,
    path: PathLike,
) -> Mechanism:
    name, values = about["mechanism"]["name"], about["mechanism"]["parameters"]
    found = given
    if found is None:
        try:
            found = resolve(name) if resolve else None
        except (BadInput, ImportError) as error:
            raise BadInput(f"load: '{path}' needs a mechanism: {error}; or pass it as mechanism=") from error
    if found is None:
        raise BadInput(f"load: '{path}' needs the mechanism '{name}'; pass it as mechanism=")
    return found.with_parameters(**values)
