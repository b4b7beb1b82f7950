"""`ucnp-abm debug`: step through a run in a browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from ucnp_abm.cli.light import is_run
from ucnp_abm.cli.options import plugin_options, resolver
from ucnp_abm.cli.run import configured, simulation_of
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.runs import eventlog
from ucnp_abm.runs.rundir import RunDirectory
from ucnp_abm.server.debug import debug as serve


@click.command()
@click.argument("what", metavar="MECHANISM|CONFIG|RUN")
@click.option("--break", "conditions", multiple=True, metavar="EXPR", help="Breakpoint, such as event.verb=='dock'.")
@click.option("--beside", metavar="MECHANISM", help="Another mechanism on the same crystal, stepped together.")
@click.option("--event", type=click.IntRange(min=0), default=0, help="Begin just after this event.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Of a CONFIG or MECHANISM, as in `run`.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of 127.0.0.1 [default: a free one].")
@click.option("--no-browser", is_flag=True, help="Only print the link.")
@plugin_options
def debug(
    what: str,
    conditions: tuple[str, ...],
    beside: str | None,
    event: int,
    settings: tuple[str, ...],
    port: int,
    no_browser: bool,
) -> None:
    """Step through a run in a browser: forwards, backwards, and why.

    A MECHANISM or CONFIG begins as `ucnp-abm run` would; a RUN directory is run again from its start. The page is
    served to this machine only (127.0.0.1); the link works once. Over ssh, forward the port: ssh -L
    PORT:127.0.0.1:PORT HOST, with --port PORT --no-browser. Ctrl-C ends it.
    """
    simulation = _of_run(Path(what), settings) if is_run(what) else simulation_of(configured(what, settings))
    serving = serve(
        simulation, title=what, breakpoints=conditions, beside=beside, event=event, port=port, browser=False, wait=False
    )
    with serving:
        click.echo(serving.link)
        click.echo("open this link; it works once. Ctrl-C ends the session", err=True)
        if not no_browser:
            webbrowser.open(serving.link)
        serving.wait()


def _of_run(path: Path, settings: tuple[str, ...]) -> Simulation:
    if settings:
        raise click.UsageError(f"--set {settings[0]}: a run is what it was; branch from it in the page")
    run = RunDirectory.open(path.absolute())
    run.trust(lambda name: name == eventlog.NAME)
    return run.simulation(resolver(run))
