"""Wrong: a law calls itself for ever."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("endless-recursion", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """One barrier for all ions."""
    return hopping(env)  # <- here


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
