"""Wrong: a law waits for what never comes."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("endless-loop", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """One barrier for all ions."""
    return 1.65


@dock.dock("Y", irreversible=True)  # <- here
def docking(env):
    """One neighbour after the other."""
    barrier = 1.0
    while barrier != 1.2:
        barrier += 0.03
    return barrier


@hookimpl
def ucnp_mechanisms():
    return [dock]
