"""Wrong: the law has no return, so nothing ever docks."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("forbidden-everywhere", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """One barrier for all ions."""
    return 1.65


@dock.dock("Y", irreversible=True)  # <- here
def docking(env):
    """One barrier at every exposed site."""
    1.0 + 0.05 * env.site.coordination


@hookimpl
def ucnp_mechanisms():
    return [dock]
