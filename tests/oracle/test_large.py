"""In a crystal that outgrows the caches the loop asks for memory ahead; that must change nothing."""

import numpy as np

from ucnp_abm import Particle, Simulation, mechanism
from ucnp_abm.kernels import events


def test_asking_for_memory_ahead_changes_no_event():
    particle = Particle.box(lattice="fcc", cells=(38, 38, 38), composition="Y: 50% Gd", vacancies=0.01, seed=1)
    assert particle.crystal.place.size > events.CACHED
    compiled, plain = (
        Simulation(particle, mechanism("no-complex"), seed=2, interpreted=interpreted) for interpreted in (False, True)
    )
    for events_so_far in (1, 500, 1500):
        compiled.run_to(events=events_so_far)
        plain.run_to(events=events_so_far)
        assert compiled.digest() == plain.digest()


def test_a_large_particle_can_dock_its_last_vacancy():
    particle = Particle.core_shell(
        core="NaYF4", diameter="23 nm", surface_vacancies=0, interface_vacancies=0, bulk_vacancies=0.0001, seed=1
    )
    assert particle.crystal.place.size > events.CACHED
    simulation = Simulation(particle, mechanism("y-complex"), seed=2)
    assert simulation.run(time=1e9) == "nothing left to happen"
    assert simulation.state.n_vacancies == 0
    assert np.isclose(simulation.time, 1e9)
