"""How far a study has come, while it runs: a line for each mechanism on a terminal, one line in a notebook."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from ucnp_abm.study.cells import CellResult
from ucnp_abm.study.grid import Study, Task

MOST_LINES = 12
"""Mechanisms with a line of their own."""
_BAR = "{desc} {percentage:3.0f}%|{bar:20}| {n_fmt}/{total_fmt}{postfix}"
_ALL = "{desc} {percentage:3.0f}%|{bar:20}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"


class Watch:
    """Shows nothing."""

    def begin(self, tasks: Sequence[Task], there: Mapping[str, CellResult]) -> None:
        """A round begins: its cells, and those that are finished."""

    def done(self, task: Task, result: CellResult | None, worker: str) -> None:
        """A cell is finished; None: it failed."""

    def close(self) -> None:
        """The study ends, or is left."""


class Lines(Watch):
    """A bar for all cells and, on a terminal, one for each mechanism with its mean so far, over all settings."""

    def __init__(self, study: Study, *, table: bool) -> None:
        self._table = table
        self._column, self._labels = study.columns[0], study.labels if table else []
        self._bars: dict[str, Any] = {}
        self._sums: dict[str, tuple[int, float]] = {}
        self._runs: dict[str, list[str]] = {}
        self._workers: set[str] = set()
        self._failed = 0

    def begin(self, tasks: Sequence[Task], there: Mapping[str, CellResult]) -> None:
        self.close()
        shown = self._labels[:MOST_LINES] if len(self._labels) > 1 else []
        width = max([len("all runs"), *(len(label) for label in shown)])
        self._sums, self._runs = {}, {}
        for task in tasks:  # a cell may stand for the runs of several settings
            self._runs.setdefault(task.identity, []).append(task.cell.label)
        for position, label in enumerate(["", *shown]):
            mine = [task for task in tasks if label in ("", task.cell.label)]
            self._bars[label] = tqdm(
                total=len(mine),
                initial=sum(task.identity in there for task in mine),
                desc=(label or "all runs").ljust(width),
                bar_format=_BAR if label else _ALL,
                position=position,
                leave=not self._table,
                file=sys.stderr,
                mininterval=0.25,
            )
        for task in tasks:
            if task.identity in there:
                self._count(task.cell.label, there[task.identity])

    def done(self, task: Task, result: CellResult | None, worker: str) -> None:
        self._failed += result is None
        self._workers.update({worker} - {""})
        for label in self._runs[task.identity]:
            if result is not None:
                self._count(label, result)
            for name in ("", label):
                if name in self._bars:
                    said = self._said() if name == "" else self._mean(label)
                    self._bars[name].set_postfix_str(said, refresh=False)
                    self._bars[name].update()

    def close(self) -> None:
        for bar in reversed(self._bars.values()):
            bar.close()
        self._bars = {}

    def _count(self, label: str, result: CellResult) -> None:
        value = float(result.course(self._column)[-1])
        if not math.isnan(value):
            n, total = self._sums.get(label, (0, 0.0))
            self._sums[label] = (n + 1, total + value)

    def _mean(self, label: str) -> str:
        n, total = self._sums.get(label, (0, 0.0))
        return f"{self._column} {total / n:.4g}" if n else ""

    def _said(self) -> str:
        n = len(self._workers)
        return f"{n} worker{'s' * (n != 1)}" + (f", {self._failed} failed" if self._failed else "")


@contextmanager
def watching(study: Study, progress: bool) -> Iterator[Watch]:
    """Show the study on stderr, if that is a terminal or a notebook."""
    notebook, terminal = _in_notebook(), sys.stderr.isatty()
    watch = Lines(study, table=terminal and not notebook) if progress and (notebook or terminal) else Watch()
    try:
        yield watch
    finally:
        watch.close()


def _in_notebook() -> bool:
    """Whether a kernel runs this code: that one is installed, or imported, does not say so."""
    python = sys.modules.get("IPython")
    return python is not None and hasattr(python.get_ipython(), "kernel")
