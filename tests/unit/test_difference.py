"""What two mechanisms do not share, known by hand: which environments, by how much, and what they declare."""

import json
import math

import pytest
from click.testing import CliRunner

from ucnp_abm import IONS, RE, Drive, Mechanism, Particle, Simulation, mechanism
from ucnp_abm.cli.main import cli, main
from ucnp_abm.errors import BadInput
from ucnp_abm.workbench import difference as differences
from ucnp_abm.workbench.difference import difference

KT = 8.617333262e-5 * 573.15
N_SMALL = 4 * 2 * 12 + 5
"""Environments of y-complex on the small particle: ions x bonds x ways between zones, and coordinations."""
SMALL = [
    *("--set", "particle.diameter=2.4 nm", "--set", "particle.thickness=0.8 nm"),
    *("--set", "particle.core=NaGdF4: 49% Yb"),
]

PICKY = """
from ucnp_abm import IONS, Mechanism, hookimpl

picky = Mechanism("picky", summary="Docks beside Yb.", source="Assumption: a test")
picky.hop(mover=IONS)(lambda env: 1.65)
picky.dock("Lu", irreversible=True)(lambda env: 1.2 if env.site.n.up_to(1, "Yb") else None)


@hookimpl
def ucnp_mechanisms():
    return [picky]
"""


def made(hop, dock=None, *, species="Y", movers=IONS, **declared):
    chosen = Mechanism("trial", summary="A trial.", source="Assumption: a test")
    chosen.hop(movers)(hop)
    if dock:
        chosen.dock(species, **(declared or {"irreversible": True}))(dock)
    return chosen


def flat(env):
    return 1.65


def between(a, b, particle):
    return difference(*(Simulation(particle, one, "300 °C", interpreted=True) for one in (a, b)))


def command(*arguments):
    return CliRunner().invoke(cli, ["plugins", "diff", *arguments], catch_exceptions=False)


def test_the_rows_that_differ_are_found_and_no_others(small_particle):
    def read(env):
        return 1.65 + 0.0 * env.n["Yb"]

    def crowded(env):
        special = (env.mover, env.bond, env.zones) == ("Yb", "c", ("core", "core"))
        return 1.65 + (0.05 if special and env.n["Yb"] > 12 else 0.0)

    def both(env):
        return crowded(env) + 0.0 * env.n["Yb"]

    found = between(made(read), made(both), small_particle)
    assert [change.told for change in found.changes] == [
        {"species": "Yb", "bond": "c", "zones": "core->core", "n[Yb]": n} for n in (13, 14)
    ]
    assert [change.rise for change in found.changes] == pytest.approx([0.05] * 2)
    assert [change.ratio for change in found.changes] == pytest.approx([math.exp(-0.05 / KT)] * 2)
    assert found.compared == found.a.rows - 1
    assert not found.same_rates


def test_a_count_that_one_law_does_not_read_is_compared_at_every_value(small_particle):
    def reading(env):
        return 1.65 + (0.01 * env.n["Yb"] if env.mover == "Y" else 0.0)

    for pair, sign in (((made(reading), made(flat)), -1), ((made(flat), made(reading)), 1)):
        found = between(*pair, small_particle)
        places = len({tuple(change.either.where.items()) for change in found.changes})
        assert len(found.changes) == 14 * places  # all but no Yb at all
        assert found.changes[0].told["n[Yb]"] == 14
        assert found.changes[0].rise == pytest.approx(sign * 0.14)
        assert found.compared == max(found.a.rows, found.b.rows) - 1


def test_different_counts_are_compared_where_both_can_be(small_particle):
    a = made(flat, lambda env: 1.0 + 0.1 * env.site.n["Yb"])
    b = made(flat, lambda env: 1.0 + 0.1 * env.site.n["Y"])
    found = between(a, b, small_particle)
    four = [change.told for change in found.changes if change.told.get("coordination") == 4]
    assert len(four) == 15 - 3  # of n(Yb) + n(Y) <= 4 without n(Yb) = n(Y)
    assert {(t["n[Yb]"], t["n[Y]"]) for t in four} >= {(4, 0), (0, 4), (1, 3)}
    assert (3, 2) not in {(t["n[Yb]"], t["n[Y]"]) for t in four}


def test_the_worst_change_comes_first(small_particle):
    a = made(flat, lambda env: {3: 1.3, 4: None}.get(env.site.coordination, 1.2))
    b = made(flat, lambda env: {5: 1.0}.get(env.site.coordination, 1.2))
    found = between(a, b, small_particle)
    assert [change.told["coordination"] for change in found.changes] == [4, 5, 3]
    never, faster, _ = found.changes
    assert (never.rise, never.ratio) == (None, math.inf)
    assert faster.ratio == pytest.approx(math.exp(0.2 / KT))


def test_environments_are_matched_by_what_they_are_not_by_row(small_particle):
    a = Mechanism("a", summary="A.", source="x")
    a.hop("Na")(lambda env: 1.5)
    a.hop(RE)(lambda env: 1.65)
    b = Mechanism("b", summary="B.", source="x")
    b.hop(RE)(lambda env: 1.65)
    b.hop("Na")(lambda env: 1.5)
    found = between(a, b, small_particle)
    assert found.changes == ()
    assert found.same_rates
    assert not found.same_table


def test_the_same_mechanism_has_the_same_table(small_particle):
    found = between(mechanism("y-complex"), mechanism("y-complex"), small_particle)
    assert found.same_table
    assert found.declared == ()
    assert found.compared == found.a.rows - 1


def test_sums_that_differ_in_the_last_digit_are_the_same(small_particle):
    assert 1.55 + 0.1 != 1.65
    assert between(made(flat), made(lambda env: 1.55 + 0.1), small_particle).same_rates


def test_an_event_of_one_side_is_no_change(small_particle):
    found = between(mechanism("no-complex"), mechanism("y-complex"), small_particle)
    assert (found.changes, found.only_a) == ((), ())
    assert {(one.event, one.barrier) for one in found.only_b} == {("dock Y", 1.2)}
    assert not found.same_rates
    named = {(one.what, one.name): (one.a, one.b) for one in found.declared}
    assert named["parameter", "surface"] == ("reflecting", "")
    assert named["reservoir", "Y"] == ("", "activity 1, infinite")
    assert named["rule", "dock Y"][1].startswith("dock_barrier, y_complex.py:")


def test_hops_of_what_only_one_docks_are_compared_too(small_particle):
    lutetium = made(lambda env: 1.7 if env.mover == "Lu" else 1.65, lambda env: 1.2, species="Lu")
    found = between(made(flat), lutetium, small_particle)
    assert {change.either.event for change in found.changes} == {"hop Lu"}
    assert {one.event for one in found.only_b} == {"dock Lu"}
    alone = Simulation(small_particle, made(flat), interpreted=True).table
    assert found.a.fingerprint == alone.fingerprint()


def test_energies_change_the_activation_of_one_way_and_the_other(small_particle):
    tilted = made(flat)
    tilted.site_energy({("Y", "surface"): -0.1})
    found = between(made(flat), tilted, small_particle)
    rises = {change.told["zones"]: round(change.rise, 9) for change in found.changes}
    assert rises == {
        **{f"{zone}->surface": -0.05 for zone in ("shell", "interface")},
        **{f"surface->{zone}": 0.05 for zone in ("shell", "interface")},
    }
    assert [(one.what, one.name, one.a, one.b) for one in found.declared] == [
        ("site energy", "Y on surface", "", "-0.1 eV")
    ]


def test_pair_energies_drives_and_reservoirs_are_differences_without_a_row(small_particle):
    paired = made(flat)
    paired.pair_energy({("Y", "Yb"): 0.02})
    late = Drive("late", summary="Late.", source="x")
    finite = mechanism("y-complex", reservoir=50)
    for a, b in (
        (made(flat), paired),
        (made(flat), made(flat).driven_by(late)),
        (mechanism("y-complex"), finite),
    ):
        found = between(a, b, small_particle)
        assert found.changes == ()
        assert not found.same_rates


def test_a_drive_shows_in_the_rates_that_it_multiplies(small_particle):
    found = between(mechanism("y-complex"), mechanism("y-complex+laser-dock"), small_particle)
    assert {change.either.event for change in found.changes} == {"dock Y"}
    assert [change.ratio for change in found.changes] == pytest.approx([10.0] * 5)
    assert {change.rise for change in found.changes} == {0.0}


def test_swaps_of_different_ions_are_different_events(small_particle):
    other = Mechanism("other", summary="Other.", source="x")
    other.hop(IONS)(flat)
    other.swap("Yb", "Y", irreversible=True)(lambda env: 1.8)
    found = between(mechanism("cation-exchange"), other, small_particle)
    assert {change.either.event for change in found.changes} == {"swap Yb->Y"}
    assert {one.event for one in found.only_a} == {"swap Gd->Y", "unswap Y->Gd", "unswap Y->Yb"}


def test_groups_of_species_and_cut_counts_are_told_apart_by_name():
    pairs = differences._together(("Gd+Y",), ("Y", "Yb (up to 1)"), 2)
    assert sorted(pairs) == [
        *[((0,), (0, 0)), ((0,), (0, 1)), ((1,), (0, 0)), ((1,), (0, 1)), ((1,), (1, 0)), ((1,), (1, 1))],
        *[((2,), (0, 0)), ((2,), (1, 0)), ((2,), (2, 0))],
    ]


def test_different_particles_cannot_be_compared(small_particle):
    other = Particle.core_shell(core="NaGdF4", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", seed=1)
    chosen = mechanism("no-complex")
    with pytest.raises(BadInput, match="different particles"):
        difference(Simulation(small_particle, chosen), Simulation(other, chosen))


# --- the command ---


def test_without_b_a_mechanism_is_compared_with_what_is_set():
    done = command("y-complex", "--set", "mechanism.dock_barrier=1.3 eV", *SMALL)
    assert done.exit_code == 0
    assert f"5 of {N_SMALL} shared environments differ." in done.stdout
    line = next(line for line in done.stdout.splitlines() if "all 5 environments" in line)
    assert line.split()[:6] == ["1.2000", "1.3000", "+0.1000", "281", "37.1", "0.132"]
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_exit_code_is_1_only_if_asked_for_and_only_if_rates_differ():
    assert command("y-complex", "gd-complex", *SMALL).exit_code == 0
    assert command("y-complex", "gd-complex", *SMALL, "--exit-code").exit_code == 1
    assert command("y-complex", "y-complex", *SMALL, "--exit-code").exit_code == 0
    with pytest.raises(SystemExit) as ended:  # as at a shell
        main(["plugins", "diff", "y-complex", "gd-complex", *SMALL, "--exit-code"])
    assert ended.value.code == 1


def test_an_event_of_one_side_that_is_forbidden_has_neither_energy_nor_rate(tmp_path):
    file = tmp_path / "picky.py"
    file.write_text(PICKY, encoding="utf-8")
    lines = command("y-complex", "picky", "--plugin", str(file), *SMALL).stdout.splitlines()
    (line,) = [line for line in lines if "never" in line]
    assert line.split() == ["never", "n[Yb", "(up", "to", "1)]", "0"]


def test_a_parameter_without_effect_leaves_the_rates_the_same():
    done = command("gd-complex", "--set", "mechanism.why=empirical", *SMALL, "--exit-code")
    assert done.exit_code == 0
    assert f"The same: {N_SMALL} environments" in done.stdout
    assert "parameter why: A: none   B: empirical" in done.stdout


def test_json_names_both_sides_of_a_change():
    done = command("y-complex", "y-complex+laser-thermal", *SMALL, "--json")
    found = json.loads(done.stdout)
    assert (found["compared"], found["different"]) == (N_SMALL, N_SMALL)
    assert found["b"]["temperature_K"] == pytest.approx(603.15)
    assert found["changes"][0]["b"]["rate_per_s"] > found["changes"][0]["a"]["rate_per_s"] > 0


def test_one_name_and_nothing_to_change_is_refused():
    with pytest.raises(BadInput, match="give a second mechanism, or what to change in 'y-complex'"):
        command("y-complex")
