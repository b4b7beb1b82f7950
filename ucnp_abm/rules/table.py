"""The rate table: energies of every event that can happen in a crystal, ready for the loop.

Row 0 is the event that never happens. A *block* of rows belongs to one rule and one choice of species, bond and zones
(hops) or zone and coordination (one-site verbs); inside it, rows run over the neighbour counts that the law reads.
Laws that read more than a table can hold have no rows here: see `on_the_way`.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.rules.env import Counts, HopEnv, Site, SiteEnv
from ucnp_abm.rules.law import Law, call_law
from ucnp_abm.rules.mechanism import Mechanism, Reservoir
from ucnp_abm.rules.on_the_way import Ways
from ucnp_abm.rules.ruleset import HopRule, SiteRule
from ucnp_abm.rules.watch import Counting, Watch

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
    """Rows of one rule at one kind of place: `start` … `start + counting.n_rows - 1`, or one row if nothing is counted.

    Attributes
    ----------
    start : int
    rule : HopRule or SiteRule
    where : tuple
        (mover, bond, zone of the vacancy, zone of the ion) or (channel number, zone, coordination).
    levels : tuple of int
        Of the vacancy and the ion, or of the site; empty unless the mechanism divides the crystal.
    counting : Counting or None
        What the law reads of the neighbours; None: nothing, or its rows are worked out on the way.
    absent : tuple of Watch
        What the law reads of species that can never be there.
    on_the_way : Ways or None
        Set if the rows of the law are too many for a table: `start` then stands for all that is not known yet.
    """

    start: int
    rule: HopRule | SiteRule
    where: tuple[Any, ...]
    levels: tuple[int, ...] = ()
    counting: Counting | None = None
    absent: tuple[Watch, ...] = ()
    on_the_way: Ways | None = None

    @property
    def n_rows(self) -> int:
        return self.counting.n_rows if self.counting else 1

    def counts(self, row: int) -> Counts:
        """What the law can read of the neighbours in a row, the first one being 0."""
        return Counts(self.counting.counts(row) if self.counting else {}, absent=self.absent)

    def environment(self, counts: Counts) -> HopEnv | SiteEnv:
        """What the law is asked about for these counts."""
        if isinstance(self.rule, HopRule):
            mover, bond, vacant, occupied = self.where
            levels = (self.levels[1], self.levels[0]) if self.levels else None
            return HopEnv(
                mover, bond, (occupied, vacant), counts, self.rule.p, levels=levels, directed=self.rule.irreversible
            )
        _, zone, coordination = self.where
        return SiteEnv(Site(zone, coordination, counts, level=self.levels[0] if self.levels else None), self.rule.p)


@dataclass(frozen=True, eq=False)
class RateTable:
    """Energies of all events that can happen in a crystal; rates follow for each temperature.

    R rows, S = 32 species codes, B bond classes, Z regions (zones, finer where the crystal is divided), K channels,
    P places. Arrays as in `kernels.layout.Rates`. `levels_sha256` is of the level of each site, empty without levels;
    `texts` are those of the laws whose rows are worked out on the way.
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
    hop_weight: NDArray[np.uint64]
    hop_counts: NDArray[np.uint8]
    hop_map: NDArray[np.uint32]
    channel_row: NDArray[np.uint32]
    channel_weight: NDArray[np.uint64]
    channel_counts: NDArray[np.uint8]
    channel_map: NDArray[np.uint32]
    row_of: NDArray[np.uint32]
    pair: NDArray[np.float64]
    levels_sha256: str = ""
    texts: tuple[str, ...] = ()

    @property
    def has_pairs(self) -> bool:
        return bool(self.pair.any())

    @property
    def n_rows(self) -> int:
        return int(self.kind.size)

    @property
    def on_the_way(self) -> tuple[Law, ...]:
        """Laws whose rows are too many for a table; they are worked out when a run first needs them."""
        return laws_on_the_way(self.blocks)

    def fingerprint(self) -> str:
        """SHA-256 of energies, attempts, reservoirs and drives, before any exp: one for all temperatures.

        Which site has which level is in it too. Of a law whose rows are worked out on the way it holds a sample, its
        parameters, and its code with all that is bound to it (`bound.text_of`).
        """
        sha = hashlib.sha256()
        for array in (
            *(self.kind, self.barrier, self.site_step, self.attempt, self.pair),
            *(self.hop_row, self.hop_weight, self.hop_map),
            *(self.channel_row, self.channel_weight, self.channel_map, self.row_of),
        ):
            sha.update(np.ascontiguousarray(array).data)
        for channel in self.channels:
            sha.update(f"{channel.name} {channel.takes} {channel.gives} {channel.drive}".encode())
        for reservoir in self.reservoirs:
            sha.update(repr(reservoir).encode())
        for drive in self.mechanism.drives:
            sha.update(f"{drive.profile()} {drive.rise()} {drive.assisted()}".encode())
            sha.update(repr([(verb, drive.factor(verb, 1.0)) for verb in sorted(drive.factors)]).encode())
        sha.update(self.levels_sha256.encode())
        for block in self.blocks:
            if block.on_the_way:
                sha.update(f"{block.rule.lowest!r} {block.on_the_way.sample}".encode())
        if self.on_the_way:
            sha.update(repr((sorted(self.mechanism.all_values().items()), self.texts)).encode())
        return sha.hexdigest()

    def block_of(self, row: int) -> Block:
        """The block in which a row lies."""
        return self.blocks[bisect_right(self.starts, row) - 1]

    @cached_property
    def starts(self) -> list[int]:
        """First row of each block."""
        return [block.start for block in self.blocks]

    def rows(self) -> list[int]:
        """The rows that stand for an environment, one for each that can occur; row 0 is not among them."""
        unknown = {block.start for block in self.blocks if block.on_the_way}
        return [row for row in np.flatnonzero(~np.isnan(self.barrier)).tolist() if row and row not in unknown]

    def environment(self, row: int) -> HopEnv | SiteEnv:
        """What the law of a row was asked about."""
        block = self.block_of(row)
        return block.environment(block.counts(row - block.start))

    def law_value(self, rule: HopRule | SiteRule, env: HopEnv | SiteEnv) -> float:
        """Call the law itself; infinity where it forbids the event."""
        return call_law(rule.law, env, self.mechanism.name)


def laws_on_the_way(blocks: Iterable[Block]) -> tuple[Law, ...]:
    """The laws of blocks whose rows are worked out on the way, each once."""
    return tuple(dict.fromkeys(block.rule.law for block in blocks if block.on_the_way))
