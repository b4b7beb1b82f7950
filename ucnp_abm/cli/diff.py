"""`ucnp-abm diff`: the first event at which two runs part, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ucnp_abm.cli.options import plugin_options, resolver
from ucnp_abm.cli.progress import progress
from ucnp_abm.engine.moves import Event, explain
from ucnp_abm.runs.parting import Parting, part
from ucnp_abm.runs.rundir import RunDirectory

_WIDTH = 60


@click.command()
@click.argument("first", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("second", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@plugin_options
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Run two run directories RUN again, side by side, to the first event that differs, and say why it does."""
    runs = RunDirectory.open(first), RunDirectory.open(second)
    with progress(runs[0].plan, 0.0) as show:
        found = part(*runs, resolver(*runs), show)
    if as_json:
        click.echo(json.dumps(_plain(found), indent=1, ensure_ascii=False))
        return
    if found.configuration:
        click.echo("run.json differs in")
        width = max(map(len, found.configuration))
        for key, (a, b) in found.configuration.items():
            click.echo(f"  {key:<{width}}  {_short(a)} | {_short(b)}")
    else:
        click.echo("run.json: the same")
    if found.equal:
        click.echo(f"equal: all {found.common} events are the same")
        return
    click.echo(f"{found.common} events are the same; then they part:\n")
    for path, event in zip((first, second), found.first, strict=True):
        click.echo(f"{path}: {explain(event) if event else 'no further event'}\n")
    for reason in found.reasons:
        click.echo(f"because {reason}")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _plain(found: Parting) -> dict[str, Any]:
    return {
        "equal": found.equal,
        "configuration": found.configuration,
        "common_events": found.common,
        "first": [_event(event) if event else None for event in found.first],
        "reasons": found.reasons,
    }


def _event(event: Event) -> dict[str, Any]:
    move = event.move
    return {
        "number": event.number,
        "t_s": event.time,
        "verb": move.verb,
        "species": move.species,
        "site": move.site,
        "to": move.to,
        "rate_per_s": move.rate,
        "barrier_eV": move.barrier,
        "temperature_K": move.temperature,
        "candidate": event.candidate,
        "words": [f"{word:016x}" for word in event.words],
        "text": explain(event),
    }
