"""What a plugin file brings to be checked: mechanisms, drives with a mechanism to act on, or why there is nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ucnp_abm import registry
from ucnp_abm.errors import BadInput, BadPlugin
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.workbench.checking.finding import ERROR, Finding, Report, short_place
from ucnp_abm.workbench.checking.laws import birthplace

USUAL = "no-complex"
"""The mechanism with which drives are combined, if they can act on it and their file has none."""


def load(path: str | Path) -> tuple[list[Mechanism], Report]:
    """The mechanisms of a plugin file, drives combined with one, and what is wrong with the file itself.

    Raises
    ------
    BadInput
        If there is no such file.
    """
    with registry.beside([]) as here:
        source = os.path.realpath(path)
        try:
            offered = here.load_file(path)
        except BadPlugin as error:
            failure = here.failures.get(source)
            why, where = (failure.why, failure.where) if failure else (str(error), "")
            broken = Finding("loading", ERROR, why, short_place(where))
            return [], Report(Path(path).name, ("loading",), (broken,), 0)
        own = [one for one in offered if isinstance(one, Mechanism)]
        found = list(_not_offered(source, here))
        checked = list(own)
        for drive in (one for one in offered if isinstance(one, Drive)):
            driven = _driven(drive, own, here)
            if driven is None:
                text = f"the drive '{drive.name}' can act on no mechanism that is known; offer one that it acts on"
                found.append(Finding("offered", ERROR, text, birthplace(drive)))
            else:
                checked.append(driven)
    return checked, Report(Path(path).name, ("loading", "offered"), tuple(found), 0)


def _driven(drive: Drive, own: list[Mechanism], here: registry.Registry) -> Mechanism | None:
    """The first mechanism on which a drive can act, under that drive: those of its file, the usual one, any other."""
    others = sorted(here.mechanisms.values(), key=lambda one: (one.name != USUAL, one.name))
    for mechanism in [*own, *others]:
        try:
            return mechanism.driven_by(drive)
        except BadInput:  # it has nothing to act on there
            continue
    return None


def _not_offered(source: str, here: registry.Registry) -> Iterator[Finding]:
    """Mechanisms and drives that a file makes and no hook returns."""
    modules = [module for module in list(sys.modules.values()) if getattr(module, "__file__", None) == source]
    known = {id(one) for plugin in here.plugins.values() for one in plugin.offers}
    for module in modules:
        for name, one in vars(module).items():
            if isinstance(one, (Mechanism, Drive)) and id(one) not in known and one.name not in here.origins:
                hook = "ucnp_mechanisms" if isinstance(one, Mechanism) else "ucnp_drives"
                text = f"'{one.name}' is made, and no hook offers it; return {name} from {hook}"
                yield Finding("offered", ERROR, text, birthplace(one))
                known.add(id(one))
