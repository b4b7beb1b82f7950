"""`ucnp-abm compare`: mechanisms side by side on the same crystals."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ucnp_abm.cli.options import plugin_options, plugin_words
from ucnp_abm.config.files import check, paper, read_setting
from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.registry import mechanism
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.runs.trajectory import free_directory
from ucnp_abm.study import findings, tables
from ucnp_abm.study.cells import Recipe, run_cell
from ucnp_abm.study.compare import run_design
from ucnp_abm.study.design import Design, design, labels, replicate_seeds
from ucnp_abm.study.pool import workers_for

_BEGINNING = 0.05
"""Share of a run from which `--dry-run` estimates the rest."""


@click.command()
@click.argument("mechanisms", metavar="MECHANISM…", nargs=-1)
@click.option("--replicates", type=int, default=8, show_default=True, help="Crystals; each mechanism anneals them all.")
@click.option("--steps", type=float, help="Length of every run [default: the protocol's own, else 1000].")
@click.option("--protocol", default="300 °C", show_default=True, help="Such as '300 °C for 1 h'.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the whole study.")
@click.option("--observable", "observables", multiple=True, help="What to compare, instead of mixing and vacancies.")
@click.option("--jobs", type=int, help="Processes [default: one for each core].")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Such as particle.diameter='8 nm'.")
@click.option("--out", type=click.Path(path_type=Path), help="New directory for a page, figures and CSV files.")
@click.option("-n", "--dry-run", is_flag=True, help="Only say how many runs, and about how long.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@plugin_options
def compare(
    mechanisms: tuple[str, ...],
    replicates: int,
    steps: float | None,
    protocol: str,
    seed: int,
    observables: tuple[str, ...],
    jobs: int | None,
    settings: tuple[str, ...],
    out: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Anneal the same crystals by each MECHANISM and print means, 95 % intervals and paired differences.

    A drive is added with a plus: y-complex+laser-thermal. All are compared with the first. The crystal is the paper's
    unless --set particle.… says otherwise; --set mechanism.… sets a parameter of all mechanisms that have it.
    """
    begin = time.perf_counter()
    if out is not None:
        free_directory(out)
    particle, parameters = apply_settings(settings)
    chosen = design(
        with_parameters(labels(mechanisms), parameters),
        particle,
        protocol,
        replicate_seeds(seed, replicates),
        steps,
        observables or None,
    )
    workers = workers_for(jobs, len(chosen.cells()))
    if dry_run:
        _say_plan(chosen, workers, as_json)
        return
    command = _command(mechanisms, replicates, steps, protocol, seed, observables, settings)
    click.echo(
        f"Annealing {replicates} crystal{'s' * (replicates > 1)} by {len(chosen.mechanisms)} "
        f"mechanism{'s' * (len(chosen.mechanisms) > 1)} for {chosen.steps:.4g} steps …",
        err=True,
    )
    result = run_design(chosen, command, jobs)
    if as_json:
        click.echo(json.dumps({"rows": result.rows, "provenance": findings.provenance(result)}, indent=1))
    else:
        click.echo(f"{result.table()}\n\n{findings.finding(result)}")
    if out is not None:
        result.report(out)
        written = ", ".join(sorted(file.name for file in out.iterdir()))
        click.echo(f"wrote {out}/ in {time.perf_counter() - begin:.0f} s: {written}", err=True)


def apply_settings(settings: Sequence[str]) -> tuple[Recipe, dict[str, Any]]:
    """The particle and the mechanisms' parameters: the paper's particle, changed by KEY=VALUE.

    Raises
    ------
    BadInput
        If a setting cannot be read, or is neither of the particle nor a parameter of a mechanism.
    """
    for setting in settings:
        where, _ = read_setting(setting)
        if where[0] not in ("particle", "mechanism") or where == ("mechanism", "name"):
            raise BadInput(f"--set {setting}: expected particle.… or mechanism.…; the rest has options of its own")
    config = check(paper(), "compare", settings)
    return config.crystal.recipe(), dict(config.mechanism.parameters)


def with_parameters(mechanisms: Mapping[str, Mechanism], parameters: Mapping[str, Any]) -> dict[str, Mechanism]:
    """Mechanisms with the parameters that they have.

    Raises
    ------
    BadInput
        If none of them has a parameter, with the nearest name; or if a value does not fit.
    """
    known = {label: _parameter_names(each) for label, each in mechanisms.items()}
    every = dict.fromkeys(name for names in known.values() for name in names)
    for name in parameters:
        if name not in every:
            raise BadInput(f"none of {', '.join(mechanisms)} has the parameter '{name}'{nearest(name, every)}")
    return {
        label: mechanism(each, **{name: value for name, value in parameters.items() if name in known[label]})
        for label, each in mechanisms.items()
    }


def _parameter_names(chosen: Mechanism) -> list[str]:
    """As `Mechanism.with_parameters` takes them: those of drives also as 'drive.name'."""
    driven = [(drive.name, name) for drive in chosen.drives for name in drive.parameters]
    return [*chosen.parameters, *(name for _, name in driven), *(f"{drive}.{name}" for drive, name in driven)]


def _say_plan(chosen: Design, workers: int, as_json: bool) -> None:
    """Cells and estimated time: growth and the beginning of one run of each mechanism, which is its busiest part."""
    cells = chosen.cells()
    seconds = 0.0
    run_cell(replace(cells[0], marks=(1e-6 * chosen.steps,), snapshots=()))  # the loop's compilation is not counted
    for cell in cells[: len(chosen.mechanisms)]:
        idle, short = (run_cell(replace(cell, marks=(m * chosen.steps,), snapshots=())) for m in (0.0, _BEGINNING))
        seconds += idle.seconds + max(0.0, short.seconds - idle.seconds) / _BEGINNING
    seconds *= len(chosen.seeds) / workers
    plan = {
        "runs": len(cells),
        "mechanisms": list(chosen.mechanisms),
        "replicates": len(chosen.seeds),
        "sites": chosen.first.crystal.n_sites,
        "steps": chosen.steps,
        "marks": chosen.marks,
        "jobs": workers,
        "estimated_s": round(seconds, 1),
    }
    if as_json:
        click.echo(json.dumps(plan, indent=1))
        return
    click.echo(
        f"{len(cells)} runs: {len(chosen.mechanisms)} mechanism{'s' * (len(chosen.mechanisms) > 1)} x "
        f"{len(chosen.seeds)} crystal{'s' * (len(chosen.seeds) > 1)} of "
        f"{plan['sites']} sites, {chosen.steps:.4g} steps each ({findings.duration(chosen)})\n"
        f"marks: {tables.steps_list(chosen.marks)}\nabout {seconds:.2g} s with {workers} job{'s' * (workers > 1)}"
    )


def _command(
    mechanisms: Sequence[str],
    replicates: int,
    steps: float | None,
    protocol: str,
    seed: int,
    observables: Sequence[str],
    settings: Sequence[str],
) -> str:
    """The command line again, without what changes no number."""
    parts = ["ucnp-abm", "compare", *mechanisms, "--replicates", str(replicates), "--protocol", protocol]
    parts += ["--seed", str(seed)]
    lengths = [] if steps is None else [str(steps)]
    for option, values in (("--steps", lengths), ("--observable", observables), ("--set", settings)):
        parts += [part for value in values for part in (option, value)]
    return shlex.join([*parts, *plugin_words()])
