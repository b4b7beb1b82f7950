"""A plugin that fails is kept with the reason, and with the file and line that was reached last."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pluggy

from ucnp_abm import hookspecs
from ucnp_abm.errors import BadPlugin, UcnpError

_BETWEEN = [Path(str(module.__file__)).parent for module in (hookspecs, pluggy, importlib.metadata, importlib.util)]
"""Directories of code that stands between a plugin and us in a traceback."""


@dataclass(frozen=True)
class Failure:
    """A plugin that could not be loaded: its name, where it broke, and why."""

    plugin: str
    where: str
    why: str

    def __str__(self) -> str:
        return f"plugin '{self.plugin}' failed: {self.why} ({self.where})"


class Refused(BadPlugin):
    """What we found wrong with a plugin, and where."""

    def __init__(self, why: str, where: str = "") -> None:
        super().__init__(why)
        self.where = where


def tried(plugin: str, default: str, load: Callable[[], None], file: Path | None = None) -> Failure | None:
    """Why a plugin cannot be loaded, whatever it does; what it prints is talk. Ctrl-C alone passes."""
    try:
        with redirect_stdout(sys.stderr):
            load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also SystemExit, and what test tools raise to skip
        return Failure(plugin, _place(error, default), _reason(error, file))
    return None


def _place(error: BaseException, default: str) -> str:
    """File and line of the plugin's code that was reached last."""
    if isinstance(error, Refused) and error.where:
        return error.where
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}" if error.lineno else str(error.filename)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith("<")]
    theirs = [f for f in frames if not any(Path(f.filename).is_relative_to(room) for room in _BETWEEN)]
    own = [f for f in theirs if Path(f.filename).is_relative_to(Path(theirs[0].filename).parent)]
    return f"{own[-1].filename}, line {own[-1].lineno}" if own else default


def _reason(error: BaseException, file: Path | None) -> str:
    if isinstance(error, UcnpError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"it ends the program (SystemExit: {error.code})"
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if file is None or not isinstance(error, ImportError):
        return reason
    asked = (error.name or "").partition(".")[0]
    if "relative import" in text or (asked and any((file.parent / n).exists() for n in (asked, f"{asked}.py"))):
        reason += "; a plugin file is one file, and what lies beside it is not imported: make one file, or install both"
    return reason
