"""Wrong: a law appends to a default argument."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("grows-an-attribute", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """One barrier for all ions."""
    return 1.65


@dock.dock("Y", irreversible=True)  # <- here
def docking(env, seen=[]):
    """It remembers where it was."""
    seen.append(env.site.coordination)
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
