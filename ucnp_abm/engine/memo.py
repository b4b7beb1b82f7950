"""The memo of one simulation: rows of its table that are worked out when a candidate first needs them.

The loop stops before it consumes such a candidate, the law is called, the loop goes on: events and times are what they
would be if all rows had been known from the start. States and digests know nothing of it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.engine.pack import Loop, rates_of
from ucnp_abm.kernels import layout
from ucnp_abm.kernels.rates import first_row, hop_number, memo_key, memo_place, neighbour, transform_number
from ucnp_abm.rules.on_the_way import MAX_NUMBERS, barrier_of
from ucnp_abm.rules.table import Block, RateTable

_ROOM = 4096
_BY_ROW = ("kind", "barrier", "site_step", "attempt")


class Memo:
    """Rows behind those of a table.

    Parameters
    ----------
    table : RateTable
    """

    def __init__(self, table: RateTable) -> None:
        self.table = table
        self._blocks = {block.start: block for block in table.blocks if block.on_the_way}
        self._known: list[tuple[Block, int, float]] = []

    def __bool__(self) -> bool:
        """Whether there is anything to work out."""
        return bool(self._blocks)

    def __len__(self) -> int:
        """Rows that are known by now."""
        return len(self._known)

    @property
    def lowest(self) -> float:
        """The lowest barrier / eV of all rows that are known by now; infinity if there are none."""
        return min((barrier for _, _, barrier in self._known), default=math.inf)

    def block_of(self, row: int) -> Block:
        """The block of a row, be it one of the table or one that was worked out."""
        return self._known[row - self.table.n_rows][0] if row >= self.table.n_rows else self.table.block_of(row)

    def behind(self, rates: layout.Rates) -> layout.Rates:
        """The rates of a table with those that are known behind them, and room for as many again."""
        if not self._blocks:
            return rates
        n, room = self.table.n_rows, 2 * len(self) + _ROOM
        longer: dict[str, Any] = {
            name: _longer(getattr(rates, name), n, room) for name in (*_BY_ROW, "rate", "assisted")
        }
        more = rates._replace(
            **longer,
            memo_key=np.zeros(4 * room, dtype=np.uint64),
            memo_row=np.zeros(4 * room, dtype=np.uint32),
            span=MAX_NUMBERS,
        )
        more.rate[:, list(self._blocks)] = np.nan
        for position in range(len(self)):
            self._write(more, position)
        return more

    def known(self, loop: Loop, channel: int, point: int, direction: int) -> Loop:
        """The loop, with the row of one event worked out if it was not known: a channel at a grid point.

        Raises
        ------
        BadRate
            If the law gives no barrier, or one below the lowest that its author declared.
        """
        lattice, state, rates = loop.lattice, loop.state, loop.rates
        i = np.uint32(point)
        if channel == layout.HOPS:
            j = neighbour(lattice, state, i, direction)
            first = int(first_row(lattice, state, rates, i, j, direction))
            number = hop_number(lattice, state, rates, i, j) if first in self._blocks else layout.ZERO
        else:
            takes = state.species[i] == rates.channel_from[channel]
            first = int(rates.channel_row[channel, lattice.place[i]]) if takes else 0
            number = transform_number(lattice, state, rates, channel, i) if first in self._blocks else layout.ZERO
        if first not in self._blocks or rates.memo_key[memo_place(rates, key := memo_key(rates, first, number))] == key:
            return loop
        block = self._blocks[first]
        assert block.on_the_way is not None
        environment = block.environment(block.on_the_way.counts(int(number)))
        self._known.append((block, int(number), barrier_of(block.rule, environment, self.table.mechanism.name)))
        if self.table.n_rows + len(self) > rates.kind.size:
            return loop._replace(rates=self.behind(rates))
        self._write(rates, len(self) - 1)
        return loop

    def _write(self, rates: layout.Rates, position: int) -> None:
        """Put a known row into its place in the arrays, and its key into the loop's memo."""
        block, number, barrier = self._known[position]
        row, first = self.table.n_rows + position, block.start
        values: dict[str, Any] = {name: getattr(self.table, name)[first] for name in _BY_ROW} | {"barrier": barrier}
        for name, value in values.items():
            getattr(rates, name)[row] = value
        few = slice(row, row + 1)
        rates.assisted[:, few] = rates.assisted[:, first : first + 1]
        rates.rate[:, few] = rates_of(
            rates.kind[few],
            rates.barrier[few],
            rates.site_step[few],
            rates.attempt[few],
            rates.kt.tolist(),
            rates.assisted[:, few],
            rates.relief,
        )
        key = memo_key(rates, first, np.uint64(number))
        place = memo_place(rates, key)
        rates.memo_key[place], rates.memo_row[place] = key, row


def _longer(values: NDArray[Any], n: int, room: int) -> NDArray[Any]:
    """The first n columns of an array, and room for more; what is empty stays empty."""
    if not values.size:
        return values
    return np.concatenate([values[..., :n], np.zeros((*values.shape[:-1], room), dtype=values.dtype)], axis=-1)
