"""Wrong: nobody knows where its numbers come from."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("no-source", summary="Yttrium oleate docks at the surface.", source="the group meeting")  # <- here


@dock.hop(mover=IONS)
def hopping(env):
    """One barrier for all ions."""
    return 1.65


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
