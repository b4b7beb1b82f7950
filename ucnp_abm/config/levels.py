"""Axes of a study file: what each level changes, and how keys, levels and values are written."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ucnp_abm.config.files import keys, put, read_setting
from ucnp_abm.config.sections import StudyFile
from ucnp_abm.errors import BadInput

Changes = Mapping[str, Any]
"""Value by key, such as 'particle.thickness': what a level changes."""


def read_axis(text: str) -> tuple[str, list[Any]]:
    """Key and values of 'particle.thickness=1 nm, 2 nm', or of a TOML list, for values that hold commas.

    Raises
    ------
    BadInput
        If there is no key, or no value.

    Examples
    --------
    >>> read_axis("particle.thickness=1 nm, 2 nm")
    ('particle.thickness', ['1 nm', '2 nm'])
    >>> read_axis('particle.core=["NaGdF4: 19% Yb, 1% Tm", "NaGdF4: 49% Yb, 1% Tm"]')[1][0]
    'NaGdF4: 19% Yb, 1% Tm'
    """
    key, equals, listed = text.partition("=")
    values: Any = [part.strip() for part in listed.split(",")]
    if listed.strip().startswith("["):
        _, values = read_setting(f"particle.x={listed}")
    if not equals or not key.strip() or not isinstance(values, list) or not all(v != "" for v in values):
        raise BadInput(f"--vary {text}: expected KEY=VALUE,VALUE,…, such as particle.thickness='1 nm, 2 nm'")
    return key.strip(), [_number(value) for value in values]


def levels_of(axis: str, levels: Sequence[Any] | Mapping[str, Changes], told: str) -> dict[str, dict[str, Any]]:
    """What each level of an axis changes, by its text.

    Raises
    ------
    BadInput
        If there is none, or one is given twice.
    """
    where = f"{told}: vary.{quoted(axis)}"
    if isinstance(levels, Mapping):
        found = {str(level): dict(changes) for level, changes in levels.items()}
    else:
        found = {_text(value): {axis: value} for value in levels}
        if len(found) < len(levels):
            raise BadInput(f"{where}: a level is given twice")
    if not found:
        raise BadInput(f"{where}: expected at least one level")
    return found


def check_keys(changes: Mapping[str, Changes], told: str) -> None:
    """Refuse a setting that is called by a level which another axis undoes.

    Raises
    ------
    BadInput
        With the key, both values and both axes.
    """
    by: dict[tuple[str, ...], tuple[str, Any]] = {}
    for axis, key, value in ((axis, key, value) for axis, changed in changes.items() for key, value in changed.items()):
        first, other = by.setdefault(keys(key, StudyFile, told), (axis, value))
        if other != value:
            raise BadInput(
                f"{key} = {value!r} and {other!r}: '{first}' and '{axis}' set the same; make one axis of them"
            )


def changed_by(data: dict[str, Any], changes: Changes, told: str) -> dict[str, Any]:
    """A copy of a study's plain data with what a level changes.

    Raises
    ------
    BadInput
        If one of the keys cannot vary, or names no section.
    """
    found = copy.deepcopy(data)
    for key, value in changes.items():
        where = keys(key, StudyFile, told)
        if where[0] in ("study", "vary"):
            raise BadInput(f"{told}: '{key}' cannot vary; vary what is in the other sections")
        put(found, where, value, told)
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return repr(value).removesuffix(".0") if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def _number(value: Any) -> Any:
    """A text that is a number, as that number."""
    if not isinstance(value, str):
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def quoted(key: str) -> str:
    """A key as TOML has it."""
    return key if key.replace("-", "").replace("_", "").isalnum() else json.dumps(key, ensure_ascii=False)
