"""The hooks of ucnp_abm, each a list that a plugin returns from a function marked with `hookimpl`."""

from __future__ import annotations

import pluggy

from ucnp_abm.observables import Observable
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.mechanism import Mechanism

PROJECT = "ucnp_abm"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def ucnp_mechanisms() -> list[Mechanism]:
    """Return the mechanisms that this plugin offers.

    Examples
    --------
    >>> from ucnp_abm import Mechanism, hookimpl
    >>> lu = Mechanism("lu-complex", summary="Lu-oleate fills surface vacancies.", source="Assumption: an example")
    >>> @hookimpl
    ... def ucnp_mechanisms():
    ...     return [lu]
    """
    raise NotImplementedError


@hookspec
def ucnp_drives() -> list[Drive]:
    """Return the drives that this plugin offers; users combine them with mechanisms, as in 'y-complex+lamp'.

    Examples
    --------
    >>> from ucnp_abm import Drive, hookimpl
    >>> lamp = Drive("lamp", summary="A lamp warms the bath.", source="Assumption: an example")
    >>> lamp.warm("20 K")
    >>> @hookimpl
    ... def ucnp_drives():
    ...     return [lamp]
    """
    raise NotImplementedError


@hookspec
def ucnp_observables() -> list[Observable]:
    """Return the observables that this plugin offers; every run and comparison can record them by name.

    Examples
    --------
    >>> from ucnp_abm import hookimpl, observable
    >>> @observable("exposed_vacancies", unit="")
    ... def exposed_vacancies(simulation):
    ...     '''Vacancies on sites where a neighbour is missing.'''
    ...     return simulation.state.n_exposed_vacancies
    >>> @hookimpl
    ... def ucnp_observables():
    ...     return [exposed_vacancies]
    """
    raise NotImplementedError
