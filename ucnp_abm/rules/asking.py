"""Asking laws: first what they read, then, if a table can hold it, about every environment of their places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache

from ucnp_abm.errors import BadMechanism, BadRate
from ucnp_abm.rules.env import Counts, Unwatched
from ucnp_abm.rules.law import Law, call_law, label
from ucnp_abm.rules.on_the_way import MAX_NUMBERS, barrier_of, ways
from ucnp_abm.rules.table import Block
from ucnp_abm.rules.watch import Counting, Watch, counting, told_apart

MAX_ROWS = 1 << 19
MAX_WATCHES = 64
Answer = tuple[Block, list[float]]
"""A block that knows what is counted, and the barriers / eV of its rows; NaN where counts cannot occur."""


class ReadsTooMuch(BadMechanism):
    """A law that reads more than a table can hold."""

    def __init__(self, why: str, law: Law) -> None:
        super().__init__(why)
        self.law = law


@dataclass
class Question:
    """All places of one rule, for one mover or one channel.

    Attributes
    ----------
    asked : list of Block
    limits : list of int
        Neighbours that there are at most, by block.
    most : int
        The largest number of neighbours anywhere.
    among : tuple of str
        Species that can be neighbours.
    copies : int
        Rows of the table for each environment: both ways of a bond stand there.
    owner : str
        Name of the mechanism.
    """

    asked: list[Block]
    limits: list[int]
    most: int
    among: tuple[str, ...]
    copies: int
    owner: str
    watched: tuple[Watch, ...] = ()
    late: bool = False
    found: list[Answer] | None = None

    def begin(self) -> None:
        """Ask about each place without any neighbours; if the law wants to see some, find out which it reads."""
        try:
            self.found = [(block, [_answer(block, Counts(), self.owner)]) for block in self.asked]
        except Unwatched:
            self._glimpse()

    def _glimpse(self) -> None:
        """What the law reads in some environments of each place."""
        read: set[Watch] = set()
        for block, limit in zip(self.asked, self.limits, strict=True):
            for symbol in self.among:
                counts = Counts(whole={symbol: limit})
                with suppress(BadRate):  # it will come again when every environment is asked about
                    call_law(block.rule.law, block.environment(counts), self.owner)
                read |= counts.asked
        self._watch(read)

    def _watch(self, read: set[Watch]) -> None:
        self.watched = tuple(sorted({*self.watched, *read}, key=str))
        if len(self.watched) > MAX_WATCHES:
            law, some = self.asked[0].rule.law, ", ".join(map(str, self.watched[:3]))
            raise BadMechanism(
                f"{label(law, self.owner)} asks for more than {MAX_WATCHES} different counts ({some}, …); ask for "
                "the same ones each time"
            )

    @property
    def here(self) -> tuple[Watch, ...]:
        """What it reads of species that can be there."""
        return tuple(watch for watch in self.watched if set(watch.species) & set(self.among))

    def counting(self) -> Counting | None:
        """How its counts become rows."""
        return _counting(self.here, self.among, self.most) if self.here and not self.late else None

    @property
    def rows(self) -> float:
        """Rows that it needs in the table; infinity if its counts are too many for a map."""
        each = 1 if self.late or not self.here else counted.n_rows if (counted := self.counting()) else math.inf
        return self.copies * each * len(self.asked)

    def answered(self) -> bool:
        """Ask about every environment, unless that is done; False if the law read what was not enumerated.

        Raises
        ------
        BadRate
            If the law raises or returns something that is no barrier; the message names the environment.
        """
        if self.found is None and self.late:
            radix, places = self.most + 1, zip(self.asked, self.limits, strict=True)
            late = [
                replace(block, on_the_way=ways(block.rule, self.among, limit, radix, block.environment, self.owner))
                for block, limit in places
            ]
            self.found = [(block, [block.rule.lowest]) for block in late]
        elif self.found is None:
            absent = tuple(watch for watch in self.watched if watch not in self.here)
            blocks = [replace(block, counting=self.counting(), absent=absent) for block in self.asked]
            try:
                pairs = zip(blocks, self.limits, strict=True)
                self.found = [(block, _barriers(block, limit, self.owner)) for block, limit in pairs]
            except Unwatched as unseen:
                self._watch({unseen.watch})
        return self.found is not None

    def put_off(self, room: float) -> None:
        """Leave the rows to be worked out on the way.

        Raises
        ------
        ReadsTooMuch
            If the lowest barrier is not declared, or even so there are too many neighbourhoods.
        """
        law = self.asked[0].rule.law
        who = label(law, self.owner)
        if self.asked[0].rule.lowest is None:
            species = len(told_apart(self.here, self.among))
            need = f"tells {species} species apart, too many for a map of the neighbourhoods; name fewer one by one, "
            if self.rows < math.inf:
                left = max(0, int(room)) if room > -math.inf else 0
                need = (
                    f"needs {self.rows:,} table rows, more than the {left:,} left; read fewer species, saturate counts "
                )
                need += "(env.n.up_to(3, 'Yb')), split the rule by mover, "
            raise ReadsTooMuch(
                f"{who} reads the counts of {', '.join(map(str, self.here))} and {need}group species "
                "(env.n['Gd', 'Y']), or declare the lowest barrier that it can return (lowest=…): its rows then come "
                "on the way",
                law,
            )
        if (self.most + 1) ** len(self.among) >= MAX_NUMBERS:
            raise ReadsTooMuch(
                f"{who}: {len(self.among)} species around it are too many to tell apart, even on the way", law
            )
        self.late, self.found = True, None


def ask(questions: Sequence[Question]) -> list[list[Answer]]:
    """The answers to all questions of a mechanism; of laws that together need too many rows the largest are put off.

    Raises
    ------
    BadRate, ReadsTooMuch
        If a law gives no barrier; if it needs too many rows, and its author did not declare its lowest barrier.
    """
    for question in questions:
        question.begin()
    _make_room(questions)
    while not all(question.answered() for question in questions):  # a law read more than the glimpse had shown
        _make_room(questions)
    return [question.found or [] for question in questions]


def _make_room(questions: Sequence[Question]) -> None:
    """Put off the largest until the table can hold the rest, those first whose lowest barrier is declared."""
    while (total := sum(question.rows for question in questions)) > MAX_ROWS:
        reading = [question for question in questions if question.here and not question.late]
        if not reading:
            owner = questions[0].owner
            raise BadMechanism(f"{owner}: this crystal has too many kinds of place for a table: {total:,} rows")
        declared = [question for question in reading if question.asked[0].rule.lowest is not None]
        largest = max(declared or reading, key=lambda question: question.rows)
        largest.put_off(MAX_ROWS - (total - largest.rows))


@lru_cache(maxsize=8)
def _counting(watched: tuple[Watch, ...], among: tuple[str, ...], most: int) -> Counting | None:
    """As `counting`; movers of one law count alike."""
    return counting(watched, among, most)


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
