"""Wrong: the barrier depends on where the environment lies in memory."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("asymmetric-by-address", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)  # <- here
def hopping(env):
    """Nobody would do that on purpose."""
    return 1.65 + 1e-3 * (id(env) // 16 % 13)


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
