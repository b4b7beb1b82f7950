"""The README's Python runs as it stands, in one namespace, from top to bottom."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_python_in_the_readme_runs(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 3
    space = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), space)
    printed = capsys.readouterr().out
    assert "lu-complex" in printed
    assert "rule " in printed


def test_the_two_commands_stand_first_and_set_everything_up():
    commands = re.findall(r"^    (python3 -m venv .*)$", README, flags=re.MULTILINE)
    assert len(commands) == 2
    assert commands[0].endswith("ucnp-abm demo")
    assert commands[1].endswith("pytest -q")


@pytest.mark.parametrize("path", re.findall(r"\]\(((?:docs|examples|[A-Z]+)[^)#]*)\)", README))
def test_every_file_that_the_readme_names_exists(path):
    assert (Path(__file__).parents[2] / path).exists()
