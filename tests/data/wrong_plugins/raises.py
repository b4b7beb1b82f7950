"""Wrong: the law divides by the number of neighbours, also where there is none."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("raises", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """Crowded vacancies are slow."""
    return 1.0 + 0.1 / env.n["vacancy"]  # <- here


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
