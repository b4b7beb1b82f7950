"""`ucnp-abm demo`: the paper's experiment, from growing the particle to the figure."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ucnp_abm.runs import trajectory
from ucnp_abm.study.cells import PAPER_PARTICLE, PAPER_STEPS
from ucnp_abm.study.compare import run_design
from ucnp_abm.study.design import design
from ucnp_abm.study.outcome import StudyResult
from ucnp_abm.study.report import tables
from ucnp_abm.study.report.writing import write_files

MECHANISMS = ("no-complex", "y-complex")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("ucnp-demo"), show_default=True, help="Output.")
@click.option("--seeds", type=click.IntRange(1, 1000), default=8, show_default=True, help="Particles to grow.")
def demo(out: Path, seeds: int) -> None:
    """Anneal the paper's particle at 300 °C without and with the yttrium complex.

    Grows NaGdF4: 49 % Yb, 1 % Tm (6.7 nm) in NaYF4 (10 nm in all) with vacancies at interface and surface, anneals each
    particle by both mechanisms to 1000 steps, and writes figures, a table and a directory for each run.
    """
    trajectory.free_directory(out)
    begin = time.perf_counter()
    click.echo(f"Growing {seeds} particles and annealing each at 300 °C, without and with Y-oleate …", err=True)
    chosen = design(MECHANISMS, PAPER_PARTICLE, "300 °C", range(seeds), marks=PAPER_STEPS)
    with trajectory.whole_directory(out) as partial:
        result = run_design(chosen, f"ucnp-abm demo --seeds {seeds}", directory=partial)
        write_files(StudyResult.of(result), partial, differences=False)
    click.echo(tables.aligned(tables.means(result, str)))
    click.echo(
        f"\nComplete mixing would be {result.mixed_pct:.0f} %. A step is the mean time between two hops of a bulk"
    )
    click.echo(
        f"vacancy, {chosen.time(1):.2f} s at 300 °C. Barriers and vacancy contents are assumptions; see the docs."
    )
    click.echo(f"\nWrote {out}/ in {time.perf_counter() - begin:.0f} s:")
    click.echo("  figures/panels.png            1-nm slabs after 0, 100, 500 and 1000 steps; also .svg, .pdf")
    click.echo("  figures/time_courses.png      vacancies and intermixing")
    click.echo("  index.html                    all of it on one page, to open in a browser or send to a colleague")
    click.echo("  table.csv, runs.csv           the numbers above, and those of each run")
    click.echo("  <mechanism>/seed-<n>/         run.json, observables.csv, snapshots/, final.npz, done.json")
    click.echo("\nNext: ucnp-abm compare no-complex y-complex gd-complex\n      ucnp-abm plugins list")
