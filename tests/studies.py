"""Small studies that tests run, and what they leave on disk."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

TABLES: dict[str, Any] = {
    "study": {"mechanisms": ["no-complex", "y-complex"], "replicates": 2},
    "particle": {"core": "NaGdF4: 49% Yb", "diameter": "2.4 nm", "shell": "NaYF4", "thickness": "0.8 nm"},
    "anneal": {"steps": 10},
}
FILE = """
[study]
mechanisms = ["no-complex", "y-complex"]
replicates = 2

[particle]
core = "NaGdF4: 49% Yb"
diameter = "2.4 nm"
shell = "NaYF4"
thickness = "0.8 nm"

[anneal]
steps = 10
"""


def tables(**changes: Any) -> dict[str, Any]:
    """The small study with other values: `study__seed=1`, `vary={…}`."""
    data = copy.deepcopy(TABLES)
    for key, value in changes.items():
        section, inner, name = key.partition("__")
        if inner:
            data.setdefault(section, {})[name] = value
        else:
            data[section] = value
    return data


def held(directory: Path, *folders: str) -> dict[str, bytes]:
    """The bytes of all files below, or of those in these folders, but locks and logs."""
    files = (file for folder in folders or (".",) for file in (directory / folder).rglob("*") if file.is_file())
    return {
        file.relative_to(directory).as_posix(): file.read_bytes()
        for file in files
        if not file.name.startswith(("log", "lock"))
    }
