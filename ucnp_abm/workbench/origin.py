"""Where a mechanism or a drive comes from: plugin, file and line, and the package that brought it."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path

from ucnp_abm import registry


@dataclass(frozen=True)
class Origin:
    """Where a mechanism or a drive comes from; empty texts and None where nobody knows.

    Attributes
    ----------
    name : str
    plugin, file : str
    line : int or None
        Where it is made in that file.
    sha256 : str
        Of the file as it is now.
    distribution : str
        The installed package and its version.
    """

    name: str
    plugin: str = ""
    file: str = ""
    line: int | None = None
    sha256: str = ""
    distribution: str = ""


def origin(name: str) -> Origin:
    """Where a mechanism or drive comes from, by its plain name."""
    found = registry.installed()
    plugin = found.plugins.get(found.origins.get(name, ""))
    if plugin is None:
        return Origin(name)
    package = getattr(found.entries.get(plugin.name), "dist", None)
    content = Path(plugin.file).read_bytes() if Path(plugin.file).is_file() else b""
    return Origin(
        name=name,
        plugin=plugin.name,
        file=plugin.file,
        line=_line_of(name, content),
        sha256=hashlib.sha256(content).hexdigest() if content else "",
        distribution=f"{package.name} {package.version}" if package else "",
    )


def _line_of(name: str, content: bytes) -> int | None:
    """Line of the call that makes the ruleset of a name, as far as a reader of the file can tell."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return None
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
    made = (c.lineno for c in calls if isinstance(c.args[0], ast.Constant) and c.args[0].value == name)
    return min(made, default=None)
