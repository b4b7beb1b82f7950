"""Observables of light: what they are, where they are not defined, and that one state is solved once."""

import csv
import gc
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from ucnp_abm import Model, Particle, Simulation, compare, light, mechanism, observables
from ucnp_abm.crystal.recipes import CoreShell
from ucnp_abm.observables import light as shining
from ucnp_abm.study.cells import Cell, run_cell
from ucnp_abm.study.numbers import contrasts
from ucnp_abm.study.outcome import StudyResult
from ucnp_abm.study.report import summary

NAMES = ["qy", "tau_450_ms", "i_450", "k_eff"]
GROWN = {"diameter": "3 nm", "shell": "NaYF4", "thickness": "0.8 nm"}
RECIPE = CoreShell(core="NaGdF4: 40% Yb, 5% Tm", **GROWN)


def simulation(core="NaGdF4: 40% Yb, 5% Tm", name="no-complex"):
    return Simulation(Particle.core_shell(core=core, seed=2, **GROWN), mechanism(name), seed=3)


def test_each_is_what_the_one_door_to_light_says_of_the_present_state():
    run = simulation()
    run.run(steps=20)
    seen, found = observables.read(run, NAMES), light(run)
    assert seen["qy"] == found.quantum_yield("all")
    assert seen["i_450"] == found.intensity(450) > 0
    assert seen["k_eff"] == found.k_eff > 0
    assert seen["tau_450_ms"] == 1e3 * found.lifetimes(450, "pulse").to_1_e_s


@pytest.mark.parametrize(
    ("core", "defined"),
    [
        ("NaGdF4: 40% Yb", {"k_eff"}),
        ("NaGdF4: 5% Tm", set()),
        ("NaGdF4: 40% Yb, 5% Er", {"k_eff", "qy"}),
        ("NaGdF4", set()),
    ],
)
def test_what_an_ion_is_missing_for_is_nan_and_no_error(core, defined):
    seen = observables.read(simulation(core), NAMES)
    assert {name for name, value in seen.items() if not math.isnan(value)} == defined


def test_model_has_the_light_of_its_simulation():
    model = Model(Particle.core_shell(core="NaGdF4: 40% Yb, 5% Tm", seed=2, **GROWN), mechanism("gd-complex"))
    assert light(model).intensity(450) == light(model.simulation).intensity(450) > 0
    told = Model(model.simulation.particle, mechanism("gd-complex", why="empirical"))
    assert light(told).notes


def test_one_state_is_solved_once_and_another_state_anew(monkeypatch):
    import ucnp_abm.photons.light as door

    solved = []
    real = door.light
    monkeypatch.setattr(door, "light", lambda source, optics: solved.append(source) or real(source, optics))
    run = simulation()
    first = observables.read(run, NAMES)
    assert observables.read(run, NAMES) == first
    assert len(solved) == 1
    run.run(steps=20)
    assert observables.read(run, NAMES) != first
    assert len(solved) == 2
    run.goto(event=0)
    assert observables.read(run, NAMES) == first


def test_what_is_kept_goes_with_its_simulation():
    run = simulation()
    observables.read(run, ["k_eff"])
    assert len(shining._LAST) == 1
    del run
    gc.collect()
    assert len(shining._LAST) == 0


def test_reason_of_a_mechanism_reaches_the_light_after_a_reload():
    run = simulation(name="gd-complex")
    before = observables.read(run, ["i_450"])["i_450"]
    run.reload(mechanism("gd-complex", why="empirical"))
    assert observables.read(run, ["i_450"])["i_450"] == pytest.approx(0.9 * before, rel=1e-12)


def test_reading_light_changes_neither_events_nor_other_columns():
    def run(extra):
        names = (*observables.DEFAULT, *extra)
        marks = (0.0, 10.0, 20.0)
        return run_cell(Cell("x", mechanism("y-complex"), RECIPE, simulation().protocol, 0, 5, marks, marks, (), names))

    plain, lit = run(()), run(NAMES)
    assert plain.digest == lit.digest
    for name in plain.columns:
        assert np.array_equal(plain.course(name), lit.course(name), equal_nan=True)


def test_comparison_has_means_and_paired_differences_of_light():
    result = compare(
        ["no-complex", "y-complex"], RECIPE, replicates=2, steps=30, observables=("k_eff", "i_450"), jobs=1
    )
    assert result.mean("y-complex", "k_eff").value < result.mean("no-complex", "k_eff").value
    assert result.difference("y-complex", "i_450").value > 0
    assert "i_450" in result.table()


CONFIG = """
[particle]
core = "NaGdF4: 40% Yb, 5% Tm"
diameter = "3 nm"
shell = "NaYF4"
thickness = "0.8 nm"

[mechanism]
name = "y-complex"

[anneal]
steps = 20

[run]
samples = 2
observables = ["qy", "tau_450_ms", "i_450", "k_eff"]
"""


def test_run_records_them(tmp_path):
    (tmp_path / "lit.toml").write_text(CONFIG)
    command = [sys.executable, "-m", "ucnp_abm.cli.main", "run", "lit.toml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "lit" / "observables.csv").read_text().splitlines()))
    assert float(rows[-1]["i_450"]) > float(rows[0]["i_450"]) > 0
    assert set(NAMES) <= set(json.loads((tmp_path / "lit" / "run.json").read_text())["plan"]["observables"])


def test_run_without_light_imports_no_photons():
    code = (
        "import sys; from ucnp_abm import Particle, Simulation, mechanism, observables;"
        "p = Particle.box(lattice='sc', cells=(4, 4, 4), composition='Y', vacancies=1);"
        "s = Simulation(p, mechanism('no-complex'), interpreted=True); observables.read(s);"
        "sys.exit(any(m.startswith('ucnp_abm.photons') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_light_is_tested_and_shown_as_ratios() -> None:
    result = compare(
        ["no-complex", "y-complex"], RECIPE, replicates=3, steps=30, observables=("i_450", "vacancies"), jobs=1
    )
    light = StudyResult.of(result)
    (test,) = light.tests("i_450")
    values, reference = result.pairs("y-complex", "i_450")
    assert test.p == contrasts.p_value(np.log10(values), np.log10(reference))
    assert test.effect == contrasts.effect_size(np.log10(values), np.log10(reference))
    assert test.ratio is not None
    assert test.is_clear == (test.p < 0.05) == (not test.ratio.low <= 1 <= test.ratio.high)
    head, first, second = summary.ends(light)
    assert [head[2], head[4], head[6]] == [
        "450 nm / (photons/s), i_450",
        "times no-complex",
        "difference from no-complex",
    ]
    assert second[4] == test.ratio.factor()
    assert "-" not in first[2].replace("e-", ""), "no light is below zero"
    effects = summary.effect_table(light)
    assert effects[0][1:4] == ["difference / decades", "ratio", "Hedges' g"]
    assert float(effects[1][1].split()[0]) == pytest.approx(np.log10(test.ratio.value), rel=0.05)
    assert f"changes with y-complex by a factor of {test.ratio.factor()}" in light.finding
    assert f"x {test.ratio.factor()}" in result.table()
