"""A run directory that is read: what it holds, how far it has come, and the simulation it began with."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ucnp_abm.crystal.particle import Particle, recipe_from
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import ENGINE_VERSION, Simulation
from ucnp_abm.errors import BadInput, DamagedData, UcnpError
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.runs import disk, eventlog, provenance, saved
from ucnp_abm.runs.plan import Plan

RUN, ROWS, SNAPSHOTS, SITES = "run.json", "observables.csv", "snapshots", "snapshots/sites.npz"
FINAL, LOG, DONE, LOCK = "final.npz", "log.json", "done.json", "lock"
CHECKPOINT, PREVIOUS = "checkpoint.npz", "checkpoint.previous.npz"

GROWING = (ROWS, eventlog.NAME)
"""Files that are appended to; all others are written at once."""
_BROKEN = (ValueError, KeyError, TypeError, OverflowError, RecursionError)
"""What plain data raise that are not as we wrote them."""

Resolve = Callable[[str], Mechanism]


def snapshot_name(number: int) -> str:
    """The file of the snapshot with this number, in order from 0."""
    return f"{SNAPSHOTS}/{number:04d}.npz"


def is_snapshot(name: str) -> bool:
    """Whether a file is that of a snapshot."""
    return name.startswith(f"{SNAPSHOTS}/") and name != SITES


@dataclass(frozen=True)
class RunDirectory:
    """A run directory, finished or not.

    Attributes
    ----------
    path : Path
    about : mapping
        What run.json says.
    sha256 : str
        Of run.json.
    """

    path: Path
    about: Mapping[str, Any]
    sha256: str

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """A run directory of this version's schema.

        Raises
        ------
        BadInput
            If there is no directory, or another version wrote it.
        DamagedData
            If it says not what was run.
        """
        if not path.is_dir():
            raise BadInput(f"run directory: '{path}' is no directory")
        source = path / RUN
        try:
            content = source.read_bytes()
            about = json.loads(content)
            schema = about["schema"]
            newer = schema > provenance.SCHEMA
        except FileNotFoundError as error:
            raise DamagedData(f"run directory: '{path}' holds no {RUN}: nothing says what was run") from error
        except OSError as error:
            raise BadInput(f"run directory: cannot read '{source}' ({error.strerror})") from error
        except _BROKEN as error:
            raise DamagedData(f"run directory: '{source}' is damaged ({type(error).__name__})") from error
        if schema != provenance.SCHEMA:
            raise BadInput(
                f"run directory: '{source}' has schema {schema}, this version reads {provenance.SCHEMA}; "
                f"use {'a newer' if newer else 'an older'} ucnp_abm"
            )
        return cls(path, about, hashlib.sha256(content).hexdigest())

    @property
    def plan(self) -> Plan:
        """What it records and when.

        Raises
        ------
        DamagedData
            If run.json does not say so.
        """
        try:
            return Plan.read(self.about["plan"])
        except _BROKEN as error:
            raise self._damaged(error) from error

    @property
    def particle(self) -> Particle:
        """The particle at the start, grown again.

        Raises
        ------
        BadInput
            If this version grows another one from its recipe.
        DamagedData
            If run.json does not say how it was grown.
        """
        try:
            described, expected = self.about["particle"], self.about["crystal_sha256"]
            grown = recipe_from(described).build(described["seed"])
        except UcnpError:
            raise
        except (*_BROKEN, AttributeError) as error:
            raise self._damaged(error) from error
        if provenance.crystal_sha256(grown) != expected:
            raise BadInput(
                f"run directory: '{self.path}' began with another crystal than its recipe gives now: it was changed by "
                "hand, or another version of ucnp_abm or numpy grew it"
            )
        return grown

    def simulation(self, resolve: Resolve) -> Simulation:
        """The simulation at time zero.

        Parameters
        ----------
        resolve : callable
            Finds an installed mechanism by name (`ucnp_abm.mechanism`).

        Raises
        ------
        BadInput
            If another engine ran it, or its mechanism is not installed or has changed.
        DamagedData
            If run.json does not say what was run.
        """
        try:
            engine, ran = self.about["engine_version"], self.about["mechanism"]
            if engine != ENGINE_VERSION:
                raise BadInput(
                    f"run directory: '{self.path}' was run by engine version {engine}; this is {ENGINE_VERSION}, in "
                    "which the run would go otherwise. Use the version of ucnp_abm that wrote it"
                )
            try:
                mechanism = resolve(ran["name"]).with_parameters(**ran["parameters"])
            except (BadInput, ImportError) as error:
                raise BadInput(f"run directory: '{self.path}' needs a mechanism: {error}") from error
            simulation = Simulation(
                self.particle,
                mechanism,
                _protocol(self.about["protocol"]),
                seed=self.about["seed"],
                scheduler=self.about["scheduler"],
            )
            expected, key = ran["table_fingerprint"], tuple(self.about["philox_key"])
        except UcnpError:
            raise
        except (*_BROKEN, AttributeError) as error:
            raise self._damaged(error) from error
        if simulation.table.fingerprint() != expected:
            raise saved.other_rates("run directory", self.path, mechanism.name)
        if simulation.key != key:
            raise DamagedData(
                f"run directory: '{self.path / RUN}' was changed: seed and philox_key do not belong together"
            )
        return simulation

    @property
    def done(self) -> Mapping[str, Any] | None:
        """What done.json says; None while the run is not finished.

        Raises
        ------
        DamagedData
            If it cannot be read.
        """
        source = self.path / DONE
        if not source.exists():
            return None
        try:
            said = json.loads(source.read_bytes())
            sums = dict(said["sha256"])
            missing = {RUN, ROWS, FINAL} - sums.keys()  # every run has them
            whole = {"digest": str(said["digest"]), "events": int(said["events"]), "sha256": sums}
        except (*_BROKEN, OSError) as error:
            raise DamagedData(f"run directory: '{source}' is damaged ({type(error).__name__})") from error
        if missing:
            raise DamagedData(f"run directory: '{source}' is damaged: it does not count {min(missing)}")
        return whole

    def checkpoint(self) -> tuple[saved.Saved | None, str]:
        """The latest checkpoint that is whole, None if there is none, and one sentence if one before it is damaged.

        Raises
        ------
        BadInput
            If another version wrote it.
        DamagedData
            If every checkpoint is damaged, or run.json has changed since.
        """
        damage: list[DamagedData] = []
        for name in (CHECKPOINT, PREVIOUS):
            if not (self.path / name).exists():
                continue
            try:
                found = saved.read(self.path / name, ours=True)
                found.check_digest()
                begun = found.journal["files"][RUN][1]
            except DamagedData as error:
                damage.append(error)
                continue
            except (KeyError, TypeError, IndexError) as error:
                raise DamagedData(f"run directory: '{self.path / name}' belongs to no run directory") from error
            if begun != self.sha256:
                raise DamagedData(f"run directory: '{self.path / RUN}' was changed after the run had begun")
            return found, f"{damage[0]}; going on from {name}" if damage else ""
        if damage:
            raise DamagedData(f"{damage[0]}, and there is no other checkpoint; remove it to run from the beginning")
        return None, ""

    def counted(self) -> dict[str, tuple[int | None, str]]:
        """Bytes (None: all) and SHA-256 of each file, as done.json or the last checkpoint knows them; empty before it.

        Raises
        ------
        BadInput, DamagedData
            As for `done` and `checkpoint`.
        """
        if (done := self.done) is not None:
            return {str(name): (None, str(sha)) for name, sha in done["sha256"].items()}
        last, _ = self.checkpoint()
        files = last.journal["files"] if last else {}
        return {name: (length if name in GROWING else None, sha) for name, (length, sha) in files.items()}

    def trust(self, wanted: Callable[[str], bool]) -> None:
        """Make sure that files are as they were written, before something is made of them.

        Parameters
        ----------
        wanted : callable
            Which of the files that have been counted to look at; run.json always is.

        Raises
        ------
        DamagedData
            With the first that is missing or damaged.
        """
        files = self.counted()
        if files and files.get(RUN, (None, ""))[1] != self.sha256:
            raise DamagedData(f"run directory: '{self.path / RUN}' was changed after the run had begun")
        for name in filter(wanted, files):
            length, expected = files[name]
            sha = disk.sha256(self.path / name, length)
            if sha is None or sha.hexdigest() != expected:
                what = "is damaged" if (self.path / name).exists() else "is missing"
                raise DamagedData(f"run directory: '{self.path / name}' {what}: it is not as it was written")

    def _damaged(self, error: Exception) -> DamagedData:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        return DamagedData(f"run directory: '{self.path / RUN}' is damaged: {what}")


def _protocol(about: Mapping[str, Any]) -> Protocol:
    duration = about["duration_s"]
    return Protocol(
        tuple(about["edges_s"]),
        tuple(about["temperatures_K"]),
        math.inf if duration is None else duration,
        about["reference_barrier_eV"],
        about["reference_attempt_per_s"],
    )
