"""A run in one file (.npz, no pickle): what is loaded goes on bit for bit as the saved run would have."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.particle import Particle, describe, recipe_from
from ucnp_abm.crystal.state import State
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import ENGINE_VERSION, Simulation
from ucnp_abm.errors import BadInput, DamagedData
from ucnp_abm.rules.mechanism import Mechanism

SCHEMA = 1
"""Version of the file; raised when its content changes."""

FORMAT = "ucnp_abm checkpoint"
_ROOM = ("vacancies", "came_from", "exposed_rank", "exposed_vacancies")  # arrays whose length grows while it runs
_ABOUT = (
    *("particle", "immobile", "geometry", "mechanism", "table_fingerprint"),
    *("protocol", "seed", "scheduler", "digest"),
)
Arrays = dict[str, NDArray[Any]]
PathLike = str | os.PathLike[str]


def save(simulation: Simulation, path: PathLike) -> None:
    """Write the run into one file, which is there completely or not at all.

    Raises
    ------
    BadInput
        If it cannot be written.
    """
    path = Path(path)
    text = json.dumps(_about(simulation), ensure_ascii=False, allow_nan=False)
    arrays = {f"state.{f.name}": getattr(simulation.state, f.name) for f in fields(State)}
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(
                file,
                about=np.frombuffer(text.encode(), dtype=np.uint8),
                occupants=simulation.particle.occupants,
                **arrays,
            )
        os.replace(partial, path)
    except OSError as error:
        raise BadInput(f"save: cannot write '{path}' ({error.strerror})") from error
    finally:
        partial.unlink(missing_ok=True)


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
    arrays = _read(Path(path))
    about = _checked(arrays, path)
    particle = _particle(arrays, about, path)
    found = _mechanism(about, mechanism, resolve, path)
    simulation = Simulation(
        particle, found, _protocol(about["protocol"]), seed=about["seed"], scheduler=about["scheduler"]
    )
    if simulation.table.fingerprint() != about["table_fingerprint"]:
        raise BadInput(
            f"load: '{path}' was run with other rates than '{found.name}' gives now: the plugin or a parameter has "
            "changed; install the mechanism as it was, or pass it as mechanism="
        )
    simulation.restore(_state(arrays, simulation.state, about["digest"], path))
    return simulation


def _about(simulation: Simulation) -> dict[str, Any]:
    """Everything but the arrays, as plain data."""
    particle, protocol = simulation.particle, simulation.protocol
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "engine_version": ENGINE_VERSION,
        "particle": describe(particle),
        "immobile": particle.immobile,
        "geometry": _geometry(particle.crystal),
        "mechanism": {"name": simulation.mechanism.name, "parameters": simulation.mechanism.all_values()},
        "table_fingerprint": simulation.table.fingerprint(),
        "protocol": {f.name: _finite(getattr(protocol, f.name)) for f in fields(protocol)},
        "seed": simulation.seed,
        "scheduler": simulation.scheduler,
        "digest": simulation.digest(),
    }


def _geometry(crystal: Crystal) -> str:
    """SHA-256 of which grid points are sites and of what kind."""
    return hashlib.sha256(crystal.sites.tobytes() + crystal.place.tobytes()).hexdigest()


def _finite(value: Any) -> Any:
    """JSON knows no infinity: None stands for it."""
    return None if value == math.inf else value


def _protocol(saved: dict[str, Any]) -> Protocol:
    values: dict[str, Any] = {}
    for name, value in saved.items():
        values[name] = math.inf if value is None else tuple(value) if isinstance(value, list) else value
    return Protocol(**values)


def _read(path: Path) -> Arrays:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"load: cannot read '{path}' ({error.strerror})") from error
    if not content.startswith(b"PK"):
        raise BadInput(f"load: '{path}' is no file that Model.save wrote")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            members = {name: archive[name] for name in archive.files}
    except Exception as error:  # whatever zip, zlib and numpy say of broken bytes
        raise DamagedData(f"load: '{path}' is damaged ({type(error).__name__})") from error
    return {name: member for name, member in members.items() if isinstance(member, np.ndarray)}


def _checked(arrays: Arrays, path: PathLike) -> dict[str, Any]:
    """What the file says of itself, if this version can go on from it."""
    if "about" not in arrays:
        raise BadInput(f"load: '{path}' is no file that Model.save wrote")
    try:
        about = json.loads(arrays["about"].tobytes())
        ours = about["format"] == FORMAT
        schema, engine = int(about["schema"]), about["engine_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedData(f"load: '{path}' is damaged: it does not say what it holds") from error
    if not ours:
        raise BadInput(f"load: '{path}' is no file that Model.save wrote")
    if schema > SCHEMA:
        raise BadInput(f"load: '{path}' has schema {schema}, this version reads up to {SCHEMA}; use a newer ucnp_abm")
    if engine != ENGINE_VERSION:
        raise BadInput(
            f"load: '{path}' was run by engine version {engine}; this is {ENGINE_VERSION}, in which the run would "
            "go on otherwise. Use the version of ucnp_abm that wrote it"
        )
    missing = [name for name in _ABOUT if name not in about]
    missing += [name for name in ("occupants", *(f"state.{f.name}" for f in fields(State))) if name not in arrays]
    if missing:
        raise DamagedData(f"load: '{path}' is damaged: '{missing[0]}' is missing")
    checked: dict[str, Any] = about
    return checked


def _particle(arrays: Arrays, about: dict[str, Any], path: PathLike) -> Particle:
    particle = recipe_from(about["particle"]).build(about["particle"]["seed"])
    occupants = arrays["occupants"]
    if _geometry(particle.crystal) != about["geometry"]:
        raise BadInput(f"load: '{path}' holds a crystal that this version of ucnp_abm would build otherwise")
    if occupants.dtype != particle.occupants.dtype or occupants.shape != particle.occupants.shape:
        raise DamagedData(f"load: '{path}' is damaged: 'occupants' has {occupants.shape} {occupants.dtype}")
    return replace(particle, occupants=occupants, immobile=tuple(about["immobile"]))


def _mechanism(
    about: dict[str, Any],
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


def _state(arrays: Arrays, fresh: State, digest: str, path: PathLike) -> State:
    """The saved arrays, if they are of the kind that the loop expects and hash to what was saved."""
    state = State(**{f.name: np.ascontiguousarray(arrays[f"state.{f.name}"]) for f in fields(State)})
    room = (state.vacancies.size,)
    for field in fields(State):
        saved, expected = getattr(state, field.name), getattr(fresh, field.name)
        shape = room if field.name in _ROOM else expected.shape
        if saved.dtype != expected.dtype or saved.shape != shape:
            raise DamagedData(
                f"load: '{path}' is damaged: '{field.name}' has {saved.shape} {saved.dtype}, "
                f"expected {shape} {expected.dtype}"
            )
    if state.digest() != digest:
        raise DamagedData(f"load: '{path}' is damaged: its arrays are not those that were saved")
    return state
