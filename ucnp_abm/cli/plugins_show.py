"""`ucnp-abm plugins show`, `rates` and `diff`: what a mechanism is, how fast, and what another one does otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from ucnp_abm import units
from ucnp_abm.cli import plugins_tables as tables
from ucnp_abm.cli import plugins_words as words
from ucnp_abm.cli.options import plugin_options
from ucnp_abm.cli.plugins_sheet import of_sheet
from ucnp_abm.config.files import apply_settings
from ucnp_abm.config.studies import with_parameters
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput, shown
from ucnp_abm.registry import mechanism
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.study.report.tables import write_csv
from ucnp_abm.workbench import barriers, difference, sheet

SET = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE",
    help="Such as mechanism.barrier='1.6 eV' or particle.diameter='8 nm' [default: the paper's particle].",
)  # fmt: skip
TEMPERATURE = click.option("--temperature", default="300 °C", show_default=True, help="At which rates are shown.")
JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")


@click.command()
@click.argument("name")
@SET
@JSON
@plugin_options
def show(name: str, settings: tuple[str, ...], as_json: bool) -> None:
    """What the mechanism NAME is, on one screen: its rules and what they read, parameters, bath, drives, table.

    A drive is added with a plus: y-complex+laser-thermal.
    """
    [(_, simulation)] = _simulations({name: mechanism(name)}, settings, "300 °C")
    found = sheet.sheet(simulation)
    if as_json:
        _write_json({"crystal": _crystal(simulation), **words.plain(found)})
    else:
        click.echo(of_sheet(found, words.of_crystal(simulation)))


@click.command("rates")
@click.argument("name")
@TEMPERATURE
@SET
@click.option("--all", "every", is_flag=True, help="One line for each environment, also where they are alike.")
@click.option("--csv", "table", type=click.Path(path_type=Path), help="Write all environments, replacing the file.")
@click.option("--plot", "plot", type=click.Path(path_type=Path), help="Write a figure: .png, .svg or .pdf.")
@JSON
@plugin_options
def rates(
    name: str,
    temperature: str,
    settings: tuple[str, ...],
    every: bool,
    table: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Barriers and rates of the mechanism NAME in every environment that can occur, fastest first.

    Rates are those of one event, with full reservoirs and all drives at full level.
    """
    _expect(table, "--csv", (".csv",))
    _expect(plot, "--plot", (".png", ".svg", ".pdf"))
    [(_, simulation)] = _simulations({name: mechanism(name)}, settings, temperature)
    found = barriers.rates(simulation)
    kelvin = barriers.temperature_of(simulation)
    if as_json:
        about = {"mechanism": simulation.mechanism.name, "crystal": _crystal(simulation), "temperature_K": kelvin}
        fingerprint = {"fingerprint": simulation.table.fingerprint()}
        _write_json({**about, **fingerprint, "rates": [one.record() for one in found]})
    else:
        click.echo(tables.of_rates(simulation, found, every=every))
    if table is not None:
        _write(table, lambda: write_csv(table, words.columns(one.record() for one in found)))
    if plot is not None:
        _draw(plot, found, simulation.mechanism.name, kelvin)


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", required=False)
@TEMPERATURE
@SET
@click.option("--exit-code", "strict", is_flag=True, help="Exit with 1 if any rate differs.")
@JSON
@plugin_options
def diff(
    first: str, second: str | None, temperature: str, settings: tuple[str, ...], strict: bool, as_json: bool
) -> None:
    """The environments to which the mechanisms A and B give different rates, worst first, and what they declare.

    Parameters by --set hold for both. Without B: what --set changes in A.
    """
    a, b = mechanism(first), mechanism(second or first)
    if second is None and not any(setting.strip().startswith("mechanism.") for setting in settings):
        raise BadInput(f"plugins diff: give a second mechanism, or what to change in '{first}': --set mechanism.…=…")
    made = _simulations({first: a, second or first: b}, settings, temperature)
    if second is None:
        particle = [setting for setting in settings if not setting.strip().startswith("mechanism.")]
        made = [*_simulations({first: a}, particle, temperature), *made]
    one, other = made[0][1], made[-1][1]
    found = difference.difference(one, other)
    names = (f"{first} as it is", f"{first} as set") if second is None else (one.mechanism.name, other.mechanism.name)
    if as_json:
        _write_json({"crystal": _crystal(one), **tables.plain_difference(found)})
    else:
        click.echo(tables.of_difference(found, names, words.of_crystal(one)))
    if strict and not found.same_rates:
        click.get_current_context().exit(1)


def _simulations(
    mechanisms: Mapping[str, Mechanism], settings: Iterable[str], temperature: str
) -> list[tuple[str, Simulation]]:
    """Each mechanism with the parameters that it has, on the particle of the settings."""
    recipe, parameters = apply_settings(list(settings))
    kelvin = units.positive(temperature, "temperature", "--temperature")
    particle = recipe.build(0)
    return [
        (name, Simulation(particle, each, kelvin, scheduler="rejection", interpreted=True))
        for name, each in with_parameters(mechanisms, parameters).items()
    ]


def _crystal(simulation: Simulation) -> dict[str, Any]:
    particle = simulation.particle
    return {"recipe": repr(particle.recipe), "seed": particle.seed, "occupants": particle.counts}


def _draw(path: Path, found: list[barriers.Rate], name: str, kelvin: float) -> None:
    from ucnp_abm.viz import barriers as figures
    from ucnp_abm.workbench.panels import panels

    drawn = panels(found)
    if not drawn:
        raise BadInput(f"plugins rates: nothing to draw, no event of '{name}' has a rate here")
    figure = figures.barriers(drawn, f"{name} at {words.celsius(kelvin)}", name, units.BOLTZMANN * kelvin)
    _write(path, lambda: figures.save(figure, path))
    if len(drawn) > figures.MOST_PANELS:
        click.echo(f"{path} holds {figures.MOST_PANELS} of {len(drawn)} panels; --csv has all numbers", err=True)


def _expect(path: Path | None, option: str, suffixes: tuple[str, ...]) -> None:
    """Refuse a file name before anything is computed."""
    if path is not None and path.suffix.lower() not in suffixes:
        raise BadInput(f"{option}: expected a file name that ends with {' or '.join(suffixes)}, got {shown(str(path))}")
    if path is not None and not path.absolute().parent.is_dir():
        raise BadInput(f"{option}: there is no directory {shown(str(path.parent))} to write into")


def _write(path: Path, writing: Callable[[], None]) -> None:
    try:
        writing()
    except OSError as error:
        raise BadInput(f"cannot write '{path}' ({error.strerror or error})") from error
    click.echo(f"wrote {path}", err=True)


def _write_json(value: Mapping[str, Any]) -> None:
    click.echo(json.dumps(value, indent=1, ensure_ascii=False))
