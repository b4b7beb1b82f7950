"""`ucnp-abm compare`: mechanisms side by side on the same crystals, at one setting or at many."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ucnp_abm.cli.options import plugin_options, plugin_words
from ucnp_abm.config.files import paper
from ucnp_abm.config.studies import load_study
from ucnp_abm.errors import BadInput, Stopped
from ucnp_abm.study import estimate
from ucnp_abm.study.crew import workers_for
from ucnp_abm.study.grid import Study, distinct
from ucnp_abm.study.outcome import StudyResult
from ucnp_abm.study.report import conclusions, summary, tables
from ucnp_abm.study.running import part_of, run_study
from ucnp_abm.study.store import StudyDirectory

FAILED = 3
"""Exit code if runs failed and the rest finished."""
_KEYS = {"replicates": "study.replicates", "steps": "anneal.steps", "protocol": "anneal.protocol", "seed": "study.seed"}


@click.command()
@click.argument("what", metavar="MECHANISM… | STUDY.toml", nargs=-1)
@click.option("--replicates", type=int, help="Crystals; each mechanism anneals them all [default: 8].")
@click.option("--steps", type=float, help="Length of every run [default: the protocol's own, else 1000].")
@click.option("--protocol", help="Such as '300 °C for 1 h' [default: 300 °C].")
@click.option("--seed", type=click.IntRange(0), help="Of the whole study [default: 0].")
@click.option("--observable", "observables", multiple=True, help="What to compare, instead of mixing and vacancies.")
@click.option("--mark", "marks", multiple=True, help="When to compare: steps, or a time such as '10 min'.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Such as particle.diameter='8 nm'.")
@click.option("--vary", multiple=True, metavar="KEY=V,V,…", help="Such as particle.thickness='1 nm, 2 nm'.")
@click.option("--precision", multiple=True, metavar="NAME=X", help="More crystals until intervals are ± X.")
@click.option("--jobs", type=int, help="Processes [default: one for each core].")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler such as tcp://host:8786, or 'local'.")
@click.option("--shard", metavar="I/N", help="Only part I of N of the runs, as jobs of an array do.")
@click.option("--out", type=click.Path(path_type=Path), help="Study directory, new or to go on with.")
@click.option("-n", "--dry-run", is_flag=True, help="Only say which runs, how many are there, and about how long.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@plugin_options
def compare(
    what: tuple[str, ...],
    settings: tuple[str, ...],
    vary: tuple[str, ...],
    jobs: int | None,
    scheduler: str | None,
    shard: str | None,
    out: Path | None,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Anneal the same crystals by each MECHANISM and compare them, at one setting or at all of a study.

    A drive is added with a plus: y-complex+laser-thermal. All are compared with the first. The crystal is the paper's
    unless --set particle.… says otherwise; --set mechanism.… sets a parameter of all mechanisms that have it; --vary
    makes an axis. STUDY.toml says all of this in a file, and options change it.

    With --out, and for a STUDY.toml, whose directory is called as it is, finished runs are kept: the same command goes
    on after Ctrl-C or a crash and runs what is missing, also after the design has changed.
    """
    file = study_file(what)
    part = read_shard(shard) if shard else None
    changes = option_settings(options)
    command = _command(what, options, settings, vary, out)
    source: Any = file or {"study": {"mechanisms": list(what)}, "particle": paper()["particle"]}
    study = load_study(source, [*changes, *settings], vary, command)
    target = out or (Path(Path(file).stem) if file else None)
    if part is not None and target is None:
        raise BadInput("--shard: the runs of a part are kept in a directory; give --out")
    if dry_run:
        _say_plan(study, target, jobs, part, as_json)
        return
    result = run_study(
        study,
        target,
        jobs=jobs,
        scheduler=scheduler,
        shard=part,
        resume=command,
        begun=lambda: click.echo(f"{summary.design(study)} …", err=True),
    )
    click.echo(summary.account(result), err=True)
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    if part is not None:
        click.echo(f"when all parts have ended: ucnp-abm report {target}", err=True)
    else:
        _tell(result, as_json)
        if target is not None:
            written = _report(result)
            click.echo(f"{'wrote' if written else 'up to date:'} {target}/index.html", err=True)
    if result.failures:
        click.echo(summary.failures(result), err=True)
        click.get_current_context().exit(FAILED)


def study_file(what: Sequence[str]) -> str | None:
    """The study file, if there is one: a single argument that names a file, but no Python file."""
    files = [each for each in what if each.endswith(".toml")]
    if files and len(what) > 1:
        raise BadInput(f"{files[0]}: a study file stands alone; its mechanisms are named in it")
    if len(what) != 1 or what[0].endswith(".py"):
        return None
    return what[0] if what[0].endswith(".toml") or Path(what[0]).is_file() else None


def option_settings(options: Mapping[str, Any]) -> list[str]:
    """Options as settings of a study file.

    Raises
    ------
    BadInput
        If a precision cannot be read.
    """
    found = [f"{_KEYS[name]}={json.dumps(options[name])}" for name in _KEYS if options.get(name) is not None]
    for name in ("observables", "marks"):
        if options[name]:
            values = [_number(value) for value in options[name]]
            found.append(f"study.{name}={json.dumps(values, ensure_ascii=False)}")
    for text in options["precision"]:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise BadInput(f"--precision {text}: expected NAME=X, such as outside_core_pct=0.5")
        found.append(f"study.precision.{name.strip()}={value.strip()}")
    return found


def read_shard(text: str) -> tuple[int, int]:
    """(2, 8) of '2/8'.

    Raises
    ------
    BadInput
        If it is no part of a number of parts.
    """
    number, slash, of = text.partition("/")
    if not slash or not number.strip().isdecimal() or not of.strip().isdecimal() or not 1 <= int(number) <= int(of):
        raise BadInput(f"--shard {text}: expected a part and how many there are, such as 2/8")
    return int(number), int(of)


def _tell(result: StudyResult, as_json: bool) -> None:
    if as_json:
        told = {"rows": result.rows, "finding": result.finding, "provenance": conclusions.provenance(result)}
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        click.echo(f"{result.table()}\n\n{result.finding}")


def _report(result: StudyResult) -> bool:
    """Write the report into the study's directory; whether there was something new.

    Raises
    ------
    Stopped
        If Ctrl-C came meanwhile.
    """
    try:
        return result.keep_report()
    except KeyboardInterrupt:
        where = result.directory
        raise Stopped(f"SIGINT: every finished run is kept; write the report with\n  ucnp-abm report {where}") from None


def _say_plan(study: Study, target: Path | None, jobs: int | None, part: tuple[int, int] | None, as_json: bool) -> None:
    """Cells, those that are there, and the estimated time."""
    tasks = part_of(study.tasks(), part)
    store = StudyDirectory(target) if target is not None and target.is_dir() else None
    there = store.found() if store else set()
    missing = distinct(task for task in tasks if task.identity not in there)
    workers = workers_for(jobs, max(1, len(missing)))
    ours = there & {task.identity for task in tasks}  # cells of another design last otherwise
    known = {sha: s for sha, s in store.seconds().items() if sha in ours} if store else {}
    begin = study.points[0].design
    about = estimate.seconds(missing, known) / workers
    plan = {
        "runs": len(tasks),
        "finished": sum(task.identity in there for task in tasks),
        "mechanisms": study.labels,
        "settings": [point.name for point in study.points],
        "replicates": study.replicates,
        "sites": sorted({point.design.room.n_sites for point in study.points}),
        "steps": sorted({point.design.steps for point in study.points}),
        "marks": begin.marks,
        "precision": study.precision,
        "jobs": workers,
        "estimated_s": round(about, 1),
    }
    if as_json:
        click.echo(json.dumps(plan, indent=1, ensure_ascii=False))
        return
    click.echo(summary.design(study))
    for axis, levels in study.axes.items():
        click.echo(f"{axis}: {' | '.join(levels)}")
    click.echo(f"marks: {tables.steps_list(begin.marks)}" + (" at the first setting" if len(study.points) > 1 else ""))
    if study.precision:
        click.echo(f"more crystals, up to {study.max_replicates}, where intervals are wider than asked for")
    finished = f"{plan['finished']} are finished; " if plan["finished"] else ""
    if part is not None:
        click.echo(f"part {part[0]} of {part[1]}: {len(tasks)} runs")
    click.echo(f"{finished}about {summary.wall(about)} with {workers} job{'s' * (workers > 1)}")


def _command(
    what: tuple[str, ...], options: Mapping[str, Any], settings: Sequence[str], vary: Sequence[str], out: Path | None
) -> str:
    """The command line again, without what changes no number."""
    words = {"observables": "--observable", "marks": "--mark", "precision": "--precision"}
    parts = ["ucnp-abm", "compare", *what]
    for name, value in options.items():
        if value is None or value == ():
            continue
        parts += [f"--{name}", _word(value)] if name not in words else [w for v in value for w in (words[name], v)]
    for option, values in (("--set", settings), ("--vary", vary)):
        parts += [part for value in values for part in (option, value)]
    parts += ["--out", str(out)] if out else []
    return shlex.join([*parts, *plugin_words()])


def _word(value: Any) -> str:
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
