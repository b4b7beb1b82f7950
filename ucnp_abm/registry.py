"""The registry: plugins are found by entry points, loaded on demand, and fail alone."""

from __future__ import annotations

import importlib.metadata
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from ucnp_abm import hookspecs
from ucnp_abm.errors import BadInput, BadPlugin, nearest
from ucnp_abm.observables import OBSERVABLES, Observable, register
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.rules.ruleset import Ruleset

R = TypeVar("R", Mechanism, Drive, Observable)


@dataclass(frozen=True)
class Failure:
    """A plugin that could not be loaded: its name, where it broke, and why."""

    plugin: str
    where: str
    why: str

    def __str__(self) -> str:
        return f"plugin '{self.plugin}' failed: {self.why} ({self.where})"


@dataclass
class Registry:
    """Mechanisms and drives by name. Nothing is imported before it is asked for."""

    entries: dict[str, importlib.metadata.EntryPoint] = field(default_factory=dict)
    mechanisms: dict[str, Mechanism] = field(default_factory=dict)
    drives: dict[str, Drive] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    _loaded: set[str] = field(default_factory=set)

    @classmethod
    def installed(cls) -> Registry:
        """All plugins that installed packages announce under the entry point group 'ucnp_abm'."""
        return cls({e.name: e for e in importlib.metadata.entry_points(group=hookspecs.PROJECT)})

    def load(self, plugin: str) -> None:
        """Import one plugin; a failure is kept, not raised."""
        if plugin in self._loaded:
            return
        self._loaded.add(plugin)
        try:
            self.register(self.entries[plugin].load(), plugin)
        except (Exception, SystemExit) as error:
            self.failures[plugin] = Failure(plugin, _place(error, self.entries[plugin].value), _reason(error))

    def register(self, plugin: ModuleType | Any, name: str) -> None:
        """Take what a plugin (a module or object with hook implementations) offers.

        Raises
        ------
        BadPlugin
            If a hook is misspelt or has arguments that no caller would pass, or a name is taken.
        """
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        known = [n for n in vars(hookspecs) if n.startswith("ucnp_")]
        for attribute in dir(plugin):
            if attribute.startswith("ucnp_") and attribute not in known:
                raise BadPlugin(f"unknown hook '{attribute}'{nearest(attribute, known)}")
        try:
            manager.register(plugin, name)
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise BadPlugin(str(error)) from error
        mechanisms = [m for found in manager.hook.ucnp_mechanisms() for m in _checked(found, Mechanism)]
        drives = [d for found in manager.hook.ucnp_drives() for d in _checked(found, Drive)]
        seen = [o for found in manager.hook.ucnp_observables() for o in _checked(found, Observable)]
        if not mechanisms and not drives and not seen:
            raise BadPlugin("it offers nothing; implement the hook ucnp_mechanisms with @hookimpl")
        origins = dict(self.origins)
        for offered in (*mechanisms, *drives):
            if offered.name in origins:
                raise BadPlugin(f"the name '{offered.name}' is taken by plugin '{origins[offered.name]}'")
            if "+" in offered.name or not offered.name.strip():
                raise BadPlugin(f"the name '{offered.name}' cannot be typed; leave out '+', which combines names")
            origins[offered.name] = name
        before = dict(OBSERVABLES)
        try:
            for one in seen:
                register(one)
        except BadInput as error:
            OBSERVABLES.clear()
            OBSERVABLES.update(before)
            raise BadPlugin(str(error)) from error
        self.origins = origins
        self.mechanisms.update({mechanism.name: mechanism for mechanism in mechanisms})
        self.drives.update({drive.name: drive for drive in drives})

    def load_all(self) -> None:
        """Import every plugin."""
        for plugin in self.entries:
            self.load(plugin)

    def find(self, name: str) -> Ruleset:
        """A mechanism or drive by name; loads the plugin of that name first, then, if need be, all others.

        Raises
        ------
        BadInput
            If there is none, with the nearest name.
        BadPlugin
            If the plugin of that name is broken.
        """
        if name not in self.origins and name in self.entries:
            self.load(name)
        if name not in self.origins:
            if name in self.failures:
                raise BadPlugin(str(self.failures[name]))
            self.load_all()
        if name not in self.origins:
            raise BadInput(f"unknown mechanism '{name}'{nearest(name, self.origins)}")
        return self.mechanisms.get(name) or self.drives[name]

    def get(self, name: str) -> Mechanism:
        """A mechanism, alone or with drives: 'y-complex', 'y-complex+laser-thermal'.

        Raises
        ------
        BadInput
            If a name is unknown, or the combination is no mechanism with drives.
        BadPlugin
            If a plugin is broken.
        """
        if not isinstance(name, str):
            raise BadInput(f"mechanism: expected a name such as 'y-complex', got {name!r}")
        parts = [self.find(part.strip()) for part in name.split("+")]
        mechanisms = [part for part in parts if isinstance(part, Mechanism)]
        drives = [part for part in parts if isinstance(part, Drive)]
        if not mechanisms:
            raise BadInput(
                f"'{name}' is a drive, not a mechanism; combine it with one, as in 'no-complex+{drives[0].name}'"
            )
        if len(mechanisms) > 1:
            raise BadInput(
                f"'{name}' combines the mechanisms {' and '.join(m.name for m in mechanisms)}; "
                "a combination takes one mechanism and any number of drives"
            )
        return mechanisms[0].driven_by(*drives) if drives else mechanisms[0]


def _checked(found: Any, kind: type[R]) -> list[R]:
    if not isinstance(found, (list, tuple)) or not all(isinstance(one, kind) for one in found):
        raise BadPlugin(f"the hook returned {found!r}; expected a list of {kind.__name__}")
    return list(found)


def find_observables(names: Iterable[str]) -> None:
    """Make sure that observables are known: if one is not, all plugins are loaded, which register theirs.

    Raises
    ------
    BadInput
        If one is unknown nevertheless, with the nearest name.
    """
    for name in names:
        if name not in OBSERVABLES:
            installed().load_all()
        if name not in OBSERVABLES:
            raise BadInput(f"unknown observable '{name}'{nearest(str(name), OBSERVABLES)}")


@cache
def installed() -> Registry:
    """The registry of this environment, one for the process."""
    return Registry.installed()


def mechanism(name: str | Mechanism, /, **parameters: str | float | None) -> Mechanism:
    """A mechanism by name, alone or with drives, with parameter values.

    Raises
    ------
    BadInput, BadPlugin
        If it does not exist, is broken, or a parameter does not fit.

    Examples
    --------
    >>> mechanism("y-complex", barrier="1.6 eV").values["barrier"]
    1.6
    >>> mechanism("y-complex+laser-thermal", rise="50 K").all_values()["laser-thermal.rise"]
    50.0
    """
    found = name if isinstance(name, Mechanism) else installed().get(name)
    return found.with_parameters(**parameters) if parameters else found


def _place(error: BaseException, default: str) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    last = [f for f in frames if f.filename != __file__]
    return f"{last[-1].filename}, line {last[-1].lineno}" if last else default


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, BadPlugin) else f"{type(error).__name__}: {error}"
