"""Commands as tests give them, and a small configuration to give them."""

from __future__ import annotations

from typing import Any

import pytest

from ucnp_abm.cli import main

SMALL = """
[particle]
core = "NaGdF4: 49% Yb"
diameter = "2.4 nm"
shell = "NaYF4"
thickness = "0.8 nm"

[mechanism]
name = "y-complex"
"""


def told(*arguments: object, capsys: Any = None) -> tuple[Any, ...]:
    """Exit code, and with `capsys` stdout and stderr."""
    with pytest.raises(SystemExit) as ended:
        main.main([str(argument) for argument in arguments])
    return ended.value.code, *(capsys.readouterr() if capsys else ())
