"""Wrong: the hook takes an argument with a default, which nobody passes."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("hook-with-default", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """One barrier for all ions."""
    return 1.65


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl  # <- here
def ucnp_mechanisms(temperature=573.15):
    return [dock]
