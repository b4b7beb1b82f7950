"""The hooks of ucnp_abm. A plugin implements them with `hookimpl`; the functions themselves are what plugins return."""

from __future__ import annotations

import pluggy

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
