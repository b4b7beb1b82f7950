"""Wrong: a law asks for 'yb', which no ion is called."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("misspelt-species", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """Ytterbium is slower."""
    return 1.75 if env.mover == "yb" else 1.65  # <- here


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
