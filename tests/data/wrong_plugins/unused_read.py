"""Wrong: a law reads a count and forgets it."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("unused-read", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """Ytterbium was meant to matter."""
    crowd = env.n["Yb"]  # <- here
    return 1.65 + 0.0 * crowd


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
