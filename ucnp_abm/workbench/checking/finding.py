"""What a check found: a sentence, how bad it is, and where to look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Literal

from ucnp_abm.errors import UcnpError
from ucnp_abm.rules.law import Law, place_of

ERROR: Literal["error"] = "error"
WARNING: Literal["warning"] = "warning"


@dataclass(frozen=True)
class Finding:
    """Something that a mechanism should not do.

    Attributes
    ----------
    check : str
        Name of the check, such as 'detailed balance'.
    severity : str
        'error' or 'warning'.
    message : str
        One sentence: what was given, what is allowed, what to do.
    place : str
        'file.py, line 12' of the law or statement; '' if there is none.
    environment : str
        The environment that shows it; '' if there is none.
    """

    check: str
    severity: str
    message: str
    place: str = ""
    environment: str = ""


@dataclass(frozen=True)
class Report:
    """What the checks of one mechanism found.

    Attributes
    ----------
    mechanism : str
    checks : tuple of str
        All checks that were done.
    findings : tuple of Finding
        Worst first.
    environments : int
        How many were enumerated.
    sampled : tuple of str
        Laws that were asked about a sample only: their rows are worked out on the way.
    """

    mechanism: str
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
    environments: int
    sampled: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is an error."""
        return not any(found.severity == ERROR for found in self.findings)


def place_in(code: CodeType | None, line: int | None = None) -> str:
    """File, without its directory, and line; where the code begins if no line is given."""
    if code is None:
        return ""
    return f"{Path(code.co_filename).name}, line {line or code.co_firstlineno}"


def short_place(where: str) -> str:
    """'/long/way/to/file.py, line 3' without the way."""
    file, comma, line = where.rpartition(", line ")
    return f"{Path(file).name}{comma}{line}" if comma else Path(where).name


def said_of(law: Law, owner: str, environment: str, error: UcnpError) -> str:
    """What is wrong with a call of a law, without what a finding says apart: owner, place and environment."""
    text = str(error).removeprefix(f"{owner}: ").replace(f" ({place_of(law)})", "", 1)
    return text.replace(f" for a {environment}", "", 1)
