"""Wrong: a parameter is declared, and the law has its number in the text."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("unused-parameter", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """One barrier for all ions."""
    return 1.65


dock.parameter("dock_barrier", "1.20 eV", doc="Barrier of docking.")  # <- here


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
