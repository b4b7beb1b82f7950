"""`ucnp-abm check`: whether a run directory is as it was written, and whether running it again gives the same."""

from __future__ import annotations

from pathlib import Path

import click

from ucnp_abm import observables
from ucnp_abm.cli.options import plugin_options, resolver
from ucnp_abm.cli.progress import progress
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import DamagedData
from ucnp_abm.registry import find_observables
from ucnp_abm.runs.rundir import RunDirectory
from ucnp_abm.runs.verify import verify


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--no-replay", is_flag=True, help="Look at the files only, and do not run it again.")
@plugin_options
def check(run: Path, no_replay: bool) -> None:
    """Check the run directory RUN: checksums and counts, then a run from run.json, which must end in the same bytes.

    An unfinished run is checked up to its last checkpoint. Exit code 4 if anything differs.
    """
    found = RunDirectory.open(run)
    plan = found.plan

    def read(simulation: Simulation) -> dict[str, float]:
        find_observables(plan.observables)
        return observables.read(simulation, plan.observables)

    wrong = []
    with progress(plan, 0.0) as show:
        for finding in verify(found, resolver(found), read, replay=not no_replay, show=show):
            click.echo(finding.text)
            wrong += [] if finding.good else [finding.text]
    if wrong:
        raise DamagedData(f"check: '{run}' differs from what was written: {'; '.join(wrong)}")
