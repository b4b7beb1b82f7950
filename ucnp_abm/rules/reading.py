"""What the laws read of the neighbours, as arrays for the loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.species import N_CODES, SPECIES
from ucnp_abm.rules.watch import Counting, weights

if TYPE_CHECKING:
    from ucnp_abm.rules.asking import Answer

NOTHING, COUNTS, ON_THE_WAY = 0, 1, 2  # as in kernels.layout; a test compares them


class Maps:
    """The maps from numbers to rows, one behind the other; equal ones stand once."""

    def __init__(self) -> None:
        self._places: dict[tuple[object, ...], int] = {}
        self._rows: list[NDArray[np.uint32]] = []
        self._size = 0

    def place(self, counting: Counting) -> int:
        """Where the map of a counting begins."""
        key = (counting.watched, counting.classes, counting.radix)
        if key not in self._places:
            self._places[key] = self._size
            self._rows.append(counting.row)
            self._size += counting.row.size
        return self._places[key]

    def rows(self) -> NDArray[np.uint32]:
        """All maps."""
        return np.concatenate([np.zeros(0, dtype=np.uint32), *self._rows])


class Readers:
    """What each of n laws (by mover, or by channel) reads.

    Attributes
    ----------
    weight : (n, S) uint64
        What a neighbour of each species adds to the number.
    counts : (n,) uint8
        NOTHING, COUNTS or ON_THE_WAY.
    map : (n,) uint32
        Where the law's map begins.
    """

    def __init__(self, n: int, maps: Maps) -> None:
        self.weight = np.zeros((n, N_CODES), dtype=np.uint64)
        self.counts = np.zeros(n, dtype=np.uint8)
        self.map = np.zeros(n, dtype=np.uint32)
        self._maps = maps

    def note(self, number: int, answers: Sequence[Answer]) -> None:
        """The law of this number was asked, and these are its answers."""
        if not answers:  # it has no place in this crystal
            return
        block, _ = answers[0]  # all of one law count alike
        if block.counting:
            self.counts[number] = COUNTS
            self.map[number] = self._maps.place(block.counting)
            self._weigh(number, block.counting.weight)
        elif block.on_the_way:
            self.counts[number] = ON_THE_WAY
            self._weigh(number, weights([(s,) for s in block.on_the_way.species], block.on_the_way.radix))

    def _weigh(self, number: int, weight: dict[str, int]) -> None:
        for symbol, each in weight.items():
            self.weight[number, SPECIES[symbol].code] = each
