"""Wrong: beside many vacancies the barrier is below zero."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("negative-barrier", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """Every vacancy near helps."""
    return 1.65 - 0.2 * env.n["vacancy"]  # <- here


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
