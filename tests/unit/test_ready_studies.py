"""Ready-made studies can be run, and what is said of settings, verdicts and shared runs is right."""

from pathlib import Path

import numpy as np
import pytest

from ucnp_abm.config.studies import load_study
from ucnp_abm.errors import BadInput
from ucnp_abm.study.numbers import sensitivity, statistics, verdict
from ucnp_abm.study.report import conclusions, summary

STUDIES = sorted((Path(__file__).parents[2] / "examples" / "studies").glob("*.toml"))
SMALL = {"core": "NaGdF4: 49% Yb", "diameter": "2.4 nm", "shell": "NaYF4", "thickness": "0.8 nm"}


def small(**changes):
    return {
        "study": {"mechanisms": ["no-complex", "y-complex"], "replicates": 2, **changes.pop("study", {})},
        "particle": SMALL,
        "anneal": {"steps": 10},
        **changes,
    }


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
def test_a_ready_made_study_can_be_built_and_says_how_it_is_run(file):
    study = load_study(file)
    assert study.question.endswith("?")
    assert f"ucnp-abm compare examples/studies/{file.name}" in file.read_text(encoding="utf-8")
    assert len(study.points) <= 64


def test_settings_of_one_change_at_a_time_are_called_by_what_changed():
    vary = {"mechanism.surface": ["reflecting", "sink"], "mechanism.barrier": ["1.65 eV", "1.55 eV"]}
    alone = load_study(small(study={"arrangement": "one-at-a-time"}, vary=vary))
    assert [point.name for point in alone.points] == ["base", "surface = sink", "barrier = 1.55 eV"]
    together = load_study(small(vary=vary))
    assert together.points[1].name == "surface = reflecting, barrier = 1.55 eV"


@pytest.mark.parametrize("axis", ["vacancies", "docked", "mechanism", "replicate", "i_450"])
def test_an_axis_called_like_a_column_of_the_tables_is_refused(axis):
    with pytest.raises(BadInput, match="a column of the tables"):
        load_study(small(vary={axis: {"a": {}, "b": {"particle.diameter": "3 nm"}}}))


def test_runs_that_settings_share_are_not_said_to_be_missing():
    result = load_study(small(vary={"mechanism.surface": ["reflecting", "sink"]})).run(jobs=1, progress=False)
    assert result.n_finished == result.n_wanted == 8
    text = summary.account(result)
    assert "2 are the same at another setting" in text  # y-complex has no surface rule
    assert "still to come" not in text


def test_shown_is_the_middle_of_numbers_and_the_first_of_names():
    vary = {"mechanism.surface": ["reflecting", "sink", "etch"], "mechanism.barrier": ["1.5 eV", "1.6 eV", "1.7 eV"]}
    result = load_study(small(study={"replicates": 1}, vary=vary)).run(jobs=1, progress=False)
    assert conclusions.setting_shown(result) == "surface = reflecting, barrier = 1.6 eV"


def test_a_verdict_that_holds_but_shrinks_says_so():
    base = np.array([-10.0, -10.5, -9.5, -10.0])
    found = sensitivity.one_at_a_time(base, {("a", "little"): base + 1.0, ("b", "much"): base + 8.0})
    text = verdict.verdict(found, "points", "mixing", ("y", "no"))
    assert "is turned by no assumption" in text
    assert "less than half of -10.0 points is left with b = much (20 %)" in text
    assert "less than half" not in verdict.verdict(found[1:], "points", "mixing", ("y", "no"))


def test_large_intervals_have_as_many_digits_as_are_known():
    assert statistics.Mean(24274786, 1, 6894239, 85472123, 5).interval() == "2.4e7 [0.7e7, 8.5e7]"
    assert statistics.Mean(4668, 1, 4660, 4676, 5).interval() == "4668 [4660, 4676]"
