"""`ucnp-abm run`: one trajectory into a run directory."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from tqdm import tqdm

from ucnp_abm import observables, units
from ucnp_abm.config.files import check, load, paper
from ucnp_abm.config.sections import Config
from ucnp_abm.engine import trajectory
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.registry import find_observables, mechanism

DEFAULT_STEPS = 1000.0


@click.command()
@click.argument("what", metavar="CONFIG|MECHANISM")
@click.option("--seed", type=click.IntRange(0), help="Seed of crystal and events, instead of the configured ones.")
@click.option("--steps", type=float, help="For how many steps, instead of the configured length.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Such as mechanism.barrier='1.6 eV'.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Run directory [default: the name of CONFIG or MECHANISM]."
)
def run(what: str, seed: int | None, steps: float | None, settings: tuple[str, ...], out: Path | None) -> None:
    """Anneal one particle.

    CONFIG is a TOML file. A MECHANISM by name, alone or with drives as in y-complex+laser-thermal, anneals the paper's
    particle at 300 °C for 1000 steps. --set changes any value of either: particle.diameter='8 nm',
    mechanism.barrier='1.6 eV', mechanism.laser-thermal.rise='50 K', anneal.protocol='250 °C for 1 h'.
    """
    begin = time.perf_counter()
    config = _configured(what, settings)
    target = trajectory.free_directory(out or Path(Path(what).stem))
    if steps is not None and not (np.isfinite(steps) and steps > 0):
        raise BadInput(f"--steps: expected a number above zero, got {steps}")
    chosen = mechanism(config.mechanism.name, **config.mechanism.parameters)
    find_observables(config.run.observables)
    particle = config.crystal.recipe().build(config.crystal.seed if seed is None else seed)
    protocol = Protocol.parse(config.anneal.protocol)
    simulation = Simulation(
        particle, chosen, protocol, seed=config.run.seed if seed is None else seed, scheduler=config.run.scheduler
    )
    length = steps if steps is not None else _length(config, protocol, particle.crystal.z)
    marks = np.linspace(0, length, config.run.samples + 1)
    kept = np.linspace(0, length, config.run.snapshots + 1)[: None if config.run.snapshots else 0]
    names = dict.fromkeys([*observables.DEFAULT, *config.run.observables])
    with tqdm(total=len({*marks, *kept}), unit="sample", disable=None, leave=False) as bar:
        recorded = trajectory.record(
            simulation, lambda now: observables.read(now, names), marks, kept, lambda _: bar.update()
        )
    given: dict[str, Any] = config.model_dump(mode="json", exclude_unset=True)
    resolved: dict[str, Any] = config.model_dump(mode="json", exclude_none=True)
    log = {"seconds": round(time.perf_counter() - begin, 3)}
    trajectory.write(recorded, target, given, resolved, log)
    last = recorded.rows[-1]
    click.echo(
        f"{chosen.name}: {last['steps']:g} steps ({last['t_s']:.6g} s), {last['events']:.0f} events, "
        f"{last['vacancies']:.0f} vacancies left, {last['outside_core_pct']:.1f} % of the core's ions outside the core"
    )
    click.echo(f"wrote {target}/: {', '.join(sorted(file.name for file in target.iterdir()))}")


def _configured(what: str, settings: tuple[str, ...]) -> Config:
    if what.endswith(".toml") or Path(what).is_file():
        return load(Path(what), settings)
    mechanism(what)
    return check(paper(what), what, settings)


def _length(config: Config, protocol: Protocol, z: int) -> float:
    if config.anneal.steps is not None:
        return config.anneal.steps
    if config.anneal.duration is not None:
        return protocol.steps(units.positive(config.anneal.duration, "time", "anneal.duration"), z)
    return protocol.steps(protocol.duration, z) if np.isfinite(protocol.duration) else DEFAULT_STEPS
