"""A bar on stderr while a run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.runs.plan import Plan

_STYLE = "{percentage:3.0f}%|{bar}| {n:,.0f}/{total:,.0f} {unit} [{elapsed}<{remaining}{postfix}]"


@contextmanager
def progress(plan: Plan, reached: float) -> Iterator[Callable[[Simulation], None]]:
    """Steps or s passed, time left, events per second; nothing if stderr is no terminal.

    Parameters
    ----------
    plan : Plan
    reached : float
        Where the run begins, as the plan's marks are counted.
    """
    unit, begin = "s" if plan.in_time else "steps", time.perf_counter()
    first = None
    with tqdm(
        total=plan.end, initial=min(reached, plan.end), unit=unit, bar_format=_STYLE, disable=None, leave=False
    ) as bar:

        def show(simulation: Simulation) -> None:
            nonlocal first
            first = simulation.state.events if first is None else first
            pace = (simulation.state.events - first) / max(time.perf_counter() - begin, 1e-9)
            bar.set_postfix_str(f"{pace:.3g} events/s", refresh=False)
            bar.update(min(plan.reached(simulation), plan.end) - bar.n)

        yield show


@contextmanager
def counted(total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """How many of a number of things are done, and the time left; nothing if stderr is no terminal."""
    with tqdm(total=total, unit=unit, bar_format=_STYLE, disable=None, leave=False) as bar:

        def show(done: int) -> None:
            bar.update(done - bar.n)

        yield show
