"""Wrong: a law reads the counts of all ions, which no table can hold."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("reads-too-much", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)  # <- here
def hopping(env):
    """Every neighbour pulls a little."""
    return 1.65 + sum(0.01 * env.n[symbol] for symbol in IONS)


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
