"""`ucnp-abm light`: the light of a run, or of crystals as grown and after their anneal."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from ucnp_abm import units
from ucnp_abm.cli.options import plugin_options
from ucnp_abm.cli.run import configured, length
from ucnp_abm.config.sections import Config
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.errors import BadInput
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.spectrum import emissions_of, line
from ucnp_abm.registry import mechanism
from ucnp_abm.runs import rundir
from ucnp_abm.runs.rundir import RunDirectory
from ucnp_abm.runs.trajectory import free_directory
from ucnp_abm.study.design import replicate_seeds
from ucnp_abm.study.shine import moments as shine
from ucnp_abm.study.shine import report as shine_report
from ucnp_abm.study.shine import tables as shine_tables

Source = tuple[Iterator[shine.Moment], dict[str, Any]]
"""Moments, and where their crystals come from."""


@click.command()
@click.argument("what", metavar="RUN|CONFIG|MECHANISM")
@click.option("--rates", help="Rate set: npt, simetuc, simetuc+npt-migration, or a .toml file [default: npt].")
@click.option("--pump", metavar="INTENSITY", help="At 980 nm, such as '1 kW/cm²' [default: 4 W/cm²].")
@click.option("--solvent", help="dry, cyclohexane, ethanol or water [default: cyclohexane].")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any field of Optics, such as vacancy_quenching='2e-40 cm^6/s'; or, of a CONFIG, such as anneal.steps=500.",
)
@click.option("--crystals", type=int, help="How many crystals to grow and anneal; their light is averaged.")
@click.option("--step", type=float, help="Which snapshot of a RUN is told in full [default: the last].")
@click.option("--slopes", is_flag=True, help="Also the slope d ln I / d ln P of every line.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--out", type=click.Path(path_type=Path), help="New directory for figures, light.json and CSV files.")
@plugin_options
def light(
    what: str,
    rates: str | None,
    pump: str | None,
    solvent: str | None,
    settings: tuple[str, ...],
    crystals: int | None,
    step: float | None,
    slopes: bool,
    as_json: bool,
    out: Path | None,
) -> None:
    """Where absorbed energy goes, and the upconverted light that comes out, over an anneal.

    RUN is a run directory: every snapshot, and the last in full. Of a CONFIG or a MECHANISM, the particle is grown and
    annealed as `ucnp-abm run` would, and looked at before and after; with --crystals several are, with seeds as
    `compare` takes them. Each number is named with its unit, and the table with what it rests on.
    """
    begin = time.perf_counter()
    if out is not None:
        free_directory(out)
    of_config = [setting for setting in settings if "." in setting.partition("=")[0]]
    given = {"rates": rates, "pump": pump, "solvent": solvent}
    optics = chosen_optics(given, [setting for setting in settings if setting not in of_config])
    if is_run(what):
        found, origin = _of_run(Path(what), optics, crystals, of_config)
    elif step is not None:
        raise BadInput("--step: only a run directory has snapshots to choose from; leave it out")
    else:
        found, origin = _of_config(what, of_config, crystals, optics)
    moments = list(found)
    if not moments:
        raise BadInput(f"light: '{what}' holds no snapshots yet")
    chosen = shine.at_step(moments, step)
    _say("decays and lines …")
    if as_json:
        told = shine_tables.data(what, moments, chosen, slopes, origin)
        click.echo(json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False))
    else:
        click.echo(shine_tables.text(what, moments, chosen, slopes))
    if out is not None:
        written = shine_report.write_report(what, moments, chosen, out, slopes, origin)
        _say(f"wrote {out}/ in {time.perf_counter() - begin:.0f} s: {', '.join(written)}")


def chosen_optics(options: dict[str, str | None], settings: Sequence[str]) -> Optics:
    """Optics from the options that were given and from KEY=VALUE settings.

    Raises
    ------
    BadInput
        If a setting cannot be read, is unknown or given twice, or a value cannot be used.
    """
    found: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    for setting in settings:
        key, equals, value = (part.strip() for part in setting.partition("="))
        if not equals or not key or not value:
            raise BadInput(f"--set {setting}: expected KEY=VALUE, such as vacancy_quenching='2e-40 cm^6/s'")
        if key in found:
            raise BadInput(f"--set {setting}: '{key}' is given twice")
        found[key] = units.parse(value, "number", "optics.imposed_factor") if key == "imposed_factor" else value
    optics = Optics.of(**found)
    line450 = line("450")
    if line450.ion in optics.set.ions:
        emissions_of(optics.set, line450)  # a set without it could say nothing of the main line
    return optics


def is_run(what: str) -> bool:
    """Whether it is a run directory, or at least no mechanism's name that happens to be a directory's too."""
    if not Path(what).is_dir():
        return False
    if (Path(what) / rundir.RUN).exists():
        return True
    try:
        mechanism(what)
    except BadInput:
        return True
    return False


def _of_run(path: Path, optics: Optics, crystals: int | None, told: Sequence[str]) -> Source:
    if crystals is not None:
        raise BadInput("--crystals: a run directory holds one crystal; give a CONFIG or a MECHANISM instead")
    if told:
        raise BadInput(
            f"--set {told[0]}: a run is what it was; only fields of Optics can be set, such as solvent=water"
        )
    run = RunDirectory.open(path.absolute())
    return shine.of_run(run, optics, _say), {"run_json_sha256": run.sha256}


def _of_config(what: str, told: Sequence[str], crystals: int | None, optics: Optics) -> Source:
    config: Config = configured(what, tuple(told))
    seeds = [(config.crystal.seed, config.run.seed)]
    if crystals is not None:
        if crystals < 1:
            raise BadInput(f"--crystals: expected a whole number of at least 1, got {crystals}")
        seeds = [(seed, seed) for seed in replicate_seeds(config.run.seed, crystals)]
    protocol = Protocol.parse(config.anneal.protocol)
    chosen = mechanism(config.mechanism.name, **config.mechanism.parameters)
    lasts = length(config, protocol)
    if not math.isfinite(lasts[0]):
        raise BadInput(f"anneal.steps: expected a finite length, got {lasts[0]}")
    resolved: dict[str, Any] = config.model_dump(mode="json", exclude_none=True)
    origin = {"config_resolved": resolved, "seeds_of_crystal_and_events": seeds}
    recipe = config.crystal.recipe()
    return shine.of_anneal(recipe, chosen, protocol, lasts, seeds, config.run.scheduler, optics, _say), origin


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
