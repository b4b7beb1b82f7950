"""A new plugin: a module, its test, a pyproject and a README, from a template or from a mechanism that exists."""

from __future__ import annotations

import ast
import importlib.util
import io
import keyword
import os
import re
import shutil
import sys
import tokenize
import unicodedata
from pathlib import Path
from types import ModuleType

import ucnp_abm
from ucnp_abm import hookspecs, registry
from ucnp_abm.errors import BadInput, UcnpError, shown
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.runs.trajectory import free_directory

LONGEST = 40
_RESERVED = ("conftest", "setup")

MODULE = '''"""A complex docks where the surface leaves it room. Say here what happens, in words.

Every number is an assumption to start from; name your source here and in `source` (a DOI, or "Assumption: why").
"""

from ucnp_abm import IONS, Env, Mechanism, hookimpl

my_dock = Mechanism(
    "my-dock",
    summary="Y-oleate docks at vacancies of the surface, sooner where fewer neighbours crowd it.",
    source="Assumption: numbers to start from",
)
my_dock.parameter("hop_barrier", "1.65 eV", doc="Barrier of every cation's hop into a vacancy.")
my_dock.parameter("dock_barrier", "1.00 eV", doc="Barrier of docking without any neighbour.")
my_dock.parameter("crowding", "0.02 eV", doc="What each neighbour in the crystal adds to the barrier of docking.")


@my_dock.hop(mover=IONS)
def hopping(env: Env) -> float:
    """Barrier / eV of a hop: the same for all cations, so the crystal is an ideal solution."""
    return env.p.hop_barrier


@my_dock.dock("Y", irreversible=True)
def docking(env: Env) -> float:
    """Barrier / eV of docking: E = dock_barrier + crowding x (neighbours in the crystal). None would forbid it."""
    return env.p.dock_barrier + env.p.crowding * env.site.coordination


@hookimpl
def ucnp_mechanisms() -> list[Mechanism]:
    return [my_dock]
'''

TEST = '''"""What every mechanism must keep, asked of {name}; add what yours alone must do."""

from ucnp_abm.testing import MechanismContract

from {module} import {variable}


class Test{title}(MechanismContract):
    mechanism = {variable}
'''

PYPROJECT = """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "ucnp-abm-{name}"
version = "0.1.0"
description = "The mechanism {name} for ucnp_abm"
readme = "README.md"
requires-python = ">=3.11"
dependencies = [{dependencies}]

[project.entry-points."ucnp_abm"]
{name} = "{module}"

[tool.setuptools]
py-modules = ["{module}"]

[tool.pytest.ini_options]
pythonpath = ["."]
"""

README = """# {name}

A mechanism for ucnp_abm{started}. The law, its numbers and their source stand in `{module}.py`. In this directory:

    python -m pytest
    ucnp-abm plugins check {module}.py
    ucnp-abm compare {other} {name} --plugin {module}.py

After `python -m pip install .` it is found by its name, without `--plugin`.
"""


def scaffold(name: str, out: Path, start: str | None = None) -> list[str]:
    """Write a new plugin into a new directory, all of it or nothing; it was loaded once before it is there.

    Parameters
    ----------
    name : str
        Of the mechanism, such as 'my-dock'; its module is called my_dock.
    out : Path
        A directory that does not exist yet.
    start : str or None
        A mechanism that is copied under the new name; None: a template.

    Returns
    -------
    list of str
        The names of the files, the module first.

    Raises
    ------
    BadInput
        If the name cannot be used or is taken, the directory exists, or a mechanism's text cannot be copied.
    """
    module = module_name(name)
    dependencies = ["ucnp-abm"]
    source, old_variable = MODULE, "my_dock"
    if start is not None:
        source, old_variable, dependencies = _source_of(start)
    variable = module if module not in _names(source) - {old_variable} else f"{module}_mechanism"
    words = {
        "name": name,
        "module": module,
        "variable": variable,
        "title": "".join(part.capitalize() for part in module.split("_")),
        "dependencies": ", ".join(f'"{one}"' for one in dependencies),
        "started": f", started from {start} of ucnp-abm {ucnp_abm.__version__}" if start else "",
        "other": start
        if start and registry.installed().origins[start] in registry.installed().entries
        else "y-complex",
    }
    files = {
        f"{module}.py": _renamed(source, old_variable, variable, name),
        f"test_{module}.py": TEST.format(**words),
        "pyproject.toml": PYPROJECT.format(**words),
        "README.md": README.format(**words),
    }
    free_directory(out)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        for file, text in files.items():
            (partial / file).write_text(text, encoding="utf-8")
        _try(partial / f"{module}.py", name, start)
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return list(files)


def module_name(name: str) -> str:
    """The module of a mechanism of this name.

    Raises
    ------
    BadInput
        If the name cannot be used for a new mechanism; with one that can.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^a-z0-9]+", "-", plain).lstrip("-0123456789")[:LONGEST].strip("-")
    hint = f", as in '{plain}'" if plain and plain != name else ", as in 'my-dock'"
    if os.sep in name or "\\" in name or name in (".", ".."):
        raise BadInput(f"NAME: '{name}' is a path; give the name of a mechanism{hint}, and --out for the directory")
    if "+" in name:
        raise BadInput(f"NAME: {registry.untypeable(name)}")
    if len(name) > LONGEST:
        raise BadInput(f"NAME: {shown(name)} has {len(name)} characters; at most {LONGEST} are allowed")
    if not re.fullmatch(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", name):
        raise BadInput(
            f"NAME: {shown(name)}: expected small letters a-z, digits and '-', beginning with a letter{hint}"
        )
    here = registry.installed()
    here.load_all()
    if name in here.origins:
        raise BadInput(f"NAME: '{name}' is taken by {here.plugins[here.origins[name]]}; choose another")
    if name in here.entries or name in here.left_out:
        raise BadInput(f"NAME: '{name}' is taken by an installed plugin; choose another")
    module = name.replace("-", "_")
    if keyword.iskeyword(module):
        raise BadInput(f"NAME: '{name}' is a word of Python, so no module can be called so; choose another")
    if module in _RESERVED or _is_importable(module):
        raise BadInput(f"NAME: there is a module '{module}' already, which the new one would hide; choose another")
    return module


def _is_importable(module: str) -> bool:
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return True
    return found is not None and found.origin is not None  # a bare directory of that name hides nothing


def _source_of(start: str) -> tuple[str, str, list[str]]:
    """Text and variable of a mechanism that exists, made one file; and the packages that it needs."""
    here = registry.installed()
    if "+" in start:
        raise BadInput(f"--from: '{start}' is a combination; copy its mechanism alone")
    found = here.find(start)
    if not isinstance(found, Mechanism):
        raise BadInput(f"--from: '{start}' is a drive; expected a mechanism such as 'y-complex'")
    for module in list(sys.modules.values()):
        for variable, value in list(vars(module).items()) if isinstance(module, ModuleType) else ():
            if value is found and (text := _text_that_makes(variable, module)):
                entry = here.entries.get(here.origins[start])
                package = getattr(getattr(entry, "dist", None), "name", "ucnp-abm")
                return text, variable, list(dict.fromkeys(["ucnp-abm", package]))
    raise BadInput(
        f"--from: '{start}' is not made by a statement of its own in a module, so it cannot be copied; "
        "start from 'y-complex'"
    )


def _text_that_makes(variable: str, module: ModuleType) -> str:
    """The text of a module that assigns the variable, with full imports and one hook; empty if it does not."""
    file = getattr(module, "__file__", None)
    if not file or not file.endswith(".py"):
        return ""
    text = importlib.util.decode_source(Path(file).read_bytes())
    body = ast.parse(text).body
    if not any(isinstance(node, ast.Assign) and _assigns(node, variable) for node in body):
        return ""
    lines: list[str | None] = list(text.splitlines())
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.level:
            whole = importlib.util.resolve_name("." * node.level + (node.module or ""), module.__package__)
            lines[node.lineno - 1] = re.sub(r"from\s+\.+[\w.]*", f"from {whole}", text.splitlines()[node.lineno - 1])
        if isinstance(node, ast.FunctionDef) and hasattr(vars(module).get(node.name), f"{hookspecs.PROJECT}_impl"):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            lines[first - 1 : node.end_lineno] = [None] * ((node.end_lineno or first) - first + 1)
    kept = "\n".join(line for line in lines if line is not None).rstrip()
    names = {"Mechanism": Mechanism, "hookimpl": hookspecs.hookimpl}
    missing = [name for name, value in names.items() if vars(module).get(name) is not value]
    imports = f"from ucnp_abm import {', '.join(missing)}  # noqa: E402\n\n\n" if missing else ""
    return f"{kept}\n\n\n{imports}@hookimpl\ndef ucnp_mechanisms() -> list[Mechanism]:\n    return [{variable}]\n"


def _names(text: str) -> set[str]:
    """All words of a Python text that are names, and `env`, `self` and builtins beside them."""
    words = {token.string for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == 1}
    return words | set(dir(__builtins__) if isinstance(__builtins__, ModuleType) else __builtins__)


def _renamed(text: str, old: str, variable: str, name: str) -> str:
    """A Python text whose mechanism has another variable and another name."""
    lines = text.splitlines(keepends=True)
    edits = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and token.string == old and before != ".":
            edits.append((*token.start, token.end[1], variable))
        before = token.string
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _assigns(node, old):
            given = [*node.value.args[:1], *(word.value for word in node.value.keywords if word.arg == "name")]
            for each in given:
                if isinstance(each, ast.Constant) and each.end_lineno == each.lineno:
                    line = lines[each.lineno - 1].encode()
                    begin, end = (len(line[:offset].decode()) for offset in (each.col_offset, each.end_col_offset))
                    edits.append((each.lineno, begin, end, f'"{name}"'))
    for row, begin, end, new in sorted(edits, reverse=True):
        lines[row - 1] = lines[row - 1][:begin] + new + lines[row - 1][end:]
    return "".join(lines)


def _assigns(node: ast.Assign, variable: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == variable for target in node.targets)


def _try(file: Path, name: str, start: str | None) -> None:
    """Load the new file once: a copy that kept its old name is refused by the registry."""
    try:
        with registry.beside([file]) as here:
            here.get(name)
    except UcnpError as error:
        if start is None:
            raise
        raise BadInput(f"--from: '{start}' cannot be copied under another name: {error}") from error
