"""A new plugin: it offers what it says, copies compute what the original does, and bad names are refused."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ucnp_abm import Simulation, registry
from ucnp_abm.cli.main import main
from ucnp_abm.errors import BadInput, UcnpError
from ucnp_abm.rules.ruleset import SiteRule
from ucnp_abm.workbench.scaffold import LONGEST, scaffold

registry.installed().load_all()
SHIPPED = sorted(registry.installed().mechanisms)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def new(name, start=None, out=None):
    files = scaffold(name, Path(out or name), start)
    return Path(out or name) / files[0]


def fingerprint(mechanism, particle):
    return Simulation(particle, mechanism, seed=1).table.fingerprint()


def test_a_new_plugin_is_four_files_and_its_module_offers_the_name():
    assert scaffold("lu-dock", Path("lu-dock")) == ["lu_dock.py", "test_lu_dock.py", "pyproject.toml", "README.md"]
    assert sorted(file.name for file in Path().iterdir()) == ["lu-dock"]
    with registry.beside(["lu-dock/lu_dock.py"]) as found:
        dock = found.get("lu-dock")
    assert dock.summary.endswith(".")
    assert "Assumption" in dock.source


def test_a_new_module_is_short_and_says_what_a_chemist_needs():
    text = new("lu-dock").read_text()
    assert 25 <= len(text.splitlines()) <= 40
    assert "numba" not in text
    assert all(len(line) <= 120 for line in text.splitlines())
    for word in ('"""Barrier / eV', "source=", "doc=", "Assumption"):
        assert word in text


def test_new_docking_meets_a_barrier_that_rises_with_the_neighbours(small_particle):
    with registry.beside([new("lu-dock")]) as found:
        table = Simulation(small_particle, found.get("lu-dock"), seed=1).table
    docks = [
        (table.environment(row).site.coordination, table.barrier[row])
        for row in table.rows()
        if isinstance(table.block_of(row).rule, SiteRule)
    ]
    assert len(docks) > 3
    assert all(barrier == pytest.approx(1.0 + 0.02 * neighbours) for neighbours, barrier in docks)


def test_pyproject_announces_the_module_under_the_name():
    new("lu-dock")
    told = tomllib.loads(Path("lu-dock/pyproject.toml").read_text())
    assert told["project"]["name"] == "ucnp-abm-lu-dock"
    assert told["project"]["entry-points"]["ucnp_abm"] == {"lu-dock": "lu_dock"}
    assert told["tool"]["setuptools"]["py-modules"] == ["lu_dock"]


@pytest.mark.parametrize("start", SHIPPED)
def test_a_copy_has_the_rates_of_what_it_was_copied_from(start, small_particle):
    with registry.beside([new("lu-dock", start)]) as found:
        copy, original = found.get("lu-dock"), found.get(start)
        assert fingerprint(copy, small_particle) == fingerprint(original, small_particle)
        assert copy.all_values() == original.all_values()
    assert start not in Path("lu-dock/lu_dock.py").read_text()
    assert f"started from {start}" in Path("lu-dock/README.md").read_text()


def test_a_copy_of_a_copy_is_possible(small_particle):
    with registry.beside([new("lu-dock", "y-complex")]), registry.beside([]) as found:
        again = new("er-dock", "lu-dock")
        with registry.beside([again]) as found:
            assert fingerprint(found.get("er-dock"), small_particle) == fingerprint(
                found.get("lu-dock"), small_particle
            )


@pytest.mark.parametrize("name", ["potential", "env", "barrier", "hookimpl", "print", "annotations"])
def test_a_name_that_the_text_uses_already_makes_no_clash(name, small_particle):
    for start in (None, "y-complex"):
        with registry.beside([new(name, start, out=f"{name}-{start}")]) as found:
            Simulation(small_particle, found.get(name), seed=1).run(events=2)


BUNDLE = '''
"""Two at once, and a drive."""
import ucnp_abm
from ucnp_abm import hookimpl as offered

first = ucnp_abm.Mechanism("first", summary="One.", source="Assumption: a test")
second = ucnp_abm.Mechanism("second", summary='the "second" one.', source="Assumption: a test")
second.parameter("second", 1.5, kind="number", doc="A parameter that is called as the mechanism is.")
lamp = ucnp_abm.Drive("lamp", summary="A lamp.", source="Assumption: a test")
lamp.warm("20 K")


@first.hop(ucnp_abm.IONS)
@second.hop(ucnp_abm.IONS)
def law(env):
    return env.p.second


@offered
def ucnp_mechanisms():
    return [first, second]


@offered
def ucnp_drives():
    return [lamp]
'''


def test_one_of_several_is_copied_alone(small_particle):
    Path("bundle.py").write_text(BUNDLE)
    with registry.beside(["bundle.py"]):
        file = new("third", "second")
        with registry.beside([file]) as found:
            assert [one.name for one in found.plugins[str(file.resolve())].offers] == ["third"]
            assert found.get("third").summary == 'the "second" one.'
            assert fingerprint(found.get("third"), small_particle) == fingerprint(found.get("second"), small_particle)


def test_what_is_not_made_by_a_statement_of_its_own_cannot_be_copied():
    Path("bundle.py").write_text(
        BUNDLE.replace("second = ucnp_abm.M", "(second,) = map(ucnp_abm.Mechanism.on, [ucnp_abm.M").replace(
            'one.\', source="Assumption: a test")', 'one.\', source="Assumption: a test")], ["beta"])'
        )
    )
    with registry.beside(["bundle.py"]), pytest.raises(BadInput, match="is not made by a statement of its own"):
        new("third", "second")
    assert not Path("third").exists()


def test_a_copy_that_would_keep_its_old_name_is_refused_and_not_written():
    Path("bundle.py").write_text(BUNDLE.replace('Mechanism("second"', 'Mechanism("sec" + "ond"'))
    with registry.beside(["bundle.py"]), pytest.raises(BadInput, match="'second' cannot be copied under another name"):
        new("third", "second")
    assert [file.name for file in Path().iterdir()] == ["bundle.py"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("y-complex", "is taken by plugin 'y-complex'"),
        ("laser-thermal", "is taken by plugin 'laser'"),
        ("laser", "is taken by an installed plugin"),
        ("y+gd", r"leave out '\+'"),
        ("class", "a word of Python"),
        ("numpy", "a module 'numpy' already"),
        ("conftest", "a module 'conftest' already"),
        ("setup", "a module 'setup' already"),
        ("../dock", "is a path; .* as in 'dock', and --out"),
        ("a\\b", "is a path"),
        ("Döck 2", "expected small letters a-z, .* as in 'dock-2'"),
        ("", "as in 'my-dock'"),
        ("🙂", "as in 'my-dock'"),
        ("3-dock", "as in 'dock'"),
        ("-dock", "as in 'dock'"),
        ("lu--dock", "as in 'lu-dock'"),
        ("lu-dock\n", "as in 'lu-dock'"),
        ("x" * (LONGEST + 1), f"at most {LONGEST}"),
        ("x" * 10_000, f"has 10000 characters; at most {LONGEST}"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_with_one_that_can(name, says):
    with pytest.raises(BadInput, match=says) as refused:
        new(name, out="here")
    assert len(str(refused.value)) < 300
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("start", "says"),
    [
        ("y-complx", "did you mean 'y-complex'"),
        ("laser-thermal", "is a drive; expected a mechanism"),
        ("y-complex+laser-thermal", "is a combination; copy its mechanism alone"),
    ],
)
def test_only_a_mechanism_is_copied(start, says):
    with pytest.raises(UcnpError, match=says):
        new("lu-dock", start)
    assert not list(Path().iterdir())


def test_nothing_is_overwritten():
    Path("lu-dock").mkdir()
    with pytest.raises(BadInput, match="'lu-dock' exists already"):
        new("lu-dock")
    assert not list(Path("lu-dock").iterdir())


def test_the_command_says_what_it_wrote_and_what_to_try_next(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["plugins", "new", "lu-dock", "--from", "gd-complex", "--out", "my lu"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert "wrote my lu/: lu_dock.py, test_lu_dock.py, pyproject.toml, README.md" in said
    assert "ucnp-abm plugins check 'my lu/lu_dock.py'" in said
    assert "ucnp-abm compare gd-complex lu-dock --plugin 'my lu/lu_dock.py'" in said


def test_generated_python_is_formatted_as_ours_is():
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("ruff is not installed")
    new("lu-dock")
    options = ["--line-length", "120", "--isolated", "lu-dock"]
    for command in (["format", "--check"], ["check", "--select", "E,F,B,UP,W"]):
        done = subprocess.run([ruff, *command, *options], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("start", [None, *(pytest.param(name, marks=pytest.mark.slow) for name in SHIPPED)])
def test_the_written_test_passes_without_installation(start):
    new("lu-dock", start)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(command, cwd="lu-dock", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
