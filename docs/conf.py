"""Sphinx configuration: MyST Markdown, furo, API pages from the docstrings; nothing is fetched from the network."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

import ucnp_abm
from ucnp_abm import Optics, observables, registry

project = "ucnp_abm"
author = "The ucnp_abm developers"
copyright = "The ucnp_abm developers, Apache-2.0"
release = version = ucnp_abm.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
html_theme = "furo"
html_title = f"ucnp_abm {version}"
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
exclude_patterns = ["_build", "_generated"]


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _parameters():
    """Parameters of all installed mechanisms and drives."""
    found = registry.installed()
    found.load_all()
    for one in (*found.mechanisms.values(), *found.drives.values()):
        yield f"\n**{one.name}** ({one.source})\n"
        rows = []
        for p in one.parameters.values():
            others = "".join(f", {p.show(value)} on {lattice}" for lattice, value in p.by_lattice.items())
            rows.append([f"`{p.name}`", p.show(p.default) + others, p.range, p.doc])
        yield _table(["parameter", "default", "allowed", "meaning"], rows)


def _optics():
    """Fields of Optics with their defaults, from its docstring."""
    told = re.findall(
        r"^(\w+) : .*\n((?:    .*\n?)*)", inspect.getdoc(Optics).partition("Attributes\n")[2], re.MULTILINE
    )
    meaning = {name: " ".join(text.split()) for name, text in told}
    rows = [[f"`{f.name}`", "" if f.default is None else f.default, meaning[f.name]] for f in fields(Optics)]
    return _table(["field", "default", "meaning"], rows)


def _generate(app):
    """Tables that are read off the program, so that they cannot go stale."""
    out = Path(app.srcdir) / "_generated"
    out.mkdir(exist_ok=True)
    rows = [[f"`{name}`", unit, doc] for name, unit, doc in observables.describe()]
    (out / "observables.md").write_text(_table(["name", "unit", "what"], rows) + "\n", encoding="utf-8")
    (out / "optics.md").write_text(_optics() + "\n", encoding="utf-8")
    (out / "parameters.md").write_text("\n".join(_parameters()) + "\n", encoding="utf-8")


def setup(app):
    app.connect("builder-inited", _generate)
