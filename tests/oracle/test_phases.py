"""What the defaults make of the two phases and of the three surfaces, on whole particles."""

import math

import pytest
from naive import KB

from ucnp_abm import Particle, Simulation, mechanism, observables

GROWN = {"core": "NaGdF4: 49% Yb, 1% Tm", "diameter": "4 nm", "shell": "NaYF4", "thickness": "1.2 nm", "seed": 1}
HOUR = 3600.0


def hops_per_vacancy(z, barrier, celsius):
    """z nu exp(-E/kT) t in an hour: of a vacancy in the bulk, without exclusion."""
    return z * 1e13 * math.exp(-barrier / (KB * (celsius + 273.15))) * HOUR


def complete_mixing(run):
    return 100 * (1 - (run.crystal.layer == 0).mean())


def test_cubic_phase_mixes_in_an_hour_at_200_degrees_and_the_hexagonal_one_does_not():
    """531 hops of a vacancy against 0.8, with the defaults of each lattice."""
    expected = {"alpha": hops_per_vacancy(12, 1.40, 200), "beta": hops_per_vacancy(8, 1.65, 200)}
    assert expected["alpha"] == pytest.approx(531, rel=0.01)
    assert expected["beta"] == pytest.approx(0.77, rel=0.01)
    for lattice, hops in expected.items():
        run = Simulation(Particle.core_shell(**GROWN, lattice=lattice), mechanism("no-complex"), "200 °C", seed=1)
        n = run.state.n_vacancies
        run.run_to(time=HOUR)
        assert run.state.n_vacancies == n
        # At the surface bonds are missing, and other vacancies take no part: fewer hops than in an empty bulk.
        assert 0.5 * hops < run.state.events / n < hops
        mixed = observables.outside_core(run) / complete_mixing(run)
        assert mixed > 3 / 4 if lattice == "alpha" else mixed < 1 / 20  # 89 % and 2 %


def test_hexagonal_phase_needs_100_degrees_more_for_as_many_hops():
    assert hops_per_vacancy(8, 1.65, 300) == pytest.approx(893, rel=0.01)
    assert hops_per_vacancy(8, 1.65, 350) == pytest.approx(1.3e4, rel=0.05)


def test_a_sink_purifies_as_docking_does_and_mixes_between_docking_and_reflection():
    """So a bare surface must conserve vacancies, or the paper's contrast is lost: the model's main assumption."""
    particle = Particle.core_shell(**GROWN)
    kinds = {
        "reflecting": mechanism("no-complex"),
        "sink": mechanism("no-complex", surface="sink"),
        "docking": mechanism("y-complex"),
    }
    mixed, left = {}, {}
    for name, kind in kinds.items():
        runs = [Simulation(particle, kind, "300 °C", seed=seed) for seed in range(3)]
        for run in runs:
            run.run_to(steps=1000)
        mixed[name] = sum(observables.outside_core(run) for run in runs) / 3
        left[name] = max(run.state.n_vacancies for run in runs)
        filled = [observables.voids(run) + observables.docked(run) for run in runs]
        assert [run.state.n_vacancies + n for run, n in zip(runs, filled, strict=True)] == [
            particle.counts["vacancy"]
        ] * 3
    assert left["reflecting"] == particle.counts["vacancy"]
    assert left["sink"] <= 3
    assert left["docking"] <= 3
    assert mixed["docking"] < mixed["sink"] < mixed["reflecting"] / 2  # 13, 21 and 72 %
