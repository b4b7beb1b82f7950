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

from ucnp_abm.rules.env import Counts, HopEnv, Site, SiteEnv
from ucnp_abm.rules.law import call_law
from ucnp_abm.rules.mechanism import Mechanism, Reservoir
from ucnp_abm.rules.ruleset import HopRule, SiteRule

RAW, HOP, FILL, EMPTY = 0, 1, 2, 3  # as in kernels.layout; a test compares them


@dataclass(frozen=True)
class Channel:
    """A transform of exposed sites, as the loop sees it.

    Attributes
    ----------
    verb : str
        'dock', 'undock', 'etch', 'swap', 'unswap' or 'sink'.
    species : str
        The ion that is placed or taken; 'vacancy' for a sink.
    rule : SiteRule
    before, after : str
        Occupant of the site.
    kind : int
        How its activation energy follows: RAW, FILL or EMPTY.
    takes, gives : int
        Reservoir from which an ion comes and into which one goes; -1: none.
    drive : int
        The drive whose level its rate is proportional to; -1: none.
    """

    verb: str
    species: str
    rule: SiteRule
    before: str
    after: str
    kind: int
    takes: int = -1
    gives: int = -1
    drive: int = -1

    @property
    def name(self) -> str:
        return f"{self.verb} {self.before}->{self.after}" if self.rule.verb == "swap" else f"{self.verb} {self.species}"


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

    R rows, S = 32 species codes, B bond classes, Z zones, K channels, P places. Arrays as in `kernels.layout.Rates`.
    """

    mechanism: Mechanism
    species: tuple[str, ...]
    channels: tuple[Channel, ...]
    reservoirs: tuple[Reservoir, ...]
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
        """SHA-256 of energies, attempts, reservoirs and drives, before any exp: one for all temperatures."""
        sha = hashlib.sha256()
        for array in (
            *(self.kind, self.barrier, self.site_step, self.attempt, self.pair),
            *(self.hop_row, self.hop_weight, self.channel_row, self.channel_weight),
        ):
            sha.update(np.ascontiguousarray(array).data)
        for channel in self.channels:
            sha.update(f"{channel.name} {channel.takes} {channel.gives} {channel.drive}".encode())
        for reservoir in self.reservoirs:
            sha.update(repr(reservoir).encode())
        for drive in self.mechanism.drives:
            sha.update(f"{drive.profile()} {drive.rise()} {drive.assisted()}".encode())
            sha.update(repr([drive.factor(verb, 1.0) for verb in sorted(drive.factors)]).encode())
        return sha.hexdigest()

    def block_of(self, row: int) -> Block:
        """The block in which a row lies."""
        return self.blocks[bisect_right([b.start for b in self.blocks], row) - 1]

    def rows(self) -> list[int]:
        """The rows that stand for an environment, one for each that can occur; row 0 is not among them."""
        return [int(row) for row in np.flatnonzero(~np.isnan(self.barrier)) if row]

    def environment(self, row: int) -> HopEnv | SiteEnv:
        """What the law of a row was asked about."""
        block = self.block_of(row)
        numbers, left = {}, row - block.start
        for symbol in block.watched:
            left, numbers[symbol] = divmod(left, block.radix)
        if isinstance(block.rule, HopRule):
            mover, bond, vacant, occupied = block.where
            zones = (occupied, vacant)
            return HopEnv(mover, bond, zones, Counts(numbers), block.rule.p, directed=block.rule.irreversible)
        _, zone, coordination = block.where
        return SiteEnv(Site(zone, coordination, Counts(numbers)), block.rule.p)

    def law_value(self, rule: HopRule | SiteRule, env: HopEnv | SiteEnv) -> float:
        """Call the law itself; infinity where it forbids the event."""
        return call_law(rule.law, env, self.mechanism.name)
