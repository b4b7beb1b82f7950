"""`ucnp-abm plugins`: what is installed, and the workbench of who writes a mechanism."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ucnp_abm.cli import plugins_words as words
from ucnp_abm.cli.main import LazyGroup
from ucnp_abm.cli.options import plugin_options

if TYPE_CHECKING:
    from ucnp_abm.observables import Observable
    from ucnp_abm.registry import Failure, Plugin, Registry
    from ucnp_abm.rules.drive import Drive
    from ucnp_abm.rules.mechanism import Mechanism
    from ucnp_abm.rules.parameter import Parameter

COMMANDS = {
    "list": ("ucnp_abm.cli.plugins:list_plugins", "What is installed, where it comes from, and what failed to load."),
    "new": ("ucnp_abm.cli.plugins_new:new", "Write a plugin of your own: mechanism, test, pyproject, README."),
    "check": ("ucnp_abm.cli.plugins_check:check", "Whether a mechanism keeps what every mechanism must keep."),
    "show": ("ucnp_abm.cli.plugins_show:show", "What a mechanism is: its rules, what they read, its parameters."),
    "rates": ("ucnp_abm.cli.plugins_show:rates", "Every environment of a mechanism with barrier and rate."),
    "diff": ("ucnp_abm.cli.plugins_show:diff", "The rates that two mechanisms do not share."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def plugins() -> None:
    """Mechanisms and drives: those that are installed, and your own.

    Start with `ucnp-abm plugins new my-dock`.
    """


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@partial(plugin_options, lenient=True)
def list_plugins(as_json: bool) -> None:
    """Name, summary, origin and parameters of each mechanism and drive; plugins that failed, with file and line."""
    from ucnp_abm import registry

    found = registry.installed()
    found.load_all()
    offered = sorted(
        ((one, plugin) for plugin in found.plugins.values() for one in plugin.offers),
        key=lambda pair: (list(_TITLES).index(_kind(pair[0])), pair[0].name),
    )
    if as_json:
        failures = [vars(failure) for failure in found.failures.values()]
        rows = [_row(one, plugin) for one, plugin in offered]
        click.echo(json.dumps({"offered": rows, "failures": failures}, indent=1, ensure_ascii=False))
        return
    for kind, title in _TITLES.items():
        listed = [(one, plugin) for one, plugin in offered if _kind(one) == kind]
        if listed:
            click.echo(title)
        for one, plugin in listed:
            click.echo(_text(one, _origin(plugin, found)))
    if not offered:
        click.echo("No plugin is loaded.\n")
    if found.failures:
        click.echo("Failed to load")
    for failure in found.failures.values():
        click.echo(_failed(failure))


_TITLES = {
    "mechanism": "Mechanisms\n",
    "drive": "Drives (combine: y-complex+laser-thermal)\n",
    "observable": "Observables (record: --observable NAME)\n",
}


def _kind(one: Mechanism | Drive | Observable) -> str:
    return type(one).__name__.lower()


def _row(one: Any, plugin: Plugin) -> dict[str, Any]:
    row = {"kind": _kind(one), "name": one.name, "plugin": plugin.name, "file": plugin.file}
    if row["kind"] == "observable":
        return row | {"summary": one.doc, "unit": one.unit}
    parameters = {
        p.name: {"default": p.default, "unit": p.unit, "allowed": p.range, "doc": p.doc}
        for p in one.parameters.values()
    }
    about = {"summary": one.summary, "source": one.source, "irreversible": _irreversible(one)}
    return row | about | {"parameters": parameters}


def _text(one: Any, origin: str) -> str:
    lines = [
        words.hang("  ", f"{one.name}: {one.doc if _kind(one) == 'observable' else one.summary}"),
        f"      from {origin}",
    ]
    if _kind(one) != "observable":
        lines += [
            words.hang("      ", f"{p.name} = {p.show(p.default)}  {_note(p)}", 10) for p in one.parameters.values()
        ]
        broken = _irreversible(one)
        lines += [words.hang("      ", f"irreversible: {'; '.join(broken)}", 10)] if broken else []
    return "\n".join([*lines, ""])


def _origin(plugin: Plugin, found: Registry) -> str:
    entry = found.entries.get(plugin.name)
    if entry is None:
        return f"the file {_short(plugin.file)}"
    package = getattr(entry, "dist", None)
    return f"plugin '{plugin.name}'" + (f" of {package.name} {package.version}" if package else "")


def _failed(failure: Failure) -> str:
    return f"\n{words.hang('  ', f'{failure.plugin}: {failure.why}', 6)}\n      at {failure.where}"


def _short(file: str) -> str:
    """A path as seen from here, if it lies below."""
    path = Path(file)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _irreversible(one: Any) -> list[str]:
    broken: list[str] = one.irreversible_verbs if _kind(one) == "mechanism" else one.irreversible
    return broken


def _note(parameter: Parameter) -> str:
    others = [f"{parameter.show(value)} on {lattice}" for lattice, value in parameter.by_lattice.items()]
    return " ".join([parameter.doc, *([f"({', '.join(others)})"] if others else []), f"[{parameter.range}]"])
