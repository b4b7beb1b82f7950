"""`ucnp-abm bench`: events per CPU second of one core on this machine."""

from __future__ import annotations

import json

import click
from tqdm import tqdm

from ucnp_abm.engine.simulation import Scheduler
from ucnp_abm.study import throughput
from ucnp_abm.study.throughput import Measurement, chosen, measure

_HEAD = (
    f"{'workload':<30}{'sites':>9}{'vacancies':>11}  {'scheduler':<10}{'M events/s':>11}{'acceptance':>12}"
    f"{'M candidates/s':>16}{'B/site':>8}"
)


@click.command()
@click.option(
    "--workload",
    "names",
    multiple=True,
    metavar="NAME",
    help="Such as 'four species' or 'four species, 7k'. Repeatable.",
)
@click.option("--quick", is_flag=True, help="Crystals of up to 100,000 sites only.")
@click.option(
    "--scheduler", type=click.Choice(["auto", "rejection", "sum-tree"]), default="auto", show_default=True,
    help="Who chooses the events.",
)  # fmt: skip
@click.option("--events", type=click.IntRange(1000, 10**10), help="Events a stretch [default: as many as take 0.2 s].")
@click.option(
    "--repeats", type=click.IntRange(1, 1000), default=throughput.REPEATS, show_default=True,
    help="Stretches, of which the best counts.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def bench(
    names: tuple[str, ...], quick: bool, scheduler: Scheduler, events: int | None, repeats: int, as_json: bool
) -> None:
    """Measure the event loop: boxes with 1 % vacancies and the paper's particle, identities tracked."""
    workloads, measured = chosen(names, quick), []
    if not as_json:
        click.echo(_HEAD)
    with tqdm(
        total=len(workloads) * repeats,
        bar_format="{percentage:3.0f}%|{bar}| {desc} [{elapsed}]",
        disable=None,
        leave=False,
    ) as bar:
        for workload in workloads:
            bar.set_description_str(workload.name)
            measured.append(measure(workload, events, repeats, scheduler, bar.update))
            if not as_json:
                with tqdm.external_write_mode():
                    click.echo(_row(measured[-1]))
    about = throughput.machine()
    if as_json:
        rows = [{**vars(m), "acceptance": m.acceptance} for m in measured]
        click.echo(json.dumps({"machine": about, "workloads": rows}, indent=1))
    else:
        click.echo(f"best of {repeats} stretches, CPU seconds of one core; {about['processor']}, {about['system']}")


def _row(m: Measurement) -> str:
    return (
        f"{m.workload:<30}{m.sites:>9}{m.vacancies:>11}  {m.scheduler:<10}{m.events_per_s / 1e6:>11.2f}"
        f"{100 * m.acceptance:>10.1f} %{m.candidates_per_s / 1e6:>16.1f}{m.bytes_per_site:>8.1f}"
    )
