"""How a plugin is published: what `plugins new` writes becomes a wheel, and from there everything finds it by name."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pages import compare, shown

PAGE = Path(__file__).parents[2] / "docs" / "publishing.md"
pytestmark = pytest.mark.slow
SMALL = ("particle.diameter=2.4 nm", "particle.thickness=0.8 nm")


def python(*arguments, cwd, path=None):
    environment = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A directory on the path into which the wheel of a new plugin was installed, without network."""
    pytest.importorskip("pip")
    here = tmp_path_factory.mktemp("published")
    python("-m", "ucnp_abm.cli.main", "plugins", "new", "lu-dock", "--from", "y-complex", cwd=here)
    offline = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    python("-m", "pip", "wheel", *offline, "--no-build-isolation", "-w", "wheels", "./lu-dock", cwd=here)
    (wheel,) = (here / "wheels").iterdir()
    python("-m", "pip", "install", *offline, "--target", here / "site", wheel, cwd=here)
    return here


def test_the_wheel_holds_the_module_and_no_test(published):
    assert sorted(file.name for file in (published / "site").glob("*.py")) == ["lu_dock.py"]


def test_an_installed_plugin_is_listed_with_its_package(published):
    said = python("-m", "ucnp_abm.cli.main", "plugins", "list", cwd=published, path=published / "site")
    assert "lu-dock: Y-oleate docks" in said
    assert "from plugin 'lu-dock' of ucnp-abm-lu-dock 0.1.0" in said
    assert "Failed" not in said
    compare(shown(PAGE, "ucnp-abm plugins list"), said, PAGE.name)


def test_an_installed_plugin_is_compared_with_a_shipped_one(published):
    options = ["--replicates", 2, "--steps", 5, "--json", *(word for one in SMALL for word in ("--set", one))]
    command = ["-m", "ucnp_abm.cli.main", "compare", "y-complex", "lu-dock", *options]
    rows = json.loads(python(*command, cwd=published, path=published / "site"))["rows"]
    docked = {label: [row["docked"] for row in rows if row["mechanism"] == label] for label in ("y-complex", "lu-dock")}
    assert docked["lu-dock"] == docked["y-complex"]
    assert docked["lu-dock"][-1] > 0


def test_an_installed_plugin_is_found_in_python(published):
    code = "import ucnp_abm; print(ucnp_abm.mechanism('lu-dock', dock_barrier='1.3 eV').values['dock_barrier'])"
    assert python("-c", code, cwd=published, path=published / "site").strip() == "1.3"


def test_the_file_that_was_published_can_still_be_tried_alone(published):
    command = ["-m", "ucnp_abm.cli.main", "plugins", "list", "--json", "--plugin", "lu-dock/lu_dock.py", "--no-plugins"]
    offered = json.loads(python(*command, cwd=published, path=published / "site"))["offered"]
    assert [one["name"] for one in offered] == ["lu-dock"]
