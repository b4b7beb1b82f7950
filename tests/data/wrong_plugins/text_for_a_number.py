"""Wrong: a law returns text with a unit."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("text-for-a-number", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """One barrier for all ions."""
    return 1.65


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return "1.20 eV"  # <- here


@hookimpl
def ucnp_mechanisms():
    return [dock]
