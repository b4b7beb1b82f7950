"""`ucnp-abm reproduce`: the paper's claims, scored."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ucnp_abm.reproduce import atoms, scorecard
from ucnp_abm.reproduce.calibrate import PARAMETERS, UNITS, Measure
from ucnp_abm.reproduce.scorecard import Score
from ucnp_abm.reproduce.work import RATES, Outcome, outcomes
from ucnp_abm.runs.trajectory import free_directory, whole_directory


@click.group()
def reproduce() -> None:
    """The claims of Chen et al. 2023, one by one: what the model gives, and whether it was asked or told.

    A claim is calibrated (the model was fitted to it), predicted (nothing was), imposed by an assumption, or out of
    scope.
    """


@reproduce.command("list")
def list_claims() -> None:
    """All claims, what they are about, and which command scores them."""
    commands = {"light": "reproduce light", "atoms": "reproduce fig4"}
    for claim in scorecard.claims():
        click.echo(f"{claim.id:20} {commands.get(claim.subject, claim.subject):16} {claim.says}")


@reproduce.command("fig4")
@click.option("--crystals", type=click.IntRange(1, 1000), default=8, show_default=True, help="Crystals to grow.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Panels and numbers as files.")
@click.option("--json", "as_json", is_flag=True, help="Plain data on stdout.")
def fig4(crystals: int, out: Path | None, as_json: bool) -> None:
    """Atoms: mixing, vacancies, yttrium and the neighbours of Yb after an hour at 300 °C."""
    if out:
        free_directory(out)
    seen = [atoms.numbers(seed) for seed in range(crystals)]
    scores = atoms.score(seen)
    if out:
        told = {"scores": scorecard.plain(scores), "crystals": seen}
        with whole_directory(out) as partial:
            _panels(partial)
            (partial / "fig4.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    _show({"atoms": scores}, as_json, {"crystals": crystals})
    if out:
        click.echo(f"wrote {out}/: panels.png, .svg, .pdf, fig4.json", err=True)


@reproduce.command("light")
@click.option("--crystals", type=click.IntRange(1, 1000), default=4, show_default=True, help="Crystals to grow.")
@click.option("--rates", multiple=True, default=RATES, show_default=True, metavar="SET", help="Rate sets.")
@click.option("--band", default="visible", show_default=True, help="Band of the quantum yield.")
@click.option("--drive", default="pulse", show_default=True, help="Before the decay: pulse or cw-off.")
@click.option("--lifetime", default="1/e", show_default=True, help="1/e (after the peak) or integral.")
@click.option("--jobs", type=click.IntRange(1), help="Processes [default: one for each core].")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="scorecard.json, with all numbers.")
@click.option("--json", "as_json", is_flag=True, help="Plain data on stdout.")
def light(
    crystals: int,
    rates: tuple[str, ...],
    band: str,
    drive: str,
    lifetime: str,
    jobs: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Light: calibrated on the pristine and the Y-annealed particle, predicted for all other samples.

    Three constants are fitted on each crystal with each rate set; intervals are over crystals. Four crystals and two
    sets take five minutes on two cores.
    """
    if out:
        free_directory(out)
    measure, begin = Measure(band, drive, lifetime), time.perf_counter()
    found = outcomes(rates, range(crystals), measure, jobs)
    cards = {name: scorecard.score_light(_gathered(each), band, f"{drive}, {lifetime}") for name, each in found.items()}
    told = {
        "measure": {"band": band, "drive": drive, "lifetime": lifetime},
        "calibration": {name: [vars(o.calibration) for o in each] for name, each in found.items()},
        "numbers": {name: [o.numbers for o in each] for name, each in found.items()},
        "scores": {name: scorecard.plain(card) for name, card in cards.items()},
    }
    if not as_json:
        for name, each in found.items():
            _calibration(name, each)
    _show(cards, as_json, told)
    if out:
        with whole_directory(out) as partial:
            (partial / "scorecard.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        click.echo(f"wrote {out}/scorecard.json", err=True)
    click.echo(f"{time.perf_counter() - begin:.0f} s", err=True)


def _gathered(found: Sequence[Outcome]) -> dict[str, list[float]]:
    """Each number of every crystal."""
    return {name: [each.numbers[name] for each in found] for name in found[0].numbers}


def _calibration(name: str, found: Sequence[Outcome]) -> None:
    """What was fitted, and how well it is known."""
    click.echo(f"{name}: calibrated on the pristine and the Y-annealed particle")
    for parameter, unit in zip(PARAMETERS, UNITS, strict=True):
        values = [each.calibration.values[parameter] for each in found]
        factor = scorecard.middle([each.calibration.spread[parameter] for each in found])
        known = f"known within a factor of {factor:.2g}" if factor < 100 else "not identifiable: the data leave it open"
        edge = any(parameter in each.calibration.bound for each in found)
        ended = "; ended at the edge of its range" if edge else ""
        click.echo(f"  {parameter:18} {scorecard.interval(values)} {unit}, {known}{ended}")


def _show(cards: dict[str, list[Score]], as_json: bool, told: dict[str, Any]) -> None:
    if as_json:
        click.echo(
            json.dumps(told | {"scores": {name: scorecard.plain(card) for name, card in cards.items()}}, indent=1)
        )
        return
    for name, card in cards.items():
        click.echo(f"\n{name}")
        for score in card:
            click.echo(f"  {score.id} ({score.kind}): {score.verdict}")
            click.echo(textwrap.indent(textwrap.fill(f"paper: {score.says}", 110), "      "))
            click.echo(textwrap.indent(textwrap.fill(f"model: {score.model}", 110), "      "))


def _panels(out: Path) -> None:
    """The figure of the demo, of the first crystal."""
    from ucnp_abm.study.cells import PAPER_PARTICLE, PAPER_STEPS
    from ucnp_abm.study.compare import run_design
    from ucnp_abm.study.design import design
    from ucnp_abm.study.report.pictures import slabs
    from ucnp_abm.viz import figures

    chosen = design(("no-complex", "y-complex"), PAPER_PARTICLE, "300 °C", (0,), marks=PAPER_STEPS)
    result = run_design(chosen, "ucnp-abm reproduce fig4", progress=False)
    figures.save(figures.slab_panels(chosen.first().crystal, slabs(result)), out / "panels")
