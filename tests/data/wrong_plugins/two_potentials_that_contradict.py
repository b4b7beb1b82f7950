"""Wrong: docking and exchange could go round in a circle and win energy."""

from ucnp_abm import IONS, Mechanism, hookimpl

dock = Mechanism(
    "two-potentials-that-contradict", summary="Yttrium oleate docks at the surface.", source="Assumption: a test"
)


@dock.hop(mover=IONS)
def hopping(env):
    """One barrier for all ions."""
    return 1.65


@dock.dock("Y", chemical_potential="0.20 eV")
@dock.dock("Gd", chemical_potential="0.10 eV")
def docking(env):
    """One barrier for both complexes."""
    return 1.20


@dock.swap("Gd", "Y", chemical_potential="0.30 eV")  # <- here
def exchange(env):
    """Yttrium takes the place of gadolinium."""
    return 1.70


@hookimpl
def ucnp_mechanisms():
    return [dock]
