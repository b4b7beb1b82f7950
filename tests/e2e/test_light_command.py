"""`ucnp-abm light` as a user meets it: what it says, writes and refuses."""

import contextlib
import csv
import io
import json
import math
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from ucnp_abm import light
from ucnp_abm.cli.main import main
from ucnp_abm.config.files import load
from ucnp_abm.study.design import replicate_seeds

CONFIG = """
[particle]
core = "NaGdF4: 40% Yb, 5% Tm"
diameter = "2.4 nm"
shell = "NaYF4"
thickness = "0.8 nm"

[mechanism]
name = "{mechanism}"

[anneal]
steps = 20

[run]
snapshots = 2
"""


def ucnp_abm(*arguments, cwd):
    """The command in this process: what is compiled once serves all tests."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(each) for each in arguments])
        except SystemExit as end:
            code = end.code
    return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A directory with a configuration and its run directory."""
    path = tmp_path_factory.mktemp("light")
    (path / "lit.toml").write_text(CONFIG.format(mechanism="y-complex"))
    done = ucnp_abm("run", "lit.toml", "--out", "lit", cwd=path)
    assert done.returncode == 0, done.stderr
    return path


def told(home, *arguments):
    done = ucnp_abm("light", *arguments, "--json", cwd=home)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, parse_constant=lambda word: pytest.fail(f"{word} in JSON"))


def core(home, name, text, **mechanism):
    content = CONFIG.format(mechanism=mechanism.get("mechanism", "y-complex"))
    (home / name).write_text(content.replace("40% Yb, 5% Tm", text))
    return name


def test_run_is_told_as_a_table_with_units_and_all_that_it_rests_on(home):
    command = [sys.executable, "-m", "ucnp_abm.cli.main", "light", "lit"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    for word in (
        "rate set", "npt (", "4 W/cm² at 980 nm", "cyclohexane", "280-850 nm", "1/e of it", "integral: after the peak",
        "x as grown", "450 nm  Tm 1D2 -> 3F4", "photons/s", "CW-off", "k_eff / (1/s)",
    ):  # fmt: skip
        assert word in done.stdout, word
    assert "nan" not in done.stdout
    assert "light of snapshot 1" in done.stderr
    assert "light of" not in done.stdout


def test_numbers_are_those_of_python_at_every_snapshot(home):
    found = told(home, "lit")
    assert [row["steps"] for row in found["course"]] == [0, 10, 20]
    config = load(home / "lit.toml")
    grown = config.crystal.recipe().build(config.crystal.seed)
    seen = light(grown)
    first, last = found["course"][0], found["course"][-1]
    assert first["i_450_per_s"] == pytest.approx(seen.intensity(450), rel=1e-12)
    assert first["tau_450_ms"] == pytest.approx(1e3 * seen.lifetimes(450).to_1_e_s, rel=1e-12)
    assert first["qy_all"] == pytest.approx(seen.quantum_yield(), rel=1e-12)
    assert last["i_450_gain"] == pytest.approx(last["i_450_per_s"] / first["i_450_per_s"])
    assert math.isclose(sum(v for k, v in found["state"].items() if k.startswith("share_")), 1, rel_tol=1e-9)
    assert found["optics"]["rates_sha256"] == seen.optics.set.fingerprint


def test_configuration_and_its_run_have_the_same_light(home):
    run, grown = told(home, "lit"), told(home, "lit.toml")
    assert grown["state"]["lines"] == run["state"]["lines"]
    assert [row["steps"] for row in grown["course"]] == [0, pytest.approx(20)]
    assert grown["course"][0] == run["course"][0]


def test_chosen_snapshot_is_told_in_full(home):
    found = told(home, "lit", "--step", "10")
    assert found["state"]["steps"] == 10
    assert found["state"]["lines"]["450"]["per_s"] == found["course"][1]["i_450_per_s"]


def test_slopes_of_lines_are_at_most_their_photons(home):
    lines = told(home, "lit", "--slopes", "--pump", "1 mW/cm²")["state"]["lines"]
    assert lines["450"]["slope"] == pytest.approx(4, abs=0.05)
    assert lines["800"]["slope"] == pytest.approx(2, abs=0.05)


def test_population_has_the_seeds_of_compare_and_the_mean_light(home):
    found = told(home, "lit.toml", "--crystals", "2")
    recipe = load(home / "lit.toml").crystal.recipe()
    seen = light([recipe.build(seed) for seed in replicate_seeds(0, 2)])
    assert found["crystals"] == 2
    assert found["course"][0]["i_450_per_s"] == pytest.approx(seen.intensity(450), rel=1e-12)


def test_options_and_settings_reach_the_optics(home):
    arguments = ["--solvent", "water", "--set", "surface_quenching=3e-40 cm^6/s", "--set", "imposed_factor=0.5"]
    found = told(home, "lit", *arguments)
    assert "imposed, not predicted" in found["warnings"][0]
    optics = found["optics"]
    assert optics["solvent"] == "water"
    assert optics["surface_quenching"] == "3e-40 cm^6/s"
    assert optics["imposed_factor"] == 0.5
    assert optics["surface_quenchers_per_nm2"] == pytest.approx(10)


def test_settings_with_a_section_change_the_configuration(home):
    assert told(home, "lit.toml", "--set", "anneal.steps=5")["state"]["steps"] == pytest.approx(5)


def test_reason_of_a_mechanism_is_a_warning_before_all_numbers(home):
    core(home, "gd.toml", "40% Yb, 5% Tm", mechanism="gd-complex")
    done = ucnp_abm("light", "gd.toml", "--set", "mechanism.why=empirical", cwd=home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("warning: why=empirical") < done.stdout.index("rate set")


def test_strong_pump_is_a_warning(home):
    assert any("strong pump" in sentence for sentence in told(home, "lit", "--pump", "1 MW/cm²")["warnings"])


@pytest.mark.parametrize(
    ("ions", "why"),
    [
        ("5% Tm", "absorbed energy: none, no Yb in this crystal"),
        ("40% Yb", "upconverted light: none, no Tm and no Er in this crystal"),
        ("40% Yb, 5% Er", "450 nm: none, no Tm in this crystal"),
    ],
)
def test_what_is_not_defined_says_why_and_never_nan(home, ions, why, tmp_path):
    name = core(home, "odd.toml", ions)
    done = ucnp_abm("light", name, "--out", tmp_path / "odd", cwd=home)
    assert done.returncode == 0, done.stderr
    assert why in done.stdout
    assert "nan" not in done.stdout.lower()
    written = (tmp_path / "odd" / "light.json").read_text(encoding="utf-8")
    found = json.loads(written, parse_constant=lambda word: pytest.fail(word))
    assert found["why"] or "Er" in ions


def test_out_holds_figures_numbers_and_what_they_rest_on(home, tmp_path):
    done = ucnp_abm("light", "lit", "--out", tmp_path / "out", cwd=home)
    assert done.returncode == 0, done.stderr
    for name in ("spectrum", "decays", "ends", "courses"):
        for suffix in ("png", "svg", "pdf"):
            assert (tmp_path / "out" / f"{name}.{suffix}").stat().st_size > 1000
    read = lambda name: list(csv.DictReader((tmp_path / "out" / name).read_text(encoding="utf-8").splitlines()))  # noqa: E731
    found = json.loads((tmp_path / "out" / "light.json").read_text(encoding="utf-8"))
    assert len(found["origin"]["run_json_sha256"]) == 64
    assert found["state"]["lines"]["450"]["per_s"] == float(read("courses.csv")[-1]["i_450_per_s"])
    blue = [row for row in read("spectrum.csv") if (row["upper"], row["lower"]) == ("1D2", "3F4")]
    assert float(blue[0]["20_steps_per_s"]) == pytest.approx(found["state"]["lines"]["450"]["per_s"])
    assert float(read("decays.csv")[0]["pulse_450_per_s"]) == 0
    again = ucnp_abm("light", "lit", "--out", tmp_path / "out", cwd=home)
    assert again.returncode == 2
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "RUN|CONFIG|MECHANISM"),
        (["y-comple"], 2, "did you mean 'y-complex'?"),
        (["gone.toml"], 2, "no such file"),
        (["empty"], 4, "holds no run.json"),
        (["lit", "--rates", "nppt"], 2, "did you mean 'npt'?"),
        (["lit", "--rates", "gone.toml"], 2, "cannot be read"),
        (["lit", "--pump", "0"], 2, "optics.pump: expected an intensity above zero"),
        (["lit", "--pump", "4 W"], 2, "optics.pump: expected an intensity"),
        (["lit", "--solvent", "watr"], 2, "did you mean 'water'?"),
        (["lit", "--set", "solvnt=dry"], 2, "did you mean 'solvent'?"),
        (["lit", "--set", "solvent"], 2, "expected KEY=VALUE"),
        (["lit", "--solvent", "dry", "--set", "solvent=dry"], 2, "given twice"),
        (["lit", "--set", "vacancy_quenching=-1"], 2, "expected no negative constant"),
        (["lit", "--set", "vacancy_quenching=1 cm"], 2, "expected a transfer constant"),
        (["lit", "--set", "imposed_factor=much"], 2, "expected a plain number"),
        (["lit", "--set", "activator_quenching=2"], 2, "expected a share from 0 to 1"),
        (["lit", "--set", "method=hybird"], 2, "did you mean 'hybrid'?"),
        (["lit", "--set", "cutoff=0"], 2, "expected a length above zero"),
        (["lit", "--set", "particle.diameter=3"], 2, "a run is what it was"),
        (["lit", "--crystals", "2"], 2, "holds one crystal"),
        (["lit", "--step", "5"], 2, "no snapshot at 5 steps"),
        (["lit.toml", "--step", "5"], 2, "only a run directory has snapshots"),
        (["lit.toml", "--crystals", "0"], 2, "at least 1"),
        (["lit.toml", "--set", "anneal.steps=0"], 2, "anneal.steps"),
        (["lit", "--out", "lit"], 2, "exists already"),
        (["er.toml", "--rates", "simetuc"], 2, "has no levels of Er"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_one_clear_sentence(home, arguments, code, said):
    (home / "empty").mkdir(exist_ok=True)
    core(home, "er.toml", "40% Yb, 5% Er")
    done = ucnp_abm("light", *arguments, cwd=home)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_damaged_snapshot_is_found(home, tmp_path):
    shutil.copytree(home / "lit", tmp_path / "lit")
    with (tmp_path / "lit" / "snapshots" / "0001.npz").open("ab") as file:
        file.write(b"x")
    done = ucnp_abm("light", "lit", cwd=tmp_path)
    assert done.returncode == 4
    assert "is damaged" in done.stderr


def test_light_of_a_source_without_a_mechanism_imposes_nothing(home):
    """A run directory whose mechanism is no longer installed can still be looked at."""
    config = load(home / "lit.toml")
    grown = config.crystal.recipe().build(0)
    bare = SimpleNamespace(crystal=grown.crystal, occupants=grown.occupants, mechanism=SimpleNamespace(values=None))
    assert light(bare).intensity(450) == light(grown).intensity(450)
