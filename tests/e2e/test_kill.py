"""A run that is killed and resumed, at any moment, leaves the bytes of one that was not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

KILLING = Path(__file__).with_name("killing.py")
CONFIG = """
[particle]
core = "NaGdF4: 49% Yb"
diameter = "3 nm"
shell = "NaYF4"
thickness = "0.8 nm"

[mechanism]
name = "{mechanism}"

[anneal]
steps = {steps}

[run]
samples = {samples}
snapshots = {snapshots}
events = true
"""


def killing(mode, where, *arguments):
    done = subprocess.run(
        [sys.executable, str(KILLING), mode, str(where), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write(where, mechanism="no-complex", steps=3000, samples=100, snapshots=10):
    text = CONFIG.format(mechanism=mechanism, steps=steps, samples=samples, snapshots=snapshots)
    (where / "config.toml").write_text(text)


def held(directory):
    """The bytes of all files but log.json, which may differ from run to run."""
    files = (file for file in directory.rglob("*") if file.is_file() and file.name != "log.json")
    return {str(file.relative_to(directory)): file.read_bytes() for file in files}


def same(where, directory):
    expected, found = held(where / "whole"), held(where / directory)
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
    assert len(expected["events.bin"]) > 14 * 100


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_a_killed_run_resumes_to_the_same_bytes(kills, tmp_path):
    write(tmp_path, samples=100 * kills, steps=3000)
    seen = killing("kill_at_random", tmp_path, kills, "0.02 s")
    assert seen["end"] == 0
    assert seen["kills"] > kills // 2
    same(tmp_path, "killed")


@pytest.mark.parametrize(
    ("every", "stride"),
    [("0 s", 9), pytest.param("0 s", 1, marks=pytest.mark.slow), pytest.param("1 h", 1, marks=pytest.mark.slow)],
)
def test_a_run_that_dies_at_any_write_resumes_to_the_same_bytes(every, stride, tmp_path):
    write(tmp_path, "y-complex", steps=20, samples=1, snapshots=1)
    ends = killing("kill_at_writes", tmp_path, every, stride)
    assert max(map(int, ends)) > 35
    begun = [n for n in ends if (tmp_path / f"dead-{n}" / "run.json").exists()]
    assert len(ends) - len(begun) < 10
    for n, end in ends.items():
        if n in begun:
            assert end == 0
            same(tmp_path, f"dead-{n}")
        else:
            assert end in (2, 4)  # nothing says what was to be run


def test_signals_leave_a_checkpoint_and_the_command_that_goes_on(tmp_path):
    write(tmp_path)
    names = ("SIGTERM", "SIGUSR1", "SIGINT")
    for name, seen in zip(names, killing("signal_once", tmp_path, *names), strict=True):
        assert seen["code"] == 75
        assert name in seen["said"]
        assert f"ucnp-abm run --resume stopped-{name}" in seen["said"]
        assert "Traceback" not in seen["said"]
        assert "checkpoint.npz" in seen["files"]
        assert not {"done.json", "final.npz", "lock"} & set(seen["files"])
        assert seen["end"] == 0
        same(tmp_path, f"stopped-{name}")
