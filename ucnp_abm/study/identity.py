"""What a cell's numbers depend on, hashed: cells with one identity have one result, whoever runs them, and when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from typing import Any

from ucnp_abm.engine.simulation import ENGINE_VERSION
from ucnp_abm.observables import OBSERVABLES, READINGS_VERSION, Observable, ships
from ucnp_abm.rules.bound import text_of
from ucnp_abm.study.cells import Cell


def basis(cell: Cell, fingerprint: str) -> str:
    """SHA-256 of all that decides a cell's result but its seed and which occupants are kept.

    The names of mechanism, study and setting are not among it, nor are docstrings: renaming runs nothing again.

    Parameters
    ----------
    cell : Cell
    fingerprint : str
        Of the rate table of its mechanism on the first crystal of its recipe.
    """
    about = {
        "engine": ENGINE_VERSION,
        "readings": list(readings(cell.observables).items()),
        "recipe": plain(cell.recipe),
        "table": fingerprint,
        "parameters": cell.mechanism.all_values(),
        "protocol": plain(cell.protocol),
        "optics": cell.optics.describe() if cell.optics else None,
        "samples": cell.samples,
        "marks": cell.marks,
    }
    return hashlib.sha256(_canonical(about)).hexdigest()


def identity(base: str, cell: Cell) -> str:
    """SHA-256 of all that decides a cell's result: its `basis`, its seed, and the steps at which occupants are kept."""
    return hashlib.sha256(_canonical([base, cell.seed, cell.snapshots])).hexdigest()


def readings(names: Iterable[str]) -> dict[str, str]:
    """What each observable reads: its version if it ships, else its code with all bound to it, and how often."""
    return {name: str(READINGS_VERSION) if ships(name) else _reading(OBSERVABLES[name]) for name in names}


def plain(value: Any) -> Any:
    """A recipe or protocol as plain data; of a recipe that is not ours, also how it builds."""
    if value is None or isinstance(value, (str, int, float, bool, list, dict)):
        return value
    build = getattr(type(value), "build", None)
    code = {} if build is None or _is_ours(type(value)) else {"build": text_of(build)}
    if is_dataclass(value) and not isinstance(value, type):
        return {"kind": type(value).__qualname__, **asdict(value), **code}
    return [text_of(value), code] if code else text_of(value)


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == __name__.partition(".")[0]


def _reading(added: Observable) -> str:
    return _sha256(text_of(added.read) + " at marks only" * added.costly)


def _canonical(about: Any) -> bytes:
    """Plain data as JSON bytes that do not depend on the order of keys."""
    return json.dumps(about, sort_keys=True, ensure_ascii=False, default=text_of).encode()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
