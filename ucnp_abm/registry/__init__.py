"""The registry: plugins come from entry points or single files, are loaded on demand, and fail alone.

Here stands the one registry of this process. `catalogue` is what it is: plugins by name. `offers` asks the hooks of a
plugin and refuses what is wrong with them, `files` imports a single file, `failures` tells why and where one failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from ucnp_abm.errors import BadInput, BadPlugin, nearest
from ucnp_abm.observables import OBSERVABLES, Observable
from ucnp_abm.registry.catalogue import CHOSEN, Registry
from ucnp_abm.registry.failures import Failure
from ucnp_abm.registry.offers import HOOKS, Plugin, untypeable
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.mechanism import Mechanism

__all__ = [
    "CHOSEN",
    "HOOKS",
    "Failure",
    "Plugin",
    "Registry",
    "anew",
    "beside",
    "find_observables",
    "installed",
    "load_file",
    "mechanism",
    "untypeable",
]

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
    _here = Registry.bare() if alone else installed().copy()
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


def anew(used: Mechanism) -> Mechanism:
    """A mechanism as its plugin's file is now, with its drives and the values that were set by hand.

    Raises
    ------
    BadInput
        If it was made in Python and came from no plugin, or its name or a parameter is gone.
    BadPlugin
        If a file is wrong now; what it offered before stays in use.
    """
    for part in used.name.split("+"):
        plugin = installed().plugins.get(installed().origins.get(part, ""))
        if plugin is None or not plugin.file:
            raise BadInput(f"reload: '{part}' came from no file; give the mechanism that is to take its place")
        load_file(plugin.file)
    return installed().get(used.name).with_parameters(**used.set_by_hand)
