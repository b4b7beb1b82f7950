"""The registry: plugins come from entry points or single files, are loaded on demand, and fail alone."""

from __future__ import annotations

import difflib
import hashlib
import importlib.metadata
import importlib.util
import inspect
import linecache
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from ucnp_abm import hookspecs
from ucnp_abm.errors import BadInput, BadPlugin, UcnpError, nearest, shown
from ucnp_abm.observables import OBSERVABLES, Observable, register
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.rules.ruleset import Ruleset

HOOKS: dict[str, type] = {"ucnp_mechanisms": Mechanism, "ucnp_drives": Drive, "ucnp_observables": Observable}
CHOSEN = "UCNP_ABM_PLUGINS"
"""Environment variable: the installed plugins to load, and no others; empty: none."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BETWEEN = [Path(str(module.__file__)).parent for module in (hookspecs, pluggy, importlib.metadata, importlib.util)]
"""Directories of code that stands between a plugin and us in a traceback."""
_MARK = f"{hookspecs.PROJECT}_impl"


@dataclass(frozen=True)
class Failure:
    """A plugin that could not be loaded: its name, where it broke, and why."""

    plugin: str
    where: str
    why: str

    def __str__(self) -> str:
        return f"plugin '{self.plugin}' failed: {self.why} ({self.where})"


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


class _Refused(BadPlugin):
    """What we found wrong with a plugin, and where."""

    def __init__(self, why: str, where: str = "") -> None:
        super().__init__(why)
        self.where = where


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
        failure = _tried(plugin, entry.value, lambda: self.register(entry.load(), plugin))
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
        source, content = _read(path)
        key = str(source)
        self.load_all()  # a file takes no name from what is installed
        old = next((p for p in self.plugins.values() if p.file and Path(p.file).resolve() == source), None)
        with _import_of(source) as done:
            failure = _tried(
                source.name, key, lambda: self.register(_imported(source, content), key, instead_of=old), source
            )
            if failure is None:
                done()
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
        offers = _offers(plugin, name)
        file = str(getattr(plugin, "__file__", None) or "")
        found = Plugin(name, file, tuple(one for one, _ in offers))
        others = {n: p for p in self.plugins.values() if p is not instead_of for n in p.rulesets()}
        seen: set[str] = set()
        for one, where in offers:
            if isinstance(one, Ruleset):
                if why := untypeable(one.name):
                    raise _Refused(why, where)
                if one.name in seen:
                    raise _Refused(f"it offers the name '{one.name}' twice", where)
                if one.name in others:
                    other = others[one.name]
                    hint = "; --no-plugins leaves out what is installed" if other.name in self.entries else ""
                    raise _Refused(f"the name '{one.name}' is taken by {other}{hint if file == name else ''}", where)
                seen.add(one.name)
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
                    raise _Refused(str(error), where) from error
        if instead_of is not None:
            self.plugins.pop(instead_of.name, None)
        self.plugins[name] = found

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


# --- the registry of this process ---

_here: Registry | None = None


def installed() -> Registry:
    """The registry of this process: what is installed, and the files that were loaded."""
    global _here
    if _here is None:
        _here = Registry.installed()
    return _here


def load_file(path: str | Path) -> tuple[Mechanism | Drive | Observable, ...]:
    """Import one Python file as a plugin of this process, see `Registry.load_file`."""
    return installed().load_file(path)


@contextmanager
def beside(files: Iterable[str | Path], *, alone: bool = False, lenient: bool = False) -> Iterator[Registry]:
    """Plugin files beside what is installed, or alone, until the block ends.

    If lenient, a file that is wrong is only kept among the failures.

    Raises
    ------
    BadInput, BadPlugin
        As for `load_file`.
    """
    global _here
    before, seen = _here, dict(OBSERVABLES)
    if alone:
        names = (e.name for e in importlib.metadata.entry_points(group=hookspecs.PROJECT))
        _here = Registry(left_out=frozenset(names))
    else:
        now = installed()
        _here = replace(now, plugins=dict(now.plugins), failures=dict(now.failures), _loaded=set(now._loaded))
    try:
        for path in files:
            with suppress(BadPlugin) if lenient else nullcontext():
                _here.load_file(path)
        yield _here
    finally:
        _here = before
        OBSERVABLES.clear()
        OBSERVABLES.update(seen)


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


# --- what a plugin offers, and what is wrong with it ---


def _offers(plugin: ModuleType | Any, name: str) -> list[tuple[Any, str]]:
    """What the hooks of a plugin return, each with its place, in the order of `HOOKS`."""
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
                raise _Refused(f"{hook} returned None; {expected}: is its 'return' missing?", where)
            if inspect.isgenerator(returned):
                raise _Refused(f"{hook} is a generator; {expected}: return them together instead of yield", where)
            if isinstance(returned, kind):
                raise _Refused(f"{hook} returned {shown(returned)}; {expected}: put brackets around it", where)
            if not isinstance(returned, (list, tuple)):
                raise _Refused(f"{hook} returned {shown(returned)}; {expected}", where)
            for one in returned:
                if not isinstance(one, kind):
                    raise _Refused(f"{hook} returned a list with {shown(one)} in it; {expected}", where)
            found += [(one, where) for one in returned]
    if not found:
        raise BadPlugin("it offers nothing; implement the hook ucnp_mechanisms with @hookimpl")
    return found


def _check_hook(attribute: str, value: Any, marked: Mapping[str, Any] | None) -> None:
    """Refuse what pluggy would pass over in silence."""
    hook = (marked.get("specname") if marked else None) or attribute
    where = _line(value)
    if hook not in HOOKS:
        raise _Refused(f"unknown hook '{hook}'{nearest(hook, HOOKS)}", where)
    if not inspect.isroutine(value):
        raise _Refused(f"{hook} is {shown(value)}; expected a function that returns a list, with @hookimpl above it")
    if marked is None:
        raise _Refused(f"{hook} is not marked, so nobody would call it; write @hookimpl above it", where)
    if marked.get("wrapper") or marked.get("hookwrapper"):
        raise _Refused(f"{hook} is marked as a wrapper; write a plain @hookimpl above it", where)
    for argument in inspect.signature(value).parameters:
        raise _Refused(f"{hook} takes '{argument}', which nobody passes; a hook takes no arguments", where)


def _read(path: str | Path) -> tuple[Path, bytes]:
    """The absolute path and the content of a file that may be a plugin."""
    given = Path(path)
    try:
        if given.is_dir():
            inside = [str(file) for file in given.glob("*.py") if not file.name.startswith("test_")]
            hint = f"; did you mean '{inside[0]}'?" if len(inside) == 1 else "; name a file in it"
            raise BadInput(f"plugin file: '{path}' is a directory{hint}")
        if not given.exists():
            around = given.absolute().parent
            if not around.is_dir():
                raise BadInput(f"plugin file: there is no '{path}': there is no directory '{given.parent}'")
            near = difflib.get_close_matches(given.name, [file.name for file in around.glob("*.py")], 1)
            raise BadInput(f"plugin file: there is no '{path}'" + (f"; did you mean '{near[0]}'?" if near else ""))
        if given.suffix != ".py":
            raise BadInput(f"plugin file: '{path}' is no Python file: its name does not end with '.py'")
        return given.resolve(), given.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"plugin file: cannot read '{path}' ({getattr(error, 'strerror', None) or error})") from error


def _module_name(source: Path) -> str:
    stem = re.sub(r"\W", "_", source.stem, flags=re.ASCII)
    return f"ucnp_abm_file_{stem}_{hashlib.sha256(os.fsencode(source)).hexdigest()[:12]}"


@contextmanager
def _import_of(source: Path) -> Iterator[Callable[[], None]]:
    """Undo the import of a file unless the given function is called: its module and its lines in tracebacks."""
    caches: Any = ((sys.modules, _module_name(source)), (linecache.cache, str(source)))
    before = [cache.pop(key, None) for cache, key in caches]
    done: list[None] = []
    try:
        yield lambda: done.append(None)
    finally:
        if not done:
            for (cache, key), value in zip(caches, before, strict=True):
                cache.pop(key, None)
                if value is not None:
                    cache[key] = value


def _imported(source: Path, content: bytes) -> ModuleType:
    """A file as a module under a name of its own; nothing is written beside it, and tracebacks show these lines."""
    try:
        text = importlib.util.decode_source(content)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _Refused("it is not UTF-8 text; save it as UTF-8", f"{source}, line {line}") from error
    except SyntaxError as error:  # a wrong byte or a wrong declaration in the first two lines
        raise _Refused(f"it is not UTF-8 text ({error.msg}); save it as UTF-8", f"{source}, line 1") from error
    linecache.cache[str(source)] = (len(text), None, text.splitlines(keepends=True), str(source))
    spec = importlib.util.spec_from_file_location(_module_name(source), source)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    exec(compile(text, str(source), "exec", dont_inherit=True), vars(module))
    return module


def _tried(plugin: str, default: str, load: Callable[[], None], file: Path | None = None) -> Failure | None:
    """Why a plugin cannot be loaded, whatever it does; what it prints is talk. Ctrl-C alone passes."""
    try:
        with redirect_stdout(sys.stderr):
            load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also SystemExit, and what test tools raise to skip
        return Failure(plugin, _place(error, default), _reason(error, file))
    return None


def _line(value: Any) -> str:
    code = getattr(value, "__code__", None)
    return f"{code.co_filename}, line {code.co_firstlineno}" if code else ""


def _place(error: BaseException, default: str) -> str:
    """File and line of the plugin's code that was reached last."""
    if isinstance(error, _Refused) and error.where:
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
