"""The registry of mechanisms: plugins are found by entry points, loaded on demand, and fail alone."""

from __future__ import annotations

import importlib.metadata
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

import pluggy

from ucnp_abm import hookspecs
from ucnp_abm.errors import BadInput, BadPlugin, nearest
from ucnp_abm.rules.mechanism import Mechanism


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
    """Mechanisms by name. Nothing is imported before it is asked for."""

    entries: dict[str, importlib.metadata.EntryPoint] = field(default_factory=dict)
    mechanisms: dict[str, Mechanism] = field(default_factory=dict)
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
        except Exception as error:
            self.failures[plugin] = Failure(plugin, _place(error, self.entries[plugin].value), _reason(error))

    def register(self, plugin: ModuleType | Any, name: str) -> None:
        """Take the mechanisms of a plugin (a module or object with hook implementations).

        Raises
        ------
        BadPlugin
            If a hook is misspelt or has arguments that no caller would pass, or the mechanisms' names are taken.
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
        offered: list[Mechanism] = []
        for found in manager.hook.ucnp_mechanisms():
            offered += self._checked(found)
        if not offered:
            raise BadPlugin("it offers no mechanisms; implement the hook ucnp_mechanisms with @hookimpl")
        origins = dict(self.origins)
        for mechanism in offered:
            if mechanism.name in origins:
                raise BadPlugin(f"the name '{mechanism.name}' is taken by plugin '{origins[mechanism.name]}'")
            origins[mechanism.name] = name
        self.origins = origins
        self.mechanisms.update({mechanism.name: mechanism for mechanism in offered})

    @staticmethod
    def _checked(found: Any) -> Iterable[Mechanism]:
        if not isinstance(found, (list, tuple)) or not all(isinstance(m, Mechanism) for m in found):
            raise BadPlugin(f"ucnp_mechanisms returned {found!r}; expected a list of Mechanism")
        return found

    def load_all(self) -> None:
        """Import every plugin."""
        for plugin in self.entries:
            self.load(plugin)

    def get(self, name: str) -> Mechanism:
        """A mechanism by name; loads the plugin of that name first, then, if need be, all others.

        Raises
        ------
        BadInput
            If there is none, with the nearest name.
        BadPlugin
            If the plugin of that name is broken.
        """
        if name not in self.mechanisms and name in self.entries:
            self.load(name)
        if name not in self.mechanisms:
            if name in self.failures:
                raise BadPlugin(str(self.failures[name]))
            self.load_all()
        if name not in self.mechanisms:
            raise BadInput(f"unknown mechanism '{name}'{nearest(name, self.mechanisms)}")
        return self.mechanisms[name]


@cache
def installed() -> Registry:
    """The registry of this environment, one for the process."""
    return Registry.installed()


def mechanism(name: str | Mechanism, **parameters: str | float | None) -> Mechanism:
    """A mechanism by name, with parameter values.

    Raises
    ------
    BadInput, BadPlugin
        If it does not exist, is broken, or a parameter does not fit.

    Examples
    --------
    >>> mechanism("y-complex", barrier="1.6 eV").values["barrier"]
    1.6
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
