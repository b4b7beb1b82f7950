"""What is true of the mechanisms and drives that ship, and need not be of others."""

import pytest
from contract.shipped import DRIVES, NAMES, fits, variants

from ucnp_abm import Particle, Simulation, UcnpError, mechanism, observables
from ucnp_abm.registry import installed


def test_the_shipped_mechanisms_are_found_by_entry_point():
    assert set(NAMES) == {"no-complex", "y-complex", "gd-complex", "mixed-complex", "cation-exchange"}
    assert set(DRIVES) == {"laser-thermal", "laser-athermal", "laser-dock", "laser-strip"}
    assert not installed().failures


def test_fingerprint_knows_every_drive_and_every_active_choice(small_particle):
    prints = {}
    for name, values in variants():
        run = Simulation(small_particle, mechanism(name, **values))
        prints[name, *values.items()] = run.table.fingerprint()
    same = {key for key in prints if list(prints.values()).count(prints[key]) > 1}
    assert {name for name, *_ in same} <= {"gd-complex"}  # the light, not the atoms, tells some reasons apart


@pytest.mark.parametrize("name", NAMES)
def test_a_drive_with_nothing_to_act_on_is_refused(name):
    for drive in DRIVES:
        if not fits(name, drive):
            with pytest.raises(UcnpError, match="has no such rule"):
                mechanism(f"{name}+{drive}")


def test_cation_exchange_brings_no_lanthanide_that_was_never_there(small_particle):
    simulation = Simulation(small_particle, mechanism("cation-exchange", swap_barrier="1.5 eV"), "300 °C", seed=4)
    simulation.run(steps=300)
    assert set(observables.composition(simulation)) <= {*small_particle.counts, "Y"}


def test_immobile_sodium_is_not_etched():
    particle = Particle.core_shell(
        core="NaGdF4", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", order="ordered", seed=1
    )
    simulation = Simulation(particle, mechanism("no-complex", surface="etch", etch_barrier="1.6 eV"), seed=1)
    simulation.run(steps=300)
    after = observables.composition(simulation)
    assert after["Na"] == particle.counts["Na"]
    assert after.get("Y", 0) < particle.counts["Y"]


def test_a_refused_temperature_changes_nothing(small_particle):
    driven = mechanism("no-complex+laser-thermal", rise="2000 K", begin=1e6)
    simulation = Simulation(small_particle, driven, "300 °C", seed=4)
    simulation.run(steps=1)
    before = simulation.protocol, simulation.schedule, simulation.steps
    with pytest.raises(UcnpError, match="above 3000 K"):
        simulation.set_temperature("1500 °C")
    assert (simulation.protocol, simulation.schedule, simulation.steps) == before
