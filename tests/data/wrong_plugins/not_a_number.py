"""Wrong: where exactly two ytterbium ions are near, the law gives NaN."""

import math

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("not-a-number", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """A series that somebody fitted, with a pole."""
    near = env.n["Yb"]
    if near == 2:
        return math.inf - math.inf  # <- here
    return 1.65 + 0.01 / (near - 2)


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
