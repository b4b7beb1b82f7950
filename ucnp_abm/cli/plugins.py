"""`ucnp-abm plugins`: what is installed, and what failed to load."""

from __future__ import annotations

import json

import click

from ucnp_abm import registry
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.rules.parameter import Parameter


@click.group()
def plugins() -> None:
    """The mechanisms and drives that are installed."""


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def list_plugins(as_json: bool) -> None:
    """Name, summary and parameters of each mechanism and drive; plugins that failed come last, with file and line."""
    found = registry.installed()
    found.load_all()
    offered: list[Mechanism | Drive] = sorted(
        (*found.mechanisms.values(), *found.drives.values()), key=lambda one: (_kind(one), one.name)
    )
    if as_json:
        rows = [{"kind": _kind(one), "name": one.name, "summary": one.summary, "source": one.source,
                 "plugin": found.origins[one.name], "irreversible": _irreversible(one),
                 "parameters": {p.name: {"default": p.default, "unit": p.unit, "allowed": p.range, "doc": p.doc}
                                for p in one.parameters.values()}} for one in offered]  # fmt: skip
        failures = [vars(f) for f in found.failures.values()]
        click.echo(json.dumps({"offered": rows, "failures": failures}, indent=1, ensure_ascii=False))
        return
    for kind in ("mechanism", "drive"):
        click.echo("Mechanisms" if kind == "mechanism" else "Drives (combine: y-complex+laser-thermal)")
        for one in (one for one in offered if _kind(one) == kind):
            click.echo(f"\n  {one.name}: {one.summary}")
            for parameter in one.parameters.values():
                click.echo(f"      {parameter.name} = {parameter.show(parameter.default)}  {_note(parameter)}")
            if _irreversible(one):
                click.echo(f"      irreversible: {'; '.join(_irreversible(one))}")
        click.echo()
    for failure in found.failures.values():
        click.echo(f"! {failure}", err=True)


def _kind(one: Mechanism | Drive) -> str:
    return "mechanism" if isinstance(one, Mechanism) else "drive"


def _irreversible(one: Mechanism | Drive) -> list[str]:
    return one.irreversible_verbs if isinstance(one, Mechanism) else one.irreversible


def _note(parameter: Parameter) -> str:
    others = [f"{parameter.show(value)} on {lattice}" for lattice, value in parameter.by_lattice.items()]
    return " ".join([parameter.doc, *([f"({', '.join(others)})"] if others else []), f"[{parameter.range}]"])
