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
from ucnp_abm.config.sections import CRYSTALS, Config
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
    config = _with(_configured(what, settings), seed, steps)
    target = trajectory.free_directory(out or Path(Path(what).stem))
    chosen = mechanism(config.mechanism.name, **config.mechanism.parameters)
    find_observables(config.run.observables)
    particle = config.crystal.recipe().build(config.crystal.seed)
    protocol = Protocol.parse(config.anneal.protocol)
    simulation = Simulation(particle, chosen, protocol, seed=config.run.seed, scheduler=config.run.scheduler)
    length, in_time = _length(config, protocol)
    marks = np.linspace(0, length, config.run.samples + 1)
    kept = np.linspace(0, length, config.run.snapshots + 1)[: None if config.run.snapshots else 0]
    names = dict.fromkeys([*observables.DEFAULT, *config.run.observables])
    with tqdm(total=len({*marks, *kept}), unit="sample", disable=None, leave=False) as bar:
        recorded = trajectory.record(
            simulation, lambda now: observables.read(now, names), marks, kept, lambda _: bar.update(), in_time=in_time
        )
    given: dict[str, Any] = config.model_dump(mode="json", exclude_unset=True)
    resolved: dict[str, Any] = config.model_dump(mode="json", exclude_none=True)
    log = {"seconds": round(time.perf_counter() - begin, 3)}
    trajectory.write(recorded, target, given, resolved, log)
    last = recorded.rows[-1]
    outside = last["outside_core_pct"]
    click.echo(
        f"{chosen.name}: {last['steps']:g} steps ({last['t_s']:.6g} s), {last['events']:.0f} events, "
        f"{last['vacancies']:.0f} vacancies left"
        + (f", {outside:.1f} % of the core's ions outside the core" if outside == outside else "")
    )
    click.echo(f"wrote {target}/: {', '.join(sorted(file.name for file in target.iterdir()))}")


def _configured(what: str, settings: tuple[str, ...]) -> Config:
    if what.endswith(".toml") or Path(what).is_file():
        return load(Path(what), settings)
    mechanism(what)
    return check(paper(what), what, settings)


def _with(config: Config, seed: int | None, steps: float | None) -> Config:
    """The configuration with --seed and --steps in their places, so that run.json tells what was run."""
    if steps is not None and not (np.isfinite(steps) and steps > 0):
        raise BadInput(f"--steps: expected a number above zero, got {steps}")
    changed: dict[str, Any] = {}
    if seed is not None:
        changed["run"] = config.run.model_copy(update={"seed": seed})
        name = next(name for name in CRYSTALS if getattr(config, name) is not None)
        changed[name] = config.crystal.model_copy(update={"seed": seed})
    if steps is not None:
        changed["anneal"] = config.anneal.model_copy(update={"steps": steps, "duration": None})
    return config.model_copy(update=changed)


def _length(config: Config, protocol: Protocol) -> tuple[float, bool]:
    """How long, in steps or in s, and whether it is s: a cold phase lasts, though hardly a step passes in it."""
    if config.anneal.steps is not None:
        return config.anneal.steps, False
    if config.anneal.duration is not None:
        return units.positive(config.anneal.duration, "time", "anneal.duration"), True
    return (protocol.duration, True) if np.isfinite(protocol.duration) else (DEFAULT_STEPS, False)
