"""How the fuzz tests draw their examples, run commands in this process, and damage configurations and files.

The same examples are drawn each time. For a hunt: `FUZZ_SEED=7 FUZZ_EXAMPLES=5000 pytest tests/fuzz -n 0`.
"""

from __future__ import annotations

import copy
import io
import math
import os
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from ucnp_abm.cli.main import main

CODES = (0, 2, 3, 4, 75)
"""Exit codes of commands that nobody interrupts."""


def examples(few: int, many: int) -> pytest.MarkDecorator:
    """A test with few examples, and as a slow one with many."""
    hunted = os.environ.get("FUZZ_EXAMPLES")
    numbers = [int(hunted)] if hunted else [few, pytest.param(many, marks=pytest.mark.slow)]
    return pytest.mark.parametrize("n", numbers)


def always(n: int, holds: Callable[..., None], *strategies: st.SearchStrategy[Any]) -> None:
    """Draw n examples and call `holds` with each; the draws depend on the code of `holds` alone, or on FUZZ_SEED."""
    chosen = os.environ.get("FUZZ_SEED")
    profile = settings(
        max_examples=n,
        derandomize=chosen is None,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
    )
    test = profile(given(*strategies)(holds))
    (seed(int(chosen))(test) if chosen else test)()


def one_sentence(error: Exception, *begins: str) -> None:
    """What a user is told is one line, which begins with what it is about."""
    text = str(error)
    assert text
    assert "\n" not in text
    assert not begins or text.startswith(begins), text


def command(*arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command; whatever else it raises is a traceback that a user would see."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    said = []
    for stream in (out, err):
        stream.flush()
        stream.seek(0)
        said.append(stream.read())
    return int(ended.value.code or 0), said[0], said[1]


def held(directory: Path) -> dict[str, bytes | None]:
    """The bytes of all files below a directory by name; None for a directory or another thing."""
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None for path in directory.rglob("*")
    }


# --- plain data near a valid one ---

_NUMBERS = (0, 1, -1, 3, 2**63, 10**400, 0.5, -0.0, 1e-320, 1e308, math.nan, math.inf)
_QUANTITIES = "-1 nm|3 nm|1e9 nm|nan|inf nm|15 %|150 %|300 °C|0 K|300 K for 1 s, 400 K|1 h|²|1"
_NAMES = (
    "Yb|NaYF4|NaGdF4: 49% Yb|NaGdF4: 60% Yb, 60% Tm|Y: 20% Gd|disordered|rejection|beta|fcc|no-complex|events|unset"
)
_WORDS = (
    *_QUANTITIES.split("|"),
    *_NAMES.split("|"),
    "y-complex+laser-thermal",
    "y-complex+",
    "",
    " ",
    "Ünïcödé",
    "😀",
)
_LISTS = (
    [],
    {},
    [[]],
    [1, 2, 3],
    [3, 3, 3],
    [10**6] * 3,
    ["NaYF4", "1 nm"],
    [["NaYF4", "1 nm"]],
    {"name": 1},
    {"0": 0},
)
ODD = st.sampled_from([None, True, False, *_NUMBERS, *_WORDS, "\u202e", "x" * 3000, *_LISTS]).map(copy.deepcopy)
_KEYS = (
    "0|²|core|shell|shells|diameter|diametre|seed|lattice|name|share|parts|steps|duration|parameters|barrier|Barrier"
)
KEYS = st.sampled_from([*_KEYS.split("|"), "self", "laser-thermal.rise", "particle", "box", "", "ключ", "a.b", "x y"])


def nested(depth: int) -> Any:
    """A list in a list in a list …"""
    inner: Any = 1
    for _ in range(depth):
        inner = [inner]
    return inner


def places(data: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The keys that lead to each value within plain data."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [where for key, inner in items for where in ((*here, key), *places(inner, (*here, key)))]


@st.composite
def mutated(draw: st.DrawFn, valid: st.SearchStrategy[Any]) -> Any:
    """Plain data with one to three things changed: a value, a key, a level more or less."""
    data = copy.deepcopy(draw(valid))
    for _ in range(draw(st.integers(1, 3))):
        where = draw(st.sampled_from(places(data) or [()]))
        if not where:
            break
        holder = data
        for key in where[:-1]:
            holder = holder[key]
        key, change = where[-1], draw(st.integers(0, 6))
        if change <= 2:
            holder[key] = draw(ODD | st.just(nested(40)))
        elif change == 3:
            del holder[key]
        elif change == 4 and isinstance(holder, dict):
            holder[draw(KEYS)] = holder.pop(key)
        elif change == 5 and isinstance(holder, dict):
            holder[draw(KEYS)] = draw(ODD)
        else:
            holder[key] = draw(st.sampled_from([[holder[key]], {"value": holder[key]}, [holder[key]] * 3]))
    return data
