"""What a plugin offers through its hooks, and what is wrong with it, also where pluggy would say nothing."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pluggy

from ucnp_abm import hookspecs
from ucnp_abm.errors import BadPlugin, nearest, shown
from ucnp_abm.observables import Observable
from ucnp_abm.registry.failures import Refused
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.mechanism import Mechanism

HOOKS: dict[str, type] = {"ucnp_mechanisms": Mechanism, "ucnp_drives": Drive, "ucnp_observables": Observable}
_MARK = f"{hookspecs.PROJECT}_impl"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Plugin:
    """A plugin that was loaded: its name (that of its entry point, or the path of its file), its file, its offers."""

    name: str
    file: str
    offers: tuple[Mechanism | Drive | Observable, ...]

    def rulesets(self) -> dict[str, Mechanism | Drive]:
        """The mechanisms and drives that it offers, by name."""
        return {one.name: one for one in self.offers if isinstance(one, (Mechanism, Drive))}

    def __str__(self) -> str:
        return f"plugin '{self.name}'" + (f" ({self.file})" if self.file not in ("", self.name) else "")


def offers_of(plugin: ModuleType | Any, name: str) -> list[tuple[Any, str]]:
    """What the hooks of a plugin return, each with its place, in the order of `HOOKS`.

    Raises
    ------
    BadPlugin
        If a hook is misspelt, not marked, takes arguments or returns anything but a list of its kind.
    """
    for attribute in dir(plugin):
        value = getattr(plugin, attribute, None)
        marked = getattr(value, _MARK, None) if inspect.isroutine(value) else None
        if marked or (attribute.startswith("ucnp_") and not isinstance(value, ModuleType)):
            _check_hook(attribute, value, marked)
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise BadPlugin(str(error)) from error
    found: list[tuple[Any, str]] = []
    for hook, kind in HOOKS.items():
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            where = _line(implementation.function)
            returned = implementation.function()
            expected = f"expected a list of {kind.__name__}"
            if returned is None:
                raise Refused(f"{hook} returned None; {expected}: is its 'return' missing?", where)
            if inspect.isgenerator(returned):
                raise Refused(f"{hook} is a generator; {expected}: return them together instead of yield", where)
            if isinstance(returned, kind):
                raise Refused(f"{hook} returned {shown(returned)}; {expected}: put brackets around it", where)
            if not isinstance(returned, (list, tuple)):
                raise Refused(f"{hook} returned {shown(returned)}; {expected}", where)
            for one in returned:
                if not isinstance(one, kind):
                    raise Refused(f"{hook} returned a list with {shown(one)} in it; {expected}", where)
            found += [(one, where) for one in returned]
    if not found:
        raise BadPlugin("it offers nothing; implement the hook ucnp_mechanisms with @hookimpl")
    return found


def _check_hook(attribute: str, value: Any, marked: Mapping[str, Any] | None) -> None:
    """Refuse what pluggy would pass over in silence."""
    hook = (marked.get("specname") if marked else None) or attribute
    where = _line(value)
    if hook not in HOOKS:
        raise Refused(f"unknown hook '{hook}'{nearest(hook, HOOKS)}", where)
    if not inspect.isroutine(value):
        raise Refused(f"{hook} is {shown(value)}; expected a function that returns a list, with @hookimpl above it")
    if marked is None:
        raise Refused(f"{hook} is not marked, so nobody would call it; write @hookimpl above it", where)
    if marked.get("wrapper") or marked.get("hookwrapper"):
        raise Refused(f"{hook} is marked as a wrapper; write a plain @hookimpl above it", where)
    for argument in inspect.signature(value).parameters:
        raise Refused(f"{hook} takes '{argument}', which nobody passes; a hook takes no arguments", where)


def untypeable(name: object) -> str:
    """Why nobody could type a name of a mechanism or drive; empty if one can.

    Examples
    --------
    >>> untypeable("y-complex"), untypeable("a+b")
    ('', "the name 'a+b' cannot be typed: leave out '+', which combines names")
    """
    given = f"the name {shown(name)} cannot be typed"
    if isinstance(name, str) and "+" in name:
        return f"{given}: leave out '+', which combines names"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return f"{given}: expected letters a-z, digits, '-', '_' and '.', as in 'y-complex'"
    if name.endswith(".toml"):
        return f"{given}: what ends with '.toml' is a configuration"
    return f"{given}: it has {len(name)} characters, at most 60 are allowed" if len(name) > 60 else ""


def _line(value: Any) -> str:
    code = getattr(value, "__code__", None)
    return f"{code.co_filename}, line {code.co_firstlineno}" if code else ""
