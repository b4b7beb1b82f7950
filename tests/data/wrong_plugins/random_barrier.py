"""Wrong: the barrier is drawn at random."""

import random

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("random-barrier", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)  # <- here
def hopping(env):
    """A rough surface."""
    return 1.65 + 0.05 * random.random()


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
