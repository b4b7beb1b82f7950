import math

import pytest

from ucnp_abm import IONS, Mechanism, Particle, Simulation, mechanism
from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.errors import BadInput, BadMechanism, BadRate
from ucnp_abm.kernels import layout
from ucnp_abm.rules import table as tables
from ucnp_abm.rules.tabulate import tabulate


def made(law=None, dock=None, **declared):
    m = Mechanism("trial", summary="A trial.", source="Assumption: a test")
    m.hop(mover=IONS)(law or (lambda env: 1.65))
    if dock:
        m.dock("Y", **(declared or {"irreversible": True}))(dock)
    return m


def table_of(m, particle):
    return tabulate(m, particle.crystal, particle.counts, particle.immobile)


def test_row_kinds_are_those_of_the_loop():
    assert (tables.RAW, tables.HOP, tables.FILL, tables.EMPTY) == (layout.RAW, layout.HOP, layout.FILL, layout.EMPTY)


def test_a_law_is_called_once_for_each_environment(small_particle):
    calls = []

    def law(env):
        calls.append((env.mover, env.bond, env.zones))
        return 1.65

    table_of(made(law), small_particle)
    assert len(calls) == len(set(calls))
    assert {c[0] for c in calls} == {"Na", "Y", "Gd", "Yb"}
    assert {c[1] for c in calls} == {"c", "ab"}


def test_reading_a_count_widens_the_table(small_particle):
    narrow = table_of(made(), small_particle)
    wide = table_of(made(lambda env: 1.6 + 0.01 * env.n["Yb"]), small_particle)
    assert wide.n_rows == 1 + (narrow.n_rows - 1) * 15


def test_a_count_that_is_read_only_sometimes_is_found(small_particle):
    table = table_of(made(lambda env: 1.6 + (0.01 * env.n["Yb"] if env.mover == "Gd" else 0)), small_particle)
    assert table.hop_counts[SPECIES["Gd"].code]
    assert not table.hop_counts[SPECIES["Y"].code]


def test_a_species_that_cannot_be_here_needs_no_rows(small_particle):
    assert (
        table_of(made(lambda env: 1.6 + env.n["Lu"]), small_particle).n_rows == table_of(made(), small_particle).n_rows
    )


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (-0.1, "at least 0 eV"),
        (math.nan, "finite barrier"),
        (math.inf, "return None to forbid"),
        ("1.65 eV", "expected a barrier in eV"),
        (True, "expected a barrier in eV"),
        (1j, "expected a barrier in eV"),
    ],
)
def test_a_bad_barrier_names_law_line_and_environment(small_particle, value, says):
    with pytest.raises(BadRate, match=says) as caught:
        table_of(made(lambda env: value), small_particle)
    assert "test_rules.py" in str(caught.value)
    assert "zones" in str(caught.value)


def test_a_law_that_raises_keeps_its_traceback(small_particle):
    with pytest.raises(BadRate, match="ZeroDivisionError") as caught:
        table_of(made(lambda env: 1 / 0), small_particle)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize(
    ("law", "says"),
    [
        (lambda env: env.start, "irreversible=True"),
        (lambda env: env.zone, "did you mean 'zones'"),
        (lambda env: env.n["Yp"], "did you mean 'Yb'"),
        (lambda env: env.p.barier, "no parameter 'barier'"),
        (lambda env: sum(env.n), "name the species"),
    ],
)
def test_misspelt_environment_names_the_nearest(small_particle, law, says):
    with pytest.raises(BadRate, match=says):
        table_of(made(law), small_particle)


def test_none_forbids_an_event(small_particle):
    m = made(lambda env: None if env.mover == "Na" else 1.65)
    simulation = Simulation(small_particle, m, seed=1)
    before = simulation.crystal.points[simulation.state.species[simulation.crystal.sites] == SPECIES["Na"].code]
    simulation.run(events=2000)
    after = simulation.crystal.points[simulation.state.species[simulation.crystal.sites] == SPECIES["Na"].code]
    assert (before == after).all()


def test_only_irreversible_rules_see_start_and_end(small_particle):
    m = Mechanism("driven", summary="Outward hops are faster.", source="Assumption: a test")
    m.hop(mover=IONS, irreversible=True)(lambda env: 1.2 if env.end == "surface" and env.start == "shell" else 1.65)
    table = table_of(m, small_particle)
    assert sorted(set(table.barrier[1:])) == [1.2, 1.65]
    assert m.irreversible_verbs == ["hop of any ion"]


def test_fingerprint_depends_on_energies_and_not_on_names(small_particle):
    first, again = table_of(made(), small_particle), table_of(made(lambda env: 1.0 + 0.65), small_particle)
    other = table_of(made(lambda env: 1.66), small_particle)
    assert first.fingerprint() == again.fingerprint()
    assert first.fingerprint() != other.fingerprint()


def test_a_mechanism_without_rules_or_without_use_is_refused(small_particle):
    with pytest.raises(BadMechanism, match="at least one rule"):
        table_of(Mechanism("empty", summary="", source=""), small_particle)
    lonely = Mechanism("lonely", summary="", source="")
    lonely.hop(mover="Lu")(lambda env: 1.0)
    with pytest.raises(BadRate, match="nothing can happen"):
        Simulation(small_particle, lonely)


def test_declarations_that_contradict_each_other_are_refused():
    m = made()
    with pytest.raises(BadMechanism, match="two hop rules for Yb"):
        m.hop(mover="Yb")(lambda env: 1.0)
    with pytest.raises(BadMechanism, match="not both or none"):
        m.dock("Y")
    with pytest.raises(BadMechanism, match="not both or none"):
        m.dock("Y", irreversible=True, chemical_potential=0.1)
    with pytest.raises(BadMechanism, match="did you mean"):
        m.dock("Yy", irreversible=True)
    with pytest.raises(BadMechanism, match="no way back"):
        m.etch("Y")
    m.pair_energy({("Y", "Gd"): 0.1})
    with pytest.raises(BadMechanism, match="given twice"):
        m.pair_energy({("Gd", "Y"): 0.2})


def test_parameters_have_units_and_bounds():
    assert mechanism("y-complex", barrier="1600 meV").values["barrier"] == pytest.approx(1.6)
    with pytest.raises(BadInput, match="did you mean 'barrier'"):
        mechanism("y-complex", barier="1.6 eV")
    with pytest.raises(BadInput, match="expected 0 to 10 eV, got -1 eV"):
        mechanism("y-complex", barrier="-1 eV")
    with pytest.raises(BadInput, match="an energy such as"):
        mechanism("y-complex", barrier="1 h")
    assert mechanism("y-complex").values["barrier"] == 1.65


def test_a_chemical_potential_makes_docking_reversible(small_particle):
    one_way = table_of(mechanism("y-complex"), small_particle)
    both_ways = table_of(mechanism("y-complex", chemical_potential="1 eV"), small_particle)
    assert [c.name for c in one_way.channels] == ["dock Y"]
    assert [c.name for c in both_ways.channels] == ["dock Y", "undock Y"]


def test_particle_without_vacancies_is_refused_unless_a_rule_makes_some():
    box = Particle.core_shell(
        core="NaYF4", diameter="2 nm", surface_vacancies=0, interface_vacancies=0, bulk_vacancies=0
    )
    with pytest.raises(BadInput, match="no vacancies"):
        Simulation(box, made())
    m = made(dock=lambda env: 1.2, chemical_potential=0.5)
    assert Simulation(box, m, seed=1).run(events=100) == "count reached"


def test_a_copy_with_other_parameters_shares_nothing():
    original = mechanism("y-complex")
    copy = original.with_parameters(barrier="1.5 eV")
    copy.site_energy({("Y", "surface"): 0.1})
    copy.pair_energy({("Y", "Y"): 0.1})
    assert not original.site_energies
    assert not original.pair_energies
