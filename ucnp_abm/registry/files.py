"""One Python file is imported under a module name of its own, and the import can be undone."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import linecache
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from ucnp_abm.errors import BadInput
from ucnp_abm.registry.failures import Refused


def read(path: str | Path) -> tuple[Path, bytes]:
    """The absolute path and the content of a file that may be a plugin.

    Raises
    ------
    BadInput
        If there is no such file, it is no Python file, or it cannot be read; with the nearest name.
    """
    given = Path(path)
    try:
        if given.is_dir():
            inside = [str(file) for file in given.glob("*.py") if not file.name.startswith("test_")]
            hint = f"; did you mean '{inside[0]}'?" if len(inside) == 1 else "; name a file in it"
            raise BadInput(f"plugin file: '{path}' is a directory{hint}")
        if not given.exists():
            around = given.absolute().parent
            if not around.is_dir():
                raise BadInput(f"plugin file: there is no '{path}': there is no directory '{given.parent}'")
            if given.is_symlink():
                raise BadInput(f"plugin file: '{path}' is a link that leads nowhere")
            near = difflib.get_close_matches(given.name, [file.name for file in around.glob("*.py")], 1)
            raise BadInput(f"plugin file: there is no '{path}'" + (f"; did you mean '{near[0]}'?" if near else ""))
        if not given.is_file():
            raise BadInput(f"plugin file: '{path}' is no ordinary file")
        if given.suffix != ".py":
            raise BadInput(f"plugin file: '{path}' is no Python file: its name does not end with '.py'")
        return given.resolve(), given.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links in a circle
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"plugin file: cannot read '{path}' ({getattr(error, 'strerror', None) or error})") from error


_PREFIX = "ucnp_abm_file_"


def _module_name(source: Path) -> str:
    stem = re.sub(r"\W", "_", source.stem, flags=re.ASCII)
    return f"{_PREFIX}{stem}_{hashlib.sha256(os.fsencode(source)).hexdigest()[:12]}"


def imported() -> list[ModuleType]:
    """Modules that came from single files and are in use."""
    return [module for name, module in sys.modules.items() if name.startswith(_PREFIX)]


@contextmanager
def on_trial(source: Path) -> Iterator[Callable[[], None]]:
    """Undo the import of a file unless `keep`, which is given, is called: its module and its lines in tracebacks."""
    caches: Any = ((sys.modules, _module_name(source)), (linecache.cache, str(source)))
    before = [cache.pop(key, None) for cache, key in caches]
    kept: list[None] = []
    try:
        yield lambda: kept.append(None)
    finally:
        if not kept:
            for (cache, key), value in zip(caches, before, strict=True):
                cache.pop(key, None)
                if value is not None:
                    cache[key] = value


def as_module(source: Path, content: bytes) -> ModuleType:
    """A file as a module under a name of its own; nothing is written beside it, and tracebacks show these lines.

    Raises
    ------
    Refused
        If it is not UTF-8 text, with the line. What the file itself raises passes.
    """
    try:
        text = importlib.util.decode_source(content)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Refused("it is not UTF-8 text; save it as UTF-8", f"{source}, line {line}") from error
    except SyntaxError as error:  # a wrong byte or a wrong declaration in the first two lines
        raise Refused(f"it is not UTF-8 text ({error.msg}); save it as UTF-8", f"{source}, line 1") from error
    linecache.cache[str(source)] = (len(text), None, text.splitlines(keepends=True), str(source))
    spec = importlib.util.spec_from_file_location(_module_name(source), source)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    exec(compile(text, str(source), "exec", dont_inherit=True), vars(module))
    return module
