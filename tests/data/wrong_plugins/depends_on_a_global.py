"""Wrong: the barrier grows with the number of calls."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("depends-on-a-global", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")
calls = 0


@dock.hop(mover=IONS)
def hopping(env):
    """The surface grows older with every call."""
    global calls
    calls += 1  # <- here
    return 1.65 + 1e-6 * calls


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
