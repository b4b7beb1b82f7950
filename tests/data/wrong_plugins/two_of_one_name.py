"""Wrong: two mechanisms have one name."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("two-of-one-name", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """One barrier for all ions."""
    return 1.65


other = Mechanism("two-of-one-name", summary="Nothing docks.", source="Assumption: a test")
other.hop(mover=IONS)(hopping)


@hookimpl  # <- here
def ucnp_mechanisms():
    return [dock, other]
