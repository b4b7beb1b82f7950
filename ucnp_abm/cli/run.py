"""`ucnp-abm run`: one trajectory into a run directory, or a run directory that goes on."""

from __future__ import annotations

import csv
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import numpy as np

from ucnp_abm import observables, units
from ucnp_abm.cli.options import plugin_options, plugin_words, resolver
from ucnp_abm.cli.progress import progress
from ucnp_abm.config.files import check, load, paper
from ucnp_abm.config.sections import CRYSTALS, Config
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput, Stopped
from ucnp_abm.registry import find_observables, mechanism
from ucnp_abm.runs import disk, journal, rundir, stopping, trajectory
from ucnp_abm.runs.journal import Journal
from ucnp_abm.runs.plan import Plan
from ucnp_abm.runs.provenance import provenance
from ucnp_abm.runs.rundir import RunDirectory

DEFAULT_STEPS = 1000.0


@click.command()
@click.argument("what", metavar="CONFIG|MECHANISM", required=False)
@click.option("--seed", type=click.IntRange(0), help="Seed of crystal and events, instead of the configured ones.")
@click.option("--steps", type=float, help="For how many steps, instead of the configured length.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Such as mechanism.barrier='1.6 eV'.")
@click.option("--events", is_flag=True, help="Log every event, as run.events = true does.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Run directory [default: the name of CONFIG or MECHANISM]."
)
@click.option(
    "--resume", "unfinished", type=click.Path(path_type=Path), metavar="DIR", help="Go on with a run directory."
)
@click.option(
    "--checkpoint-every",
    "every",
    default="60 s",
    show_default=True,
    metavar="TIME",
    help="Wall time between checkpoints.",
)
@plugin_options
def run(
    what: str | None,
    seed: int | None,
    steps: float | None,
    settings: tuple[str, ...],
    events: bool,
    out: Path | None,
    unfinished: Path | None,
    every: str,
) -> None:
    """Anneal one particle, or go on: ucnp-abm run --resume DIR.

    CONFIG is a TOML file. A MECHANISM by name, alone or with drives as in y-complex+laser-thermal, anneals the paper's
    particle at 300 °C for 1000 steps. --set changes any value of either: particle.diameter='8 nm',
    mechanism.barrier='1.6 eV', mechanism.laser-thermal.rise='50 K', anneal.protocol='250 °C for 1 h'.

    Ctrl-C, SIGTERM and SIGUSR1 write a checkpoint and exit with 75. A run that was stopped or killed goes on with
    --resume, and ends with the same bytes as one that was not. A run with --plugin FILE needs the file again.
    """
    wait = units.amount(units.parse(every, "time", "--checkpoint-every"), "--checkpoint-every")
    if unfinished is not None:
        if what is not None or seed is not None or steps is not None or settings or events or out is not None:
            raise click.UsageError("--resume DIR goes on with what run.json says; give no other option with it")
        _go_on(unfinished, wait)
    elif what is None:
        raise click.UsageError("expected a CONFIG or a MECHANISM, or --resume DIR")
    else:
        _begin(what, _with(configured(what, settings), seed, steps, events), out, wait)


def _begin(what: str, config: Config, out: Path | None, every: float) -> None:
    """A new run: everything is checked before the directory is made."""
    target = out or Path(Path(what).stem)
    if (target / rundir.RUN).exists() and not (target / rundir.DONE).exists():
        raise BadInput(
            f"output: '{target}' is an unfinished run; go on with\n  {journal.resume_line(target, plugin_words())}"
        )
    trajectory.free_directory(target)
    find_observables(config.run.observables)
    simulation = simulation_of(config)
    plan = _plan(config, simulation.protocol)
    given: dict[str, Any] = config.model_dump(mode="json", exclude_unset=True)
    resolved: dict[str, Any] = config.model_dump(mode="json", exclude_none=True)
    about = provenance(simulation, given, resolved, plan)
    observables.read(simulation, plan.observables)  # one that fails does so before anything is written
    with stopping.heeded() as came, journal.begun(target, about):
        _anneal(Journal.begin(target, plan, simulation.particle.crystal), simulation, every, came)


def simulation_of(config: Config) -> Simulation:
    """The simulation that a configuration describes, at time zero."""
    chosen = mechanism(config.mechanism.name, **config.mechanism.parameters)
    particle, protocol = config.crystal.recipe().build(config.crystal.seed), Protocol.parse(config.anneal.protocol)
    return Simulation(particle, chosen, protocol, seed=config.run.seed, scheduler=config.run.scheduler)


def _go_on(path: Path, every: float) -> None:
    """An unfinished run, as its directory describes it."""
    found = RunDirectory.open(path)
    with stopping.heeded() as came:
        if journal.finished(found):
            click.echo(f"{path}/ is finished; nothing to do")
            return
        with disk.locked(path / rundir.LOCK):
            growing, simulation = journal.resumed(found, resolver(found), _say)
            find_observables(found.plan.observables)
            click.echo(f"going on at {simulation.steps:.6g} steps, {simulation.state.events} events", err=True)
            _anneal(growing, simulation, every, came)


def _anneal(growing: Journal, simulation: Simulation, every: float, came: Callable[[], str]) -> None:
    """Run to the end, or until a signal comes.

    Raises
    ------
    Stopped
        If one came; the message says how to go on.
    """
    begin, plan, target = time.perf_counter(), growing.plan, growing.path

    def log() -> dict[str, Any]:
        return {"finished": trajectory.now(), "seconds": round(time.perf_counter() - begin, 3)}

    with closing(growing), progress(plan, plan.reached(simulation)) as show:
        finished = journal.grow(
            growing,
            simulation,
            lambda now: observables.read(now, plan.observables),
            every=every,
            stop=lambda now: show(now) or came(),
            log=log,
        )
    if not finished:
        raise Stopped(
            f"{came()} at {simulation.steps:.6g} steps ({simulation.time:.6g} s), {simulation.state.events} events; "
            f"go on with\n  {journal.resume_line(target, plugin_words())}"
        )
    last = _last_row(target / rundir.ROWS)
    outside = float(last["outside_core_pct"])
    click.echo(
        f"{simulation.mechanism.name}: {float(last['steps']):g} steps ({float(last['t_s']):.6g} s), "
        f"{last['events']} events, {last['vacancies']} vacancies left"
        + (f", {outside:.1f} % of the core's ions outside the core" if outside == outside else "")
        + (f" (scheduler: {simulation.scheduler})" if simulation.scheduler != "rejection" else "")
    )
    state = simulation.state
    if state.candidates > 100 * max(state.events, 1):
        _say(
            f"the scheduler '{simulation.scheduler}' accepted only {100 * state.events / state.candidates:.2g} % of "
            "its candidates; run.scheduler='sum-tree' gives the same statistics, sooner"
        )
    names = sorted(file.name for file in target.iterdir() if file.name != rundir.LOCK)
    click.echo(f"wrote {target}/: {', '.join(names)}")


def _say(sentence: str) -> None:
    click.echo(f"ucnp-abm: {sentence}", err=True)


def _last_row(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as file:
        return deque(csv.DictReader(file), maxlen=1).pop()


def configured(what: str, settings: tuple[str, ...]) -> Config:
    """The configuration of a file, or that of the paper's particle with a mechanism; changed by KEY=VALUE.

    Raises
    ------
    BadInput
        With every problem.
    """
    if what.endswith(".toml") or (Path(what).is_file() and not what.endswith(".py")):
        return load(Path(what), settings)
    mechanism(what)
    return check(paper(what), what, settings)


def _with(config: Config, seed: int | None, steps: float | None, events: bool) -> Config:
    """The configuration with --seed, --steps and --events in their places, so that run.json tells what was run."""
    if steps is not None and not (np.isfinite(steps) and steps > 0):
        raise BadInput(f"--steps: expected a number above zero, got {steps}")
    changed: dict[str, Any] = {}
    new_run = ({"seed": seed} if seed is not None else {}) | ({"events": True} if events else {})
    if new_run:
        changed["run"] = config.run.model_copy(update=new_run)
    if seed is not None:
        name = next(name for name in CRYSTALS if getattr(config, name) is not None)
        changed[name] = config.crystal.model_copy(update={"seed": seed})
    if steps is not None:
        changed["anneal"] = config.anneal.model_copy(update={"steps": steps, "duration": None})
    return config.model_copy(update=changed)


def _plan(config: Config, protocol: Protocol) -> Plan:
    """Marks evenly spaced over the length of the run."""
    end, in_time = length(config, protocol)
    return Plan.of(
        np.linspace(0, end, config.run.samples + 1),
        np.linspace(0, end, config.run.snapshots + 1)[: None if config.run.snapshots else 0],
        in_time=in_time,
        observables=dict.fromkeys([*observables.DEFAULT, *config.run.observables]),
        events=config.run.events,
    )


def length(config: Config, protocol: Protocol) -> tuple[float, bool]:
    """How long, in steps or in s, and whether it is s: a cold phase lasts, though hardly a step passes in it."""
    if config.anneal.steps is not None:
        return config.anneal.steps, False
    if config.anneal.duration is not None:
        return units.positive(config.anneal.duration, "time", "anneal.duration"), True
    return (protocol.duration, True) if np.isfinite(protocol.duration) else (DEFAULT_STEPS, False)
