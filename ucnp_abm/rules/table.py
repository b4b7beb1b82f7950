"""The rate table: energies of every event that can happen in a crystal, ready for the loop.

Row 0 is the event that never happens. A *block* of rows belongs to one rule and one choice of species, bond and zones
(hops) or zone and coordination (one-site verbs); inside it, rows run over the neighbour counts that the law reads.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.rules.env import HopEnv, SiteEnv
from ucnp_abm.rules.law import call_law
from ucnp_abm.rules.mechanism import HopRule, Mechanism, SiteRule

RAW, HOP, FILL, EMPTY = 0, 1, 2, 3  # as in kernels.events; a test compares them


@dataclass(frozen=True)
class Channel:
    """A transform of exposed sites, as the loop sees it; the activity multiplies its rate outside the table."""

    name: str
    rule: SiteRule
    before: str
    after: str
    kind: int
    activity: float


@dataclass(frozen=True)
class Block:
    """Rows `start` … `start + radix**len(watched) - 1`; the first watched species varies fastest.

    `where` is (mover, bond, zone of the vacancy, zone of the ion) or (channel number, zone, coordination).
    """

    start: int
    rule: HopRule | SiteRule
    where: tuple[Any, ...]
    watched: tuple[str, ...]
    radix: int


@dataclass(frozen=True, eq=False)
class RateTable:
    """Energies of all events that can happen in a crystal; rates follow for each temperature.

    R rows, S = 32 species codes, B bond classes, Z zones, K channels, P places. Arrays as in `kernels.events.Rates`.
    """

    mechanism: Mechanism
    species: tuple[str, ...]
    channels: tuple[Channel, ...]
    blocks: tuple[Block, ...]
    kind: NDArray[np.uint8]
    barrier: NDArray[np.float64]
    site_step: NDArray[np.float64]
    attempt: NDArray[np.float64]
    hop_row: NDArray[np.uint32]
    hop_weight: NDArray[np.uint32]
    hop_counts: NDArray[np.uint8]
    channel_row: NDArray[np.uint32]
    channel_weight: NDArray[np.uint32]
    channel_counts: NDArray[np.uint8]
    pair: NDArray[np.float64]

    @property
    def has_pairs(self) -> bool:
        return bool(self.pair.any())

    @property
    def n_rows(self) -> int:
        return int(self.kind.size)

    def fingerprint(self) -> str:
        """SHA-256 of energies, attempt frequencies and activities, before any exp: one for all temperatures."""
        sha = hashlib.sha256()
        for array in (
            *(self.kind, self.barrier, self.site_step, self.attempt, self.pair),
            *(self.hop_row, self.hop_weight, self.channel_row, self.channel_weight),
        ):
            sha.update(np.ascontiguousarray(array).data)
        for channel in self.channels:
            sha.update(f"{channel.name} {channel.activity!r}".encode())
        return sha.hexdigest()

    def block_of(self, row: int) -> Block:
        """The block in which a row lies."""
        return self.blocks[bisect_right([b.start for b in self.blocks], row) - 1]

    def law_value(self, rule: HopRule | SiteRule, env: HopEnv | SiteEnv) -> float:
        """Call the law itself; infinity where it forbids the event."""
        return call_law(rule.law, env, self.mechanism.name)
