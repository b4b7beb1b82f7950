"""`ucnp-abm report`: the page, figures and tables of a study, from the runs that are finished."""

from __future__ import annotations

from pathlib import Path

import click

from ucnp_abm.cli.options import plugin_options
from ucnp_abm.config.studies import load_study
from ucnp_abm.study.report import summary
from ucnp_abm.study.running import existing
from ucnp_abm.study.store import read_about


@click.command()
@click.argument("study", metavar="STUDY", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="New directory for the report [default: STUDY itself].")
@plugin_options
def report(study: Path, out: Path | None) -> None:
    """Write the report of a STUDY directory from whatever runs are finished; nothing is run.

    What is missing, damaged or failed stands on the page before any figure.
    """
    about = read_about(study)
    result = existing(load_study(about["study"], command=about["command"]), study)
    click.echo(f"{result.table()}\n\n{result.finding}")
    click.echo(summary.account(result), err=True)
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    written = bool(result.report(out)) if out is not None else result.keep_report()
    click.echo(f"{'wrote' if written else 'up to date:'} {out or study}/index.html", err=True)
