"""The notebooks run as they stand, and are kept without results."""

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


@pytest.fixture
def executed(request, monkeypatch, tmp_path):
    """Outputs of a notebook by name, in a new kernel."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    notebook = nbformat.read(EXAMPLES / request.param, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    return [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]


@pytest.mark.parametrize("executed", ["04_a_mesa_notebook.ipynb"], indirect=True)
def test_the_notebook_of_agents_runs(executed):
    outputs = executed
    assert any("image/png" in o.get("data", {}) for o in outputs)
    assert any("ucnp-abm movie" in o.get("data", {}).get("text/html", "") for o in outputs)
    assert not [o for o in outputs if o.get("name") == "stderr"]


@pytest.mark.parametrize("executed", ["05_a_study.ipynb"], indirect=True)
def test_the_notebook_of_studies_runs_and_shows_how_far_it_has_come(executed, tmp_path):
    shown = [o.get("data", {}) for o in executed]
    assert any("difference from no-complex" in each.get("text/html", "") for each in shown)
    assert any("image/png" in each for each in shown)
    assert any("48/48" in o.get("text", "") for o in executed if o.get("name") == "stderr")
    assert (tmp_path / "report" / "index.html").exists()
    assert len(list((tmp_path / "shells" / "cells").glob("*.npz"))) == 48


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_kept_without_results(path):
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code] == [[]] * len(code)
    assert {cell.execution_count for cell in code} == {None}
    assert all(not cell.metadata for cell in notebook.cells)
