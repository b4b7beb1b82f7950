"""A study directory: one file for each finished cell, failures with their tracebacks, and what was asked for.

`cells/<identity>.npz` are written beside their place and moved there. Several processes, also of several machines, may
write into one directory: two that finish the same cell write the same bytes.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ucnp_abm.engine.simulation import ENGINE_VERSION
from ucnp_abm.errors import BadInput, DamagedData, shown
from ucnp_abm.runs import disk
from ucnp_abm.runs.journal import json_bytes
from ucnp_abm.runs.provenance import versions
from ucnp_abm.study.cells import CellResult
from ucnp_abm.study.grid import Study
from ucnp_abm.study.record import unpack

STUDY, CELLS, FAILURES, LOG, LOCK = "study.json", "cells", "failures", "log", "lock"
PREVIOUS = "study.previous.json"
SCHEMA = 1
"""Version of study.json."""
DAMAGED = ".damaged"
"""Suffix of a cell's file that is not as it was written; it is kept beside the new one."""
_TOLD = 6


@dataclass
class StudyDirectory:
    """What a study has on disk.

    Attributes
    ----------
    path : Path
    shard : str
        Name of the part of an array job, such as '2of8'; it has a log and a lock of its own.
    notes : list of str
        What a reader must know of the files: changed designs, damaged cells.
    about : dict
        What study.json is to say.
    """

    path: Path
    shard: str = ""
    notes: list[str] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def begin(cls, path: Path, study: Study, shard: str = "") -> StudyDirectory:
        """A new directory, or one that goes on, for this study; what it holds changes only while it is `held`.

        Raises
        ------
        BadInput
            If there is something else, another version wrote it, or it cannot be written.
        DamagedData
            If its study.json cannot be read.
        """
        try:
            if (path / STUDY).exists():
                read_about(path)
            elif path.exists() and not _ours(path):
                raise BadInput(f"output: '{path}' exists already and is no study; give another --out or remove it")
            (path / CELLS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"output: cannot write '{path}' ({error.strerror})") from error
        return cls(path, shard, about=about_of(study))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the directory against a second process that would run the same, and write what is asked for.

        Raises
        ------
        BadInput
            If another process holds it, or it cannot be written.
        DamagedData
            If its study.json cannot be read.
        """
        with disk.locked(self.path / "-".join(filter(None, (LOCK, self.shard))), "study"):
            before = read_about(self.path) if (self.path / STUDY).exists() else None
            self.notes += _changes(before, self.about) if before else []
            try:
                self._sweep()
                if before is None or _design(before) != _design(self.about):
                    if before is not None:  # a copy: parts of an array job that begin now must find the old or the new
                        disk.put(self.path / PREVIOUS, (self.path / STUDY).read_bytes())
                    disk.put(self.path / STUDY, json_bytes(self.about))
            except OSError as error:
                raise BadInput(f"output: cannot write '{self.path}' ({error.strerror})") from error
            yield

    def _sweep(self) -> None:
        """Remove what a process that was killed was writing, unless parts of an array job may be at it."""
        if not self.shard and not any(self.path.glob(f"{LOCK}-*")):
            for file in (*self.path.glob(f".*{disk.PARTIAL}"), *(self.path / CELLS).glob(f".*{disk.PARTIAL}")):
                shutil.rmtree(file) if file.is_dir() else file.unlink()

    def found(self) -> set[str]:
        """Identities of the cells that have a file."""
        folder = self.path / CELLS
        return {file.stem for file in folder.iterdir() if file.suffix == ".npz"} if folder.is_dir() else set()

    def read(self, identity: str) -> CellResult | None:
        """The result of a cell; None if there is none, or it is damaged, which is noted."""
        file = self._file(identity)
        try:
            return unpack(file.read_bytes(), identity)
        except FileNotFoundError:
            return None
        except DamagedData as error:
            self.notes.append(f"{CELLS}/{file.name} was changed or damaged since it was written: {error}")
            return None

    def put(self, identity: str, content: bytes) -> None:
        """Write the result of a cell; one that is damaged is kept beside it."""
        file = self._file(identity)
        there = file.read_bytes() if file.exists() else content
        if there != content:  # the same bytes come from another process that ran the same cell
            disk.put(file.with_name(file.name + DAMAGED), there, flush=False)
        disk.put(file, content, flush=False)
        (self.path / FAILURES / f"{identity}.txt").unlink(missing_ok=True)

    def fail(self, identity: str, text: str) -> Path:
        """Keep the traceback of a cell that failed; gives its file."""
        (self.path / FAILURES).mkdir(exist_ok=True)
        file = self.path / FAILURES / f"{identity}.txt"
        disk.put(file, text.encode(errors="backslashreplace"), flush=False)
        return file

    def log(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Append what may differ from run to run: how long cells took, and where."""
        with (self.path / f"{'-'.join(filter(None, (LOG, self.shard)))}.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)

    def seconds(self) -> dict[str, float]:
        """Wall time / s of each cell that a log tells of; lines that are broken are passed over."""
        found: dict[str, float] = {}
        for file in sorted(self.path.glob(f"{LOG}*.jsonl")):
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    said = json.loads(line)
                    found[str(said["cell"])] = float(said["seconds"])
                except (ValueError, KeyError, TypeError):
                    continue
        return found

    def failures(self) -> dict[str, Path]:
        """Files of tracebacks by identity."""
        folder = self.path / FAILURES
        return {file.stem: file for file in sorted(folder.glob("*.txt"))} if folder.is_dir() else {}

    def _file(self, identity: str) -> Path:
        return self.path / CELLS / f"{identity}.npz"


def reason(file: Path) -> str:
    """Why a cell failed: the last line of its traceback."""
    lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "no reason was kept"


def about_of(study: Study) -> dict[str, Any]:
    """A study as study.json holds it."""
    return {
        "schema": SCHEMA,
        "name": study.name,
        "study": study.source,
        "command": study.command,
        "cells": study.n_cells,
        "tables": {f"{p.name}|{label}": sha for p in study.points for label, sha in p.design.fingerprints.items()},
        "engine_version": ENGINE_VERSION,
        "versions": versions(),
        "platform": platform.platform(),
    }


def read_about(path: Path) -> dict[str, Any]:
    """What study.json says.

    Raises
    ------
    BadInput
        If there is no study, or another version wrote it.
    DamagedData
        If it cannot be read.
    """
    source = path / STUDY
    try:
        about: dict[str, Any] = json.loads(source.read_bytes())
        if about["schema"] != SCHEMA:
            found = f"schema {shown(about['schema'])}, this version reads {SCHEMA}"
            raise BadInput(f"study: '{source}' has {found}; use another ucnp_abm")
        kinds = {"study": dict, "tables": dict, "command": str, "engine_version": int}
        for name in (name for name, kind in kinds.items() if not isinstance(about[name], kind)):
            raise TypeError(name)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadInput(f"study: '{path}' is no study directory: it holds no {STUDY}") from error
    except OSError as error:
        raise BadInput(f"study: cannot read '{source}' ({error.strerror})") from error
    except BadInput:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedData(
            f"study: '{source}' is damaged ({type(error).__name__}); remove it and compare again, the runs are kept"
        ) from error
    return about


def _ours(path: Path) -> bool:
    """Whether something without study.json is an empty directory, or one whose study.json is gone or still to come."""
    if not path.is_dir() or not (path / CELLS).is_dir():
        return path.is_dir() and not any(path.iterdir())
    return all(file.suffix in (".npz", DAMAGED, disk.PARTIAL) for file in (path / CELLS).iterdir())


def _design(about: Mapping[str, Any]) -> Any:
    """What decides the cells, as JSON has it."""
    return json.loads(json_bytes({name: about[name] for name in ("study", "tables", "engine_version")}))


def _changes(before: Mapping[str, Any], about: Mapping[str, Any]) -> list[str]:
    """What changed since the directory was written last, in sentences."""
    found = []
    if before["engine_version"] != about["engine_version"]:
        old, new = before["engine_version"], about["engine_version"]
        found.append(f"the engine's version is {new} and was {old}: its trajectories changed, so every cell runs again")
    old, new = _flat(before["study"]), _flat(json.loads(json_bytes(about["study"])))
    changed = [
        f"{key}: {old.get(key, 'unset')} -> {new.get(key, 'unset')}"
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    ]
    if changed:
        more = [f"and {len(changed) - _TOLD} more"] if len(changed) > _TOLD else []
        found.append(f"the design changed since: {'; '.join([*changed[:_TOLD], *more])}")
    tables = {key for key, sha in before["tables"].items() if about["tables"].get(key, sha) != sha}
    if tables and not changed:
        names = sorted({key.rpartition("|")[2] for key in tables})
        found.append(f"the rates of {', '.join(names)} changed since, so those cells run again")
    return found


def _flat(table: Any, where: str = "") -> dict[str, str]:
    if isinstance(table, dict):
        return {
            k: v for key, inner in table.items() for k, v in _flat(inner, f"{where}.{key}" if where else key).items()
        }
    return {where: json.dumps(table, ensure_ascii=False)}
