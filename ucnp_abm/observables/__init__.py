"""Observables: named numbers with units, read from a simulation.

A name carries its unit, as in `t_s` or `outside_core_pct`. A *family* gives several numbers at once, by column; its
columns depend on particle and mechanism only, so that they are the same at every moment of a run.

Here is the register; `atoms` and `light` hold what ships in it: an observable is a few lines that call a probe.
"""

from __future__ import annotations

from collections.abc import Iterable

from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.observables import atoms, light
from ucnp_abm.observables.atoms import composition, docked, outside_core, voids
from ucnp_abm.observables.named import Observable, Reading, observable

__all__ = [
    "DEFAULT", "OBSERVABLES", "READINGS_VERSION", "SUFFIXES", "Observable", "Reading", "composition", "describe",
    "docked", "observable", "outside_core", "read", "register", "ships", "voids",
]  # fmt: skip

SUFFIXES = {"s": "s", "K": "K", "nm": "nm", "%": "pct", "eV": "eV", "1/s": "per_s"}
"""How a name must end if its unit is one of these."""

READINGS_VERSION = 1
"""Raised whenever an observable that ships gives another number for the same crystal, light included."""

OBSERVABLES: dict[str, Observable] = {}


def register(added: Observable) -> Observable:
    """Make an observable known by its name.

    Raises
    ------
    BadInput
        If its name is taken, no Python name or without its unit, or if anything is missing.
    """
    if not isinstance(added, Observable):
        raise BadInput(f"observables: expected an Observable, made with @observable(name, unit=…), got {added!r}")
    name, unit, wrong = added.name, added.unit, None
    if not isinstance(name, str) or not name.isidentifier():
        wrong = "expected a name such as 'r_nm'"
    elif name in OBSERVABLES:
        wrong = f"the name is taken ({OBSERVABLES[name].doc})"
    elif not isinstance(unit, str):
        wrong = f"expected a unit such as 'nm', or '' for a plain number, got {unit!r}"
    elif unit in SUFFIXES and not f"_{name}".endswith(f"_{SUFFIXES[unit]}"):
        wrong = f"its unit is {unit}, so its name must end with '_{SUFFIXES[unit]}'"
    elif not callable(added.read):
        wrong = f"expected a function of a simulation, got {added.read!r}"
    elif not isinstance(added.doc, str) or not added.doc.strip():
        wrong = "its function needs a docstring: one line that says what it is"
    if wrong:
        raise BadInput(f"observable {name!r}: {wrong}")
    OBSERVABLES[name] = added
    return added


def ships(name: str) -> bool:
    """Whether an observable is one of ours."""
    return any(each is OBSERVABLES.get(name) for each in (*atoms.SHIPPED, *light.SHIPPED))


def describe() -> list[tuple[str, str, str]]:
    """(name, unit, what it is) of all observables, in the order in which they were registered."""
    return [(each.name, each.unit, each.doc) for each in OBSERVABLES.values()]


DEFAULT = ("t_s", "steps", "events", "vacancies", "outside_core_pct", "docked", "charge_budget", "reversals_pct")
"""What a run records unless told otherwise."""


def read(simulation: Simulation, names: Iterable[str] = DEFAULT) -> dict[str, float]:
    """Several observables at once, families flattened into their columns.

    Raises
    ------
    BadInput
        If a name is unknown, an observable fails, or two of them disagree about a column.
    """
    found: dict[str, float] = {}
    for name in dict.fromkeys(names):
        if name not in OBSERVABLES:
            raise BadInput(f"unknown observable '{name}'{nearest(name, OBSERVABLES)}")
        for column, value in OBSERVABLES[name].columns(simulation).items():
            # a family may repeat what has a name of its own, as the share outside the core
            if column in found and (column not in OBSERVABLES or repr(found[column]) != repr(value)):
                raise BadInput(f"observable '{name}': its column '{column}' is that of another observable")
            found[column] = value
    return found


for _each in (*atoms.SHIPPED, *light.SHIPPED):
    register(_each)
