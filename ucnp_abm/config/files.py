"""Configuration files: TOML, checked as a whole, with every problem reported at once by line."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from ucnp_abm.config.sections import CRYSTALS, Config, MechanismSection, PartSection
from ucnp_abm.crystal.particle import Box, CoreShell
from ucnp_abm.crystal.population import Population
from ucnp_abm.errors import BadInput, nearest, shown
from ucnp_abm.study.cells import PAPER_PARTICLE

Lines = dict[tuple[str, ...], int]
"""Line of each key and table."""
Checked = TypeVar("Checked", bound=BaseModel)


def paper(mechanism: str = "no-complex") -> dict[str, Any]:
    """The configuration of the paper's particle, as plain data."""
    recipe = PAPER_PARTICLE
    grown = {"core": recipe.core, "diameter": recipe.diameter, "shell": recipe.shell, "thickness": recipe.thickness}
    return {"particle": grown, "mechanism": {"name": mechanism}}


def load(path: Path, settings: Iterable[str] = ()) -> Config:
    """Read and check a configuration file, changed by settings such as 'mechanism.barrier=1.6 eV'.

    Raises
    ------
    BadInput
        With every problem, its line, and the nearest valid name.
    """
    data, lines = read(path, "mechanism")
    return check(data, str(path), settings, lines)


def read(path: Path, other: str) -> tuple[dict[str, Any], Lines]:
    """A TOML file as plain data, and the line of each key and table.

    Parameters
    ----------
    path : Path
    other : str
        What the user may have meant instead, if there is no such file.

    Raises
    ------
    BadInput
        If it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file, and no {other} of that name") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read as text ({error})") from error
    except RecursionError as error:
        raise BadInput(f"{path}: is nested too deeply to be read") from error
    except ValueError as error:  # of tomllib, or of int where a number has thousands of digits
        raise BadInput(f"{path}: is not TOML ({error})") from error
    return data, _lines(text)


def check(data: dict[str, Any], source: str, settings: Iterable[str] = (), lines: Lines | None = None) -> Config:
    """Check plain data as a configuration, changed by settings.

    Parameters
    ----------
    data : dict
    source : str
        How errors call it.
    settings : iterable of str
        'section.key=value'.
    lines : dict or None
        Line of each key.

    Raises
    ------
    BadInput
        With every problem, its line, and the nearest valid name.
    """
    known = dict(lines or {})
    for setting in settings:
        where, value = read_setting(setting)
        known.pop(where, None)
        put(data, where, value, f"--set {setting}")
    return checked(Config, data, source, known)


def apply_settings(settings: Iterable[str]) -> tuple[CoreShell | Population | Box, dict[str, Any]]:
    """The particle and the mechanisms' parameters: the paper's particle, changed by KEY=VALUE.

    Raises
    ------
    BadInput
        If a setting cannot be read, or is neither of the particle nor a parameter of a mechanism.
    """
    given = list(settings)
    for setting in given:
        where, _ = read_setting(setting)
        if where[0] not in ("particle", "mechanism") or where == ("mechanism", "name"):
            raise BadInput(f"--set {setting}: expected particle.… or mechanism.…; the rest has options of its own")
    config = check(paper(), "compare", given)
    return config.crystal.recipe(), dict(config.mechanism.parameters)


def put(data: dict[str, Any], where: tuple[str, ...], value: Any, told: str) -> None:
    """Set a value deep in plain data.

    Raises
    ------
    BadInput
        If there is no table where one is needed; `told` is how the error calls the setting.
    """
    inner = data
    for part in where[:-1]:
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            raise BadInput(f"{told}: '{part}' is no table")
    inner[where[-1]] = value


def checked(model: type[Checked], data: dict[str, Any], source: str, lines: Lines) -> Checked:
    """Plain data as a model that grows one crystal.

    Raises
    ------
    BadInput
        With every problem, its line, and the nearest valid name.
    """
    problems = []
    if sum(data.get(section) is not None for section in CRYSTALS) != 1:
        problems.append(f"expected one of {', '.join(f'[{section}]' for section in CRYSTALS)}")
    try:
        config = model.model_validate(data)
    except ValidationError as error:
        problems += _problems(error, data, lines, model)
    if problems:
        many = f"{len(problems)} problem" + ("s" if len(problems) > 1 else "")
        raise BadInput(f"{source}: {many}\n" + "\n".join(f"  {p}" for p in problems))
    return config


def read_setting(text: str, model: type[BaseModel] = Config) -> tuple[tuple[str, ...], Any]:
    """Keys and value of 'particle.diameter=8 nm'; a value is TOML if it can be, else text.

    What follows 'mechanism.' is a parameter of the mechanism or, as 'mechanism.laser-thermal.rise', of a drive.

    Raises
    ------
    BadInput
        If there is no key, no value, or no such section.

    Examples
    --------
    >>> read_setting("mechanism.barrier=1.6 eV"), read_setting("run.seed=3")
    ((('mechanism', 'parameters', 'barrier'), '1.6 eV'), (('run', 'seed'), 3))
    """
    key, equals, value = text.partition("=")
    if not equals or not value.strip():
        raise BadInput(f"--set {text}: expected SECTION.KEY=VALUE, such as particle.diameter='8 nm'")
    parts = keys(key, model, f"--set {text}")
    try:
        read = tomllib.loads(f"value = {value}")["value"]
    except (ValueError, KeyError, RecursionError):  # of tomllib, or of int where a number has thousands of digits
        read = value.strip()
    return parts, read


def keys(text: str, model: type[BaseModel], told: str) -> tuple[str, ...]:
    """The keys of 'particle.diameter'; what follows 'mechanism.' is a parameter.

    Raises
    ------
    BadInput
        If there is no section and key, or no such section; `told` is how the error calls the text.
    """
    parts = tuple(part.strip() for part in text.split("."))
    if len(parts) < 2 or not all(parts):
        raise BadInput(f"{told}: expected SECTION.KEY=VALUE, such as particle.diameter='8 nm'")
    if parts[0] not in model.model_fields:
        raise BadInput(f"{told}: unknown section '{parts[0]}'{nearest(parts[0], model.model_fields)}")
    if parts[0] == "mechanism" and parts[1] not in MechanismSection.model_fields:
        return ("mechanism", "parameters", ".".join(parts[1:]))
    return parts


def _problems(error: ValidationError, data: Any, lines: Lines, model: type[BaseModel]) -> Iterator[str]:
    seen = set()
    for problem in error.errors(include_url=False):
        named = _named(problem["loc"], data)
        message = str(problem.get("ctx", {}).get("error", problem["msg"])).removeprefix("value: ")
        if problem["type"] == "extra_forbidden":
            message = "unknown key" + nearest(named[-1], _keys(named[:-1], model))
        elif problem["type"] == "missing":
            message = "too few entries" if isinstance(problem["loc"][-1], int) else "is missing"
        elif problem["type"] in ("model_type", "dict_type"):
            message = f"expected a table, got {shown(problem['input'])}"
        elif problem["type"] == "tuple_type":
            entries = {"shells": "[[composition, thickness], …]", "offset": "three lengths"}.get(named[-1], "a list")
            message = f"expected {entries}, got {shown(problem['input'])}"
        elif problem["type"] != "value_error":
            message = f"{problem['msg'][0].lower()}{problem['msg'][1:]}, got {shown(problem['input'])}"
        line = next((lines[named[:n]] for n in range(len(named), 0, -1) if named[:n] in lines), None)
        text = f"{_dotted(named)}: {message}"
        if (named, line) not in seen:
            seen.add((named, line))
            yield f"line {line}: {text}" if line else text


def _named(where: tuple[str | int, ...], data: Any) -> tuple[str, ...]:
    """The keys on the way to a value, without positions in lists and members of unions; the last may be missing."""
    named: list[str] = []
    for part in where:
        if isinstance(data, dict) and isinstance(part, str):
            named.append(part)
            data = data.get(part)
        elif isinstance(data, (list, tuple)) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            break
    return tuple(named)


def _dotted(keys: Iterable[str]) -> str:
    """Keys as TOML writes them: quoted where they are no plain words."""
    return ".".join(key if re.fullmatch(r"[\w-]+", key) else json.dumps(key, ensure_ascii=False) for key in keys)


def _keys(where: tuple[str, ...], model: type[BaseModel]) -> list[str]:
    known: Any = model.model_fields
    for part in where:
        held = known[part].annotation
        sections = [one for one in (held, *get_args(held)) if isinstance(one, type) and issubclass(one, BaseModel)]
        known = sections[0].model_fields if sections else PartSection.model_fields
    return list(known)


def _lines(text: str) -> Lines:
    """Line of each key and table."""
    table: tuple[str, ...] = ()
    found: Lines = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([\w.\-\"]+)\]+", line):
            table = tuple(part.strip('"') for part in header[1].split("."))
            found.setdefault(table, number)
        elif key := re.match(r"\s*([\w.\-\"]+)\s*=", line):
            found.setdefault((*table, *key[1].strip('"').split(".")), number)
    return found
