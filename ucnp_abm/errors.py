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


class DamagedData(UcnpError, ValueError):
    """A file of ours that is broken or was changed by something else."""

    exit_code = 4


class NotConverged(UcnpError, RuntimeError):
    """A numerical solution that did not reach its tolerance."""


class Stopped(UcnpError, RuntimeError):
    """A run that was asked to stop, and can go on from its checkpoint."""

    exit_code = 75


class LiveMismatch(UcnpError, AssertionError):
    """A law, called live, disagrees with the table that drives the run."""

    exit_code = 3


def shown(value: object, most: int = 80) -> str:
    """A value as an error shows it: its repr, cut where it is long, whatever it does when it is asked for it.

    Examples
    --------
    >>> shown("8 nn"), shown(10**100, most=9)
    ("'8 nn'", '10000000…')
    """
    try:
        text = repr(value)
    except Exception as error:  # an int of too many digits, or an object with a repr of its own
        return f"a {type(value).__name__} that cannot be shown ({type(error).__name__})"
    return text if len(text) <= most else f"{text[: most - 1]}…"


def nearest(given: str, allowed: Iterable[str]) -> str:
    """' Did you mean …?' with the nearest allowed name, or a list of what is allowed.

    Examples
    --------
    >>> nearest("Yp", ["Yb", "Gd"])
    "; did you mean 'Yb'?"
    """
    names = [str(name) for name in allowed]
    word = str(given).casefold()

    def likeness(name: str) -> float:  # a wrong letter is likelier than a missing one
        bonus = 0.2 * (len(name) == len(word)) + 0.1 * (name.casefold()[:1] == word[:1])
        return difflib.SequenceMatcher(None, word, name.casefold()).ratio() + bonus

    best = max(names, key=likeness, default="")
    if likeness(best) >= 0.6:
        return f"; did you mean '{best}'?"
    return f"; allowed: {', '.join(names)}" if names else ""
