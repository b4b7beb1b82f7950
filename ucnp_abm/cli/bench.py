"""`ucnp-abm bench`: events per CPU second of one core on this machine."""

from __future__ import annotations

import json
import platform

import click

from ucnp_abm.study.throughput import WORKLOADS, measure


@click.command()
@click.option(
    "--events", type=click.IntRange(10_000, 10**10), default=4_000_000, show_default=True, help="Events a stretch."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def bench(events: int, as_json: bool) -> None:
    """Measure the event loop: boxes with 1 % vacancies and the paper's particle, identities tracked."""
    measured = []
    if not as_json:
        click.echo(
            f"{'workload':<32}{'sites':>9}{'vacancies':>11}{'M events/s':>12}{'acceptance':>12}{'M candidates/s':>16}"
        )
    for workload in WORKLOADS:
        m = measure(workload, events)
        measured.append(m)
        if not as_json:
            click.echo(
                f"{m.workload:<32}{m.sites:>9}{m.vacancies:>11}{m.events_per_s / 1e6:>12.1f}"
                f"{100 * m.acceptance:>10.0f} %{m.candidates_per_s / 1e6:>16.1f}"
            )
    if as_json:
        rows = [{**vars(m), "acceptance": m.acceptance} for m in measured]
        click.echo(json.dumps({"machine": platform.platform(), "events": events, "workloads": rows}, indent=1))
    else:
        click.echo(f"best of 3 stretches of {events:,} events, CPU seconds of one core; {platform.platform()}")
