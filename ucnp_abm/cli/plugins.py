"""`ucnp-abm plugins`: what is installed, and what failed to load."""

from __future__ import annotations

import json

import click

from ucnp_abm import registry


@click.group()
def plugins() -> None:
    """The mechanisms that are installed."""


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def list_plugins(as_json: bool) -> None:
    """Name, summary and parameters of each mechanism; plugins that failed come last, with file and line."""
    found = registry.installed()
    found.load_all()
    if as_json:
        mechanisms = [
            {"name": m.name, "summary": m.summary, "source": m.source, "plugin": found.origins[m.name],
             "parameters": m.values, "irreversible": m.irreversible_verbs}
            for m in found.mechanisms.values()
        ]  # fmt: skip
        failures = [vars(f) for f in found.failures.values()]
        click.echo(json.dumps({"mechanisms": mechanisms, "failures": failures}, indent=1))
        return
    for mechanism in sorted(found.mechanisms.values(), key=lambda m: m.name):
        click.echo(f"{mechanism.name}: {mechanism.summary}")
        for parameter in mechanism.parameters.values():
            default = "unset" if parameter.default is None else f"{parameter.default:g}"
            click.echo(f"    {parameter.name} = {default}  {parameter.doc}")
        if mechanism.irreversible_verbs:
            click.echo(f"    irreversible: {', '.join(mechanism.irreversible_verbs)}")
    for failure in found.failures.values():
        click.echo(f"! {failure}", err=True)
