"""Wrong: a second mechanism is made, and the hook leaves it out."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("not-offered", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """One barrier for all ions."""
    return 1.65


other = Mechanism("forgotten-dock", summary="Nothing docks.", source="Assumption: a test")  # <- here
other.hop(mover=IONS)(hopping)


@hookimpl
def ucnp_mechanisms():
    return [dock]
