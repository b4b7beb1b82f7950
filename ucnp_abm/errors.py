"""All errors of the package: each is also the builtin that a caller would expect."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UcnpError(Exception):
    """Something that the user can mend; its text is one clear sentence."""

    exit_code = 2


class BadInput(UcnpError, ValueError):
    """A value, name, composition, quantity or configuration that cannot be used."""


class BadMechanism(UcnpError, ValueError):
    """A mechanism whose rules contradict each other or cannot be tabulated."""

    exit_code = 3


class BadRate(BadMechanism):
    """A law returned something that is no barrier (negative, NaN, infinite, not a number), or raised."""


class BadPlugin(UcnpError, ImportError):
    """A plugin that could not be loaded."""

    exit_code = 3


class LiveMismatch(UcnpError, AssertionError):
    """A law, called live, disagrees with the table that drives the run."""

    exit_code = 3


def nearest(given: str, allowed: Iterable[str]) -> str:
    """' Did you mean …?' with the nearest allowed name, or a list of what is allowed.

    Examples
    --------
    >>> nearest("Yp", ["Yb", "Gd"])
    "; did you mean 'Yb'?"
    """
    names = [str(name) for name in allowed]
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(str(given).casefold(), folded, n=1, cutoff=0.5)
    if close:
        return f"; did you mean '{folded[close[0]]}'?"
    return f"; allowed: {', '.join(names)}" if names else ""
