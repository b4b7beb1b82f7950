"""Each deliberately wrong plugin in tests/data/wrong_plugins is found out, at its marked line, and nothing else is."""

from pathlib import Path

import pytest

from ucnp_abm.workbench.checking import check_mechanism, files

WRONG = Path(__file__).parents[1] / "data" / "wrong_plugins"
HOP, SITE = "hop of Na over bond 'c', zones core|core", "surface site, coordination 3"
ERROR, WARNING = "error", "warning"
FOUND = {
    # file: (check, severity, what the message says, environment), of which the first stands at the marked line
    "broken_import": [("loading", ERROR, "No module named 'oleates_of_mine'", "")],
    "misspelt_hook": [("loading", ERROR, "did you mean 'ucnp_mechanisms'?", "")],
    "hook_with_default": [("loading", ERROR, "takes 'temperature', which nobody passes", "")],
    "two_of_one_name": [("loading", ERROR, "offers the name 'two-of-one-name' twice", "")],
    "not_offered": [("offered", ERROR, "return other from ucnp_mechanisms", "")],
    "no_source": [("source and summary", ERROR, "'the group meeting'; expected a DOI", "")],
    "no_summary": [("source and summary", ERROR, "has no summary", "")],
    "reads_too_much": [("table", ERROR, "read fewer species", "")],
    "not_a_number": [("barriers", ERROR, "returned nan", f"{HOP}, n={{Yb: 2}}")],
    "text_for_a_number": [("barriers", ERROR, "returned '1.20 eV'; expected a barrier in eV", SITE)],
    "endless_recursion": [("barriers", ERROR, "calls itself without end", HOP)],
    "endless_loop": [("barriers", ERROR, "did not come to an end", SITE)],
    "raises": [("barriers", ERROR, "raised ZeroDivisionError", f"{HOP}, n={{vacancy: 0}}")],
    "negative_barrier": [("barriers", ERROR, "at least 0 eV", f"{HOP}, n={{vacancy: 9}}")],
    "random_barrier": [("determinism", ERROR, "for the same environment", None), ("detailed balance", ERROR, "", None)],
    "asymmetric_by_address": [
        ("determinism", ERROR, "for the same environment", None),
        ("detailed balance", ERROR, "a barrier is the same both ways", None),
    ],
    "asymmetric_by_state": [
        ("determinism", ERROR, "1.6 eV or 1.65 eV", HOP),
        ("globals", ERROR, "the global 'turn' changes", HOP),
        ("detailed balance", ERROR, "1.65 eV there and 1.6 eV back", HOP),
    ],
    "depends_on_a_global": [
        ("globals", ERROR, "the global 'calls' changes", HOP),
        ("determinism", ERROR, "", None),
        ("detailed balance", ERROR, "", None),
    ],
    "grows_an_attribute": [("globals", ERROR, "the default of the argument 'seen' changes", SITE)],
    "mutable_table": [("globals", WARNING, "reads the global 'BARRIERS', a list", "")],
    "two_potentials_that_contradict": [("detailed balance", ERROR, "swap Gd -> Y contradicts", "")],
    "forbidden_everywhere": [("rules that apply", WARNING, "is a 'return' missing?", SITE)],
    "prints": [("output", WARNING, "prints 'coordination 3'", "")],
    "unreachable_line": [("reach", WARNING, "`return 1.40`", "")],
    "misspelt_species": [("reach", WARNING, "did you mean 'Yb'?", "")],
    "unused_read": [("unused reads", WARNING, "reads n['Yb']", "")],
    "unused_parameter": [("unused parameters", WARNING, "nothing reads the parameter 'dock_barrier'", "")],
    "wrong_unit": [("usual units", WARNING, "are 1650 eV", "")],
}


def reports_of(name):
    found, of_file = files.load(WRONG / f"{name}.py")
    return [of_file, *(check_mechanism(one, events=50) for one in found)]


def test_there_is_an_expectation_for_each_wrong_plugin():
    assert {file.stem for file in WRONG.glob("*.py")} == set(FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_what_is_wrong_is_found_with_its_line_and_environment(name):
    reports = reports_of(name)
    findings = [one for report in reports for one in report.findings]
    expected = {check: rest for check, *rest in FOUND[name]}
    assert sorted(one.check for one in findings) == sorted(expected)
    for one in findings:
        severity, said, environment = expected[one.check]
        assert one.severity == severity
        assert said in one.message
        assert environment in (None, one.environment)
        assert "\n" not in one.message
    text = (WRONG / f"{name}.py").read_text(encoding="utf-8").splitlines()
    (marked,) = [number for number, line in enumerate(text, 1) if "# <- here" in line]
    assert next(one.place for one in findings if one.check == FOUND[name][0][0]) == f"{name}.py, line {marked}"
    assert all(report.ok == (ERROR not in [one.severity for one in report.findings]) for report in reports)
