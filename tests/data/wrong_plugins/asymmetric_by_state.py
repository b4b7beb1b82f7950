"""Wrong: every other call gives a lower barrier, so the way back is another one."""

import itertools

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("asymmetric-by-state", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")
turn = itertools.count()


@dock.hop(mover=IONS)  # <- here
def hopping(env):
    """There and back again."""
    return 1.65 if next(turn) % 2 else 1.60


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
