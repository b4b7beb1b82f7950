"""A checkpoint that is read: checked bytes, of this version, before anything is built from them."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.state import State
from ucnp_abm.engine.simulation import ENGINE_VERSION, Simulation
from ucnp_abm.errors import BadInput, DamagedData

SCHEMA = 2
"""Version of the file; raised when its content changes."""

FORMAT = "ucnp_abm checkpoint"
_ROOM = ("vacancies", "came_from", "exposed_rank", "exposed_vacancies")  # arrays whose length grows while it runs
_ABOUT = (
    *("particle", "immobile", "geometry", "mechanism", "table_fingerprint"),
    *("protocol", "seed", "scheduler", "present", "branched", "digest"),
)
Arrays = dict[str, NDArray[Any]]
PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Saved:
    """A checkpoint that was read, of this version's schema and engine.

    Attributes
    ----------
    path : path
    about : mapping
        Everything but the arrays, as plain data.
    arrays : dict
    """

    path: PathLike
    about: Mapping[str, Any]
    arrays: Arrays

    @property
    def journal(self) -> Mapping[str, Any]:
        """How far the files of the run directory had been written; empty if it belongs to none."""
        found: Mapping[str, Any] = self.about.get("journal") or {}
        return found

    @property
    def events(self) -> int:
        """Events so far."""
        return self._state().events

    @property
    def candidates(self) -> int:
        """Candidates so far, null ones included."""
        return self._state().candidates

    def onto(self, simulation: Simulation) -> None:
        """Let a simulation of the same crystal, mechanism, protocol and seed go on from here.

        Raises
        ------
        BadInput
            If its rates are others.
        DamagedData
            If the arrays are not of the kind that the loop expects, or do not hash to what was saved.
        """
        if simulation.table.fingerprint() != self.about["table_fingerprint"]:
            raise other_rates("load", self.path, simulation.mechanism.name)
        state, fresh = self._state(), simulation.state
        room = (state.vacancies.size,)
        for field in fields(State):
            saved, expected = getattr(state, field.name), getattr(fresh, field.name)
            shape = room if field.name in _ROOM else expected.shape
            if saved.dtype != expected.dtype or saved.shape != shape:
                raise DamagedData(
                    f"load: '{self.path}' is damaged: '{field.name}' has {saved.shape} {saved.dtype}, "
                    f"expected {shape} {expected.dtype}"
                )
        self.check_digest()
        simulation.restore(state)

    def check_digest(self) -> None:
        """Whether the arrays hash to what was saved.

        Raises
        ------
        DamagedData
            If they do not.
        """
        if self._state().digest() != self.about["digest"]:
            raise DamagedData(f"load: '{self.path}' is damaged: its arrays are not those that were saved")

    def _state(self) -> State:
        return State(**{f.name: np.ascontiguousarray(self.arrays[f"state.{f.name}"]) for f in fields(State)})


def read(path: PathLike, *, ours: bool = False) -> Saved:
    """The content of a file that `save` or a run wrote.

    Parameters
    ----------
    path : path
    ours : bool
        A run is known to have written it: what belongs to no program of ours is then damage.

    Raises
    ------
    BadInput
        If there is no such file, or it belongs to another program or version.
    DamagedData
        If it is broken.
    """
    try:
        arrays = _read(Path(path))
        _ours(arrays, path)
    except BadInput as error:
        if not ours:
            raise
        raise DamagedData(f"load: '{path}' is damaged: it is no file that a run wrote") from error
    return Saved(path, _checked(arrays, path), arrays)


def other_rates(what: str, path: PathLike, name: str) -> BadInput:
    """The refusal of a run whose mechanism has changed since."""
    return BadInput(
        f"{what}: '{path}' was run with other rates than '{name}' gives now: the plugin or a parameter has "
        "changed; install the mechanism as it was, or pass it as mechanism="
    )


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


def _ours(arrays: Arrays, path: PathLike) -> None:
    """Whether the file says that it is of ours."""
    if "about" not in arrays:
        raise BadInput(f"load: '{path}' is no file that Model.save wrote")
    try:
        ours = json.loads(arrays["about"].tobytes())["format"] == FORMAT
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedData(f"load: '{path}' is damaged: it does not say what it holds") from error
    if not ours:
        raise BadInput(f"load: '{path}' is no file that Model.save wrote")


def _checked(arrays: Arrays, path: PathLike) -> dict[str, Any]:
    """What the file says of itself, if this version can go on from it."""
    try:
        about = json.loads(arrays["about"].tobytes())
        schema, engine = int(about["schema"]), about["engine_version"]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise DamagedData(f"load: '{path}' is damaged: it does not say what it holds") from error
    if schema != SCHEMA:
        other = "a newer" if schema > SCHEMA else "an older"
        raise BadInput(f"load: '{path}' has schema {schema}, this version reads {SCHEMA}; use {other} ucnp_abm")
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
