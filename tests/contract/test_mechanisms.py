"""What every shipped mechanism and drive must keep: the same tests for all, through the public door."""

import pytest

from ucnp_abm import Particle, Simulation, UcnpError, mechanism, observables
from ucnp_abm.crystal.species import IONS
from ucnp_abm.registry import installed
from ucnp_abm.rules.check import check
from ucnp_abm.rules.table import RAW
from ucnp_abm.rules.tabulate import tabulate

installed().load_all()
NAMES = sorted(installed().mechanisms)
DRIVES = sorted(installed().drives)


def variants():
    """Every mechanism with every word of its choices, reversible where it can be, and with every drive it takes."""
    for name in NAMES:
        kind = mechanism(name)
        yield name, {}
        for parameter in kind.parameters.values():
            yield from ((name, {parameter.name: word}) for word in parameter.choices if word != parameter.default)
            if parameter.kind == "energy" and parameter.default is None:
                yield name, {parameter.name: "0.1 eV"}
            if parameter.kind == "count" and parameter.default is None:
                yield name, {parameter.name: 20}
        for drive in DRIVES:
            verbs = {rule.verb for rule in kind.site_rules}
            if set(installed().drives[drive].factors) <= verbs:
                yield f"{name}+{drive}", {}
    yield "y-complex+laser-thermal+laser-strip", {"rise": "50 K"}


VARIANTS = [pytest.param(v, id=", ".join([v[0], *(f"{k}={w}" for k, w in v[1].items())])) for v in variants()]


@pytest.fixture(params=VARIANTS)
def simulation(request, small_particle):
    name, values = request.param
    return Simulation(small_particle, mechanism(name, **values), "300 °C", seed=4)


def test_the_shipped_mechanisms_are_found_by_entry_point():
    assert set(NAMES) == {"no-complex", "y-complex", "gd-complex", "mixed-complex", "cation-exchange"}
    assert set(DRIVES) == {"laser-thermal", "laser-athermal", "laser-dock", "laser-strip"}
    assert not installed().failures


@pytest.mark.parametrize("name", NAMES + DRIVES)
def test_every_mechanism_and_drive_states_what_it_is_and_where_it_comes_from(name):
    found = installed().find(name)
    assert found.summary.endswith(".")
    assert "doi" in found.source or "Assumption" in found.source
    assert all(p.doc.endswith(".") for p in found.parameters.values())


def test_table_passes_the_checks_and_says_what_is_irreversible(simulation):
    """A drive breaks detailed balance by what it does to rates, which rows do not show, or by rows of its own."""
    check(simulation.table)
    raw = bool((simulation.table.kind[1:] == RAW).any())
    drives = [drive for drive in simulation.mechanism.drives if drive.assistance or drive.factors]
    assert (raw or bool(drives)) == bool(simulation.mechanism.irreversible_verbs)


def test_tabulation_is_deterministic(simulation):
    particle = simulation.particle
    again = tabulate(simulation.mechanism, particle.crystal, particle.counts, particle.immobile)
    assert again.fingerprint() == simulation.table.fingerprint()


def test_fingerprint_does_not_depend_on_temperature(simulation):
    hot = Simulation(simulation.particle, simulation.mechanism, "400 °C")
    assert hot.table.fingerprint() == simulation.table.fingerprint()


def test_fingerprint_knows_every_drive_and_every_active_choice(small_particle):
    prints = {}
    for name, values in variants():
        run = Simulation(small_particle, mechanism(name, **values))
        prints[name, *values.items()] = run.table.fingerprint()
    same = {key for key in prints if list(prints.values()).count(prints[key]) > 1}
    assert {name for name, *_ in same} <= {"gd-complex"}  # the light, not the atoms, tells some reasons apart


def test_sites_are_conserved_and_the_bath_balances_what_comes_and_goes(simulation):
    before, start = observables.composition(simulation), simulation.state.reservoir.tolist()
    simulation.run(steps=30)
    after = observables.composition(simulation)
    assert sum(after.values()) == sum(before.values()) == simulation.crystal.n_sites
    assert after.keys() <= {*IONS, "vacancy", "void"}
    changed = {s: after.get(s, 0) - before.get(s, 0) for s in {*before, *after}}
    by_verb = dict.fromkeys(("dock", "undock", "etch", "swap", "unswap", "sink"), 0)
    for channel, n in zip(simulation.table.channels, simulation.state.counts()[1:].tolist(), strict=True):
        by_verb[channel.verb] += n
    assert changed["vacancy"] == by_verb["undock"] + by_verb["etch"] - by_verb["dock"] - by_verb["sink"]
    assert changed.get("void", 0) == by_verb["sink"]
    left = simulation.state.reservoir.tolist()
    for bath, old, new in zip(simulation.table.reservoirs, start, left, strict=True):
        assert old - new == changed.get(bath.species, 0)
    others = set(changed) - {bath.species for bath in simulation.table.reservoirs} - {"vacancy", "void"}
    assert all(changed[s] == 0 for s in others) or by_verb["etch"]


def test_same_seed_same_digest_and_another_seed_another(simulation):
    def digest(seed):
        other = Simulation(simulation.particle, simulation.mechanism, "300 °C", seed=seed)
        other.run(events=60)
        return other.digest()

    assert digest(9) == digest(9)
    assert digest(9) != digest(10)


def test_options_are_what_the_loop_may_choose(simulation):
    listed = sum(
        move.rate
        for site in range(simulation.crystal.n_sites)
        for move in simulation.options(site)
        if simulation.occupant(site) == "vacancy" or move.verb != "hop"
    )
    assert listed == pytest.approx(simulation.total_rate(), rel=1e-12)


def test_every_fired_event_was_an_option(simulation):
    for _ in range(4):
        before = {
            (m.verb, m.species, m.site, m.to): m.rate
            for s in range(simulation.crystal.n_sites)
            for m in simulation.options(s)
        }
        event = simulation.fire(live=True)
        move = event.move
        assert before[move.verb, move.species, move.site, move.to] == move.rate
        assert 0 < event.probability <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_drive_with_nothing_to_act_on_is_refused(name):
    verbs = {rule.verb for rule in mechanism(name).site_rules}
    for drive, found in installed().drives.items():
        if not set(found.factors) <= verbs:
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
