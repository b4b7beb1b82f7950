"""Asking a law: about every environment of its places, or, if these are too many, about a sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ucnp_abm.errors import BadMechanism
from ucnp_abm.rules.env import Counts, Unwatched
from ucnp_abm.rules.law import label
from ucnp_abm.rules.on_the_way import MAX_NUMBERS, barrier_of, ways
from ucnp_abm.rules.table import Block
from ucnp_abm.rules.watch import Watch, counting

MAX_ROWS = 1 << 20
Answer = tuple[Block, list[float]]
"""A block that knows what is counted, and the barriers / eV of its rows; NaN where counts cannot occur."""


def ask(
    asked: Sequence[Block], limits: Sequence[int], most: int, among: tuple[str, ...], room: int, owner: str
) -> list[Answer]:
    """Barriers of all rows of the blocks of one rule.

    Which counts a law reads is found by tracing it: a read of a count that is not enumerated ends the round, and the
    next one enumerates it too.

    Parameters
    ----------
    asked : sequence of Block
        All of one rule.
    limits : sequence of int
        Neighbours that there are at most, by block.
    most : int
        The largest number of neighbours anywhere.
    among : tuple of str
        Species that can be neighbours.
    room : int
        Rows that the table can still hold.
    owner : str
        Name of the mechanism.

    Raises
    ------
    BadRate
        If the law raises or returns something that is no barrier; the message names the environment.
    BadMechanism
        If it reads more than a table can hold, and its author did not declare its lowest barrier.
    """
    watched: tuple[Watch, ...] = ()
    while True:
        here = [watch for watch in watched if set(watch.species) & set(among)]
        absent = tuple(watch for watch in watched if watch not in here)
        counted = counting(here, among, most) if here else None
        rows = counted.n_rows if counted else math.inf if here else 1
        if 2 * rows * len(asked) > room:
            return _too_many(asked, limits, most, among, here, rows, room, owner)
        blocks = [replace(block, counting=counted, absent=absent) for block in asked]
        try:
            return [(block, _barriers(block, limit, owner)) for block, limit in zip(blocks, limits, strict=True)]
        except Unwatched as unseen:
            watched = tuple(sorted({*watched, unseen.watch}, key=str))


def _barriers(block: Block, limit: int, owner: str) -> list[float]:
    """The law's answer for each row of a block."""
    if block.counting is None:
        return [_answer(block, block.counts(0), owner)]
    return [
        _answer(block, block.counts(row), owner) if least <= limit else math.nan
        for row, least in enumerate(block.counting.least.tolist())
    ]


def _answer(block: Block, counts: Counts, owner: str) -> float:
    barrier = barrier_of(block.rule, block.environment(counts), owner)
    if (watch := counts.unseen()) is not None:
        raise Unwatched(watch)
    return barrier


def _too_many(
    asked: Sequence[Block],
    limits: Sequence[int],
    most: int,
    among: tuple[str, ...],
    watched: Sequence[Watch],
    rows: float,
    room: int,
    owner: str,
) -> list[Answer]:
    """One row for each block, at the lowest barrier; the others are worked out on the way."""
    rule = asked[0].rule
    need = f"{2 * rows * len(asked):,} table rows, more than the {room:,} left" if rows < math.inf else "a huge table"
    if rule.lowest is None:
        raise BadMechanism(
            f"{label(rule.law, owner)} reads the counts of {', '.join(map(str, watched))}, which needs {need}; read "
            "fewer species, group them (env.n['Gd', 'Y']), saturate counts (env.n.up_to(3, 'Yb')), split the rule by "
            "mover, or declare the lowest barrier that it can return (lowest=…): its rows then come on the way"
        )
    if (most + 1) ** len(among) >= MAX_NUMBERS or 2 * len(asked) > room:
        raise BadMechanism(
            f"{label(rule.law, owner)}: {len(among)} species around it are too many to tell apart, even on the way"
        )
    return [
        (
            replace(block, on_the_way=ways(rule, among, limit, most + 1, block.environment, owner)),
            [rule.lowest],
        )
        for block, limit in zip(asked, limits, strict=True)
    ]
