"""Calling a law: whatever goes wrong inside it is said with its line and the environment."""

from __future__ import annotations

import linecache
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ucnp_abm.errors import BadRate, UcnpError, shown
from ucnp_abm.rules.env import HopEnv, SiteEnv

Law = Callable[[Any], float | None]


def name_of(law: Law) -> str:
    """The name of a law's function."""
    return str(getattr(law, "__name__", law))


def place_of(law: Law) -> str:
    """Where a law stands: file and line."""
    code = getattr(law, "__code__", None)
    return f"{code.co_filename}, line {code.co_firstlineno}" if code else "no source"


def label(law: Law, owner: str) -> str:
    """A law as messages name it: its mechanism, name and place."""
    return f"{owner}: the law '{name_of(law)}' ({place_of(law)})"


def text_of(law: Law) -> str:
    """The text of the file in which a law stands, or what Python made of it where no file can be read."""
    code = getattr(law, "__code__", None)
    if code is None:
        return repr(law)
    try:
        return Path(code.co_filename).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return "".join(linecache.getlines(code.co_filename)) or repr((code.co_code, code.co_consts))


def _said(error: BaseException) -> str:
    """The text of an error in one line."""
    try:
        return " ".join(str(error).split())
    except Exception as unsayable:  # an error of the law's own, whose text cannot be made
        return f"a text that raised {type(unsayable).__name__}"


def call_law(law: Law, env: HopEnv | SiteEnv, owner: str) -> float:
    """The barrier / eV that a law gives; infinity for None."""
    who = label(law, owner)
    try:
        value = law(env)
    except UcnpError as error:
        raise BadRate(f"{who} cannot be used: {error}") from error
    except (Exception, SystemExit, GeneratorExit) as error:
        raise BadRate(f"{who} raised {type(error).__name__}: {_said(error)} for a {env!r}") from error
    if value is None:
        return math.inf
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)):
        raise BadRate(f"{who} returned {shown(value)} for a {env!r}; expected a barrier in eV, a number such as 1.65")
    if not 0 <= value < 1e6:
        raise BadRate(
            f"{who} returned {shown(value, 40)} for a {env!r}; expected a finite barrier of at least 0 eV "
            "(return None to forbid the event)"
        )
    return float(value)
