"""A finished cell as bytes: checked by a sum of its own, without time or place, so that all machines write the same."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import numpy as np

from ucnp_abm.errors import DamagedData
from ucnp_abm.runs import disk
from ucnp_abm.study.cells import CellResult

SCHEMA = 1
"""Version of the content."""


def pack(identity: str, result: CellResult) -> bytes:
    """A result as the bytes of an npz file.

    Parameters
    ----------
    identity : str
        Of its cell.
    result : CellResult
    """
    arrays: dict[str, Any] = {f"snapshot_{number}": held for number, held in enumerate(result.snapshots.values())}
    about: dict[str, Any] = {
        "schema": SCHEMA,
        "identity": identity,
        "seed": result.seed,
        "columns": result.columns,
        "snapshots": list(result.snapshots),
        "digest": result.digest,
        "table_fingerprint": result.fingerprint,
        "mixed_pct": result.mixed_pct,
    }
    arrays["values"] = result.values
    about["sha256"] = _sum(about, arrays)
    return disk.npz(about=np.frombuffer(_json(about), dtype=np.uint8), **arrays)


def unpack(content: bytes, identity: str) -> CellResult:
    """The result that was packed.

    Raises
    ------
    DamagedData
        If the bytes were changed, or belong to another cell.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays.pop("about").tobytes())
        said = about.pop("sha256")
        if said != _sum(about, arrays):
            raise DamagedData("its content is not what was written")
        if about["identity"] != identity or about["schema"] != SCHEMA:
            raise DamagedData("it is the result of another cell")
        return CellResult(
            seed=about["seed"],
            columns=tuple(about["columns"]),
            values=arrays["values"],
            snapshots={step: arrays[f"snapshot_{number}"] for number, step in enumerate(about["snapshots"])},
            digest=about["digest"],
            fingerprint=about["table_fingerprint"],
            mixed_pct=about["mixed_pct"],
        )
    except DamagedData:
        raise
    except Exception as error:  # zip, zlib, numpy and json raise a dozen kinds, each for other bytes
        raise DamagedData(f"it cannot be read ({type(error).__name__})") from error


def _sum(about: dict[str, Any], arrays: dict[str, Any]) -> str:
    sha = hashlib.sha256(_json(about))
    for name in sorted(arrays):
        held = np.ascontiguousarray(arrays[name])
        sha.update(f"{name} {held.dtype.str} {held.shape}".encode())
        sha.update(held.tobytes())
    return sha.hexdigest()


def _json(about: dict[str, Any]) -> bytes:
    return json.dumps(about, sort_keys=True).encode()
