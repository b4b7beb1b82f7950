"""The contract can fail: everything that is broken in `broken.py` is noticed by the test that is there for it."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ucnp_abm.testing import DriveContract, MechanismContract

BROKEN = Path(__file__).with_name("broken.py")
NOTICED = {
    "TestLawCounts": {
        "test_tabulating_again_gives_the_same_table",
        "test_laws_say_what_the_table_holds",
        "test_laws_asked_during_a_run_say_what_the_table_holds",
    },
    "TestNoSource": {"test_it_states_what_it_is_and_where_it_comes_from"},
    "TestNothingHappens": {"test_an_event_happens"},
    "TestChoiceForbidsAll": {"test_every_choice_can_be_run"},
    "TestTableAltered": {"test_laws_say_what_the_table_holds"},
    "TestExchangeLosesAnIon": {"test_sites_are_conserved_and_the_bath_balances_what_comes_and_goes"},
    "TestPausesTakeTime": {"test_a_run_in_pieces_is_the_run_in_one"},
    "TestFiringTakesTwo": {"test_single_events_are_the_run"},
    "TestPlainPythonIsLate": {"test_plain_python_gives_the_same_run"},
    "TestDigestIgnoresTime": {"test_no_two_moments_of_a_run_share_a_digest"},
    "TestDigestIgnoresAll": {"test_same_seed_gives_the_same_run_and_another_seed_another"},
    "TestUndoForgetsACounter": {"test_undone_events_leave_no_trace"},
    "TestLoadedRunHasAnotherSeed": {"test_a_saved_run_goes_on_the_same"},
    "TestOptionsHaveOtherRates": {"test_options_are_what_the_loop_may_choose", "test_every_event_was_an_option"},
    "TestTableHasNoFingerprint": {"test_fingerprint_does_not_depend_on_temperature"},
    "TestIrreversibleInSilence": {"test_its_table_passes_the_checks_and_it_says_what_is_irreversible"},
    "TestFindings": {"test_the_workbench_finds_nothing_wrong"},
    "TestDrivesStopEverything": {"test_every_drive_that_fits_can_be_added"},
    "TestDriveDoesNothing": {"test_it_does_something_when_it_is_on"},
    "TestDriveIsAlwaysOn": {"test_before_it_is_switched_on_nothing_is_different"},
    "TestDriveOvershoots": {"test_its_course_is_told_in_order_and_between_nothing_and_full"},
}

SOUND = {
    "TestSound": MechanismContract,
    "TestSoundBox": MechanismContract,
    "TestSoundPulses": MechanismContract,
    "TestSoundDrive": DriveContract,
}


def asked_by(contract):
    return {name for name in dir(contract) if name.startswith("test_")}


def told(directory, *options):
    """What each test says, by class and test: '' if it passed, nothing of those that were skipped."""
    (directory / "pytest.ini").write_text("[pytest]\n")
    words = ["-q", "--noconftest", "-c", directory / "pytest.ini", "-p", "no:cacheprovider", "-W", "error"]
    command = [sys.executable, "-m", "pytest", *words, "--junit-xml", directory / "said.xml", *options]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = {}
    for case in ElementTree.parse(directory / "said.xml").iter("testcase"):
        if case.find("skipped") is None:
            wrong = [*case.iter("failure"), *case.iter("error")]
            key = case.get("classname").rpartition(".")[2], case.get("name").partition("[")[0]
            found[key] = "\n".join([found.get(key, ""), *(one.get("message") for one in wrong)]).strip()
    return found


def told_of_text(directory, text, *options):
    (directory / "test_own.py").write_text(text, encoding="utf-8")
    return told(directory, *options, directory / "test_own.py")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """All that is asked of what is sound, and of what is broken the tests that must notice."""
    sound = [f"{BROKEN}::{name}" for name in SOUND]
    broken = [f"{BROKEN}::{name}::{test}" for name, tests in NOTICED.items() for test in tests]
    return told(tmp_path_factory.mktemp("broken"), "--tb=line", *sound, *broken)


@pytest.mark.slow
@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_passes_every_test(said, name):
    assert {test: said[where, test] for where, test in said if where == name} == dict.fromkeys(
        asked_by(SOUND[name]), ""
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTICED)
def test_what_is_broken_is_noticed(said, name):
    assert all(said[name, test] for test in NOTICED[name])


def test_no_test_of_a_contract_is_idle():
    assert set().union(*NOTICED.values()) == asked_by(DriveContract)


def test_everything_that_is_broken_is_looked_at():
    assert {*re.findall(r"^class (Test\w+)", BROKEN.read_text(), flags=re.MULTILINE)} == {*NOTICED, *SOUND}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("TestLawCounts", "not from a counter, a clock, a random number"),
        ("TestNoSource", "hearsay: source: expected a DOI, or 'Assumption: …' and why, got 'a friend'"),
        ("TestNothingHappens", "give the test a particle with ions and vacancies"),
        ("TestTableAltered", "the law says 1.6 eV, and the table holds 1.6000000010000002 eV"),
        ("TestUndoForgetsACounter", "100 events were undone, and something of them is left; they differ in: digest"),
        ("TestIrreversibleInSilence", "silent: hop: no way back in balance"),
        ("TestFindings", "error balance: it drives itself (a.py:3) core"),
    ],
)
def test_a_failure_says_what_is_wrong(said, name, says):
    assert says in "\n".join(message for (where, _), message in said.items() if where == name)


OWN = """
from ucnp_abm.testing import MechanismContract

pytest_plugins = ["ucnp_abm.testing"]


class TestOwn(MechanismContract):
    mechanism = "no-complex"

    def test_it_hops(self, simulation, again):
        assert simulation.fire().verb == "hop"
        assert again(seed=5).seed == 5


def test_all_zones_are_there(tiny_particle):
    assert {*tiny_particle.crystal.zones} == {"core", "shell", "interface", "surface"}


def test_parameters_are_set(simulate):
    assert simulate("y-complex", "320 °C", dock_barrier="1.3 eV").mechanism.values["dock_barrier"] == 1.3


class TestNobody(MechanismContract):
    pass
"""


@pytest.mark.parametrize("options", [(), ("--import-mode=importlib", "-p", "xdist", "-n", "1")], ids=["plain", "xdist"])
def test_fixtures_come_with_one_line_however_tests_are_run(tmp_path, options):
    found = told_of_text(tmp_path, OWN, *options)
    assert len(found) == 2 * len(asked_by(MechanismContract)) + 3
    assert not any(message for (name, _), message in found.items() if name != "TestNobody")
    assert all("TestNobody: say which mechanism" in m for (name, _), m in found.items() if name == "TestNobody")


def test_the_tests_on_the_page_pass_and_the_exact_one_can_fail(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
    text = "".join(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL))
    found = told_of_text(tmp_path, text)
    assert not any(found.values())
    assert {name for name, _ in found} >= {"TestMyDock", "TestUnderPulses", "TestLamp", "TestDocking"}
    exact = "test_immobile_vacancies_are_filled_at_the_rate_of_the_law"
    assert found["test_own", exact] == ""
    assert "exp(-1.6 /" in text
    wrong = told_of_text(tmp_path, text.replace("exp(-1.6 /", "exp(-1.58 /"), "-k", exact)
    assert "pvalue" in wrong["test_own", exact]


def test_without_pytest_the_package_works_and_the_contract_says_what_it_needs():
    code = "import sys; sys.modules['pytest'] = None; import ucnp_abm; ucnp_abm.Simulation; import ucnp_abm.testing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError: ucnp_abm.testing needs pytest" in done.stderr
    assert "pip install 'ucnp-abm[test]'" in done.stderr
