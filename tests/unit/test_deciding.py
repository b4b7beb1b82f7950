"""What decides: contrasts, of light in decades, and tests that are counted once."""

import numpy as np
import pytest

from ucnp_abm import CoreShell, load_study
from ucnp_abm.study.cells import CellResult
from ucnp_abm.study.compare import Comparison
from ucnp_abm.study.design import design
from ucnp_abm.study.outcome import StudyResult

SMALL = CoreShell(core="NaGdF4: 49% Yb, 1% Tm", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm")
LIGHT = {"no-complex": [1e-12, 2e-12, 4e-12], "y-complex": [1e-9, 2e-8, 4e-10]}


def shining(values):
    """A comparison of light without a run: what each crystal would emit."""
    chosen = design(list(values), SMALL, "300 °C", range(3), steps=10, names=["i_450"])

    def cell(value):
        course = np.full((len(chosen.samples), 1), value)
        return CellResult(0, ("i_450",), course, {}, "", "", 50.0)

    found = {(label, n): cell(value) for label, listed in values.items() for n, value in enumerate(listed)}
    return Comparison(chosen, found, "")


def test_light_is_contrasted_in_decades():
    found = shining(LIGHT)
    assert found.contrast("y-complex", "i_450") == pytest.approx([3.0, 4.0, 2.0])
    assert found.contrast("no-complex", "i_450") == pytest.approx(np.log10(LIGHT["no-complex"]))


def test_light_that_is_not_there_has_no_contrast():
    dark = shining(LIGHT | {"y-complex": [1e-9, 0.0, 4e-10]})
    assert np.isnan(dark.contrast("y-complex", "i_450")).tolist() == [False, True, False]


def test_precision_of_light_is_in_decades():
    result = StudyResult.of(shining(LIGHT))
    object.__setattr__(result.study, "precision", {"i_450": 2.4})
    half = 4.302652729749464  # Student's t for two degrees of freedom, s = 1, over the root of 3
    assert result.halves(result.comparisons[0])["i_450"] == pytest.approx(half / np.sqrt(3))
    assert result.imprecise() == [0]
    object.__setattr__(result.study, "precision", {"i_450": 2.5})
    assert result.imprecise() == []


def test_the_same_runs_at_another_setting_are_no_test_more():
    study = load_study(
        {
            "study": {"mechanisms": ["no-complex", "y-complex"], "replicates": 3},
            "particle": {"core": "NaGdF4: 49% Yb", "diameter": "2.4 nm", "shell": "NaYF4", "thickness": "0.8 nm"},
            "anneal": {"steps": 20},
            "vary": {
                "particle.core": ["NaGdF4: 19% Yb", "NaGdF4: 49% Yb"],  # hops do not depend on it
                "particle.thickness": ["0.8 nm", "1.2 nm"],
            },
        }
    )
    found = study.run(jobs=1, progress=False).tests("outside_core_pct")
    assert [test.is_repeated for test in found] == [False, False, True, True]
    assert [test.p_holm for test in found[2:]] == [test.p_holm for test in found[:2]]
    smaller, larger = sorted(test.p for test in found[:2])
    assert min(test.p_holm for test in found) == pytest.approx(
        min(1.0, max(2 * smaller, 0.0), max(2 * smaller, larger))
    )
