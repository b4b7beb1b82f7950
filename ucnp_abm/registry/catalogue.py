"""The catalogue: mechanisms, drives and observables by name, and the plugins that brought them."""

from __future__ import annotations

import importlib.metadata
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from ucnp_abm import hookspecs
from ucnp_abm.errors import BadInput, BadPlugin, nearest
from ucnp_abm.observables import OBSERVABLES, Observable, register
from ucnp_abm.registry import files
from ucnp_abm.registry.failures import Failure, Refused, tried
from ucnp_abm.registry.offers import Plugin, offers_of, untypeable
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.rules.ruleset import Ruleset

CHOSEN = "UCNP_ABM_PLUGINS"
"""Environment variable: the installed plugins to load, and no others; empty: none."""


@dataclass
class Registry:
    """Mechanisms, drives and observables by name. Nothing is imported before it is asked for.

    Attributes
    ----------
    entries : dict
        Installed plugins by name.
    left_out : frozenset of str
        Installed plugins that are not to be loaded.
    plugins : dict
        What was loaded, by the name of the plugin.
    failures : dict
    """

    entries: dict[str, importlib.metadata.EntryPoint] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    plugins: dict[str, Plugin] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    _loaded: set[str] = field(default_factory=set)

    @classmethod
    def installed(cls) -> Registry:
        """All plugins that packages announce under the entry point group 'ucnp_abm', or those of UCNP_ABM_PLUGINS.

        Raises
        ------
        BadInput
            If UCNP_ABM_PLUGINS names one that is not installed.
        """
        entries = {e.name: e for e in importlib.metadata.entry_points(group=hookspecs.PROJECT)}
        chosen = os.environ.get(CHOSEN)
        if chosen is None:
            return cls(entries)
        names = [name.strip() for name in chosen.split(",") if name.strip()]
        for name in names:
            if name not in entries:
                raise BadInput(f"{CHOSEN}: no plugin '{name}' is installed{nearest(name, entries)}")
        return cls({name: entries[name] for name in names}, frozenset(entries) - frozenset(names))

    @classmethod
    def bare(cls) -> Registry:
        """No plugin at all: what is installed is left out."""
        return cls(left_out=frozenset(e.name for e in importlib.metadata.entry_points(group=hookspecs.PROJECT)))

    def copy(self) -> Registry:
        """The same plugins; what the copy loads from now on is its own."""
        return replace(self, plugins=dict(self.plugins), failures=dict(self.failures), _loaded=set(self._loaded))

    @property
    def mechanisms(self) -> dict[str, Mechanism]:
        """Those that were loaded, by name."""
        return {one.name: one for p in self.plugins.values() for one in p.offers if isinstance(one, Mechanism)}

    @property
    def drives(self) -> dict[str, Drive]:
        """Those that were loaded, by name."""
        return {one.name: one for p in self.plugins.values() for one in p.offers if isinstance(one, Drive)}

    @property
    def origins(self) -> dict[str, str]:
        """The plugin of each mechanism and drive that was loaded."""
        return {one.name: p.name for p in self.plugins.values() for one in p.offers if isinstance(one, Ruleset)}

    def load(self, plugin: str) -> None:
        """Import one plugin; a failure is kept, not raised."""
        if plugin in self._loaded:
            return
        entry = self.entries[plugin]
        failure = tried(plugin, entry.value, lambda: self.register(entry.load(), plugin))
        self._loaded.add(plugin)
        if failure is not None:
            self.failures[plugin] = failure

    def load_file(self, path: str | Path) -> tuple[Mechanism | Drive | Observable, ...]:
        """Import one Python file as a plugin, or import it again: what its earlier text offered goes.

        Whatever came from the same file before is replaced, also if an installed plugin brought it; if the file is
        wrong now, that stays in use. The file is imported under a module name of its own, and what lies beside it is
        not importable: a file is one file, a package is installed.

        Returns
        -------
        tuple
            The mechanisms, drives and observables that it offers.

        Raises
        ------
        BadInput
            If there is no such file, or it cannot be read.
        BadPlugin
            If it is wrong; with file and line, and why.
        """
        source, content = files.read(path)
        key = str(source)
        self.load_all()  # a file takes no name from what is installed
        old = next((p for p in self.plugins.values() if p.file and Path(p.file).resolve() == source), None)
        with files.on_trial(source) as keep:
            failure = tried(
                source.name, key, lambda: self.register(files.as_module(source, content), key, instead_of=old), source
            )
            if failure is None:
                keep()
        if failure is not None:
            if old is not None:
                failure = replace(failure, why=f"{failure.why}; what it offered before stays in use")
            self.failures[key] = failure
            raise BadPlugin(str(failure))
        self.failures.pop(key, None)
        return self.plugins[key].offers

    def register(self, plugin: ModuleType | Any, name: str, instead_of: Plugin | None = None) -> None:
        """Take what a plugin (a module or object with hook implementations) offers, all of it or nothing.

        Raises
        ------
        BadPlugin
            If a hook is misspelt, not marked, takes arguments or returns anything else, or a name is taken.
        """
        offers = offers_of(plugin, name)
        found = Plugin(name, str(getattr(plugin, "__file__", None) or ""), tuple(one for one, _ in offers))
        self._check_names(found, offers, instead_of)
        _exchange_observables(offers, instead_of)
        if instead_of is not None:
            self.plugins.pop(instead_of.name, None)
        self.plugins[name] = found

    def _check_names(self, found: Plugin, offers: list[tuple[Any, str]], instead_of: Plugin | None) -> None:
        """Refuse a name of a mechanism or drive that nobody could type, or that is given twice or taken."""
        file = found.file == found.name  # it was loaded by its path
        others = {n: p for p in self.plugins.values() if p is not instead_of for n in p.rulesets()}
        seen: set[str] = set()
        for one, where in offers:
            if isinstance(one, Ruleset):
                if why := untypeable(one.name):
                    raise Refused(why, where)
                if one.name in seen:
                    raise Refused(f"it offers the name '{one.name}' twice", where)
                if one.name in others:
                    other = others[one.name]
                    hint = "; --no-plugins leaves out what is installed" if file and other.name in self.entries else ""
                    raise Refused(f"the name '{one.name}' is taken by {other}{hint}", where)
                seen.add(one.name)

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
        if name in self.origins:
            return self.mechanisms.get(name) or self.drives[name]
        if name in self.left_out:
            raise BadInput(f"mechanism '{name}': its plugin is installed, but left out by --no-plugins or {CHOSEN}")
        if name.endswith(".py"):
            raise BadInput(f"'{name}' is a file: give the name of its mechanism, and the file by --plugin")
        raise BadInput(f"unknown mechanism '{name}'{nearest(name, self.origins)}")

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


def _exchange_observables(offers: list[tuple[Any, str]], instead_of: Plugin | None) -> None:
    """Make the observables of a plugin known instead of those of another; if one is refused, all is as it was."""
    before = dict(OBSERVABLES)
    for one in instead_of.offers if instead_of else ():
        if isinstance(one, Observable):
            OBSERVABLES.pop(one.name, None)
    for one, where in offers:
        if isinstance(one, Observable):
            try:
                register(one)
            except BadInput as error:
                OBSERVABLES.clear()
                OBSERVABLES.update(before)
                raise Refused(str(error), where) from error
