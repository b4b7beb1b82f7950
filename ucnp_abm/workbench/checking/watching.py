"""Watching a law while it is called: its lines, what it prints, what it compares, which parameters it reads."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from types import CodeType, FrameType
from typing import Any, SupportsIndex

from ucnp_abm.errors import BadMechanism, BadRate
from ucnp_abm.rules.env import HopEnv, Parameters, SiteEnv, Unwatched
from ucnp_abm.rules.law import Law, call_law, function_of, name_of
from ucnp_abm.workbench.checking.finding import place_in
from ucnp_abm.workbench.checking.outside import codes_of

MOST_LINES = 1_000_000
"""Lines that one call of a law may run; more look like a loop without end."""
MOST_TEXT = 200


class Endless(BadMechanism):
    """A law that did not come to an end."""


class Watch:
    """A law, and what it did in all its calls.

    Called itself, it stands in for the law in a table that is only tried: where the law gives no barrier it forbids
    the event, so that the table is made whatever the law does.

    Attributes
    ----------
    law : callable
    part : str
        The mechanism or drive that declares it.
    lines : set of int
        Lines of the law that were run.
    last : int or None
        The line that was run last, in the last call.
    printed : str
        What it printed first.
    compared : set of (str, str)
        What of the environment it compared with which word: ('mover', 'Yb').
    read : set of str
        Parameters that it read.
    refused : bool
        Whether it ever gave no barrier, though it was told all that it asked for.
    calls : int
        How often it was called.
    """

    def __init__(self, law: Law, part: str) -> None:
        self.law = law
        self.part = part
        self.__name__ = name_of(law)
        self.function = function_of(law)
        if self.function is not None:
            self.__code__: CodeType = self.function.__code__
        self.codes = codes_of(self.function.__code__) if self.function else []
        self.lines: set[int] = set()
        self.last: int | None = None
        self.printed = ""
        self.compared: set[tuple[str, str]] = set()
        self.read: set[str] = set()
        self.calls = 0
        self.refused = False
        self._endless: Endless | None = None
        self._asked: dict[int, tuple[Parameters, Parameters]] = {}

    def __call__(self, env: HopEnv | SiteEnv) -> float | None:
        try:
            value = self.call(env)
        except BadRate:
            return None
        return None if math.isinf(value) else value

    def call(self, env: HopEnv | SiteEnv) -> float:
        """The barrier / eV; its lines and its output are noted.

        Raises
        ------
        BadRate
            As `call_law`; also if it does not come to an end.
        """
        self.calls += 1
        if self._endless is not None:
            raise BadRate(f"{self.part}: the law '{self.__name__}' {self._endless}") from self._endless
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said), self._tracing():
            try:
                value = call_law(self.law, env, self.part)
            except BadRate as error:
                if isinstance(error.__cause__, Endless):
                    self._endless = error.__cause__
                raise
            finally:
                self.printed = self.printed or said.getvalue().strip()[:MOST_TEXT]
        return value

    def again(self, env: HopEnv | SiteEnv) -> float:
        """As `call`, and nothing is noted: for laws that were watched already."""
        return self.call(env) if self._endless else call_law(self.law, env, self.part)

    def place(self, line: int | None = None) -> str:
        """'file.py, line 12' of the law, or of a line in it."""
        return place_in(self.codes[0] if self.codes else None, line)

    def observed(self, env: HopEnv | SiteEnv) -> float:
        """As `call`, with an environment that notes what is compared and which parameters are read."""
        return self.call(self._listening(env))

    def _listening(self, env: HopEnv | SiteEnv) -> HopEnv | SiteEnv:
        seen: Any = env
        if isinstance(env, HopEnv):
            for name in ("mover", "bond", "start", "end"):
                if name in vars(env):
                    setattr(env, name, Heard.of(vars(env)[name], name, self.compared))
            seen.zones = tuple(Heard.of(zone, "zones", self.compared) for zone in env.zones)
        else:
            seen.site.zone = Heard.of(env.site.zone, "zone", self.compared)
        if id(env.p) not in self._asked:  # one for each choice of values; the key is kept alive with it
            self._asked[id(env.p)] = env.p, asked(vars(env.p), self.read)
        seen.p = self._asked[id(env.p)][1]
        return env

    @contextmanager
    def _tracing(self) -> Iterator[None]:
        left, own = MOST_LINES, set(self.codes)
        file = self.codes[0].co_filename if self.codes else None
        self.last = None

        def line(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal left
            if event == "line":
                left -= 1
                if left < 0:
                    raise Endless(f"did not come to an end within {MOST_LINES:,} lines; does a loop in it end?")
                if frame.f_code in own:
                    self.lines.add(frame.f_lineno)
                    self.last = frame.f_lineno
            return line

        before = sys.gettrace()
        if file:
            sys.settrace(lambda frame, event, _: line if frame.f_code.co_filename == file else None)
        try:
            yield
        finally:
            sys.settrace(before)


def with_absent(env: HopEnv | SiteEnv) -> HopEnv | SiteEnv:
    """An environment of a table in which species that can never be there are counted too: there are none."""
    holder: Any = env if isinstance(env, HopEnv) else env.site
    holder.n = _Absent(holder.n)
    return env


class _Absent:
    """Counts in which what a table does not count is 0."""

    def __init__(self, counts: Any) -> None:
        self.counts = counts

    def __getitem__(self, key: Any) -> int:
        return self._or_none(lambda: self.counts[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self.counts)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.counts, name)
        if not callable(found):
            return found
        return lambda *given, **named: self._or_none(lambda: found(*given, **named))

    def __repr__(self) -> str:
        return repr(self.counts)

    def __bool__(self) -> bool:
        return bool(self.counts)

    def said(self) -> str:
        return str(self.counts.said())

    def _or_none(self, ask: Callable[[], int]) -> int:
        try:
            return ask()
        except Unwatched:
            return 0


class Heard(str):
    """A word that notes the words with which it is compared."""

    what: str
    log: set[tuple[str, str]]

    @classmethod
    def of(cls, word: str, what: str, log: set[tuple[str, str]]) -> Heard:
        """A word of the environment, noted under the name `what`."""
        made = cls(word)
        made.what, made.log = what, log
        return made

    def __eq__(self, other: object) -> bool:
        return self._note(other) == other

    def __ne__(self, other: object) -> bool:
        return self._note(other) != other

    __hash__ = str.__hash__

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return str, (str.__str__(self),)

    def _note(self, other: object) -> str:
        if isinstance(other, str):
            self.log.add((self.what, str.__str__(other)))
        return str.__str__(self)


def asked(values: dict[str, Any], log: set[str]) -> Parameters:
    """Parameters that note which of them are read."""

    class Asked(Parameters):
        def __getattribute__(self, name: str) -> Any:
            if name in values:
                log.add(name)
            return super().__getattribute__(name)

    return Asked(**values)
