"""What the author's workbench shows of one mechanism: its sheet, its rates, their figure, and the commands."""

import hashlib
import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from ucnp_abm import IONS, Drive, Mechanism, Simulation, mechanism
from ucnp_abm.cli.main import cli
from ucnp_abm.cli.plugins_words import human
from ucnp_abm.errors import BadInput
from ucnp_abm.viz import barriers as figures
from ucnp_abm.workbench.barriers import by_law, lines, rates
from ucnp_abm.workbench.panels import panels
from ucnp_abm.workbench.sheet import sheet

KT = 8.617333262e-5 * 573.15
SMALL = [
    *("--set", "particle.diameter=2.4 nm", "--set", "particle.thickness=0.8 nm"),
    *("--set", "particle.core=NaGdF4: 49% Yb"),
]


def trial(hop, dock=None, **declared):
    made = Mechanism("trial", summary="A trial.", source="Assumption: a test")
    made.hop(IONS)(hop)
    if dock:
        made.dock("Y", **(declared or {"irreversible": True}))(dock)
    return made


def flat(env):
    """One barrier. Assumption."""
    return 1.65


def found(particle, chosen):
    return rates(Simulation(particle, chosen, "300 °C", interpreted=True))


def command(*arguments):
    return CliRunner().invoke(cli, ["plugins", *map(str, arguments)], catch_exceptions=False)


# --- rates ---


def test_a_rate_follows_from_barrier_attempt_and_temperature(small_particle):
    hops = [one for one in found(small_particle, trial(flat)) if one.verb == "hop"]
    assert {one.activation for one in hops} == {one.back for one in hops} == {1.65}
    assert [one.rate for one in hops] == pytest.approx([1e13 * math.exp(-1.65 / KT)] * len(hops), rel=1e-12)
    assert hops[0].time == pytest.approx(32.259, rel=1e-4)


def test_docking_and_its_way_back_have_their_own_energies_and_activity(small_particle):
    chosen = trial(flat, lambda env: 1.0 + 0.05 * env.site.coordination, chemical_potential=0.2)
    chosen.reservoir("Y", activity=0.5)
    five = {one.verb: one for one in found(small_particle, chosen) if one.where.get("coordination") == 5}
    assert (five["dock"].activation, five["dock"].back) == (pytest.approx(1.25), pytest.approx(1.45))
    assert (five["undock"].activation, five["undock"].back) == (pytest.approx(1.45), pytest.approx(1.25))
    assert five["dock"].rate == pytest.approx(0.5e13 * math.exp(-1.25 / KT), rel=1e-9)
    assert five["undock"].rate == pytest.approx(1e13 * math.exp(-1.45 / KT), rel=1e-9)


def test_a_declared_energy_tells_the_two_ways_of_a_hop_apart(small_particle):
    chosen = trial(flat)
    chosen.site_energy({("Y", "surface"): -0.1})
    hops = {(one.species, one.where["zones"]): one for one in found(small_particle, chosen)}
    onto, off = hops["Y", "shell->surface"], hops["Y", "surface->shell"]
    assert (onto.barrier, onto.activation, onto.back) == (1.65, pytest.approx(1.60), pytest.approx(1.70))
    assert (off.activation, off.back) == (pytest.approx(1.70), pytest.approx(1.60))
    assert hops["Yb", "shell->surface"].activation == 1.65


def test_rates_under_a_drive_are_those_at_its_full_level(small_particle):
    plain = {one.row: one.rate for one in found(small_particle, mechanism("y-complex"))}
    driven = found(small_particle, mechanism("y-complex+laser-dock", begin="1 h"))
    assert {one.verb: one.rate / plain[one.row] for one in driven} == pytest.approx({"hop": 1.0, "dock": 10.0})


def test_a_forbidden_event_never_happens(small_particle):
    chosen = trial(flat, lambda env: None if env.site.coordination < 5 else 1.2)
    docks = {one.where["coordination"]: one for one in found(small_particle, chosen) if one.verb == "dock"}
    assert math.isinf(docks[4].barrier)
    assert docks[4].rate == 0
    assert human(docks[4].time) == "never"
    assert docks[4].record()["barrier_eV"] is None


# --- lines ---


def said(rows):
    return [(line.first.barrier, len(line.members), line.where) for line in lines(rows)]


def test_rows_with_the_same_barrier_are_one_line(small_particle):
    [rows] = by_law(found(small_particle, trial(flat)))
    assert said(rows) == [(1.65, len(rows), f"all {len(rows)} environments")]


def test_a_line_says_only_what_tells_it_apart(small_particle):
    law = lambda env: 1.6 + (0.1 if env.mover == "Yb" and env.n["Yb"] > 11 else 0)  # noqa: E731
    others, ytterbium = by_law(found(small_particle, trial(law)))
    assert said(others) == [(1.6, len(others), f"all {len(others)} environments")]
    places = len(ytterbium) // 15
    assert said(ytterbium) == [(1.6, 12 * places, "n[Yb] 0-11"), (1.7000000000000002, 3 * places, "n[Yb] 12-14")]


def test_what_takes_all_its_values_is_not_said(small_particle):
    law = lambda env: 1.7 if env.mover == "Yb" else {"c": 1.6, "ab": 1.5}[env.bond]  # noqa: E731
    [rows] = by_law(found(small_particle, trial(law)))
    assert [where for _, _, where in said(rows)] == ["not Yb; bond ab", "not Yb; bond c", "Yb"]


def test_zones_are_said_by_the_zone_at_an_end(small_particle):
    [rows] = by_law(found(small_particle, trial(lambda env: 1.5 if "surface" in env.zones else 1.6)))
    assert [where for _, _, where in said(rows)] == ["surface at an end", "no surface at an end"]


def test_combinations_that_are_no_product_are_counted(small_particle):
    law = lambda env: 1.0 + 0.1 * (env.site.n["Y"] + env.site.n["Gd"])  # noqa: E731
    rows = [one for one in found(small_particle, trial(flat, law)) if one.verb == "dock"]
    assert said(rows)[2][2] == "n[Gd] 0-2; n[Y] 0-2 (3 of these 9)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 ns"), (3.56e-3, "3.56 ms"), (90, "1.5 min"), (86400, "1 d"), (3.2e8, "10.1 yr"), (1e20, "3.2e+12 yr")],
)
def test_times_are_said_in_the_largest_unit_that_fits(seconds, text):
    assert human(seconds) == text


# --- the sheet ---


def test_a_sheet_says_what_each_law_reads_and_decides(small_particle):
    def crowded(env):
        """Crowding."""
        return 1.0 + 0.05 * env.site.n["Yb"] if env.site.coordination > 3 else None

    chosen = trial(flat, crowded, chemical_potential="0.2 eV")
    table = Simulation(small_particle, chosen, interpreted=True).table
    one = sheet(Simulation(small_particle, chosen, interpreted=True))
    hop, dock = one.rules
    assert (hop.reads, hop.varies, hop.barriers, hop.reversible) == ((), (), (1.65, 1.65), True)
    assert (dock.law, dock.doc, dock.reads) == ("crowded", "Crowding.", ("Yb",))
    assert dock.varies == ("coordination", "n[Yb]")
    assert dock.barriers == (1.0, pytest.approx(1.35))
    assert dock.why == "chemical potential 0.2 eV"
    assert dock.place == f"test_sheet.py:{crowded.__code__.co_firstlineno}"
    assert hop.environments + dock.environments == len(table.rows())
    assert dock.forbidden == 2 * 4  # coordination 3, none to three Yb, docking and the way back
    assert (one.rows, one.blocks, one.fingerprint) == (table.n_rows, len(table.blocks), table.fingerprint())
    assert one.kilobytes * 1000 > table.barrier.nbytes + table.kind.nbytes
    assert one.assumptions == ("trial: Assumption: a test", "flat: One barrier. Assumption.")


def test_a_rule_whose_condition_fails_is_not_in_force(small_particle):
    one = sheet(Simulation(small_particle, mechanism("gd-complex", why="slower"), interpreted=True))
    docks = {(rule.law, rule.when): rule.holds for rule in one.rules if rule.verb == "dock"}
    assert [law for (law, _), holds in docks.items() if holds] == ["slow_dock_barrier"]
    assert len(docks) == 3
    assert {p.name for p in one.parameters if p.by_hand} == {"why"}
    assert one.irreversible == ("dock Gd",)
    assert [(r.species, r.activity, r.size) for r in one.reservoirs] == [("Gd", 1.0, None)]


def test_rules_that_share_a_law_are_one(small_particle):
    one = sheet(Simulation(small_particle, mechanism("no-complex", surface="etch"), interpreted=True))
    [etch] = [rule for rule in one.rules if rule.verb == "etch"]
    assert etch.species == tuple(IONS)
    assert etch.environments == 4 * 5  # the ions that are here, and coordinations


def test_an_origin_names_file_line_hash_and_package(small_particle):
    [one] = sheet(Simulation(small_particle, mechanism("y-complex"), interpreted=True)).origins
    content = Path(one.file).read_bytes()
    assert (one.plugin, one.sha256) == ("y-complex", hashlib.sha256(content).hexdigest())
    assert "Mechanism(" in content.decode().splitlines()[one.line - 1]
    assert one.distribution.startswith("ucnp-abm ")
    [unknown] = sheet(Simulation(small_particle, trial(flat), interpreted=True)).origins
    assert (unknown.plugin, unknown.file, unknown.line) == ("", "", None)


def test_a_drive_is_said_with_its_course_and_effects(small_particle):
    lamp = Drive("lamp", summary="A lamp.", source="Assumption: a test")
    lamp.warm(12.0)
    pulsed = lamp.with_parameters(shape="pulses", pulse_time="2 s", period="10 s", pulses=3, begin="5 s")
    [one] = sheet(Simulation(small_particle, trial(flat).driven_by(pulsed), interpreted=True)).drives
    assert one.course == "3 pulses of 2 s, one every 10 s, the first at 5 s"
    assert one.effects == ("warms by 12 K",)


# --- the figure ---


def test_laws_that_are_the_same_everywhere_share_a_panel(small_particle):
    [one] = panels(found(small_particle, mechanism("y-complex")))
    assert [curve.energies for curve in one.curves] == [(1.65,), (1.2,)]
    assert one.categories == ("hop\nNa, Y, Gd,\nYb\n1.65 eV", "dock\nY\n1.2 eV")


def test_a_law_is_drawn_over_the_count_that_it_reads(small_particle):
    law = lambda env: 1.6 + 0.01 * env.n["Yb"] + (0.2 if env.mover == "Y" else 0)  # noqa: E731
    [one] = panels(found(small_particle, trial(law)))
    assert (one.axis, one.categories) == ("Yb neighbours", ())
    assert [curve.label for curve in one.curves] == ["Na, Gd, Yb", "Y"]
    assert one.curves[1].x == tuple(float(n) for n in range(15))
    assert one.curves[1].energies == pytest.approx([1.8 + 0.01 * n for n in range(15)])


def test_two_counts_give_a_curve_for_each_value_of_the_second(small_particle):
    law = lambda env: 1.0 + 0.05 * env.site.n["Y"] - 0.02 * min(env.site.n["Yb"], 2)  # noqa: E731
    rows = [one for one in found(small_particle, trial(flat, law)) if one.verb == "dock"]
    [one] = panels(rows)
    assert [curve.label for curve in one.curves] == ["0", "1", "2-7"]
    assert one.legend == "n(Yb)"


def test_a_figure_is_one_column_wide_and_its_text_stays_text(small_particle, tmp_path):
    drawn = figures.barriers(panels(found(small_particle, mechanism("y-complex"))), "y-complex", "y-complex", KT)
    assert drawn.get_size_inches()[0] == 3.25
    figures.save(drawn, tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert ">activation energy / eV<" in text
    figures.save(drawn, tmp_path / "b.svg")
    assert (tmp_path / "b.svg").read_text(encoding="utf-8") == text


def test_the_right_axis_shows_the_rate_of_the_energy_beside_it(small_particle):
    drawn = figures.barriers(panels(found(small_particle, mechanism("y-complex"))), "y-complex", "y-complex", KT)
    [axes] = drawn.axes
    [right] = axes.child_axes
    energy_of, rate_of = right._functions[1], right._functions[0]
    assert 10 ** rate_of(1.65) == pytest.approx(1e13 * math.exp(-1.65 / KT))
    assert energy_of(rate_of(1.2)) == pytest.approx(1.2)


# --- the commands ---


@pytest.mark.parametrize("arguments", [("show", "gd-complex+laser-strip"), ("rates", "cation-exchange")])
def test_a_screen_has_at_most_100_columns(arguments):
    done = command(*arguments, *SMALL)
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert "diameter='2.4 nm'" in done.stdout


def test_show_as_json_holds_the_sheet():
    one = json.loads(command("show", "y-complex", "--set", "mechanism.dock_barrier=1.3 eV", *SMALL, "--json").stdout)
    assert [rule["barriers"] for rule in one["rules"]] == [[1.65, 1.65], [1.3, 1.3]]
    assert [p["name"] for p in one["parameters"] if p["by_hand"]] == ["dock_barrier"]
    assert one["crystal"]["seed"] == 0


def test_rates_write_every_environment_as_csv(tmp_path):
    done = command("rates", "y-complex", *SMALL, "--csv", tmp_path / "a.csv", "--json", "--temperature", "600 K")
    one = json.loads(done.stdout)
    header, *rows = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == len(one["rates"])
    assert header.endswith("barrier_eV,activation_eV,back_eV,attempt_per_s,rate_per_s,time_s")
    assert one["temperature_K"] == 600.0
    assert one["rates"][0]["rate_per_s"] == pytest.approx(1e13 * math.exp(-1.65 / (8.617333262e-5 * 600)))


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--plot", "a.jpg"), "--plot: expected a file name that ends with .png or .svg or .pdf, got 'a.jpg'"),
        (("--csv", "nowhere/a.csv"), "--csv: there is no directory 'nowhere' to write into"),
        (("--temperature", "300 F"), "--temperature: expected a temperature such as '300 °C', got '300 F'"),
        (("--set", "mechanism.bariier=1"), "no-complex has the parameter 'bariier'; did you mean 'barrier'?"),
    ],
)
def test_a_wrong_option_is_refused_in_one_sentence(option, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as refused:
        command("rates", "no-complex", *option)
    assert said in str(refused.value)
