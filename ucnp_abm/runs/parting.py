"""The first event at which two runs part, found by running both again, and why they part there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.engine.moves import Event, Move
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.runs import eventlog
from ucnp_abm.runs.plan import EVENTS_A_PIECE, Plan
from ucnp_abm.runs.rundir import Resolve, RunDirectory

_TERMS = {
    "temperature": "K",
    "barrier": "eV",
    "energy_step": "eV",
    "attempt": "/s",
    "factor": "",
    "assisted": "/s",
}
"""What may make the rate of one event another, with its unit."""
_SAID_AGAIN = ("config", "config_resolved", "event_log")  # by the rest of run.json

Pair = tuple[Simulation, Simulation]


@dataclass(frozen=True)
class Parting:
    """How two runs differ.

    Attributes
    ----------
    configuration : mapping
        What differs in run.json: both values, by dotted key.
    common : int
        Events that both have in common.
    first : tuple of Event or None
        The next event of each; None where a run ends before it. Both None: the runs are equal.
    reasons : tuple of str
        Why they differ.
    """

    configuration: Mapping[str, tuple[Any, Any]]
    common: int
    first: tuple[Event | None, Event | None]
    reasons: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether all events are the same."""
        return not self.reasons


def part(
    a: RunDirectory, b: RunDirectory, resolve: Resolve, show: Callable[[Simulation], object] = lambda simulation: None
) -> Parting:
    """Run two run directories again, side by side from the beginning, to the first event that differs.

    Parameters
    ----------
    a, b : RunDirectory
        Finished or not: both are run to the ends of their plans.
    resolve : callable
        Finds an installed mechanism by name (`ucnp_abm.mechanism`).
    show : callable
        Told the first simulation after each block of events.

    Raises
    ------
    BadInput
        If one of them cannot be run again.
    """
    for run in (a, b):
        run.trust(lambda name: False)
    pair = a.simulation(resolve), b.simulation(resolve)
    ends = _end(pair[0], a.plan), _end(pair[1], b.plan)
    configuration = differences(a.about, b.about)
    crystals = _crystals(pair)
    common = 0 if crystals else _common(pair, ends, show)
    for simulation in pair:
        simulation.goto(event=common)
    first = _next(pair[0], ends[0]), _next(pair[1], ends[1])
    if not crystals and first == (None, None):
        return Parting(configuration, common, first, ())
    return Parting(configuration, common, first, tuple(crystals or reasons(pair, first, ends)))


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs between two run.json: both values by dotted key, None where one has none."""
    flat = [dict(_flat({k: v for k, v in about.items() if k not in _SAID_AGAIN})) for about in (a, b)]
    keys = dict.fromkeys([*flat[0], *flat[1]])
    return {key: (flat[0].get(key), flat[1].get(key)) for key in keys if flat[0].get(key) != flat[1].get(key)}


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else name)
    else:
        yield key, value


def _end(simulation: Simulation, plan: Plan) -> float:
    """Time / s of the last mark."""
    return plan.end if plan.in_time else simulation.protocol.time(plan.end, simulation.crystal.z)


def _crystals(pair: Pair) -> list[str]:
    a, b = (simulation.particle for simulation in pair)
    if a.crystal.n_sites != b.crystal.n_sites or not np.array_equal(a.crystal.points, b.crystal.points):
        return [f"the crystals differ from the start: {a.crystal.n_sites} and {b.crystal.n_sites} sites"]
    n = int((a.occupants != b.occupants).sum())
    return [f"the crystals differ from the start: other occupants on {n} of {a.crystal.n_sites} sites"] if n else []


def _common(pair: Pair, ends: tuple[float, float], show: Callable[[Simulation], object]) -> int:
    """How many events the runs have in common, counted from the beginning."""
    for simulation in pair:
        simulation.remember(EVENTS_A_PIECE)
    common = 0
    while True:
        logs = []
        for simulation, end in zip(pair, ends, strict=True):
            simulation.run_to(time=end, events=common + EVENTS_A_PIECE)
            logs.append(simulation.remembered(common))
        same = _same(logs, pair)
        common += same
        show(pair[0])
        if same < EVENTS_A_PIECE:
            return common


def _same(logs: list[NDArray[np.void]], pair: Pair) -> int:
    """How many records two logs have in common."""
    n = min(len(log) for log in logs)
    a, b = (log[:n] for log in logs)
    names = [np.array(eventlog.channels(simulation.table)) for simulation in pair]
    differ = names[0][a["channel"]] != names[1][b["channel"]]
    for field in ("t_s", "site", "direction"):
        differ |= a[field] != b[field]
    return int(np.argmax(differ)) if differ.any() else n


def _next(simulation: Simulation, end: float) -> Event | None:
    """The next event, which is then undone again; None if there is none before the end."""
    event = simulation.fire(until=max(end, simulation.time))
    if event is not None:
        simulation.back()
    return event


def reasons(
    pair: Pair, first: tuple[Event | None, Event | None], ends: tuple[float, float] = (math.inf, math.inf)
) -> list[str]:
    """Why two runs that stand at the same moment go on with different events.

    Parameters
    ----------
    pair : two Simulation
    first : two of Event or None
        The next event of each.
    ends : two of float
        Times / s at which they end.
    """
    a, b = pair
    found = []
    if a.key != b.key:
        found.append(f"the random words differ: seeds {a.seed} and {b.seed}")
    if a.scheduler != b.scheduler:
        found.append(f"the schedulers differ: {a.scheduler} and {b.scheduler}")
    found += [text for event in first if event is not None for text in _rates(pair, event.move)]
    if not found and a.total_rate() != b.total_rate():
        found.append(f"the rates of all events add up to {a.total_rate():.6g} and {b.total_rate():.6g} /s")
    if not found and ends[0] != ends[1] and None in first:
        found.append(f"one run ends before the other: {ends[0]:.6g} s and {ends[1]:.6g} s")
    if not found and a.schedule != b.schedule:
        found.append("what the crystal feels over time differs: protocol or drives")
    return list(dict.fromkeys(found)) or ["the rates of events that are possible elsewhere, or their bounds, differ"]


def _rates(pair: Pair, move: Move) -> list[str]:
    """In what the rate of one event differs between the runs; nothing if it does not."""
    seen = [
        next((m for m in s.options(move.site) if (m.verb, m.species, m.to) == (move.verb, move.species, move.to)), None)
        for s in pair
    ]
    rates = [m.rate if m else 0.0 for m in seen]
    if rates[0] == rates[1]:
        return []
    what = f"{move.verb} {move.species} at site {move.site}: {rates[0]:.6g} and {rates[1]:.6g} /s"
    if seen[0] is None or seen[1] is None:
        return [f"the rates differ: {what}"]
    terms = [(name, getattr(seen[0], name), getattr(seen[1], name), unit) for name, unit in _TERMS.items()]
    differ = [f"{name.replace('_', ' ')} {x:.6g} and {y:.6g} {unit}".strip() for name, x, y, unit in terms if x != y]
    return [f"the rates differ: {what} ({', '.join(differ)})"]
