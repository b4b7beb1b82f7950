"""Measurements are no tests: they are collected only if this folder, or a file in it, is named on the command line."""

from pathlib import Path

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path, config):
    named = [(config.invocation_params.dir / str(arg).partition("::")[0]).resolve() for arg in config.args]
    asked = any(path == HERE or HERE in path.parents for path in named)
    return None if asked else True  # None: whatever pytest itself would do
