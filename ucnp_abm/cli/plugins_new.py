"""`ucnp-abm plugins new`: a plugin to start from, with a test that passes."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ucnp_abm.cli.options import plugin_options, plugin_words


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--from", "start", metavar="MECHANISM", help="Start from a copy of a mechanism [default: a template].")
@click.option("--out", type=click.Path(path_type=Path), help="New directory [default: NAME].")
@plugin_options
def new(name: str, start: str | None, out: Path | None) -> None:
    """Write a mechanism of your own: a module, a test that passes, a pyproject and a README.

    NAME is what users will type, such as my-dock; the module is then called my_dock.py.
    """
    from ucnp_abm.workbench.scaffold import scaffold

    target = out or Path(name)
    files = scaffold(name, target, start)
    file = str(target / files[0])
    click.echo(f"wrote {target}/: {', '.join(files)}")
    click.echo(f"\nNext: write your law into {file}, then\n")
    click.echo(f"  ucnp-abm plugins check {shlex.quote(file)}")
    click.echo(f"  ucnp-abm compare {start or 'y-complex'} {name} {shlex.join(['--plugin', file, *plugin_words()])}")
    click.echo(f"  cd {shlex.quote(str(target))} && python -m pytest")
