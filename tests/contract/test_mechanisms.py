"""What every shipped mechanism must keep: the same tests for all, through the public door."""

import pytest

from ucnp_abm import Simulation, mechanism, observables
from ucnp_abm.registry import installed
from ucnp_abm.rules.check import check
from ucnp_abm.rules.table import RAW
from ucnp_abm.rules.tabulate import tabulate

installed().load_all()
NAMES = sorted(installed().mechanisms)


@pytest.fixture(params=NAMES)
def simulation(request, small_particle):
    return Simulation(small_particle, mechanism(request.param), "300 °C", seed=4)


def test_the_shipped_mechanisms_are_found_by_entry_point():
    assert {"no-complex", "y-complex"} <= set(NAMES)
    assert not installed().failures


@pytest.mark.parametrize("name", NAMES)
def test_every_mechanism_states_what_it_is_and_where_it_comes_from(name):
    m = mechanism(name)
    assert m.summary.endswith(".")
    assert "doi" in m.source or "Assumption" in m.source
    assert all(p.doc.endswith(".") for p in m.parameters.values())


def test_table_passes_the_checks_and_says_what_is_irreversible(simulation):
    check(simulation.table)
    raw = bool((simulation.table.kind[1:] == RAW).any())
    assert raw == bool(simulation.mechanism.irreversible_verbs)


def test_tabulation_is_deterministic(simulation):
    particle = simulation.particle
    again = tabulate(simulation.mechanism, particle.crystal, particle.counts, particle.immobile)
    assert again.fingerprint() == simulation.table.fingerprint()


def test_fingerprint_does_not_depend_on_temperature(simulation):
    hot = Simulation(simulation.particle, simulation.mechanism, "400 °C")
    assert hot.table.fingerprint() == simulation.table.fingerprint()


def test_sites_are_conserved_and_composition_changes_only_by_docking(simulation):
    before = observables.composition(simulation)
    simulation.run(steps=30)
    after = observables.composition(simulation)
    docked = observables.docked(simulation)
    assert sum(after.values()) == sum(before.values())
    assert before["vacancy"] - after.get("vacancy", 0) == docked
    changed = {s: after.get(s, 0) - n for s, n in before.items() if s != "vacancy" and after.get(s, 0) != n}
    assert sum(changed.values()) == docked


def test_same_seed_same_digest_and_another_seed_another(simulation):
    def digest(seed):
        other = Simulation(simulation.particle, simulation.mechanism, "300 °C", seed=seed)
        other.run(events=60)
        return other.digest()

    assert digest(9) == digest(9)
    assert digest(9) != digest(10)


def test_options_are_what_the_loop_may_choose(simulation):
    state, crystal = simulation.state, simulation.crystal
    vacant = [int(crystal.number[p]) for p in state.vacancies[: state.n_vacancies]]
    listed = sum(move.rate for site in vacant for move in simulation.options(site))
    assert listed == pytest.approx(simulation.total_rate(), rel=1e-12)


def test_every_fired_event_was_an_option(simulation):
    for _ in range(50):
        before = {
            (m.verb, m.site, m.to): m.rate for s in range(simulation.crystal.n_sites) for m in _vacant(simulation, s)
        }
        event = simulation.fire(live=True)
        move = event.move
        assert before[move.verb, move.site, move.to] == move.rate
        assert 0 < event.probability <= 1


def _vacant(simulation, site):
    return simulation.options(site) if simulation.occupant(site) == "vacancy" else []
