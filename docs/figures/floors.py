"""The picture of the floors, read from the import contract and from the sources."""

from __future__ import annotations

import ast
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import networkx as nx
from common import BLUE, INK, PURPLE, ROOT
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

PACKAGE = "ucnp_abm"
PLACES = {
    "cli": 0.5, "config": 0.3, "testing": 0.885, "study": 0.115, "reproduce": 0.6, "agents": 0.63, "workbench": 0.885,
    "server": 0.355, "replay": 0.13, "viz": 0.13, "registry": 0.69, "hookspecs": 0.76, "observables": 0.8,
    "runs": 0.3, "engine": 0.28, "rules": 0.52, "probes": 0.87, "photons": 0.13, "crystal": 0.6, "kernels": 0.22,
    "seeds": 0.48, "units": 0.78, "errors": 0.63,
}  # fmt: skip
"""Where a box stands in its floor, as a share of the width; others are spread evenly."""
ALL, BOX, GRAPH, LINE, GAP = 7.0, 0.7, 3.2, 0.105, 0.17
"""Inches: width of all and of a box, of the column of boxes, height of a line, space between floors."""


def contracts() -> list[dict[str, Any]]:
    """The import contracts as pyproject.toml has them."""
    found: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    return found


def layers() -> list[list[str]]:
    """Names on each floor, from the top."""
    (chosen,) = (c["layers"] for c in contracts() if c["type"] == "layers")
    return [[name.strip().removeprefix(f"{PACKAGE}.") for name in layer.split("|")] for layer in chosen]


def doors() -> dict[str, str]:
    """The one package that may import each guarded library."""
    everybody = {name for layer in layers() for name in layer}
    found = {}
    for contract in contracts():
        if contract["type"] == "forbidden":
            barred = {name.removeprefix(f"{PACKAGE}.") for name in contract["source_modules"]}
            allowed = everybody - barred
            if len(allowed) == 1:
                found[allowed.pop()] = ", ".join(contract["forbidden_modules"])
    return found


def imports(known: set[str]) -> nx.DiGraph:
    """Who imports whom, by the sources."""
    graph = nx.DiGraph()
    graph.add_nodes_from(known)
    for file in sorted((ROOT / PACKAGE).rglob("*.py")):
        me = file.relative_to(ROOT / PACKAGE).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(file.read_text("utf-8"))) if me in known else ():
            names: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
                names = [str(node.module).split(".")[1]]
            elif isinstance(node, ast.Import):
                names = [a.name.split(".")[1] for a in node.names if a.name.startswith(f"{PACKAGE}.")]
            graph.add_edges_from((me, name) for name in names if name in known and name != me)
    return graph


def says(name: str) -> str:
    """First line of a module's or package's docstring."""
    package = ROOT / PACKAGE / name / "__init__.py"
    file: Path = package if package.exists() else ROOT / PACKAGE / f"{name}.py"
    return (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").split("\n")[0]


def floors() -> Figure:
    """Packages as floors, with the imports that no longer way implies."""
    rows = layers()
    graph = imports({name for row in rows for name in row})
    drawn = nx.transitive_reduction(graph)
    print(f"{graph.number_of_edges()} imports between packages, {drawn.number_of_edges()} drawn; doors {doors()}")
    texts = [[line for name in row for line in _wrapped(name)] for row in rows]
    tall = [max(0.3, LINE * len(lines)) for lines in texts]
    height = 0.5 + sum(tall) + GAP * len(rows)
    figure = Figure(figsize=(ALL, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, ALL), ylim=(0, height))
    axes.axis("off")
    axes.text(0.05, height - 0.06, "Floors: a package imports only from below", fontsize=8, fontweight="bold", va="top")
    places: dict[str, tuple[float, float]] = {}
    y = height - 0.32
    for row, lines, size in zip(rows, texts, tall, strict=True):
        axes.fill_between([0.05, ALL - 0.05], y - size - 0.04, y + 0.04, color="#F1F1F1", lw=0, zorder=0)
        for k, name in enumerate(row):
            share = PLACES.get(name, (k + 0.5) / len(row))
            places[name] = (0.1 + share * (GRAPH - 0.2), y - size / 2)
        for k, (name, line) in enumerate(lines):
            top = y - size / 2 + LINE * (len(lines) / 2 - k - 0.5)
            axes.text(GRAPH + 0.1, top, name, va="center", fontsize=6, fontweight="bold")
            axes.text(GRAPH + 0.78, top, line, va="center", fontsize=6)
        y -= size + GAP
    for upper, lower in drawn.edges:
        (x0, y0), (x1, y1) = places[upper], places[lower]
        down = {"arrowstyle": "-|>", "lw": 0.8, "color": BLUE, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 7}
        axes.annotate("", (x1, y1 + 0.135), (x0, y0 - 0.135), arrowprops=down, zorder=2)
    for name, (x, at) in places.items():
        box = FancyBboxPatch((x - BOX / 2, at - 0.12), BOX, 0.24, boxstyle="round,pad=0.01", fc="white", ec=INK, lw=0.8)
        axes.add_patch(box).set_zorder(3)
        library = doors().get(name)
        axes.text(x, at + (0.045 if library else 0), name, ha="center", va="center", fontweight="bold", zorder=4)
        if library:
            axes.text(x, at - 0.065, library, ha="center", va="center", fontsize=5.5, color=PURPLE, zorder=4)
    note = "arrows: imports, without those that a longer way implies; purple: a library with this one door"
    axes.text(0.05, 0.1, f"{note}; plugins are found by the registry, nothing imports them", fontsize=6, va="center")
    return figure


def _wrapped(name: str) -> list[tuple[str, str]]:
    """Lines of what a package says of itself; its name stands in the first."""
    lines = textwrap.wrap(says(name).replace("`", ""), 62)
    return [(name if k == 0 else "", line) for k, line in enumerate(lines)]
