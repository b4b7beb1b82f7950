"""Calling a law: whatever goes wrong inside it is said with its line and the environment."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from ucnp_abm.errors import BadRate, UcnpError, shown
from ucnp_abm.rules.env import HopEnv, SiteEnv

Law = Callable[[Any], float | None]
_MOST_TEXT = 300


class Where(NamedTuple):
    """Where a law stands: its name, the full path of its file (empty: no source) and its first line there."""

    name: str
    path: str
    line: int


def name_of(law: Law) -> str:
    """The name of a law's function."""
    named = getattr(law, "__name__", None) or getattr(function_of(law), "__name__", None)
    return str(named or type(law).__qualname__)


def where_of(law: Law) -> Where:
    """The name of a law, its file and its first line."""
    code = getattr(law, "__code__", None) or getattr(function_of(law), "__code__", None)
    return Where(name_of(law), code.co_filename, code.co_firstlineno) if code else Where(name_of(law), "", 0)


def place_of(law: Law) -> str:
    """Where a law stands: file and line."""
    where = where_of(law)
    return f"{where.path}, line {where.line}" if where.path else "no source"


def label(law: Law, owner: str) -> str:
    """A law as messages name it: its mechanism, name and place."""
    return f"{owner}: the law '{name_of(law)}' ({place_of(law)})"


def function_of(law: Law) -> FunctionType | None:
    """The Python function that is run when a law is called; None if there is none."""
    found: Any = inspect.unwrap(law)
    while isinstance(found, functools.partial):
        found = found.func
    found = getattr(found, "__func__", found)
    if not isinstance(found, FunctionType):
        found = next((vars(kind)["__call__"] for kind in type(found).__mro__ if "__call__" in vars(kind)), None)
    return found if isinstance(found, FunctionType) else None


def _said(error: BaseException) -> str:
    """The text of an error in one line."""
    try:
        text = " ".join(str(error).split())
        return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 1]}…"
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
    number = float(value) if isinstance(value, np.floating) else value  # half-precision cannot hold 1e6
    if not 0 <= number < 1e6:
        raise BadRate(
            f"{who} returned {shown(value, 40)} for a {env!r}; expected a finite barrier of at least 0 eV "
            "(return None to forbid the event)"
        )
    return float(number)
