"""Wrong: barriers stand in a list that anything may change."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("mutable-table", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")
BARRIERS = [1.65, 1.70]


@dock.hop(mover=IONS)
def hopping(env):
    """By the phase of the moon."""
    return BARRIERS[0] if env.bond == "ab" else BARRIERS[1]  # <- here


@dock.dock("Y", irreversible=True)
def docking(env):
    """One barrier at every exposed site."""
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
