import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_imports_go_down_only():
    pytest.importorskip("importlinter")
    done = subprocess.run([Path(sys.executable).with_name("lint-imports")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("heavy", ["numba", "mesa", "matplotlib", "pydantic", "numpy"])
def test_help_imports_nothing_heavy(heavy):
    code = f"import sys, ucnp_abm, ucnp_abm.cli.main, ucnp_abm.cli.plugins; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_core_works_with_the_entry_points_blocked():
    code = (
        "import importlib.metadata as m; m.entry_points = lambda **_: ();"
        "from ucnp_abm import Mechanism, Particle, Simulation;"
        "from ucnp_abm.registry import Registry; assert not Registry.installed().entries;"
        "m = Mechanism('bare', summary='', source=''); m.hop(mover='Y')(lambda env: 1.0);"
        "p = Particle.box(lattice='sc', cells=(4, 4, 4), composition='Y', vacancies=1);"
        "assert Simulation(p, m, interpreted=True).run(events=3) == 'count reached';"
        "import sys; assert 'ucnp_abm_mechanisms' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_package_is_packed():
    """The list stands in pyproject.toml, because one of them has another name than its directory."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    there = {".".join(file.parent.relative_to(ROOT).parts) for file in (ROOT / "ucnp_abm").rglob("__init__.py")}
    assert set(declared) == there | {"ucnp_abm_mechanisms"}
