"""Write a mechanism: Lu-oleate that docks only beside ytterbium."""

from ucnp_abm import IONS, Mechanism, Particle, Simulation, observables
from ucnp_abm.units import eV

lu = Mechanism("lu-beside-yb", summary="Lu-oleate docks where an Yb is near.", source="Assumption: an example")


@lu.hop(mover=IONS)
def barrier(env):
    return 1.65 * eV


@lu.dock("Lu", irreversible=True)
def attach(env):
    return 1.20 * eV if env.site.n["Yb"] > 0 else 1.80 * eV


particle = Particle.core_shell(
    core="NaGdF4: 49% Yb, 1% Tm", diameter="6.7 nm", shell="NaYF4", thickness="1.65 nm", seed=1
)
simulation = Simulation(particle, lu, "300 °C", seed=7)
table = simulation.table
print(f"{table.n_rows} rows, fingerprint {table.fingerprint()[:12]}, irreversible: {lu.irreversible_verbs}")
for steps in (0, 100, 500):
    simulation.run_to(steps=steps)
    seen = observables.read(simulation)
    print(f"{steps:4d} steps: {seen['vacancies']:.0f} vacancies, {seen['outside_core_pct']:.1f} % outside the core")
