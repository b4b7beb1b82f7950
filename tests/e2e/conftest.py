"""A small run directory for commands that read one."""

import shutil

import pytest
from commands import SMALL, told


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run; look, and do not touch."""
    place = tmp_path_factory.mktemp("runs")
    (place / "small.toml").write_text(SMALL)
    assert told("run", place / "small.toml", "--steps", 20, "--out", place / "small")[0] == 0
    return place / "small"


@pytest.fixture
def run(finished, tmp_path):
    """A copy of it."""
    return shutil.copytree(finished, tmp_path / "small")
