"""Calling a law: whatever goes wrong inside it is said with its line and the environment."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ucnp_abm.errors import BadRate, UcnpError, shown
from ucnp_abm.rules.env import HopEnv, SiteEnv

Law = Callable[[Any], float | None]


def place_of(law: Law) -> str:
    """Where a law stands: file and line."""
    code = getattr(law, "__code__", None)
    return f"{code.co_filename}, line {code.co_firstlineno}" if code else "no source"


def _said(error: BaseException) -> str:
    """The text of an error in one line."""
    try:
        return " ".join(str(error).split())
    except Exception as unsayable:  # an error of the law's own, whose text cannot be made
        return f"a text that raised {type(unsayable).__name__}"


def call_law(law: Law, env: HopEnv | SiteEnv, owner: str) -> float:
    """The barrier / eV that a law gives; infinity for None."""
    label = f"{owner}: the law '{getattr(law, '__name__', law)}' ({place_of(law)})"
    try:
        value = law(env)
    except UcnpError as error:
        raise BadRate(f"{label} cannot be used: {error}") from error
    except (Exception, SystemExit, GeneratorExit) as error:
        raise BadRate(f"{label} raised {type(error).__name__}: {_said(error)} for a {env!r}") from error
    if value is None:
        return math.inf
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)):
        raise BadRate(f"{label} returned {shown(value)} for a {env!r}; expected a barrier in eV")
    if not 0 <= value < 1e6:
        raise BadRate(
            f"{label} returned {shown(value, 40)} for a {env!r}; expected a finite barrier of at least 0 eV "
            "(return None to forbid the event)"
        )
    return float(value)
