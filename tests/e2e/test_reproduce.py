"""The scorecard knows the paper; what it scores does not."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ucnp_abm.cli.main import cli
from ucnp_abm.reproduce import atoms, calibrate, scorecard, work
from ucnp_abm.reproduce.calibrate import Measure, targets

ROOT = Path(__file__).parents[2]
SMALL = """
import dataclasses, json
from ucnp_abm.reproduce import calibrate, predict, samples, work
def small(sample):
    thin = {key: "0.8 nm" for key in ("thickness",) if sample.recipe.shell}
    shells = tuple((text, "0.5 nm") for text, _ in sample.recipe.shells)
    recipe = dataclasses.replace(sample.recipe, diameter="2.2 nm", shells=shells, **thin)
    core = recipe.core.replace("1% Tm", "8% Tm").replace("1% Er", "8% Er")
    return dataclasses.replace(sample, recipe=dataclasses.replace(recipe, core=core))
for name, sample in samples.SAMPLES.items():
    samples.SAMPLES[name] = small(sample)
calibrate.MOST_STEPS = 1
predict.SHELLS_NM, predict.YB_PCT, predict.GD = (0.5,), (59,), ("gd",)
found = work.outcome(work.Task("npt", 0, calibrate.Measure()))
print(json.dumps([found.numbers, dict(found.calibration.values)]))
"""


def predictions(tree: Path) -> bytes:
    done = subprocess.run([sys.executable, "-c", SMALL], cwd=tree, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def altered(file: Path) -> None:
    """Every number of a file, changed."""
    text = re.sub(r"(?<==\s)\d+(\.\d+)?", lambda found: str(float(found[0]) * 3 + 1), file.read_text(encoding="utf-8"))
    file.write_text(text, encoding="utf-8")


def scorecard_of(tree: Path) -> str:
    """What the scorecard of a tree knows: the control that other claims do arrive."""
    code = "from ucnp_abm.reproduce import scorecard; print([c.value for c in scorecard.claims()])"
    return subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=True).stdout


def test_another_calibration_is_another_fit(tmp_path, monkeypatch):
    file = tmp_path / "calibration.toml"
    shutil.copy(ROOT / "ucnp_abm" / "reproduce" / "calibration.toml", file)
    before = targets()
    altered(file)
    monkeypatch.setattr(calibrate.resources, "files", lambda _: tmp_path)
    assert all(targets()[name] == pytest.approx(3 * value + 1) for name, value in before.items())


@pytest.mark.slow
def test_no_prediction_knows_a_claim(tmp_path):
    """Other claims, the same bytes."""
    trees = {}
    for name in ("as it is", "other claims"):
        trees[name] = tmp_path / name
        for folder in ("ucnp_abm", "plugins"):
            shutil.copytree(ROOT / folder, trees[name] / folder, ignore=shutil.ignore_patterns("__pycache__"))
    altered(trees["other claims"] / "ucnp_abm" / "reproduce" / "claims.toml")
    assert scorecard_of(trees["other claims"]) != scorecard_of(trees["as it is"])
    found = {name: predictions(tree) for name, tree in trees.items()}
    assert found["as it is"] == found["other claims"]


def test_only_the_scorecard_reads_the_claims_and_only_the_calibration_its_data():
    readers = {"claims.toml": set(), "calibration.toml": set()}
    for file in (ROOT / "ucnp_abm").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in readers:
                readers[node.value].add(file.stem)
    assert readers == {"claims.toml": {"scorecard"}, "calibration.toml": {"calibrate"}}


def test_every_claim_is_scored_or_says_why_not():
    known = {"light", "atoms", "neither", "imposed"}
    for claim in scorecard.claims():
        assert claim.subject in known
        assert claim.why or claim.subject in ("light", "atoms")
    of_atoms = {claim.id for claim in scorecard.claims() if claim.subject == "atoms"}
    assert of_atoms == set(atoms.SHOWN)
    makers = scorecard._makers({}, targets(), "visible", "pulse, 1/e")
    assert set(makers) == {claim.id for claim in scorecard.claims() if claim.subject == "light"}


def numbers(**changed):
    names = ["core-shell/core", "none/pristine", "gain_450", "gain_qy visible", "er", "y in ethanol", "y in water"]
    names += [f"gd{why}/y" for why in ("", "-weaker-binding", "-slower", "-gd-path", "-empirical")] + [
        "gd-gd-path/y uv"
    ]
    for nm in ("0.5", "1", "1.5", "2"):
        names += [f"shell-{nm}nm/core", f"shell-{nm}nm+y/core", f"shell-{nm}nm+y lifetime_ms"]
    for yb in (19, 59, 99):
        names += [f"yb-{yb}+y/yb-{yb}", f"yb-{yb}+y/core-shell"]
    names += ["lifetime before, pulse, 1/e_ms", "lifetime after, pulse, 1/e_ms"]
    return {name: [1.0, 1.1] for name in names} | changed


@pytest.mark.parametrize(
    ("claim", "changed", "verdict"),
    [
        ("y-gain-450", {"gain_450": [100.0, 120.0]}, "agrees"),
        ("y-gain-450", {"gain_450": [10.0, 12.0]}, "misses: 0.0944 of the paper's"),
        ("core-to-core-shell", {"core-shell/core": [4000.0, 4100.0]}, "misses: 2.25 times"),
        ("no-complex-no-gain", {"none/pristine": [0.1, 0.2]}, "agrees"),
        ("no-complex-no-gain", {"none/pristine": [3.0, 4.0]}, "misses"),
        ("gd-below-y", {"gd/y": [1.0, 1.0]}, "misses by default"),
        ("gd-reason", {"gd-gd-path/y": [0.999, 0.999]}, "misses: it cannot dim 450 nm"),
        ("polar-solvents", {"y in water": [50.0, 50.0], "y in ethanol": [60.0, 60.0]}, "agrees"),
        (
            "shell-lifetime",
            {f"shell-{n}nm+y lifetime_ms": [0.4, 0.41] for n in ("0.5", "1", "1.5", "2")},
            "flat, as said; ",
        ),
    ],
)
def test_verdicts_follow_from_the_numbers(claim, changed, verdict):
    scores = {score.id: score for score in scorecard.score_light(numbers(**changed), "visible", "pulse, 1/e")}
    assert scores[claim].verdict.startswith(verdict)
    assert scores[claim].kind in scorecard.KINDS


def test_a_set_without_er_is_out_of_scope():
    known = numbers()
    del known["er"]
    scores = {score.id: score for score in scorecard.score_light(known, "visible", "pulse, 1/e")}
    assert scores["er-activated"].kind == "out of scope"


def test_intervals_are_of_ratios():
    assert scorecard.interval([2.0, 8.0]).startswith("4 [")
    assert scorecard.interval([116.0]) == "116"


def test_figure_4_on_the_command_line(tmp_path):
    done = CliRunner().invoke(cli, ["reproduce", "fig4", "--crystals", "2", "--json"])
    assert done.exit_code == 0, done.output
    scores = json.loads(done.stdout)["scores"]["atoms"]
    assert {score["id"]: score["verdict"] for score in scores} == dict.fromkeys(atoms.SHOWN, "agrees")


def test_claims_are_listed():
    done = CliRunner().invoke(cli, ["reproduce", "list"])
    assert done.exit_code == 0
    for claim in scorecard.claims():
        assert claim.id in done.stdout


def test_a_measure_that_is_none_is_refused():
    for wrong in ({"band": "purple"}, {"drive": "flash"}, {"lifetime": "half"}):
        with pytest.raises(ValueError, match=r"light: no band|measure: expected"):
            Measure(**wrong)


def test_a_wrong_rate_set_is_refused_before_anything_is_fitted(monkeypatch):
    monkeypatch.setattr(work, "calibrate", lambda *_: pytest.fail("fitted"))
    with pytest.raises(ValueError, match="unknown rate set 'nptt'"):
        work.outcomes(["simetuc", "nptt"], [0], Measure(), jobs=1, progress=False)
