"""Wrong: a branch for sites that do not exist."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism("unreachable-line", summary="Yttrium oleate docks at the surface.", source="Assumption: a test")


@dock.hop(mover=IONS)
def hopping(env):
    """One barrier for all ions."""
    return 1.65


@dock.dock("Y", irreversible=True)
def docking(env):
    """Corners bind less."""
    if env.site.coordination > 20:
        return 1.40  # <- here
    return 1.20


@hookimpl
def ucnp_mechanisms():
    return [dock]
