"""Wrong: it does not say what happens."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("no-summary", summary="", source="Assumption: a test")  # <- here


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
