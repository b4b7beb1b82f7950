"""A study: mechanisms x settings x replicates, and which runs that makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ucnp_abm.errors import BadInput, UcnpError
from ucnp_abm.study.axes import FACTORIAL, ONE_AT_A_TIME, Levels, named
from ucnp_abm.study.cells import Cell
from ucnp_abm.study.design import Design, replicate_seeds
from ucnp_abm.study.identity import basis, identity

if TYPE_CHECKING:
    from ucnp_abm.study.outcome import StudyResult

MAX_CELLS = 1_000_000
_TOLD = 12
"""So many settings that cannot be built are told one by one."""


@dataclass(frozen=True)
class Point:
    """One setting: a level of each axis, and what is compared there.

    Attributes
    ----------
    levels : mapping
        Level by axis.
    design : Design
    """

    levels: Levels
    design: Design

    @property
    def name(self) -> str:
        """'thickness = 1 nm, Yb = 19 %', or what differs from 'base'; '' if nothing varies."""
        return self.design.point


@dataclass(frozen=True)
class Task:
    """A cell with its place in the study.

    Attributes
    ----------
    identity : str
    cell : Cell
    point : int
        Number of its setting.
    """

    identity: str
    cell: Cell
    point: int


@dataclass(frozen=True)
class Study:
    """What is to be found out, by which runs.

    Attributes
    ----------
    name, question : str
    axes : mapping
        Levels by axis, as texts, in the order of the file.
    points : tuple of Point
        The first is the base of a study that varies one thing at a time.
    arrangement : {'factorial', 'one-at-a-time'}
    seed : int
        Of the whole study.
    replicates : int
        Of each mechanism at each setting, to begin with.
    precision : mapping
        Half-width of the 95 % interval at which a setting needs no more replicates, by observable; empty: none.
    max_replicates : int
        Where precision gives up.
    source : mapping
        The study file as plain data.
    command : str
        What gives the same again.
    """

    name: str
    question: str
    axes: Mapping[str, tuple[str, ...]]
    points: tuple[Point, ...] = field(repr=False)
    arrangement: str = FACTORIAL
    seed: int = 0
    replicates: int = 8
    precision: Mapping[str, float] = field(default_factory=dict)
    max_replicates: int = 64
    source: Mapping[str, Any] = field(default_factory=dict, repr=False)
    command: str = ""

    @property
    def labels(self) -> list[str]:
        """The mechanisms; all are compared with the first."""
        return list(self.points[0].design.mechanisms)

    @property
    def columns(self) -> tuple[str, ...]:
        """What is compared; the first decides the verdict."""
        return tuple(dict.fromkeys(column for point in self.points for column in point.design.columns))

    @property
    def n_cells(self) -> int:
        """Cells to begin with."""
        return len(self.points) * len(self.labels) * self.replicates

    def tasks(self, replicates: Sequence[int] | None = None) -> list[Task]:
        """All cells, setting by setting and replicate by replicate.

        Parameters
        ----------
        replicates : sequence of int or None
            How many each setting has; None: as at the beginning.
        """
        found = []
        for number, point in enumerate(self.points):
            n = self.replicates if replicates is None else replicates[number]
            cells = point.design.with_seeds(replicate_seeds(self.seed, n)).cells()
            bases = {c.label: basis(c, point.design.fingerprints[c.label]) for c in cells[: len(self.labels)]}
            found += [Task(identity(bases[cell.label], cell), cell, number) for cell in cells]
        return found

    def run(
        self,
        directory: str | Path | None = None,
        jobs: int | None = None,
        executor: Executor | None = None,
        scheduler: str | None = None,
        progress: bool = True,
    ) -> StudyResult:
        """Run what is missing.

        Parameters
        ----------
        directory : path or None
            Study directory: new, or one that goes on. None: everything stays in memory, and the first run that fails
            ends the study.
        jobs : int or None
            Processes; None: one for each core that this process may use.
        executor : concurrent.futures.Executor or None
            Who works instead of local processes.
        scheduler : str or None
            Address of a Dask scheduler such as 'tcp://host:8786', or 'local', instead.
        progress : bool
            Show on stderr how far it has come, if that is a terminal or a notebook.

        Raises
        ------
        UcnpError
            In one sentence; Stopped if a signal came.
        """
        from ucnp_abm.study.running import run_study

        return run_study(self, directory, jobs=jobs, executor=executor, scheduler=scheduler, progress=progress)


def distinct(tasks: Iterable[Task]) -> list[Task]:
    """The tasks without those that an earlier one does as well."""
    found: dict[str, Task] = {}
    for task in tasks:
        found.setdefault(task.identity, task)
    return list(found.values())


def points_of(
    settings: Sequence[Levels],
    axes: Iterable[str],
    build: Callable[[Levels, str], Design],
    arrangement: str = FACTORIAL,
) -> list[Point]:
    """A point of each setting; all that cannot be built are told together, before anything runs.

    Parameters
    ----------
    settings : sequence of mapping
    axes : iterable of str
    build : callable
        Gives the design of a setting with this name.
    arrangement : str

    Raises
    ------
    BadInput
        With every setting that cannot be built and why; a single one of a study without axes raises what it says.
    """
    names = list(axes)
    base = settings[0] if arrangement == ONE_AT_A_TIME and settings else None
    found, refused = [], []
    for levels in settings:
        name = named(levels, names, base)
        try:
            found.append(Point(levels, build(levels, name)))
        except UcnpError as error:
            if not names:
                raise
            refused.append(f"  {name}: {error}")
    if refused:
        many = f"{len(refused)} of {len(settings)} settings cannot be built; nothing was run"
        more = [f"  … and {len(refused) - _TOLD} more"] if len(refused) > _TOLD else []
        raise BadInput("\n".join([f"study: {many}", *refused[:_TOLD], *more]))
    return found
