"""How long a study will take, from the beginning of some of its runs, which is their busiest part."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ucnp_abm.observables import OBSERVABLES
from ucnp_abm.study.cells import Cell, beginning, run_cell, warm_up
from ucnp_abm.study.grid import Task

_BEGINNING = 0.05
"""Share of a run that is tried."""
_MOST_STEPS = 20_000
"""Of a longer beginning only so many steps are tried: an estimate never takes long."""
_SHORT = 0.5
"""Wall time / s up to which a run is tried whole."""
MOST_SETTINGS = 24
"""So many settings are tried at most, evenly spread."""
PATIENCE_S = 10.0
"""Wall time after which no other setting is tried."""


def seconds(tasks: Sequence[Task], known: Mapping[str, float]) -> float:
    """Wall time / s of cells one after the other.

    Parameters
    ----------
    tasks : sequence of Task
        Of which some are tried.
    known : mapping
        Seconds of cells that are finished, by identity: if there are any, their mean is taken instead.
    """
    if not tasks:
        return 0.0
    if known:
        return len(tasks) * sum(known.values()) / len(known)
    at: dict[int, list[Task]] = {}
    for task in tasks:
        at.setdefault(task.point, []).append(task)
    by_point = list(at.values())
    chosen = np.linspace(0, len(by_point) - 1, min(len(by_point), MOST_SETTINGS)).round().astype(int)
    tried: list[float] = []
    warm_up(tasks[0].cell)  # the loop's compilation is not counted
    begin = time.perf_counter()
    for number in _spread(chosen.tolist()):
        firsts = {task.cell.label: task.cell for task in reversed(by_point[number])}
        tried += [_of(cell) for cell in firsts.values()]
        if time.perf_counter() - begin > PATIENCE_S:
            break
    return len(tasks) * sum(tried) / len(tried)


def _spread(numbers: list[int]) -> list[int]:
    """The same numbers, the ends and the middle first, so that whatever is left out lies between others."""
    order: list[int] = []
    step = max(1, len(numbers) - 1)
    while len(order) < len(numbers):
        order += [n for n in (*numbers[::step], numbers[-1]) if n not in order]
        step = max(1, step // 2)
    return list(dict.fromkeys(order))


def _of(cell: Cell) -> float:
    """A short run itself; else growth, the run in proportion to its beginning, and light once for each mark."""
    quick = replace(cell, observables=tuple(name for name in cell.observables if not OBSERVABLES[name].costly))
    tried = min(_BEGINNING, _MOST_STEPS / cell.marks[-1])
    idle, short = (_timed(beginning(quick, share)) for share in (0.0, tried))
    found = idle + max(0.0, short - idle) / tried
    if found < _SHORT and quick.observables == cell.observables:
        return _timed(replace(cell, snapshots=(), directory=None))
    if quick.observables != cell.observables:
        found += max(0.0, _timed(beginning(cell, tried)) - short) * len(cell.marks)
    return found


def _timed(cell: Cell) -> float:
    begin = time.perf_counter()
    run_cell(cell)
    return time.perf_counter() - begin
