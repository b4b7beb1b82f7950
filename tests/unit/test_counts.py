"""What laws may ask of the neighbours and of levels, and how it becomes rows."""

import itertools
import math

import numpy as np
import pytest

from ucnp_abm import IONS, Mechanism, Particle, Simulation
from ucnp_abm.crystal.levels import Division, divided, level_of_sites
from ucnp_abm.crystal.places import MAX_PLACES
from ucnp_abm.errors import BadInput, BadMechanism, BadRate
from ucnp_abm.kernels import layout
from ucnp_abm.rules import reading
from ucnp_abm.rules.tabulate import tabulate
from ucnp_abm.rules.watch import Watch, counting


def made(law, **options):
    m = Mechanism("trial", summary="A trial.", source="Assumption: a test")
    m.hop(mover=IONS, **options)(law)
    return m


def table_of(m, particle):
    return tabulate(m, particle.crystal, particle.counts, particle.immobile)


def rows_for_each(m, particle):
    """Rows of each kind of place."""
    return table_of(m, particle).blocks[0].n_rows


def test_what_laws_read_is_numbered_as_in_the_loop():
    assert (reading.NOTHING, reading.COUNTS, reading.ON_THE_WAY) == (layout.NOTHING, layout.COUNTS, layout.ON_THE_WAY)


@pytest.mark.parametrize(
    ("law", "rows"),
    [
        (lambda env: 1.6 + 0.01 * env.n["Yb"], 15),
        (lambda env: 1.6 + 0.01 * env.n["Yb", "Gd"], 15),
        (lambda env: 1.6 + 0.01 * env.n["Gd", "Yb"] + 0.01 * env.n["Yb", "Gd"], 15),
        (lambda env: 1.6 + 0.01 * env.n.up_to(3, "Yb"), 4),
        (lambda env: 1.6 + 0.01 * env.n.up_to(1, "Yb") * env.n.up_to(1, "Gd", "Y"), 4),
        (lambda env: 1.6 + 0.01 * env.n["Yb"] * env.n["Gd"], math.comb(16, 2)),
        (lambda env: 1.6 + 0.01 * env.n["Yb"] * env.n["Gd", "Yb"], math.comb(16, 2)),
        (lambda env: 1.6 + 0.01 * env.n["Lu"] + env.n["Lu", "Er"] + env.n.up_to(2, "Lu"), 1),
    ],
    ids=["one", "group", "same group", "cut", "two cuts", "two", "nested", "absent"],
)
def test_rows_are_only_as_many_as_answers_can_differ(small_particle, law, rows):
    assert rows_for_each(made(law), small_particle) == rows


def test_two_cuts_of_one_count_stand_together(small_particle):
    law = made(lambda env: 1.6 + 0.01 * env.n.up_to(2, "Yb") + 0.1 * env.n.up_to(5, "Yb"))
    assert rows_for_each(law, small_particle) == 6


def test_every_number_leads_to_the_row_with_its_counts():
    watched = [Watch.of(["Gd", "Y"]), Watch.of(["Y"], 2), Watch.of(["Yb"])]
    found = counting(watched, ["vacancy", "Y", "Gd", "Yb", "Na"], most=5)
    assert found.classes == (("Y",), ("Gd",), ("Yb",))
    seen = set()
    for number, row in enumerate(found.row.tolist()):
        y, gd, yb = (number // 6**k % 6 for k in range(3))
        if y + gd + yb <= 5:
            assert list(found.counts(row).values()) == [gd + y, min(y, 2), yb]
            seen.add(row)
    assert seen == set(range(found.n_rows))


def test_a_law_that_reads_too_much_is_refused_with_all_that_helps(small_particle):
    law = made(lambda env: 1.0 + sum(env.n[s] for s in small_particle.counts))
    with pytest.raises(BadMechanism) as caught:
        table_of(law, small_particle)
    for advice in ("test_counts.py", "Gd, Na, Y, Yb, vacancy", "table rows", "env.n['Gd', 'Y']", "up_to(3", "lowest="):
        assert advice in str(caught.value)


@pytest.mark.parametrize(
    ("law", "says"),
    [
        (lambda env: env.n["Gd", "Yp"], "unknown species 'Yp'; did you mean 'Yb'"),
        (lambda env: env.n[()], "name the species"),
        (lambda env: env.n.up_to(3), "name the species"),
        (lambda env: env.n.up_to(0, "Yb"), "whole number of at least 1, got 0"),
        (lambda env: env.n.up_to("Yb", 3), "whole number of at least 1, got 'Yb'"),
        (lambda env: env.n[["Yb"]], r"expected species such as env.n\['Y'\]"),
        (lambda env: env.n["Yb", 3], "expected species such as"),
        (lambda env: env.n.get("Yb"), "env.n has no 'get'"),
        (lambda env: 1.6 if env.n else 1.7, "name the species, as in"),
        (lambda env: env.levels[0], "this mechanism has no levels; declare them"),
        (lambda env: env.start_level, "only for rules declared irreversible=True"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(small_particle, law, says):
    with pytest.raises(BadRate, match=says):
        table_of(made(law), small_particle)


def test_a_law_that_asks_for_ever_new_counts_is_refused(small_particle):
    numbers = itertools.count(1)
    with pytest.raises(BadMechanism, match="asks for more than 64 different counts"):
        table_of(made(lambda env: 1.6 + 0.01 * env.n.up_to(next(numbers), "Yb")), small_particle)


def test_numpy_numbers_are_numbers(small_particle):
    assert rows_for_each(made(lambda env: 1.6 + 0.01 * env.n.up_to(np.int64(3), "Yb")), small_particle) == 4
    m = made(lambda env: np.float16(1.6))
    assert table_of(m, small_particle).barrier[1] == np.float16(1.6)


@pytest.mark.parametrize("lowest", [-1.0, "-0.1 eV", 1e9])
def test_a_lowest_barrier_that_is_none_is_refused_where_it_is_declared(lowest):
    with pytest.raises(BadMechanism, match="lowest: expected a barrier of at least 0 eV"):
        made(lambda env: 1.6, lowest=lowest)


def test_a_lowest_barrier_in_other_units_is_refused_where_it_is_declared():
    with pytest.raises(BadInput, match="lowest barrier"):
        made(lambda env: 1.6, lowest="high")


def test_sites_have_no_level_without_a_division(small_particle):
    m = made(lambda env: 1.6)
    m.dock("Y", irreversible=True)(lambda env: 1.0 + env.site.level)
    with pytest.raises(BadRate, match=r"env.site.level: this mechanism has no levels"):
        table_of(m, small_particle)


# --- levels ---


@pytest.mark.parametrize("along", ["depth", "radius", "x", "y", "z"])
@pytest.mark.parametrize("width", [None, 2.0])
def test_levels_are_slices_of_the_crystal(small_particle, along, width):
    crystal, division = small_particle.crystal, Division(along, 6, width)
    level, where = level_of_sites(crystal, division), division.coordinate(crystal, crystal.points)
    parts = [where[level == n] for n in range(6) if (level == n).any()]
    assert all(low.max() <= high.min() + 1e-5 for low, high in itertools.pairwise(parts))
    if width:
        assert all(np.ptp(part) <= width + 1e-5 for part in parts[:-1])
    else:
        assert len(parts) == 6


def test_a_divided_crystal_is_the_same_crystal(small_particle):
    crystal = small_particle.crystal
    other = divided(crystal, Division("x", 5))
    assert (other.site_zone == crystal.site_zone).all()
    assert (other.bonds == crystal.bonds).all()
    assert (other.exposed_sites == crystal.exposed_sites).all()
    for name in ("basis", "coordination"):
        here, there = getattr(crystal, name), getattr(other, name)
        assert (here[crystal.place[crystal.sites]] == there[other.place[other.sites]]).all()
    assert (other.level[other.place[other.sites]] == level_of_sites(crystal, Division("x", 5))).all()
    assert other.sites is crystal.sites


def test_simulations_share_a_divided_crystal(small_particle):
    m = made(lambda env: 1.6 + 0.01 * env.levels[0])
    m.divide("depth", 3)
    one, two = Simulation(small_particle, m), Simulation(small_particle, m)
    assert one.crystal is two.crystal
    assert one.crystal is not small_particle.crystal


def test_sixteen_levels_fit_into_the_papers_particle(paper_particle):
    for along in ("depth", "radius", "z"):
        assert divided(paper_particle.crystal, Division(along, 16)).basis.size <= MAX_PLACES


def test_levels_that_make_too_many_kinds_of_site_are_refused(paper_particle, monkeypatch):
    monkeypatch.setattr("ucnp_abm.crystal.levels.MAX_PLACES", 20)
    with pytest.raises(BadInput, match=r"16 levels along x make \d+ kinds of site, more than 20; use fewer levels"):
        divided(paper_particle.crystal, Division("x", 16))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("deep", 4), "unknown direction 'deep'"),
        (("depth", 1), "whole number from 2 to 16, got 1"),
        (("depth", 17), "whole number from 2 to 16, got 17"),
        (("depth", True), "whole number from 2 to 16"),
        (("depth", 4.0), "whole number from 2 to 16"),
    ],
)
def test_a_division_that_cannot_be_is_refused(options, says):
    with pytest.raises(BadInput, match=says):
        made(lambda env: 1.6).divide(*options)
    with pytest.raises(BadInput, match="length above 0"):
        made(lambda env: 1.6).divide("x", 3, width="-2 Å")


def test_a_crystal_is_cut_once():
    m = made(lambda env: 1.6)
    m.divide("x", 3)
    with pytest.raises(BadMechanism, match="cut along x already"):
        m.divide("y", 3)


def test_a_box_has_no_depth_but_axes():
    box = Particle.box(lattice="sc", cells=(6, 3, 3), composition="Gd", vacancies=3, seed=1)
    m = made(lambda env: 1.6 + 0.01 * (env.levels == (0, 2)))
    m.divide("x", 3)
    assert {row[1] for row in Simulation(box, m).crystal.regions} == {0, 1, 2}
    deep = made(lambda env: 1.6)
    deep.divide("depth", 3)
    with pytest.raises(BadInput, match="a periodic box has none"):
        Simulation(box, deep)


def test_energies_of_levels_need_levels():
    m = made(lambda env: 1.6)
    with pytest.raises(BadMechanism, match=r"level 2: first cut the crystal: divide"):
        m.site_energy({("Yb", 2): 0.1})
    m.divide("depth", 3)
    with pytest.raises(BadMechanism, match="expected a level from 0 to 2, got 3"):
        m.site_energy({("Yb", 3): 0.1})


@pytest.mark.parametrize("where", [2.5, None, ("surface",), True, np.True_])
def test_energies_are_of_zones_and_levels_only(where):
    m = made(lambda env: 1.6)
    m.divide("depth", 3)
    with pytest.raises(BadMechanism, match="expected the name of a zone or the number of a level"):
        m.site_energy({("Yb", where): 0.1})
    m.site_energy({("Yb", np.int64(1)): 0.1})
    assert m.energies()[0] == {("Yb", 1): 0.1}


def test_a_site_energy_that_contradicts_itself_is_refused():
    m = made(lambda env: 1.6)
    m.site_energy({("Yb", "core"): 0.1})
    m.site_energy({("Yb", "core"): "100 meV"})
    with pytest.raises(BadMechanism, match="Yb, core is given twice with different values"):
        m.site_energy({("Yb", "core"): 0.2})


# --- energies that are parameters ---


def test_an_energy_follows_its_parameter(small_particle):
    m = made(lambda env: 1.6)
    depth = m.parameter("depth", "50 meV", doc="How much deeper.")
    m.site_energy({("vacancy", "surface"): depth, ("Yb", "core"): lambda p: 2 * p.depth})
    assert m.energies()[0] == {("vacancy", "surface"): 0.05, ("Yb", "core"): 0.1}
    other = m.with_parameters(depth="0.1 eV")
    assert other.energies()[0]["Yb", "core"] == 0.2
    assert table_of(m, small_particle).fingerprint() != table_of(other, small_particle).fingerprint()


@pytest.mark.parametrize(
    ("energy", "says"),
    [
        (lambda p: "much", "energy"),
        (lambda p: 1 / 0, "raised ZeroDivisionError"),
        (lambda p: 1e3, "lies outside -100 to 100 eV"),
        (lambda p: math.nan, "finite number"),
    ],
)
def test_an_energy_that_is_none_is_refused_before_the_run(small_particle, energy, says):
    m = made(lambda env: 1.6)
    m.site_energy({("Yb", "core"): energy})
    with pytest.raises((BadMechanism, BadInput), match=says):
        table_of(m, small_particle)


def test_a_parameter_of_another_mechanism_is_no_energy_here():
    foreign = made(lambda env: 1.6).parameter("depth", "50 meV", doc="Another's.")
    with pytest.raises(BadMechanism, match="expected a parameter of this mechanism, got 'depth'"):
        made(lambda env: 1.6).site_energy({("Yb", "core"): foreign})
