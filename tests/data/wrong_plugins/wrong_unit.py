"""Wrong: barriers are in meV."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("wrong-unit", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)  # <- here
def hopping(env):
    """One barrier for all ions."""
    return 1650


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
