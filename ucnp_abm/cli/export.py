"""`ucnp-abm export`: a run directory for other programs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import click

from ucnp_abm.errors import BadInput
from ucnp_abm.runs import disk, eventlog, rundir
from ucnp_abm.runs.rundir import RunDirectory
from ucnp_abm.viz.extxyz import Frame, frames_in, write_extxyz


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--to", "kind", type=click.Choice(["extxyz", "csv"]), default="extxyz", show_default=True, help="Format.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="File [default: the name of RUN with the suffix .xyz or .csv]."
)
def export(run: Path, kind: str, out: Path | None) -> None:
    """Write what the run directory RUN holds in another format; also while the run goes on.

    extxyz: the snapshots, as ASE and OVITO read them, with our colours and radii. csv: the event log, one event a row
    (t_s, verb, species, site, to_site).
    """
    found = RunDirectory.open(run.absolute())
    target = out or found.path.with_suffix({"extxyz": ".xyz", "csv": ".csv"}[kind])
    if target.exists():
        raise BadInput(f"export: '{target}' exists already; give another --out or remove it")
    found.trust(eventlog.NAME.__eq__ if kind == "csv" else lambda name: name.startswith(f"{rundir.SNAPSHOTS}/"))
    if kind == "csv":
        click.echo(f"wrote {target}: {_events(found, target)} events")
        return
    n_frames, n_sites = _snapshots(found, target)
    click.echo(f"wrote {target}: {n_frames} frames of {n_sites} sites")


def _snapshots(run: RunDirectory, target: Path) -> tuple[int, int]:
    """Write the snapshots one by one; returns the number of frames and of sites."""
    crystal, n_frames = run.particle.crystal, 0

    def counted() -> Iterator[Frame]:
        nonlocal n_frames
        for frame in frames_in(run.path, crystal):
            n_frames += 1
            yield frame

    write_extxyz(target, crystal, counted())
    return n_frames, crystal.n_sites


def _events(run: RunDirectory, target: Path) -> int:
    """Write the event log as a table, block by block; returns the number of events."""
    source, described = run.path / eventlog.NAME, run.about.get("event_log")
    if described is None or not source.is_file():
        raise BadInput(f"export: '{run.path}' holds no {eventlog.NAME}; run again with --events")
    particle, n_events, partial = run.particle, 0, disk.beside(target)
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(eventlog.COLUMNS)
            for block in eventlog.rows(source, particle.crystal, particle.occupants, described):
                table.writerows(block)
                n_events += len(block)
        partial.replace(target)
    except OSError as error:
        raise BadInput(f"export: cannot write '{target}' ({error.strerror})") from error
    finally:
        partial.unlink(missing_ok=True)
    return n_events
