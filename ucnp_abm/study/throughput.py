"""Throughput on this machine: accepted events per CPU second of one core, with acceptance and candidates beside it."""

from __future__ import annotations

import functools
import importlib.metadata
import math
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.lattice import named
from ucnp_abm.crystal.particle import Box, Particle
from ucnp_abm.engine.simulation import Scheduler, Simulation
from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.registry import mechanism as resolve
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.study.cells import PAPER_PARTICLE
from ucnp_abm.units import BOLTZMANN

TEMPERATURE = 573.15
RATIOS, STIFF = (1.0, 0.7, 0.5, 0.2), (1.0, 1e-2, 1e-3, 1e-4)
"""Relative hop rates of Y, Gd, Yb and Tm; the mean of the first is the acceptance, about 60 %."""
STRETCH, REPEATS = 0.2, 12
"""Seconds of CPU that one stretch takes, about, and stretches of which the best counts."""
QUICK = 100_000
"""Sites of the largest crystal that a quick measurement takes."""
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
PROCESSOR = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Workload:
    """What is measured: 1 % vacancies in a box, or the paper's particle.

    Attributes
    ----------
    name : str
    kind : str
        'equal', 'four', 'stiff', 'neighbours', 'stiff neighbours' (see `mechanism_of`), or the name of an installed
        mechanism.
    lattice : str
    cells : int
        Cells along each axis of a periodic box; 0: the paper's particle.
    """

    name: str
    kind: str
    lattice: str = "fcc"
    cells: int = 0

    @property
    def sites(self) -> int:
        """Sites of the box; 0 for the paper's particle."""
        return len(named(self.lattice).basis) * self.cells**3


def _sizes(what: str, kind: str, lattice: str, **cells: int) -> tuple[Workload, ...]:
    return tuple(Workload(f"{what}, {size.strip('_')}", kind, lattice, n) for size, n in cells.items())


WORKLOADS = (
    *_sizes("equal rates", "equal", "fcc", _7k=12, _64k=25, _512k=50, _4M=100),
    *_sizes("four species", "four", "fcc", _7k=12, _64k=25, _512k=50, _4M=100),
    *_sizes("neighbour energies", "neighbours", "fcc", _7k=12, _64k=25, _512k=50, _4M=100),
    *_sizes("four species, beta", "four", "beta", _7k=15, _64k=32),
    *_sizes("stiff species", "stiff", "fcc", _7k=12, _64k=25),
    *_sizes("stiff neighbours", "stiff neighbours", "fcc", _7k=12, _64k=25),
    *_sizes("stiff neighbours, beta", "stiff neighbours", "beta", _7k=15),
    Workload("paper's particle, no-complex", "no-complex", "beta"),
)


@dataclass(frozen=True)
class Measurement:
    """One line of the table.

    Attributes
    ----------
    workload, lattice, scheduler : str
    sites, vacancies : int
        At the end.
    events_per_s, candidates_per_s : float
        Of the best stretch, per CPU second; 0 if no event could happen.
    events, repeats : int
        Events in each stretch, and stretches that were measured.
    bytes_per_site : float
        Of all arrays that the simulation leads to at the start: crystal, occupants, state, rates and sums. States of
        the past, at most 64 MB in all (`ucnp_abm.engine.timeline`), come on top.
    build_s : float
        Wall time / s of building particle and simulation; particles of one size are built once.
    """

    workload: str
    lattice: str
    sites: int
    vacancies: int
    scheduler: str
    events_per_s: float
    candidates_per_s: float
    events: int
    repeats: int
    bytes_per_site: float
    build_s: float

    @property
    def acceptance(self) -> float:
        """Events for each candidate; 0 if there was none."""
        return self.events_per_s / self.candidates_per_s if self.candidates_per_s else 0.0


def chosen(names: Sequence[str], quick: bool = False) -> tuple[Workload, ...]:
    """The workloads with these names, or with names that begin so ('four species'); all of them if none is named.

    Parameters
    ----------
    names : sequence of str
    quick : bool
        Leave out crystals of more than 100 000 sites.

    Raises
    ------
    BadInput
        If a name is unknown, with the nearest one, or if nothing is left.
    """
    wanted = set()
    for name in names:
        found = {w for w in WORKLOADS if w.name == name or w.name.rpartition(", ")[0] == name}
        if not found:
            known = dict.fromkeys(n for w in WORKLOADS for n in (w.name, w.name.rpartition(", ")[0]))
            raise BadInput(f"workload: unknown workload '{name}'{nearest(name, known)}")
        wanted |= found
    left = tuple(w for w in WORKLOADS if (not names or w in wanted) and not (quick and w.sites > QUICK))
    if not left:
        raise BadInput(f"workload: a quick measurement takes up to {QUICK} sites, and none of these is so small")
    return left


def mechanism_of(kind: str) -> Mechanism:
    """The rules of a workload.

    'equal': one hop rate for all. 'four': Y, Gd, Yb and Tm at the relative rates above. 'stiff': at 1, 0.01, 0.001 and
    0.0001. 'neighbours': one barrier that grows by 0.2 meV with each Gd next to either end (24 neighbours are read on
    fcc, 16 on beta). 'stiff neighbours': by 30 meV, so that few hops are fast.
    """
    ratios = {"equal": (1.0,) * 4, "four": RATIOS, "stiff": STIFF, "neighbours": (1.0,) * 4, "stiff neighbours": RATIOS}
    slope = {"neighbours": 0.0002, "stiff neighbours": 0.03}.get(kind, 0.0)
    if kind not in ratios:
        return resolve(kind)
    mechanism = Mechanism("bench", summary="A workload, not a mechanism.", source="Assumption: round numbers")
    for symbol, ratio in zip(("Y", "Gd", "Yb", "Tm"), ratios[kind], strict=True):
        energy = 1.65 - BOLTZMANN * TEMPERATURE * math.log(ratio)
        if slope:
            mechanism.hop(mover=symbol)(lambda env, energy=energy: energy + slope * env.n["Gd"])
        else:
            mechanism.hop(mover=symbol)(lambda env, energy=energy: energy)
    return mechanism


@functools.lru_cache(maxsize=4)
def _box(lattice: str, cells: int) -> Particle:
    return Box(lattice, (cells,) * 3, "Y: 25% Gd, 25% Yb, 25% Tm", vacancies=0.01).build(1)


def simulation_of(workload: Workload, scheduler: Scheduler = "auto") -> Simulation:
    """The simulation that a workload measures."""
    particle = _box(workload.lattice, workload.cells) if workload.cells else PAPER_PARTICLE.build(1)
    return Simulation(particle, mechanism_of(workload.kind), TEMPERATURE, seed=1, scheduler=scheduler)


def measure(
    workload: Workload,
    events: int | None = None,
    repeats: int = REPEATS,
    scheduler: Scheduler = "auto",
    tell: Callable[[], object] = lambda: None,
) -> Measurement:
    """The best of several stretches, after a warm-up.

    Parameters
    ----------
    workload : Workload
    events : int or None
        Accepted events in each stretch; None: as many as take 0.2 s.
    repeats : int
    scheduler : {'auto', 'rejection', 'sum-tree'}
    tell : callable
        Called after each stretch.
    """
    begin = time.perf_counter()
    simulation = simulation_of(workload, scheduler)
    built = time.perf_counter() - begin
    simulation.run(events=1000)  # loads the compiled loop
    held = sum(array.nbytes for _, array in arrays(simulation))
    events_per_s, candidates_per_s, events = pace(simulation, events, repeats, tell=tell)
    return Measurement(
        workload=workload.name,
        lattice=workload.lattice,
        sites=simulation.crystal.n_sites,
        vacancies=simulation.state.n_vacancies,
        scheduler=simulation.scheduler,
        events_per_s=events_per_s,
        candidates_per_s=candidates_per_s,
        events=events,
        repeats=repeats,
        bytes_per_site=held / simulation.crystal.n_sites,
        build_s=built,
    )


def pace(
    simulation: Simulation,
    events: int | None = None,
    repeats: int = REPEATS,
    seconds: float = STRETCH,
    tell: Callable[[], object] = lambda: None,
) -> tuple[float, float, int]:
    """Events and candidates per CPU second in the best of several stretches, and the events of a stretch.

    Parameters are those of `measure`; a stretch takes `seconds` of CPU, about, if `events` is None.
    """
    events = _events_for(simulation, seconds) if events is None else events
    best = (0.0, 0.0)
    for _ in range(repeats):
        happened, drawn, spent = _stretch(simulation, events)
        best = max(best, (happened / spent, drawn / spent)) if happened else best
        tell()
    return *best, events


def _stretch(simulation: Simulation, events: int) -> tuple[int, int, float]:
    """Events, candidates and CPU seconds of one stretch, which ends early if nothing more can happen."""
    happened, drawn, begin = simulation.state.events, simulation.state.candidates, time.process_time()
    simulation.run(events=events)
    spent = max(time.process_time() - begin, 1e-9)
    return simulation.state.events - happened, simulation.state.candidates - drawn, spent


def _events_for(simulation: Simulation, seconds: float) -> int:
    """So many events that a stretch takes the time given, about; stretches grow until one takes a quarter of it."""
    events = 1000
    while True:
        happened, _, spent = _stretch(simulation, events)
        if spent > seconds / 4 or happened < events:
            return max(1000, int(events * seconds / spent)) if happened == events else events
        events *= 4


def arrays(thing: Any, path: str = "simulation", seen: set[int] | None = None) -> Iterator[tuple[str, NDArray[Any]]]:
    """(path, array) of all arrays that attributes, tuples, lists and dicts of our objects lead to, each memory once."""
    seen = set() if seen is None else seen
    if isinstance(thing, np.ndarray):
        while isinstance(thing.base, np.ndarray):
            thing = thing.base
    if id(thing) in seen:
        return
    seen.add(id(thing))
    inside: Iterable[tuple[str, Any]] = ()
    if isinstance(thing, np.ndarray):
        yield path, thing
    elif isinstance(thing, dict):
        inside = ((f"{path}[{key!r}]", value) for key, value in thing.items())
    elif isinstance(thing, tuple) and hasattr(thing, "_fields"):
        inside = ((f"{path}.{key}", getattr(thing, key)) for key in thing._fields)
    elif isinstance(thing, (list, tuple)):
        inside = ((f"{path}[{n}]", value) for n, value in enumerate(thing))
    elif type(thing).__module__.startswith("ucnp_abm") and hasattr(thing, "__dict__"):
        inside = ((f"{path}.{key}", value) for key, value in vars(thing).items())
    for where, value in inside:
        yield from arrays(value, where, seen)


def machine() -> dict[str, Any]:
    """Processor, its caches, cores, and versions; what the system does not tell is left out. No names, no paths."""
    model = [line.partition(":")[2].strip() for line in _lines(PROCESSOR) if line.startswith("model name")]
    caches = {}
    for folder in sorted(CACHES.glob("index*")):
        level, kind, size = (" ".join(_lines(folder / name)) for name in ("level", "type", "size"))
        caches[f"L{level} {kind.lower()}"] = size
    return {
        "processor": model[0] if model else platform.machine(),
        "cores": os.cpu_count(),
        "caches": caches,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("numpy", "numba", "ucnp-abm")},
    }


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
