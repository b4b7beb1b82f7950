"""The design of a comparison: mechanisms x replicates, each replicate one crystal that every mechanism anneals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ucnp_abm import observables, registry, units
from ucnp_abm.crystal.particle import Particle
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.runs.provenance import provenance
from ucnp_abm.seeds import generator
from ucnp_abm.study.cells import Cell, Recipe

if TYPE_CHECKING:
    from ucnp_abm.photons.optics import Optics

DEFAULT_STEPS = 1000.0
DEFAULT_OBSERVABLES = ("outside_core_pct", "vacancies", "docked")
SAMPLES = 50
"""Stretches of a time course."""
MAX_REPLICATES = 100_000
_SEEDS = 2**48  # short enough to type, and two of 10 000 replicates share one with a chance of 2e-7


@dataclass(frozen=True)
class Design:
    """What is compared at one setting.

    Attributes
    ----------
    mechanisms : mapping
        Mechanism by label; all are compared with the first.
    recipe : Recipe
    protocol : Protocol
    seeds : tuple of int
        One for each replicate.
    marks : tuple of float
        Steps of the table and of the snapshots; the last one ends every run.
    columns : tuple of str
        Observables compared, families as their columns.
    observables : tuple of str
        All that is read.
    optics : Optics or None
        At which light is read; None: the default.
    point : str
        What the study calls this setting; '' if there is but one.
    room : Room
    fingerprints : mapping
        SHA-256 of the rate table on the first crystal, by label.
    """

    mechanisms: Mapping[str, Mechanism]
    recipe: Recipe
    protocol: Protocol
    seeds: tuple[int, ...]
    marks: tuple[float, ...]
    columns: tuple[str, ...]
    observables: tuple[str, ...]
    optics: Optics | None
    point: str
    room: Room
    fingerprints: Mapping[str, str] = field(repr=False)

    @property
    def steps(self) -> float:
        """Length of every run."""
        return self.marks[-1]

    @property
    def samples(self) -> tuple[float, ...]:
        """Steps at which observables are read: the marks and evenly spaced ones."""
        even = np.linspace(0.0, self.steps, SAMPLES + 1).tolist()
        others = [s for s in even if all(abs(s - m) > 1e-9 * self.steps for m in self.marks)]
        return tuple(sorted([*self.marks, *others]))

    def time(self, steps: float) -> float:
        """Time / s at which so many steps have passed."""
        return self.protocol.time(steps, self.room.z)

    def with_seeds(self, seeds: Sequence[int]) -> Design:
        """The same with other replicates."""
        return replace(self, seeds=tuple(seeds))

    def first(self) -> Particle:
        """The crystal of the first replicate, grown anew: a study of many settings holds none of them."""
        return self.recipe.build(self.seeds[0])

    def provenance(self) -> dict[str, dict[str, Any]]:
        """What run.json holds of the first replicate, by label."""
        first = self.first()
        return {
            label: provenance(Simulation(first, each, self.protocol, seed=self.seeds[0]))
            for label, each in self.mechanisms.items()
        }

    def cells(self, directory: Path | None = None) -> list[Cell]:
        """All runs, replicate by replicate; the first replicate keeps its snapshots.

        Parameters
        ----------
        directory : Path or None
            Where each run writes a run directory `<label>/seed-<n>` with snapshots.
        """
        samples = self.samples
        brought = tuple(observables.OBSERVABLES[name] for name in self.observables if not observables.ships(name))
        return [
            Cell(
                label,
                mechanism,
                self.recipe,
                self.protocol,
                replicate,
                seed,
                samples,
                self.marks,
                self.marks if directory or replicate == 0 else (),
                self.observables,
                self.optics,
                self.point,
                brought,
                directory / label / f"seed-{seed}" if directory else None,
            )
            for replicate, seed in enumerate(self.seeds)
            for label, mechanism in self.mechanisms.items()
        ]


class Room(NamedTuple):
    """What a design must know of its first crystal when that is gone.

    Attributes
    ----------
    z : int
        Bonds of a site.
    n_sites, n_exposed : int
    periodic : bool
    """

    z: int
    n_sites: int
    n_exposed: int
    periodic: bool


def design(
    mechanisms: Iterable[str | Mechanism] | Mapping[str, str | Mechanism],
    particle: Recipe,
    protocol: Protocol | str | float,
    seeds: Sequence[int],
    steps: float | None = None,
    names: Sequence[str] | None = None,
    marks: Sequence[float | str] | None = None,
    optics: Optics | None = None,
    point: str = "",
) -> Design:
    """A design, checked as a whole: every mechanism is tabulated on the first crystal, before anything runs.

    Parameters
    ----------
    mechanisms, particle, protocol, steps, marks
        As for `compare`; `names` are its observables.
    seeds : sequence of int
        One for each replicate.
    optics, point
        As for `Design`.

    Raises
    ------
    BadInput, BadMechanism
        If it cannot run.
    """
    labelled = labels(mechanisms)
    if isinstance(particle, (Particle, type)) or not callable(getattr(particle, "build", None)):
        raise BadInput(
            f"particle: expected a recipe that grows one for each replicate, as CoreShell(…), got {particle!r}"
        )
    chosen = DEFAULT_OBSERVABLES if names is None else tuple(names)
    if isinstance(names, str) or not chosen:
        raise BadInput(f"observables: expected a list of names, got {names!r}")
    registry.find_observables(chosen)
    schedule = Protocol.parse(protocol)
    first = particle.build(seeds[0])
    crystal = first.crystal
    columns: list[str] = []
    fingerprints = {}
    for label, each in labelled.items():
        opened = Simulation(first, each, schedule, seed=seeds[0])
        fingerprints[label] = opened.table.fingerprint()
        for name in chosen:  # what is costly is one number, and is not read here
            columns += [name] if observables.OBSERVABLES[name].costly else observables.read(opened, [name])
    return Design(
        mechanisms=labelled,
        recipe=particle,
        protocol=schedule,
        seeds=tuple(seeds),
        marks=_marks(steps, marks, schedule, crystal.z),
        columns=tuple(dict.fromkeys(columns)),
        observables=tuple(dict.fromkeys((*observables.DEFAULT, *chosen))),
        optics=optics,
        point=point,
        room=Room(crystal.z, crystal.n_sites, int(crystal.exposed_sites.size), crystal.periodic),
        fingerprints=fingerprints,
    )


def labels(mechanisms: Iterable[str | Mechanism] | Mapping[str, str | Mechanism]) -> dict[str, Mechanism]:
    """Mechanisms by label: that of a mapping, or the mechanism's name.

    Raises
    ------
    BadInput
        If there is none, one is unknown, or two have one label.
    """
    if isinstance(mechanisms, (str, Mechanism)) or not isinstance(mechanisms, Iterable):
        raise BadInput(f"mechanisms: expected a list such as ['no-complex', 'y-complex'], got {mechanisms!r}")
    given: Sequence[tuple[Any, Any]]
    given = list(mechanisms.items()) if isinstance(mechanisms, Mapping) else [(None, each) for each in mechanisms]
    if not given:
        raise BadInput("mechanisms: expected at least one, such as 'no-complex', got none")
    found: dict[str, Mechanism] = {}
    for label, each in given:
        if not isinstance(each, (str, Mechanism)):
            raise BadInput(f"mechanisms: expected a name or a Mechanism, got {each!r}")
        mechanism = registry.mechanism(each)
        name = mechanism.name if label is None else label
        if not isinstance(name, str) or not name.strip():
            raise BadInput(f"mechanisms: expected labels that are text, got {name!r}")
        if name in found:
            raise BadInput(
                f"mechanisms: '{name}' is given twice; tell the two apart by labels, as in {{'a': …, 'b': …}}"
            )
        found[name] = mechanism
    return found


def replicate_seeds(seed: int, replicates: int) -> tuple[int, ...]:
    """Seeds of the replicates; each depends on `seed` and its own number only.

    Raises
    ------
    BadInput
        If there is no replicate, or one of the numbers is none.

    Examples
    --------
    >>> replicate_seeds(0, 3)[:2] == replicate_seeds(0, 2)
    True
    """
    if units.count(replicates, "replicates") == 0:
        raise BadInput("replicates: expected a whole number of at least 1, got 0")
    if replicates > MAX_REPLICATES:
        raise BadInput(f"replicates: expected at most {MAX_REPLICATES}, got {replicates}")
    return tuple(int(generator(seed, f"replicate {number}").integers(_SEEDS)) for number in range(replicates))


def _marks(steps: float | None, marks: Sequence[float | str] | None, protocol: Protocol, z: int) -> tuple[float, ...]:
    """Marks with 0 and the end: `steps`, else the protocol's own, else the last mark, else 1000."""
    asked = {_mark(mark, protocol, z): mark for mark in marks} if marks is not None else {}
    given = sorted(asked)
    if steps is not None:
        if not math.isfinite(units.amount(steps, "steps")) or steps == 0:
            raise BadInput(f"steps: expected a finite number above zero, got {steps}")
        end = float(steps)
    elif math.isfinite(protocol.duration):
        end = protocol.steps(protocol.duration, z)
    else:
        end = given[-1] if given and given[-1] > 0 else DEFAULT_STEPS
    if given and given[-1] > end * (1 + 1e-9):
        mark = asked[given[-1]]
        told = f"{mark!r}, {given[-1]:g} steps," if isinstance(mark, str) else f"{given[-1]:g}"
        raise BadInput(f"marks: {told} lies beyond the end, {end:g} steps")
    inner = given or [0.1 * end, 0.5 * end]
    return (0.0, *(mark for mark in inner if 0 < mark < end * (1 - 1e-9)), end)


def _mark(given: float | str, protocol: Protocol, z: int) -> float:
    """Steps of a mark: a number of them, or a time such as '10 min'."""
    if isinstance(given, str):
        return protocol.steps(units.positive(given, "time", "marks"), z)
    return units.amount(given, "marks")
