"""`ucnp-abm plugins check`: whether a mechanism keeps what every mechanism must keep."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from ucnp_abm.cli import plugins_words as words
from ucnp_abm.cli.options import plugin_options
from ucnp_abm.config.files import apply_settings
from ucnp_abm.config.studies import with_parameters
from ucnp_abm.registry import mechanism
from ucnp_abm.workbench.checking import check_mechanism, files
from ucnp_abm.workbench.checking.finding import ERROR, Finding, Report

_INDENT = " " * 10


@click.command()
@click.argument("what", metavar="FILE|NAME")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE",
    help="Such as mechanism.barrier='1.6 eV' or particle.lattice=alpha [default: a small particle].",
)  # fmt: skip
@click.option("--events", default=2000, show_default=True, type=click.IntRange(0), help="Length of the trial run.")
@click.option("--strict", is_flag=True, help="Exit with 3 for warnings too.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@plugin_options
def check(what: str, settings: tuple[str, ...], events: int, strict: bool, as_json: bool) -> None:
    """Ask a mechanism about every environment, run it three ways, and say what is wrong, the worst first.

    FILE ends with .py: all that it offers is checked. NAME may have drives: y-complex+laser-thermal. Exit code 3 if
    there are errors.
    """
    if sys.stderr.isatty():
        click.echo(f"Checking {what}; on a new machine the loop is compiled first, for about a minute …", err=True)
    reports = _reports(what, settings, events)
    if as_json:
        click.echo(json.dumps({"reports": [plain(one) for one in reports]}, indent=1, ensure_ascii=False))
    else:
        click.echo("\n\n".join(of_report(one) for one in reports))
    if not all(one.ok and not (strict and one.findings) for one in reports):
        click.get_current_context().exit(3)


def of_report(report: Report) -> str:
    """Findings, the worst first, and one line of verdict."""
    return "\n\n".join([*(_finding(one) for one in report.findings), verdict(report)])


def verdict(report: Report) -> str:
    """One line: what was done, and what was found.

    Examples
    --------
    >>> verdict(Report("lu-dock", ("table", "barriers"), (), 1584))
    'lu-dock: 2 checks, 1,584 environments: nothing wrong'
    """
    errors = sum(found.severity == ERROR for found in report.findings)
    warnings = len(report.findings) - errors
    counted = [_many(n, name) for n, name in ((errors, "error"), (warnings, "warning")) if n]
    asked = [
        _many(len(report.checks), "check"),
        *([_many(report.environments, "environment")] * (report.environments > 0)),
        *([f"a sample for {words.listed(report.sampled)}"] * bool(report.sampled)),
    ]
    return words.wrap(f"{report.mechanism}: {', '.join(asked)}: {words.listed(counted) or 'nothing wrong'}")


def plain(report: Report) -> dict[str, Any]:
    """A report as JSON holds it."""
    found: dict[str, Any] = words.plain(report)
    return {"mechanism": report.mechanism, "ok": report.ok, **found}


def _reports(what: str, settings: Sequence[str], events: int) -> list[Report]:
    recipe, parameters = apply_settings(list(settings))
    particle = recipe.build(0) if any(one.strip().startswith("particle.") for one in settings) else None
    reports, found = [], [mechanism(what)] if not what.endswith(".py") else []
    if what.endswith(".py"):
        found, of_file = files.load(what)
        reports = [of_file] if of_file.findings or not found else []
    changed = with_parameters({one.name: one for one in found}, parameters) if found else {}
    return [*reports, *(check_mechanism(one, particle, events=events) for one in changed.values())]


def _finding(found: Finding) -> str:
    lines = [words.hang(f"{found.severity:<{len(_INDENT)}}", f"{found.check}: {found.message}")]
    lines += [words.hang(_INDENT, text) for text in (found.place, found.environment) if text]
    return "\n".join(lines)


def _many(n: int, name: str) -> str:
    return f"{n:,} {name}{'s' * (n != 1)}"
