"""The loop of a study: batches go out, results come in; what fails is kept apart, and who vanishes is found out."""

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, TypeVar

from tqdm import tqdm

from ucnp_abm.errors import UcnpError
from ucnp_abm.study import crew as crews
from ucnp_abm.study.crew import Crew, Done, Failure

BATCH_SECONDS = 0.3
"""Wall time / s of a batch: short enough to lose, long against what it costs to send."""
MOST_IN_A_BATCH = 64
_LOOK = 0.2  # s between two looks at signals

Item = TypeVar("Item")
Result = TypeVar("Result")


def carry_out(
    crew: Crew,
    items: Sequence[Any],
    take: Callable[[Done], object],
    look: Callable[[], object] = lambda: None,
) -> None:
    """Have all items done.

    When a worker vanishes, nobody knows which item of its batch did it: at the end each of them is tried alone, and
    the one with which a worker vanishes again has failed.

    Parameters
    ----------
    crew : Crew
        Of these items.
    items : sequence
    take : callable
        Told what became of each, in no order.
    look : callable
        Called several times a second; what it raises ends everything.
    """
    waiting, doubtful = deque(range(len(items))), list[int]()
    flying: dict[Future[list[Done]], tuple[int, ...]] = {}
    spent, finished = 0.0, 0
    while waiting or flying:
        while waiting and len(flying) < 2 * crew.size:
            mean = spent / finished if finished else math.inf
            fair = math.ceil(len(waiting) / (2 * crew.size))  # so that all end at about the same time
            size = max(1, min(MOST_IN_A_BATCH, int(BATCH_SECONDS / max(mean, 1e-6)), fair))
            batch = tuple(waiting.popleft() for _ in range(min(size, len(waiting))))
            flying[crew.submit(batch)] = batch
            look()
        back = _awaited(crew, flying, look)
        lost: BaseException | None = None
        while back:
            future = back.pop()
            batch = flying.pop(future)
            try:
                answers = future.result(timeout=0)
            except Exception as error:
                doubtful += batch
                if lost is None and crew.renew(error):
                    back = set(flying)  # what has not come back by now never does
                lost = error
                continue
            for done in answers:
                spent, finished = spent + done.seconds, finished + 1
                take(done)
    for number in sorted(doubtful):
        take(_alone(crew, number, items[number], look))


def _awaited(crew: Crew, flying: Iterable[Future[list[Done]]], look: Callable[[], object]) -> set[Future[list[Done]]]:
    """The futures that came back within a moment."""
    wait(flying, timeout=_LOOK, return_when=FIRST_COMPLETED)
    look()
    crew.attend()
    return {future for future in flying if future.done()}  # `wait` passes over those that others have cancelled


def _alone(crew: Crew, number: int, item: Any, look: Callable[[], object]) -> Done:
    """What becomes of an item that has the crew to itself."""
    look()
    future = crew.submit((number,))
    while not _awaited(crew, [future], look):
        pass
    try:
        return future.result(timeout=0)[0]
    except Exception as error:
        crew.renew(error)
        said = f"{item}: its worker vanished, twice ({type(error).__name__}); was it killed, or out of memory?"
        return Done(number, None, Failure(UcnpError(said), said), 0.0, "")


def in_processes(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int | None,
    progress: bool,
    unit: str,
    first: Callable[[], object] = lambda: None,
) -> list[Result]:
    """What a function gives of each item, in the order of the items, by one process for each job.

    Parameters
    ----------
    function : callable
        At the top of a module.
    items : sequence
    jobs : int or None
    progress : bool
    unit : str
        What the bar counts.
    first : callable
        Done once before several processes begin.

    Raises
    ------
    UcnpError
        What the first failing item says; all others are given up.
    """
    found: list[Any] = [None] * len(items)
    with tqdm(total=len(items), unit=unit, disable=None if progress else True, leave=False, file=sys.stderr) as bar:

        def take(done: Done) -> None:
            if done.failure is not None:
                raise done.failure.error
            found[done.number] = done.result
            bar.update()

        if crews.workers_for(jobs, len(items)) > 1:
            first()
        with crews.local(function, items, jobs) as crew:
            carry_out(crew, items, take)
    return found
